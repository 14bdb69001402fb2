/* SPDX-License-Identifier: MIT */
/* What libfdt needs of C11 7.24, byte by byte: memory is Device memory, and start-up has time. */
#include <string.h>

void *memmove(void *to, const void *from, size_t len) {
    char *out = to;
    const char *in = from;
    if (out <= in) {
        for (size_t i = 0; i < len; ++i) {
            out[i] = in[i];
        }
    } else {
        while (len-- > 0) {
            out[len] = in[len];
        }
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t len) {
    return memmove(to, from, len);
}

void *memset(void *to, int byte, size_t len) {
    for (char *out = to; len-- > 0; ) {
        *out++ = (char)byte;
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t len) {
    const unsigned char *a = left, *b = right;
    for (; len > 0; --len, ++a, ++b) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}

void *memchr(const void *at, int byte, size_t len) {
    for (const unsigned char *p = at; len-- > 0; ++p) {
        if (*p == (unsigned char)byte) {
            return (void *)p;
        }
    }
    return NULL;
}

size_t strlen(const char *text) {
    size_t len = 0;
    while (text[len] != '\0') {
        ++len;
    }
    return len;
}

size_t strnlen(const char *text, size_t max) {
    size_t len = 0;
    while (len < max && text[len] != '\0') {
        ++len;
    }
    return len;
}

char *strrchr(const char *text, int wanted) {
    char *found = NULL;
    for (; *text != '\0'; ++text) {
        if (*text == (char)wanted) {
            found = (char *)text;
        }
    }
    return found;
}
