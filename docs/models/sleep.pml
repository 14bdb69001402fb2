/* SPDX-License-Identifier: MIT */
/*
 * Sleep flags, counters and doorbells: nobody sleeps over work. docs/transport.md, 4.1 (the backend rings when it
 * starts), 4.2 and 4.3, and 6.1 to 6.5. To be searched with WEAK.
 *
 * A request is a ring's index or DRV_REQ, an answer a ring's index or DEV_ACK; a backend answers those that are meant for
 * its life. FE_CRASHES, BE_CRASHES: how often each side crashes, at any point; doorbells that it had not taken are lost
 * with it, and each life of the frontend, which begins anew when the backend's epoch changes, sends REQUESTS. Without LOST nobody has a timer: then
 * whoever sleeps is rung when there is something for it. LOST: how many doorbells get lost; then the frontend has one,
 * as it does while it waits for a backend or for an answer, and it is enough.
 */
#define AVAILABLE 0
#define KICK_SEQ 1
#define FE_SLEEP 2
#define FE_WORDS 3
#define BE_EPOCH 3
#define USED 4
#define USED_COUNT 5
#define BE_SLEEP 6
#define WORDS 7
#define LANDINGS LANDS(AVAILABLE) LANDS(KICK_SEQ) LANDS(FE_SLEEP) LANDS(BE_EPOCH) LANDS(USED) LANDS(USED_COUNT) \
	LANDS(BE_SLEEP)

#define START_RING 1
#define TIMER 2
#define SECOND_LOOK 3
#define KICK_MB 20
#define REST_MB 21
#define WAKE_MB 22
#define COUNT_RELEASE 23
#define COUNT_ACQUIRE 24
#define COUNT_MB 25
#define FE_SLEEP_MB 26
#define START_MB 27
#define BELL_DSB 28
#define EPOCH_0_WMB 29
#define CLEARED_WMB 30

#include "memory.pml"

#ifndef REQUESTS
#define REQUESTS 3
#endif
#ifndef LOST
#define LOST 0
#endif

#ifndef FE_CRASHES
#define FE_CRASHES 0
#endif
#ifndef BE_CRASHES
#define BE_CRASHES 0
#endif

byte fe_crashes, be_crashes;
bool fe_dies, be_dies;
#define request(life, number) ((life) * 32 + (number))
#define life_of(request) ((request) / 32)

bool rung[2]; /* doorbells that have not been taken yet, by who hears them */
byte lost;

/* 6.5: what is announced is complete before the doorbell is rung; it may get lost. */
inline ring(side, peer) {
	barrier(side, BELL_DSB);
	if
	:: rung[peer] = true
	:: atomic { lost < LOST -> lost++ }
	fi
}

/* 6.4 */
inline send() {
	sent++;
	wanted = request(with, sent);
	store(AVAILABLE, wanted);
	release(FE, NOTHING);
	store(KICK_SEQ, sent);
	mb(FE, KICK_MB);
	if
	:: memory[BE_SLEEP] != 0 -> ring(FE, BE)
	:: memory[BE_SLEEP] == 0
	fi
}

/* 4.7: the life of the backend, and 6.3: the counter, then, if it has moved, the ring. */
inline look() {
	if
	:: d_step { memory[BE_EPOCH] != with -> with = 0 }
	:: memory[BE_EPOCH] == with
	fi;
	if
	:: d_step { without(COUNT_ACQUIRE) -> found = memory[USED] }
	:: !without(COUNT_ACQUIRE)
	fi;
	if
	:: d_step { memory[USED_COUNT] != count -> count = memory[USED_COUNT] }
		if
		:: d_step { without(COUNT_ACQUIRE) -> done = found }
		:: d_step { !without(COUNT_ACQUIRE) -> done = memory[USED] }
		fi
	:: memory[USED_COUNT] == count
	fi;
	found = 0
}

/* What a frontend knows goes with its life; no token comes twice. */
inline forget() {
	with = 0; wanted = 0; done = 0; count = 0; found = 0; before = 0
}

active proctype Frontend() {
	byte sent, goal, with, wanted, done, count, found, before;
life:
	{
		d_step { forget(); goal = sent + REQUESTS };
		store(FE_SLEEP, 1);
		mb(FE, NOTHING);
		do
		:: d_step { memory[BE_EPOCH] != 0 -> with = memory[BE_EPOCH] }
			break
		:: memory[BE_EPOCH] == 0 ->
			if
			:: d_step { rung[FE] -> rung[FE] = false }
#if LOST
			:: timeout && !without(TIMER) /* 4.2: looks about every second */
#endif
			fi
		od;
		count = memory[USED_COUNT];
		store(FE_SLEEP, 0);
		do
		:: with == 0 -> goto life
		:: with != 0 && sent < goal -> send()
		:: with != 0 && done != wanted ->
			store(FE_SLEEP, 1);
			mb(FE, FE_SLEEP_MB);
			before = done;
			look();
			if
			:: done != before || with == 0
			:: d_step { done == before && with != 0 && rung[FE] -> rung[FE] = false } look()
#if LOST
			:: done == before && with != 0 && timeout && !without(TIMER) -> ring(FE, BE); look() /* 4.7: rings again */
#endif
			fi;
			before = 0;
			store(FE_SLEEP, 0)
		:: with != 0 && sent == goal && done == wanted -> break
		od;
end_answered:
		false
	} unless {
		d_step { fe_dies -> fe_dies = false; rung[FE] = false };
		goto life
	}
}

/* 6.2 */
inline rest() {
	store(BE_SLEEP, 1);
	mb(BE, REST_MB);
	if
	:: memory[AVAILABLE] != served && !without(SECOND_LOOK)
	:: memory[AVAILABLE] == served || without(SECOND_LOOK) ->
end_asleep:
		d_step { rung[BE] -> rung[BE] = false }
	fi;
	store(BE_SLEEP, 0);
	mb(BE, WAKE_MB)
}

/* 4.1 */
inline start() {
	life++;
	if
	:: life > 1 ->
		store(BE_EPOCH, 0);
		wmb(BE, EPOCH_0_WMB);
		store(USED, 0);
		store(USED_COUNT, 0);
		store(BE_SLEEP, 0);
		wmb(BE, CLEARED_WMB)
	:: life == 1
	fi;
	store(BE_EPOCH, life);
	mb(BE, START_MB);
	if
	:: !without(START_RING) -> ring(BE, FE)
	:: without(START_RING)
	fi
}

inline answer() {
	store(USED, served);
	release(BE, COUNT_RELEASE);
	counter++;
	store(USED_COUNT, counter);
	mb(BE, COUNT_MB);
	if
	:: memory[FE_SLEEP] != 0 -> ring(BE, FE)
	:: memory[FE_SLEEP] == 0
	fi
}

active proctype Backend() {
	byte life, served, counter;
	do
	:: {
		start();
		do
		:: memory[AVAILABLE] != served ->
			served = memory[AVAILABLE];
			if
			:: life_of(served) == life -> answer()
			:: life_of(served) != life
			fi
		:: memory[AVAILABLE] == served -> rest()
		od
	   } unless {
		d_step { be_dies -> be_dies = false; rung[BE] = false; served = 0; counter = 0 }
	   }
	od
}

active proctype Fate() {
end:
	do
	:: atomic { fe_crashes < FE_CRASHES -> fe_crashes++; fe_dies = true }
	:: atomic { be_crashes < BE_CRASHES -> be_crashes++; be_dies = true }
	od
}
