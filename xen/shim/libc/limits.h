/* SPDX-License-Identifier: MIT */
/* The end of the chain of gcc's own limits.h, which has all that a freestanding program needs. */
