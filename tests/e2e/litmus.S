/* SPDX-License-Identifier: MIT */
/*
 * One side of the store-load litmus test, for a machine without anything else: test_litmus.py starts two of them.
 *
 * Each round both wait for each other, store their own word and load the other one's, as the sides of a link do when
 * one kicks while the other goes to sleep (docs/transport.md, 6.2 and 6.4). A byte for each round tells what was seen.
 *
 * REGION: where the shared memory lies; SIDE: 0 or 1; ROUNDS; BARRIER: 1 for what mb is in both implementations.
 */
#define WORDS 0x000
#define READY 0x100
#define SEEN 0x1000
#define LINE 0x80 /* apart from each other, so that one does not come along with the other */

	.globl	_start
_start:
	ldr	x0, =(REGION + WORDS + SIDE * LINE)
	ldr	x1, =(REGION + WORDS + (1 - SIDE) * LINE)
	ldr	x2, =(REGION + READY + SIDE * LINE)
	ldr	x3, =(REGION + READY + (1 - SIDE) * LINE)
	ldr	x4, =(REGION + SEEN + SIDE * ROUNDS)
	ldr	w5, =ROUNDS
	mov	w6, #0
	mov	w7, #(SIDE + 1)
	ldr	w8, =1103515245
	mov	w9, #12345
round:
	add	w6, w6, #1
	stlr	w6, [x2]
other:
	ldar	w10, [x3]
	cmp	w10, w6
	b.lo	other
	/* Who arrives first begins late: a few steps, as a random number says. */
	madd	w7, w7, w8, w9
	ubfx	w10, w7, #16, #6
late:
	subs	w10, w10, #1
	b.pl	late

	str	w6, [x0]
#if BARRIER
	dmb	ish
#endif
	ldr	w10, [x1]

	/* 1: the other one's former value, 2: its new one */
	cmp	w10, w6
	cset	w10, hs
	add	w10, w10, #1
	strb	w10, [x4], #1
	cmp	w6, w5
	b.lo	round
	add	w6, w6, #1
	stlr	w6, [x2]
end:
	wfi
	b	end
