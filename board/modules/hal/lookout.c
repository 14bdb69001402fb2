/* SPDX-License-Identifier: MIT */
/*
 * Looking for work where nobody rings: at interrupt level, so that no interpreter runs for a look that finds nothing.
 * Often while there is work, seldom while there is none; how often is the caller's business.
 */

#include "hal.h"
#include "port.h"
#include "py/mphal.h"

static struct {
    uint32_t shortest; /* ms between two looks */
    uint32_t longest;
    uint32_t patience; /* looks at the shortest distance that find nothing */
    uint32_t idle;
    uint32_t ms; /* to the next look */
} lookout;

MP_REGISTER_ROOT_POINTER(mp_obj_t hal_lookout_watch);

/*
 * While the callback runs, the slots may be in the middle of a change, and it looks for work until it finds none:
 * that is no look which found nothing.
 */
static uint32_t look(void) {
    mp_obj_t watch = MP_STATE_VM(hal_lookout_watch);
    if (watch == MP_OBJ_NULL) {
        return 0;
    }
    bool serving = hal_serving();
    if (serving || hal_watch_has_work(watch)) {
        lookout.idle = 0;
        lookout.ms = lookout.shortest;
        if (!serving) {
            hal_schedule();
        }
    } else if (lookout.idle < lookout.patience) {
        lookout.idle++;
    } else {
        lookout.ms = MIN(2 * lookout.ms, lookout.longest);
    }
    return lookout.ms;
}

void hal_on_look(void) {
    uint32_t ms = look();
    if (ms > 0) {
        hal_port_look_ms(ms);
    }
}

void hal_lookout_reset(void) {
    MP_STATE_VM(hal_lookout_watch) = MP_OBJ_NULL;
    hal_port_look_ms(0);
}

/* args: watch or None, shortest, longest, patience */
static mp_obj_t hal_lookout(size_t n_args, const mp_obj_t *args) {
    if (args[0] != mp_const_none && !mp_obj_is_exact_type(args[0], &hal_type_watch)) {
        mp_raise_TypeError(MP_ERROR_TEXT("not a Watch"));
    }
    size_t shortest = hal_arg_size(args[1]), longest = hal_arg_size(args[2]), patience = hal_arg_size(args[3]);
    if (shortest == 0 || shortest > longest || longest > INT32_MAX || patience > INT32_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("looks must be 1 ms apart at least, and no more than the longest"));
    }
    hal_lookout_reset();
    if (args[0] != mp_const_none) {
        lookout.shortest = lookout.ms = (uint32_t)shortest;
        lookout.longest = (uint32_t)longest;
        lookout.patience = (uint32_t)patience;
        lookout.idle = 0;
        MP_STATE_VM(hal_lookout_watch) = args[0];
        hal_port_look_ms(lookout.ms);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(hal_lookout_obj, 4, 4, hal_lookout);

static mp_obj_t hal_look(void) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    uint32_t ms = look();
    MICROPY_END_ATOMIC_SECTION(state);
    return MP_OBJ_NEW_SMALL_INT(ms);
}
MP_DEFINE_CONST_FUN_OBJ_0(hal_look_obj, hal_look);
