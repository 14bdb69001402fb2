/* SPDX-License-Identifier: MIT */
/*
 * Sleep flags, counters and doorbells: nobody sleeps over work. docs/transport.md, 4.1 (the backend rings when it
 * starts), 4.2 and 4.3, and 6.1 to 6.5. To be searched with WEAK.
 *
 * A request is a ring's index or DRV_REQ, an answer a ring's index or DEV_ACK. Without LOST nobody has a timer: then
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

#include "memory.pml"

#ifndef REQUESTS
#define REQUESTS 3
#endif
#ifndef LOST
#define LOST 0
#endif

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
	store(AVAILABLE, sent);
	release(FE, NOTHING);
	store(KICK_SEQ, sent);
	mb(FE, KICK_MB);
	if
	:: memory[BE_SLEEP] != 0 -> ring(FE, BE)
	:: memory[BE_SLEEP] == 0
	fi
}

/* 6.3: the counter, then, if it has moved, the ring. */
inline look() {
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

active proctype Frontend() {
	byte sent, done, count, found, before;
	store(FE_SLEEP, 1);
	mb(FE, NOTHING);
	do
	:: memory[BE_EPOCH] != 0 -> break
	:: memory[BE_EPOCH] == 0 ->
		if
		:: d_step { rung[FE] -> rung[FE] = false }
#if LOST
		:: timeout && !without(TIMER) /* 4.2: looks about every second */
#endif
		fi
	od;
	store(FE_SLEEP, 0);
	do
	:: sent < REQUESTS -> send()
	:: done < sent ->
		store(FE_SLEEP, 1);
		mb(FE, FE_SLEEP_MB);
		before = done;
		look();
		if
		:: done != before
		:: d_step { done == before && rung[FE] -> rung[FE] = false } look()
#if LOST
		:: done == before && timeout && !without(TIMER) -> ring(FE, BE); look() /* 4.7: rings again */
#endif
		fi;
		before = 0;
		store(FE_SLEEP, 0)
	:: done == REQUESTS -> break
	od
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

active proctype Backend() {
	byte served, counter;
	store(BE_EPOCH, 1);
	mb(BE, START_MB);
	if
	:: !without(START_RING) -> ring(BE, FE)
	:: without(START_RING)
	fi;
	do
	:: memory[AVAILABLE] != served ->
		served = memory[AVAILABLE];
		store(USED, served);
		release(BE, COUNT_RELEASE);
		counter++;
		store(USED_COUNT, counter);
		mb(BE, COUNT_MB);
		if
		:: memory[FE_SLEEP] != 0 -> ring(BE, FE)
		:: memory[FE_SLEEP] == 0
		fi
	:: memory[AVAILABLE] == served -> rest()
	od
}
