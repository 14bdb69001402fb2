/* SPDX-License-Identifier: MIT */
/* C11 7.21, as far as shared/libc/printf.c goes: output to the console. */
#ifndef TRAPLESS_STDIO_H
#define TRAPLESS_STDIO_H

#include <stdarg.h>
#include <stddef.h>

int printf(const char *fmt, ...);
int putchar(int c);
int puts(const char *s);
int snprintf(char *str, size_t size, const char *fmt, ...);
int vprintf(const char *fmt, va_list ap);
int vsnprintf(char *str, size_t size, const char *fmt, va_list ap);

#endif
