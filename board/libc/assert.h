/* SPDX-License-Identifier: MIT */
/* C11 7.2. May be included several times, with or without NDEBUG. */
#undef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
_Noreturn void __assert_func(const char *file, int line, const char *func, const char *expr);
#define assert(condition) ((condition) ? (void)0 : __assert_func(__FILE__, __LINE__, __func__, #condition))
#endif
