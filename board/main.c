/* SPDX-License-Identifier: MIT */
/*
 * The life of the interpreter: start, frozen main.py, prompt; and again at every soft reset, whichever prompt asked
 * for it. main.py is expected to set serving up and to return. A Ctrl-C does not reach it: whoever connects at the
 * wrong moment would end the serving before it has begun.
 */
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "drivers/platform.h"
#include "drivers/uart.h"
#include "modules/hal/port.h"
#include "py/builtin.h"
#include "py/cstack.h"
#include "py/frozenmod.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"

#define STACK_MARGIN (HAL_PORT_STACK_RESERVE + 8192)    /* below the checks: C, and interrupts */

extern char stack_top[];

/* Frames of Python functions. Without it those with more than a few locals come from the heap, at every call. */
static mp_obj_t pystack[4096];
static char heap[HEAP_SIZE] __attribute__((section(".noinit.heap"), aligned(32)));

/*
 * One session of the prompt; not zero if it asks for a soft reset. What is typed lives in the heap: when that is
 * full, reading a line fails, which must not end the serving.
 */
static int prompt(void) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        int ended = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
        nlr_pop();
        return ended;
    }
    mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    return 0;
}

static void one_life(void) {
    mp_pystack_init(pystack, pystack + MP_ARRAY_SIZE(pystack));
    mp_init();
    hal_reset();
    pyexec_frozen_module("_boot.py", false);
    if (mp_find_frozen_module("main.py", NULL, NULL) == MP_IMPORT_STAT_FILE) {
        pyexec_frozen_module("main.py", false);
    }
    while (prompt() == 0) {
    }
    static const char goodbye[] = "MPY: soft reboot\r\n";
    uart_write(goodbye, sizeof(goodbye) - 1);
    hal_reset();
    irq_release_all();
    gc_sweep_all();
    mp_deinit();
}

/* Without a device tree there is not even a console to say so. */
static _Noreturn void give_up(const char *missing) {
    if (platform.uart != 0) {
        static const char text[] = "\r\n*** FAULT: the device tree has no usable ";
        uart_write(text, sizeof(text) - 1);
        uart_write(missing, strlen(missing));
        uart_write("\r\n", 2);
    }
    halt();
}

void board_main(const void *dtb) {
    const char *missing = platform_start(dtb);
    if (missing != NULL) {
        give_up(missing);
    }
    irq_start();
    mp_cstack_init_with_top(stack_top, STACK_SIZE - STACK_MARGIN);
    gc_init(heap, heap + sizeof(heap));
    for (;;) {
        one_life();
    }
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

/*
 * Linked in place of mp_seq_cmp_objs() (--wrap), which calls itself for lists in lists without a check of the stack:
 * comparing two that hold themselves would end in the guard page, and the serving with it.
 */
bool __real_mp_seq_cmp_objs(mp_uint_t op, const mp_obj_t *items1, size_t len1, const mp_obj_t *items2, size_t len2);
bool __wrap_mp_seq_cmp_objs(mp_uint_t op, const mp_obj_t *items1, size_t len1, const mp_obj_t *items2, size_t len2);

bool __wrap_mp_seq_cmp_objs(mp_uint_t op, const mp_obj_t *items1, size_t len1, const mp_obj_t *items2, size_t len2) {
    mp_cstack_check();
    return __real_mp_seq_cmp_objs(op, items1, len1, items2, len2);
}

_Noreturn void nlr_jump_fail(void *value) {
    mp_printf(&mp_plat_print, "*** FAULT: an exception outside of every handler: ");
    mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(value));
    halt();
}

_Noreturn void abort(void) {
    mp_printf(&mp_plat_print, "*** FAULT: abort()\n");
    halt();
}
