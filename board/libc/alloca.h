/* SPDX-License-Identifier: MIT */
#ifndef TRAPLESS_ALLOCA_H
#define TRAPLESS_ALLOCA_H

#define alloca(size) __builtin_alloca(size)

#endif
