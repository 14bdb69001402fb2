/* SPDX-License-Identifier: MIT */
/*
 * One block of the pool that is given back and taken again, and whoever uses it meanwhile. docs/transport.md, 10.
 *
 * What holds: the frontend's drivers and the platform's operator never use the block at the same time, and the backend
 * writes nothing there that a chain of the frontend told it to while the operator does. Both sides crash at any point.
 * A batch is one step here, and so is its examination: pages.pml has those.
 *
 * ASKS: how often the backend asks for the block. FE_RESTARTS, BE_RESTARTS: how often each side crashes. HOSTILE: the
 * frontend gives the block away with a buffer in it.
 */
#define NOTHING 0
#ifndef REMOVED
#define REMOVED NOTHING
#endif
#define without(name) (REMOVED == name)

#define WAITS_FOR_TAKE 1
#define POOL_WAITS 2
#define CHAIN_AGAIN 3
#define LET_GO_FIRST 4
#define LET_GO_AT_MEET 5
#define GIVE_LAST 6

#ifndef ASKS
#define ASKS 2
#endif
#ifndef FE_RESTARTS
#define FE_RESTARTS 1
#endif
#ifndef BE_RESTARTS
#define BE_RESTARTS 1
#endif

#define RESET 1
#define GIVE 2
#define TAKE 3

/* Words of the pages: the backend's */
byte be, target, ack;
bool accepted;
/* and the frontend's: its batch, and a buffer in the block that one of its lives has made available */
byte token, kind, of_fe, of_be;
byte available;

byte returned; /* the life whose buffer has come back */
bool drivers; /* of the present life may use the block */
bool operator; /* uses it */
byte fe, fe_restarts, be_restarts, lives, asks;
bool fe_dies, be_dies;

inline use() {
	d_step {
		drivers = true;
		assert(operator == false)
	}
}

inline publish(what) {
	d_step {
		token++; kind = what; of_fe = fe; of_be = with
	}
}

/* `with` is 0 afterwards if the backend's life has ended. */
inline accept() {
	if
	:: ack == token && be == with
	:: be != with -> with = 0
	fi
}

active proctype Frontend() {
	byte with;
	bool in_flight;
life:
	{
		d_step { fe++; drivers = false; in_flight = false }
		if
		:: without(POOL_WAITS) -> use()
		:: else
		fi;
attach:
		be != 0;
		with = be;
		publish(RESET);
		accept();
		if
		:: with == 0 -> goto attach
		:: else -> use()
		fi;
end_running:
		do
		:: d_step { drivers && !in_flight && available != fe -> in_flight = true; available = fe; returned = 0 }
		:: d_step { in_flight && returned == fe -> in_flight = false }
#ifdef HOSTILE
		:: target && drivers ->
#else
		:: target && drivers && !in_flight ->
#endif
			if
			:: !without(GIVE_LAST) -> drivers = false
			:: else
			fi;
			publish(GIVE);
			accept();
			if
			:: with == 0 -> goto life
			:: else -> drivers = !accepted
			fi
		:: !target && !drivers ->
			publish(TAKE);
			if
			:: without(WAITS_FOR_TAKE) -> use()
			:: else
			fi;
			accept();
			if
			:: with == 0 -> goto life
			:: with != 0 && accepted -> use()
			:: else
			fi
		:: be != with -> goto life
		od
	} unless {
		d_step { fe_dies -> fe_dies = false; with = 0 };
		goto life
	}
}

active proctype Backend() {
	byte looked, known, out;
	bool given;
	do
	:: {
		d_step { ack = 0; target = 0; lives++; be = lives }
end_idle:
		do
		:: atomic { token != looked ->
			looked = token;
			if
			:: of_be == be ->
				if
				:: of_fe != known ->
					operator = operator && without(LET_GO_AT_MEET);
					known = of_fe; given = false; out = 0
				:: else
				fi;
				if
				:: kind == RESET -> accepted = true; out = 0
				:: kind == GIVE -> accepted = target && !given; given = given || accepted
				:: kind == TAKE -> accepted = !target && given; given = given && !accepted
				fi;
				ack = token
			:: else
			fi
		   }
		:: d_step { available != 0 && available == known && !out && !given -> out = available; available = 0 }
		:: d_step { out != 0 ->
			/* The answer is written, unless the block lies outside the pool by now. */
			if
			:: !given || without(CHAIN_AGAIN) -> assert(false == operator)
			:: else
			fi;
			returned = out; out = 0
		   }
		:: d_step { given && target && !operator -> operator = true; assert(drivers == false) }
		:: d_step { asks < ASKS && !target -> asks++; target = 1 }
		:: target ->
			if
			:: !without(LET_GO_FIRST) -> operator = false
			:: else
			fi;
			target = 0
		od
	   } unless {
		d_step { be_dies -> be_dies = false; be = 0; looked = 0; known = 0; out = 0; given = false }
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
