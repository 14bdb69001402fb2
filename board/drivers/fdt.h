/* SPDX-License-Identifier: MIT */
/*
 * A reader for the little that start-up needs of the device tree (Devicetree Specification 0.4, chapter 5).
 * Everything above start-up reads it in Python (firmware/hal/fdt.py).
 */
#ifndef TRAPLESS_FDT_H
#define TRAPLESS_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDT_DEPTH 16

struct fdt {
    const char *blob;
    size_t size;
};

struct fdt_node {
    const char *name;         /* with unit address; "" for the root */
    const uint32_t *body;     /* the first token of its body */
    unsigned depth;           /* 0 for the root */
    unsigned address_cells;   /* of its parent, that is, of its own "reg" */
    unsigned size_cells;
};

/* A walk over all nodes in order; zero it to start. */
struct fdt_walk {
    struct fdt_node node;
    const uint32_t *next;
    unsigned depth;
    struct {
        unsigned address_cells;
        unsigned size_cells;
    } cells[FDT_DEPTH];
};

/* Is there a device tree of a version that we read at `blob`? */
bool fdt_open(struct fdt *fdt, const void *blob);

/* Step to the next node; false at the end, or if the tree is damaged or deeper than FDT_DEPTH. */
bool fdt_next(const struct fdt *fdt, struct fdt_walk *walk);

/* The value of a property and its length in bytes, or NULL. */
const void *fdt_property(const struct fdt *fdt, const struct fdt_node *node, const char *name, size_t *len);

/* Cell `index` of a property of 32-bit cells, or `missing`. */
uint32_t fdt_cell(const struct fdt *fdt, const struct fdt_node *node, const char *name, size_t index,
    uint32_t missing);

/* A property of one or two cells as a number, or 0. */
uint64_t fdt_number(const struct fdt *fdt, const struct fdt_node *node, const char *name);

/* Is `text` one of the strings of property `name`? */
bool fdt_has_string(const struct fdt *fdt, const struct fdt_node *node, const char *name, const char *text);

/* The first node that is compatible with `compatible`. */
bool fdt_find_compatible(const struct fdt *fdt, const char *compatible, struct fdt_node *node);

/* The node with an absolute path of `len` characters; a missing unit address matches any. */
bool fdt_find_path(const struct fdt *fdt, const char *path, size_t len, struct fdt_node *node);

/*
 * Entry `index` of "reg". Only the node's own cells are used: buses on the way are taken to have 1:1 "ranges", as
 * those of QEMU and Xen have.
 */
bool fdt_reg(const struct fdt *fdt, const struct fdt_node *node, size_t index, uint64_t *address, uint64_t *size);

#endif /* TRAPLESS_FDT_H */
