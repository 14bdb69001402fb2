/* SPDX-License-Identifier: MIT */
/* Configuration of the unix port: the interpreter features that the bare-metal port (board/) has, for the tests. */

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#include "variants/mpconfigvariant_common.h"

/* What the seam of the capability module asks for (board/modules/hal/port.h). */
#define MICROPY_SCHEDULER_STATIC_NODES (1)

/* A Ctrl-C is raised between two bytecodes, not out of the signal handler. */
#undef MICROPY_ASYNC_KBD_INTR
#define MICROPY_ASYNC_KBD_INTR (0)

/* No native code: the bare-metal port has none either. */
#define MICROPY_EMIT_X64 (0)
#define MICROPY_EMIT_ARM (0)
