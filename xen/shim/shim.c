/* SPDX-License-Identifier: MIT */
/*
 * Grafts a tree onto the device tree that a guest was booted with, in front of the guest's kernel. Xen 4.20 composes
 * the tree of a guest itself and lets only two nodes of somebody else's through (docs/misc/arm/device-tree/
 * booting.txt); what a kernel reads before its drivers, /reserved-memory above all, has to be added behind its back.
 *
 * The graft is a plain tree: its properties replace those of the same node, its nodes are added where there is none of
 * that name, in their order. Runs with the MMU off, so without unaligned accesses (-mstrict-align).
 */
#include <libfdt.h>

#include "layout.h"
#include "shim.h"

static int graft_properties(void *fdt, int to, const void *graft, int from) {
    int error = 0, property;
    fdt_for_each_property_offset(property, graft, from) {
        const char *name;
        int len;
        const void *value = fdt_getprop_by_offset(graft, property, &name, &len);
        error = value == NULL ? len : fdt_setprop(fdt, to, name, value, len);
        if (error < 0) {
            break;
        }
    }
    return error;
}

static int find_or_add(void *fdt, int to, const char *name) {
    int node = fdt_subnode_offset(fdt, to, name);
    return node == -FDT_ERR_NOTFOUND ? fdt_add_subnode(fdt, to, name) : node;
}

/*
 * Graft the node at `from` and its siblings onto the children of `to`. A new node becomes the first child, so the last
 * sibling goes first. Recursion ends with the graft, which the harness wrote.
 */
static int graft_nodes(void *fdt, int to, const void *graft, int from) {
    if (from < 0) {
        return from == -FDT_ERR_NOTFOUND ? 0 : from;
    }
    int error = graft_nodes(fdt, to, graft, fdt_next_subnode(graft, from));
    int node = error < 0 ? error : find_or_add(fdt, to, fdt_get_name(graft, from, NULL));
    if (node < 0) {
        return node;
    }
    error = graft_properties(fdt, node, graft, from);
    return error < 0 ? error : graft_nodes(fdt, node, graft, fdt_first_subnode(graft, from));
}

static int merge(const void *from, const void *graft, void *into, int room) {
    int error = room > 0 ? fdt_open_into(from, into, room) : -FDT_ERR_NOSPACE;
    if (error == 0) {
        error = graft_properties(into, 0, graft, 0);
    }
    if (error == 0) {
        error = graft_nodes(into, 0, graft, fdt_first_subnode(graft, 0));
    }
    return error < 0 ? error : fdt_pack(into);
}

/* The kernel reads the tree with its caches on: what was written past them must not be hidden by stale lines. */
static void forget_lines(const char *from, const char *to) {
    for (const char *line = from; line < to; line += 16) {
        __asm volatile ("dc ivac, %0" : : "r" (line) : "memory");
    }
    __asm volatile ("dsb sy" : : : "memory");
}

void *shim_main(const void *fdt, char *base) {
    const char *graft = base + GRAFT;
    int error = fdt_check_header(graft);
    char *into = base + ((GRAFT + (error == 0 ? fdt_totalsize(graft) : 0) + 4095ull) & ~4095ull);
    if (error == 0) {
        error = merge(fdt, graft, into, base + KERNEL - into);
    }
    if (error < 0) {
        give_up(fdt, error);
    }
    forget_lines(into, into + fdt_totalsize(into));
    return into;
}
