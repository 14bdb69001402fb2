/* SPDX-License-Identifier: MIT */
/* C11 7.24 and POSIX, as far as libfdt goes; see ../string.c. */
#ifndef TRAPLESS_SHIM_STRING_H
#define TRAPLESS_SHIM_STRING_H

#include <stddef.h>

void *memchr(const void *at, int byte, size_t len);
int memcmp(const void *left, const void *right, size_t len);
void *memcpy(void *to, const void *from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t max);
char *strrchr(const char *text, int wanted);

#endif /* TRAPLESS_SHIM_STRING_H */
