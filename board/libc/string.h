/* SPDX-License-Identifier: MIT */
/* C11 7.24, as far as shared/libc/string0.c goes. */
#ifndef TRAPLESS_STRING_H
#define TRAPLESS_STRING_H

#include <stddef.h>

void *memchr(const void *s, int c, size_t n);
int memcmp(const void *s1, const void *s2, size_t n);
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *s, int c, size_t n);
char *strcat(char *restrict dst, const char *restrict src);
char *strchr(const char *s, int c);
int strcmp(const char *s1, const char *s2);
char *strcpy(char *restrict dst, const char *restrict src);
size_t strcspn(const char *s, const char *reject);
size_t strlen(const char *s);
int strncmp(const char *s1, const char *s2, size_t n);
char *strncpy(char *restrict dst, const char *restrict src, size_t n);
size_t strspn(const char *s, const char *accept);
char *strstr(const char *haystack, const char *needle);

#endif
