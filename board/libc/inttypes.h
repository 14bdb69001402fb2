/* SPDX-License-Identifier: MIT */
/* C11 7.8: the format macros that littlefs and MicroPython mention, for LP64. */
#ifndef TRAPLESS_INTTYPES_H
#define TRAPLESS_INTTYPES_H

#include <stdint.h>

#define PRId32 "d"
#define PRIu32 "u"
#define PRIx32 "x"
#define PRId64 "ld"
#define PRIu64 "lu"
#define PRIx64 "lx"

#endif
