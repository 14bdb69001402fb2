/* SPDX-License-Identifier: MIT */
/* Included before everything: nothing is looked up by name at run time, so no symbol needs a global offset table. */
#ifndef __ASSEMBLER__
#pragma GCC visibility push(hidden)
#endif
