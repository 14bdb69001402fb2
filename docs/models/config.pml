/* SPDX-License-Identifier: MIT */
/*
 * The configuration space is read between two equal, even generations, and is then no mixture of two.
 * docs/transport.md, 7.2. To be searched with WEAK.
 */
#define FE_WORDS 0
#define GENERATION 0
#define FIRST 1
#define SECOND 2
#define WORDS 3
#define LANDINGS LANDS(GENERATION) LANDS(FIRST) LANDS(SECOND)

#define ODD_WMB 20
#define EVEN_WMB 21
#define GENERATION_ACQUIRE 22
#define GENERATION_RMB 23

#include "memory.pml"

#ifndef CHANGES
#define CHANGES 3
#endif

active proctype Backend() {
	byte change;
	do
	:: change < CHANGES ->
		change++;
		store(GENERATION, 2 * change - 1);
		wmb(BE, ODD_WMB);
		store(FIRST, change);
		store(SECOND, change);
		wmb(BE, EVEN_WMB);
		store(GENERATION, 2 * change)
	:: change == CHANGES -> break
	od
}

#define READ_GENERATION 1
#define READ_FIRST 2
#define READ_SECOND 4
#define READ_AGAIN 8
#define READ_ALL 15
#define read(loaded) ((loads & (loaded)) == (loaded))

/* Each turn is one read of the space, with the loads in every order that is allowed; it is not bounded here. */
active proctype Frontend() {
	byte loads, before, first, second, after;
end:
	do
	:: d_step {
		!read(READ_GENERATION) && memory[GENERATION] % 2 == 0 ->
		before = memory[GENERATION]; loads = loads | READ_GENERATION
	   }
	:: d_step {
		!read(READ_FIRST) && (read(READ_GENERATION) || without(GENERATION_ACQUIRE)) ->
		first = memory[FIRST]; loads = loads | READ_FIRST
	   }
	:: d_step {
		!read(READ_SECOND) && (read(READ_GENERATION) || without(GENERATION_ACQUIRE)) ->
		second = memory[SECOND]; loads = loads | READ_SECOND
	   }
	:: d_step {
		!read(READ_AGAIN) && read(READ_GENERATION) &&
		(read(READ_FIRST | READ_SECOND) || without(GENERATION_RMB)) ->
		after = memory[GENERATION]; loads = loads | READ_AGAIN
	   }
	:: d_step {
		read(READ_ALL) ->
		assert(before != after || first == second);
		loads = 0; before = 0; first = 0; second = 0; after = 0
	   }
	od
}
