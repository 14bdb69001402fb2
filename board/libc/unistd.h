/* SPDX-License-Identifier: MIT */
/* POSIX: only for its types and the names of seek origins. */
#ifndef TRAPLESS_UNISTD_H
#define TRAPLESS_UNISTD_H

#include <stddef.h>
#include <stdint.h>

typedef intptr_t ssize_t;
typedef int64_t off_t;

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

#endif
