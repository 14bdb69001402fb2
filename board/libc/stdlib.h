/* SPDX-License-Identifier: MIT */
/* C11 7.22, as far as MicroPython needs it. There is no malloc: everything lives in the garbage collected heap. */
#ifndef TRAPLESS_STDLIB_H
#define TRAPLESS_STDLIB_H

#include <stddef.h>

_Noreturn void abort(void);

#define abs(x) __builtin_abs(x)

#endif
