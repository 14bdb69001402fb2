/* SPDX-License-Identifier: MIT */
/* Where things are in the file that is composed around the shim; host_tools composes it. */
#ifndef TRAPLESS_SHIM_LAYOUT_H
#define TRAPLESS_SHIM_LAYOUT_H

#define GRAFT 0x10000
#define KERNEL 0x200000

#endif /* TRAPLESS_SHIM_LAYOUT_H */
