/* SPDX-License-Identifier: MIT */
/*
 * One buffer that goes round through a split virtqueue: contents, indices, and the flags by which each side says that
 * it wants to be told. docs/transport.md, 6.1, 6.2 and 6.4; virtio 1.3, 2.7.7, 2.7.10 and 2.7.13. To be searched with
 * WEAK. A flag stands for the event index too: both are a word that is stored before the peer's index is looked at
 * again.
 */
#define BUFFER 0
#define AVAILABLE 1
#define WANTS_INTERRUPT 2
#define FE_WORDS 3
#define REPLY 3
#define USED 4
#define WANTS_KICK 5
#define WORDS 6
#define LANDINGS LANDS(BUFFER) LANDS(AVAILABLE) LANDS(WANTS_INTERRUPT) LANDS(REPLY) LANDS(USED) LANDS(WANTS_KICK)

#define AVAILABLE_WMB 20
#define AVAILABLE_ACQUIRE 21
#define USED_RELEASE 22
#define USED_RELEASE_LOADS 23
#define USED_RMB 24
#define KICK_MB 25
#define ARM_MB 26
#define SIGNAL_MB 27
#define ENABLE_MB 28

#include "memory.pml"

#ifndef ROUNDS
#define ROUNDS 3
#endif

bool kicked, interrupted;

active proctype Frontend() {
	byte n, reply;
	do
	:: n < ROUNDS ->
		n++;
		store(BUFFER, n);
		wmb(FE, AVAILABLE_WMB);
		store(AVAILABLE, n);
		mb(FE, KICK_MB);
		if
		:: memory[WANTS_KICK] != 0 -> kicked = true
		:: memory[WANTS_KICK] == 0
		fi;
		do
		:: d_step { without(USED_RMB) -> reply = memory[REPLY] }
		:: memory[USED] == n -> break
		:: memory[USED] != n ->
			store(WANTS_INTERRUPT, 1);
			mb(FE, ENABLE_MB);
			if
			:: memory[USED] == n
			:: memory[USED] != n -> d_step { interrupted -> interrupted = false }
			fi;
			store(WANTS_INTERRUPT, 0)
		od;
		if
		:: d_step { !without(USED_RMB) -> reply = memory[REPLY] }
		:: without(USED_RMB)
		fi;
		d_step { assert(reply == n); reply = 0 }
	:: n == ROUNDS -> break
	od
}

active proctype Backend() {
	byte served, request;
	do
	:: d_step { without(AVAILABLE_ACQUIRE) -> request = memory[BUFFER] }
	:: memory[AVAILABLE] != served ->
		served++;
		if
		:: d_step { !without(AVAILABLE_ACQUIRE) && !without(USED_RELEASE_LOADS) -> request = memory[BUFFER] }
		:: without(AVAILABLE_ACQUIRE) || without(USED_RELEASE_LOADS)
		fi;
		store(REPLY, served);
		release(BE, USED_RELEASE);
		store(USED, served);
		if
		:: d_step { without(USED_RELEASE_LOADS) -> request = memory[BUFFER] }
		:: !without(USED_RELEASE_LOADS)
		fi;
		d_step { assert(request == served); request = 0 }
		mb(BE, SIGNAL_MB);
		if
		:: memory[WANTS_INTERRUPT] != 0 -> interrupted = true
		:: memory[WANTS_INTERRUPT] == 0
		fi
	:: memory[AVAILABLE] == served ->
		store(WANTS_KICK, 1);
		mb(BE, ARM_MB);
		if
		:: memory[AVAILABLE] != served
		:: memory[AVAILABLE] == served ->
end_asleep:
			d_step { kicked -> kicked = false }
		fi;
		store(WANTS_KICK, 0)
	od
}
