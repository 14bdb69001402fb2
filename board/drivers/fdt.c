/* SPDX-License-Identifier: MIT */
/* Flattened device tree, Devicetree Specification 0.4, chapter 5. */
#include <string.h>

#include "fdt.h"

#define MAGIC 0xd00dfeed
#define VERSION 17
#define BEGIN_NODE 1
#define END_NODE 2
#define PROPERTY 3
#define NOP 4

enum header {
    HEADER_MAGIC, HEADER_SIZE, HEADER_STRUCTURE, HEADER_STRINGS, HEADER_RESERVED, HEADER_VERSION, HEADER_COMPATIBLE,
};

static uint32_t big32(const void *p) {
    return __builtin_bswap32(*(const uint32_t *)p);
}

static uint32_t header(const struct fdt *fdt, enum header word) {
    return big32(fdt->blob + 4 * word);
}

static const uint32_t *after_bytes(const void *p, size_t len) {
    return (const uint32_t *)(((uintptr_t)p + len + 3) & ~(uintptr_t)3);
}

bool fdt_open(struct fdt *fdt, const void *blob) {
    fdt->blob = blob;
    if (blob == NULL || ((uintptr_t)blob & 7) || header(fdt, HEADER_MAGIC) != MAGIC
        || header(fdt, HEADER_COMPATIBLE) > VERSION) {
        return false;
    }
    fdt->size = header(fdt, HEADER_SIZE);
    return true;
}

/* The token after the one at `p`, or NULL at the end of the structure block. */
static const uint32_t *after_token(const struct fdt *fdt, const uint32_t *p) {
    const uint32_t *next = p + 1;
    switch (big32(p)) {
        case BEGIN_NODE:
            next = after_bytes(p + 1, strlen((const char *)(p + 1)) + 1);
            break;
        case PROPERTY:
            next = after_bytes(p + 3, big32(p + 1));
            break;
        case END_NODE:
        case NOP:
            break;
        default:
            return NULL;
    }
    return (const char *)next < fdt->blob + fdt->size ? next : NULL;
}

const void *fdt_property(const struct fdt *fdt, const struct fdt_node *node, const char *name, size_t *len) {
    const char *strings = fdt->blob + header(fdt, HEADER_STRINGS);
    for (const uint32_t *p = node->body; p != NULL; p = after_token(fdt, p)) {
        uint32_t token = big32(p);
        if (token == PROPERTY && strcmp(strings + big32(p + 2), name) == 0) {
            *len = big32(p + 1);
            return p + 3;
        }
        if (token != PROPERTY && token != NOP) {
            break;
        }
    }
    return NULL;
}

uint32_t fdt_cell(const struct fdt *fdt, const struct fdt_node *node, const char *name, size_t index,
    uint32_t missing) {
    size_t len;
    const uint32_t *cells = fdt_property(fdt, node, name, &len);
    return cells != NULL && len >= 4 * (index + 1) ? big32(cells + index) : missing;
}

static uint64_t cells_number(const uint32_t *cells, unsigned count) {
    uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) {
        value = value << 32 | big32(cells + i);
    }
    return value;
}

uint64_t fdt_number(const struct fdt *fdt, const struct fdt_node *node, const char *name) {
    size_t len;
    const uint32_t *cells = fdt_property(fdt, node, name, &len);
    return cells != NULL && (len == 4 || len == 8) ? cells_number(cells, len / 4) : 0;
}

bool fdt_has_string(const struct fdt *fdt, const struct fdt_node *node, const char *name, const char *text) {
    size_t len;
    const char *list = fdt_property(fdt, node, name, &len);
    for (size_t at = 0; list != NULL && at < len; at += strlen(list + at) + 1) {
        if (strcmp(list + at, text) == 0) {
            return true;
        }
    }
    return false;
}

static void enter(const struct fdt *fdt, struct fdt_walk *walk, const uint32_t *token) {
    struct fdt_node *node = &walk->node;
    node->name = (const char *)(token + 1);
    node->body = after_token(fdt, token);
    node->depth = walk->depth++;
    if (node->depth > 0) {
        node->address_cells = walk->cells[node->depth - 1].address_cells;
        node->size_cells = walk->cells[node->depth - 1].size_cells;
    }
    walk->cells[node->depth].address_cells = fdt_cell(fdt, node, "#address-cells", 0, 2);
    walk->cells[node->depth].size_cells = fdt_cell(fdt, node, "#size-cells", 0, 1);
    walk->next = node->body;
}

bool fdt_next(const struct fdt *fdt, struct fdt_walk *walk) {
    if (walk->next == NULL) {
        walk->next = (const uint32_t *)(fdt->blob + header(fdt, HEADER_STRUCTURE));
    }
    for (const uint32_t *p = walk->next; p != NULL; p = after_token(fdt, p)) {
        uint32_t token = big32(p);
        if (token == BEGIN_NODE) {
            if (walk->depth == FDT_DEPTH) {
                return false;
            }
            enter(fdt, walk, p);
            return walk->next != NULL;
        }
        if (token == END_NODE && --walk->depth == 0) {
            return false;
        }
    }
    return false;
}

bool fdt_find_compatible(const struct fdt *fdt, const char *compatible, struct fdt_node *node) {
    struct fdt_walk walk = {0};
    while (fdt_next(fdt, &walk)) {
        if (fdt_has_string(fdt, &walk.node, "compatible", compatible)) {
            *node = walk.node;
            return true;
        }
    }
    return false;
}

/* Does the first component of `path` name the node? Returns the component's length then, else 0. */
static size_t component_matches(const char *path, size_t len, const char *name) {
    const char *slash = memchr(path, '/', len);
    size_t part = slash == NULL ? len : (size_t)(slash - path);
    if (strncmp(path, name, part) != 0) {
        return 0;
    }
    return name[part] == '\0' || (name[part] == '@' && memchr(path, '@', part) == NULL) ? part : 0;
}

bool fdt_find_path(const struct fdt *fdt, const char *path, size_t len, struct fdt_node *node) {
    struct fdt_walk walk = {0};
    unsigned depth = 1;
    fdt_next(fdt, &walk);
    while (len > 1 && fdt_next(fdt, &walk) && walk.node.depth >= depth) {
        size_t part = walk.node.depth == depth ? component_matches(path + 1, len - 1, walk.node.name) : 0;
        if (part == 0) {
            continue;
        }
        path += part + 1;
        len -= part + 1;
        ++depth;
    }
    *node = walk.node;
    return len == 0;
}

bool fdt_reg(const struct fdt *fdt, const struct fdt_node *node, size_t index, uint64_t *address, uint64_t *size) {
    size_t len;
    const uint32_t *cells = fdt_property(fdt, node, "reg", &len);
    size_t stride = node->address_cells + node->size_cells;
    if (cells == NULL || stride == 0 || len < 4 * stride * (index + 1)) {
        return false;
    }
    *address = cells_number(cells + stride * index, node->address_cells);
    *size = cells_number(cells + stride * index + node->address_cells, node->size_cells);
    return true;
}
