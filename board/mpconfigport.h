/* SPDX-License-Identifier: MIT */
/* How MicroPython is built for this port; the options are explained in py/mpconfig.h. */
#include <alloca.h>
#include <stdint.h>

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

/* Speed: the serving path is bytecode. */
#define MICROPY_OPT_COMPUTED_GOTO (1)
#define MICROPY_OPT_LOAD_ATTR_FAST_PATH (1)
#define MICROPY_OPT_MAP_LOOKUP_CACHE (1)
#define MICROPY_OPT_MAP_LOOKUP_CACHE_SIZE (256)

/* Memory and numbers. Small integers have 63 bits: every address is one. */
#define MICROPY_ENABLE_GC (1)
#define MICROPY_ENABLE_PYSTACK (1) /* frames of Python functions: never from the heap */
#define MICROPY_MEM_STATS (0)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE (256)
#define MICROPY_LONGINT_IMPL (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_DOUBLE)
#define MICROPY_ALLOC_PATH_MAX (256)
#define MP_NEED_LOG2 (1)
#define MP_SSIZE_MAX (0x7fffffffffffffff)
#define MICROPY_USE_INTERNAL_ERRNO (1)
#define MICROPY_USE_INTERNAL_PRINTF (1)

/* Serving: interrupts schedule a callback that runs between bytecodes and while the prompt waits. */
#define MICROPY_ENABLE_SCHEDULER (1)
#define MICROPY_SCHEDULER_STATIC_NODES (1)
#define MICROPY_KBD_EXCEPTION (1)

/* The prompt. */
#define MICROPY_HELPER_REPL (1)
#define MICROPY_REPL_EMACS_KEYS (1)
#define MICROPY_WARNINGS (1)
#define MICROPY_PERSISTENT_CODE_LOAD (1)
#define MICROPY_MODULE_WEAK_LINKS (1)
#define MICROPY_PY_BUILTINS_HELP (1)
#define MICROPY_PY_BUILTINS_HELP_MODULES (1)

/* Modules. */
#define MICROPY_PY_SYS_PLATFORM "trapless"
#define MICROPY_PY_SYS_STDIO_BUFFER (1)
#define MICROPY_PY_ASYNCIO (1)
#define MICROPY_PY_BINASCII_CRC32 (1)
#define MICROPY_PY_FRAMEBUF (0)
#define MICROPY_PY_ONEWIRE (0)
#define MICROPY_PY_CRYPTOLIB (0)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC (board_random_seed())
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (0)
#define MICROPY_PY_MACHINE (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE "machine_port.h"
#define MICROPY_PY_MACHINE_RESET (1)
#define MICROPY_PY_MACHINE_MEMX (1)
#define MICROPY_PY_MACHINE_PIN_BASE (0)
#define MICROPY_PY_MACHINE_SIGNAL (0)
#define MICROPY_PY_MACHINE_PULSE (0)

/* Files. */
#define MICROPY_VFS (1)
#define MICROPY_READER_VFS (1)
#define MICROPY_VFS_ROM (1)
#define MICROPY_VFS_ROM_IOCTL (0)

typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
typedef int32_t mp_off_t;   /* mpremote's remote files seek with 32 bits */

#define UINT_FMT "%lu"
#define INT_FMT "%ld"

#define MP_STATE_PORT MP_STATE_VM

uint32_t board_random_seed(void);
