/* SPDX-License-Identifier: MIT */
/*
 * Recovery: both sides crash at any point, and what the pages hold may be scrubbed then. docs/transport.md, 4.1, 4.2,
 * 4.4 and 4.7.
 *
 * What holds, besides what pages.pml asserts: the pool of a frontend's life is touched by no backend that serves a
 * former one, nor a buffer that the frontend has answered itself after its backend was gone by what that had stored
 * before; and whoever is left comes back by itself: nobody waits for ever.
 *
 * FE_RESTARTS, BE_RESTARTS: how often each side crashes. IN_FLIGHT: there is a request while the link breaks.
 * SCRUB: a crash may zero the words of the pages while the other side runs on, WORDWISE first to last or last to first,
 * or all AT_ONCE.
 */
#define WORDWISE 1
#define AT_ONCE 2
#ifndef FE_RESTARTS
#define FE_RESTARTS 1
#endif
#ifndef BE_RESTARTS
#define BE_RESTARTS 1
#endif

byte fe_restarts, be_restarts;
bool fe_dies, be_dies;
#define IMPATIENT false
#define OWNS(n) (owner == (n) || rings == (n))

byte rings; /* epoch of the life whose rings the backend serves; 0: none */
byte owner; /* epoch of the life that has allocated from the pool last */

/* What stands in POOL: whose answer. */
#define BACKENDS 1
#define FRONTENDS 2

#include "pages.pml"

/* 4.4 and 4.5: a reset takes the rings away, DRIVER_OK hands them over. */
inline reset_first() {
	if
	:: c_fe != known || kind_in(c_entries) == RESET -> rings = 0
	:: else
	fi
}

inline commit() {
	if
	:: kind_in(c_entries) == RUN -> assert(c_fe == owner); rings = c_fe
	:: else
	fi;
	said = 1 + kind_in(c_entries)
}

/* The frontend allocates its rings. A backend that still serves others would write into them. */
inline allocate() {
	d_step {
		assert(rings == 0);
		memory[POOL] = 0;
		owner = fe
	}
}

/* The backend answers a request in a buffer. */
inline serve() {
	if
	:: rings != 0 -> store(POOL, BACKENDS)
	:: else
	fi
}

/* 4.7: the backend is gone, and the frontend answers that request in its place. */
inline take_back() {
	memory[POOL] = FRONTENDS;
	d_step { assert(memory[POOL] == FRONTENDS); memory[POOL] = 0 }
}

/* The words of both pages may be lost with the machine that crashes: its region is made anew. */
inline scrub(n) {
	if
#if SCRUB == WORDWISE
	:: true -> n = 0;
		do
		:: n < PAGE_WORDS -> memory[n] = 0; n++
		:: else -> break
		od
	:: true -> n = PAGE_WORDS;
		do
		:: n > 0 -> n--; memory[n] = 0
		:: else -> break
		od
#else
	:: d_step {
		do
		:: n < PAGE_WORDS -> memory[n] = 0; n++
		:: else -> break
		od
	   }
#endif
	:: true
	fi;
	n = 0
}

active proctype Frontend() {
	byte n;
life:
	{
		begin();
attach:
		meet();
		publish(RESET);
		if
		:: without(POOL_WAITS) -> allocate()
		:: else
		fi;
		accept();
		if
		:: with == 0 -> goto attach
		:: else -> answer = 0
		fi;
		if
		:: !without(POOL_WAITS) -> allocate()
		:: else
		fi;
		publish(FEATURES);
		accept();
		if
		:: with == 0 -> goto life
		:: else -> answer = 0
		fi;
		publish(RUN);
		accept();
		if
		:: with == 0 -> goto life
		:: else -> answer = 0
		fi;
end_running:
		memory[BE_EPOCH] != with;
#ifdef IN_FLIGHT
		take_back();
#endif
		goto life
	} unless {
		d_step { fe_dies -> fe_dies = false; forget_backend(); scratch[FE] = 0; n = 0 };
#ifdef SCRUB
		scrub(n);
#endif
		goto life
	}
}

active proctype Backend() {
	byte n;
	do
	:: {
		start();
end_idle:
		do
		:: examine();
			if
			:: is_whole && is_for_us ->
				take();
#ifdef IN_FLIGHT
				serve()
#endif
			:: else
			fi;
			d_step { forget_copy() }
		od
	   } unless {
		d_step {
			be_dies -> be_dies = false;
			be = 0; looked = NONE; known = 0; rings = 0; loads[BE] = 0; scratch[BE] = 0; n = 0;
			forget_copy()
		}
#ifdef SCRUB
		scrub(n)
#endif
	   }
	od
}

active proctype Fate() {
end:
	do
	:: atomic { fe_restarts < FE_RESTARTS -> fe_restarts++; fe_dies = true }
	:: atomic { be_restarts < BE_RESTARTS -> be_restarts++; be_dies = true }
	od
}
