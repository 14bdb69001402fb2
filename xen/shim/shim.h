/* SPDX-License-Identifier: MIT */
/* The parts of the shim. */
#ifndef TRAPLESS_SHIM_H
#define TRAPLESS_SHIM_H

/* Called by start.S: the guest's tree, and where the composed file is. Returns the tree for the kernel. */
void *shim_main(const void *fdt, char *base);

/* Print on the console that `fdt` names that libfdt has returned `error`, and stop. */
_Noreturn void give_up(const void *fdt, int error);

_Noreturn void halt(void);

#endif /* TRAPLESS_SHIM_H */
