/* SPDX-License-Identifier: MIT */
/*
 * A list of two descriptors that goes round through a packed virtqueue of two: contents, the flags that both sides
 * store, and the event suppression structures. docs/transport.md, 6.1, 6.2 and 6.4; virtio 1.3, 2.8.1, 2.8.6, 2.8.10
 * and 2.8.21. To be searched with WEAK.
 *
 * Of the first descriptor both sides store what it says and its flags, in turns: each has a word of its own for it, from
 * which it lands in the same place. A round stands for the wrap counter.
 */
#define BUFFER 0
#define FIRST 1
#define SECOND 2
#define FLAGS 3
#define INTERRUPT_PLACE 4
#define INTERRUPT_FLAGS 5
#define FE_WORDS 6
#define REPLY 6
#define USED 7 /* lands in FIRST: id and length */
#define USED_FLAGS 8 /* lands in FLAGS */
#define WANTS_KICK 9
#define WORDS 10
#define LANDINGS LANDS(BUFFER) LANDS(FIRST) LANDS(SECOND) LANDS(FLAGS) LANDS(INTERRUPT_PLACE) LANDS(INTERRUPT_FLAGS) \
	LANDS(REPLY) LANDS_IN(USED, FIRST) LANDS_IN(USED_FLAGS, FLAGS) LANDS(WANTS_KICK)

#define PUBLISH_WMB 20
#define FLAGS_ACQUIRE 21
#define USED_RELEASE 22
#define USED_RELEASE_LOADS 23
#define USED_RMB 24
#define KICK_MB 25
#define ARM_MB 26
#define SIGNAL_MB 27
#define ENABLE_MB 28
#define EVENT_WMB 29

#include "memory.pml"

#ifndef ROUNDS
#define ROUNDS 3
#endif

#define available(n) (2 * (n) - 1)
#define used(n) (2 * (n))
#define DISABLED 1
#define AT_PLACE 2

bool kicked, interrupted;

/* 2.8.21.1: the flags of the first descriptor last. A kick if the device waits at this place. */
inline offer(n) {
	store(BUFFER, n);
	store(FIRST, n);
	store(SECOND, n);
	wmb(FE, PUBLISH_WMB);
	store(FLAGS, available(n));
	mb(FE, KICK_MB);
	if
	:: memory[WANTS_KICK] == n -> kicked = true
	:: memory[WANTS_KICK] != n
	fi
}

/* As Linux does, in two stores; the device loads both at once. */
inline enable(n) {
	store(INTERRUPT_PLACE, n);
	wmb(FE, EVENT_WMB);
	store(INTERRUPT_FLAGS, AT_PLACE);
	mb(FE, ENABLE_MB)
}

active proctype Frontend() {
	byte n, id, reply;
	do
	:: n < ROUNDS ->
		n++;
		offer(n);
		do
		:: d_step { without(USED_RMB) -> id = memory[FIRST]; reply = memory[REPLY] }
		:: memory[FLAGS] == used(n) -> break
		:: memory[FLAGS] != used(n) ->
			enable(n);
			if
			:: memory[FLAGS] == used(n)
			:: memory[FLAGS] != used(n) -> d_step { interrupted -> interrupted = false }
			fi;
			store(INTERRUPT_FLAGS, DISABLED)
		od;
		if
		:: d_step { !without(USED_RMB) -> id = memory[FIRST]; reply = memory[REPLY] }
		:: without(USED_RMB)
		fi;
		d_step { assert(id == used(n)); assert(reply == n); id = 0; reply = 0 }
	:: n == ROUNDS -> break
	od
}

inline copy() {
	d_step { first = memory[FIRST]; second = memory[SECOND]; request = memory[BUFFER] }
}

active proctype Backend() {
	byte served, first, second, request;
	do
	:: d_step { without(FLAGS_ACQUIRE) -> first = memory[FIRST]; second = memory[SECOND]; request = memory[BUFFER] }
	:: memory[FLAGS] == available(served + 1) ->
		served++;
		if
		:: !without(FLAGS_ACQUIRE) -> copy()
		:: without(FLAGS_ACQUIRE)
		fi;
		d_step { assert(first == served); assert(second == served) }
		store(REPLY, served);
		store(USED, used(served));
		release(BE, USED_RELEASE);
		store(USED_FLAGS, used(served));
		if
		:: d_step { without(USED_RELEASE_LOADS) -> request = memory[BUFFER] }
		:: !without(USED_RELEASE_LOADS)
		fi;
		d_step { assert(request == served); first = 0; second = 0; request = 0 }
		mb(BE, SIGNAL_MB);
		if
		:: d_step { memory[INTERRUPT_FLAGS] == AT_PLACE && memory[INTERRUPT_PLACE] == served -> interrupted = true }
		:: memory[INTERRUPT_FLAGS] != AT_PLACE || memory[INTERRUPT_PLACE] != served
		fi
	:: memory[FLAGS] != available(served + 1) ->
		store(WANTS_KICK, served + 1);
		mb(BE, ARM_MB);
		if
		:: memory[FLAGS] == available(served + 1)
		:: memory[FLAGS] != available(served + 1) ->
end_asleep:
			d_step { kicked -> kicked = false }
		fi;
		store(WANTS_KICK, 0)
	od
}
