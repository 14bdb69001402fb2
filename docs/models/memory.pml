/* SPDX-License-Identifier: MIT */
/*
 * The words that two sides share, and what orders them: docs/transport.md, 1 and the second paragraph of 4.
 *
 * Each word is stored by one side only, so that a store buffer is one value per word. Without WEAK a store is visible
 * at once. With WEAK it lands when `Buffers` says so, in any order and behind any later load; a later store to the same
 * word replaces it. A barrier waits until what its side has stored has landed. The real wmb and the real release do not
 * wait, and order no store with a later load: a load that must stay behind a store has an mb before it here.
 * Loads that nothing orders are done in any order by the models, as far as `without()` allows it.
 *
 * Where both sides store to one place in turns, each has a word for it, which LANDS_IN that place.
 *
 * A model defines WORDS (how many), FE_WORDS (the first that many are the frontend's) and LANDINGS (each word as
 * LANDS(word)) before it includes this file. -DREMOVED=NAME takes away one
 * of the things that a model names, -DALSO_REMOVED=NAME another one.
 */

#define NOTHING 0
#ifndef REMOVED
#define REMOVED NOTHING
#endif
#ifndef ALSO_REMOVED
#define ALSO_REMOVED NOTHING
#endif
#define without(name) (REMOVED == name || ALSO_REMOVED == name)

#define FE 0
#define BE 1

byte memory[WORDS];

#ifdef WEAK
byte stored[WORDS];
bool landing[WORDS];
byte under_way[2];

#define SIDE(word) ((word) >= FE_WORDS)

inline store(word, value) {
	d_step {
		under_way[SIDE(word)] = under_way[SIDE(word)] + !landing[word];
		landing[word] = true;
		stored[word] = value;
	}
}

#define barrier(side, name) (without(name) || under_way[side] == 0)

#define LANDS(word) LANDS_IN(word, word)
#define LANDS_IN(word, place) :: d_step { \
	landing[word] -> memory[place] = stored[word]; stored[word] = 0; \
	landing[word] = false; under_way[SIDE(word)]--; }

active proctype Buffers() {
end:
	do
	LANDINGS
	od
}
#else
#define store(word, value) memory[word] = value
#define barrier(side, name) true
#endif

/*
 * `name`: what is removed by -DREMOVED; also of a store with release, whose barrier stands in front of it. One with the
 * name NOTHING is never there: the specification has it for something that the model leaves out.
 */
#define wmb(side, name) barrier(side, name)
#define mb(side, name) barrier(side, name)
#define release(side, name) barrier(side, name)
