/* SPDX-License-Identifier: MIT */
/*
 * The serving callback: interrupts and notify() schedule it as a node of MicroPython's scheduler, so that it runs
 * whatever the prompt does, between two bytecodes or while the prompt waits for a key. A Ctrl-C does not reach it.
 */

#include <string.h>

#include "hal.h"
#include "port.h"
#include "py/gc.h"
#include "py/mphal.h"

#define PYSTACK_RESERVE (4 * 1024)

static struct {
    mp_sched_node_t node;
    volatile bool serving;
    volatile bool again;  /* asked for while it runs: a node queued now would run before the prompt has its turn */
    volatile bool ctrl_c; /* came in while it runs */
    volatile bool expired; /* the timer, since the callback was last told */
    bool queued;          /* waits among the queued Python functions */
    bool reserved;        /* a part of the Python stack is kept back for it */
    size_t faults;
    uint32_t attached[(HAL_INTID_END + 31) / 32];
} service;

MP_REGISTER_ROOT_POINTER(mp_obj_t hal_callback);
MP_REGISTER_ROOT_POINTER(mp_obj_t hal_fault);

static void run(mp_sched_node_t *node);

void hal_schedule(void) {
    if (service.serving) {
        service.again = true;
    } else {
        mp_sched_schedule_node(&service.node, run);
    }
}

static mp_obj_t run_queued(mp_obj_t arg) {
    service.queued = false;
    run(NULL);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(run_queued_obj, run_queued);

/*
 * MicroPython runs all nodes before it goes on with the program, but at most one queued Python function: a callback
 * that always has more to do goes there, or nobody could use the prompt. It goes there once: interrupts run it in
 * between, and would fill the queue, which is also the program's (micropython.schedule()).
 */
static void schedule_after_prompt(void) {
    if (service.queued) {
        return;
    }
    service.queued = mp_sched_schedule(MP_OBJ_FROM_PTR(&run_queued_obj), mp_const_none);
    if (!service.queued) {
        mp_sched_schedule_node(&service.node, run);
    }
}

/* Nothing may be raised out of the callback, and an exception of the user's own class may fail to say what it is. */
static void print_fault(mp_obj_t error) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_printf(&mp_plat_print, "trapless: the serving callback failed:\n");
        mp_obj_print_exception(&mp_plat_print, error);
        nlr_pop();
    } else {
        mp_printf(&mp_plat_print, "(it cannot be printed)\n");
    }
}

static void note_fault(mp_obj_t error) {
    if (mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(error)), MP_OBJ_FROM_PTR(&mp_type_KeyboardInterrupt))) {
        hal_note_ctrl_c();
        return;
    }
    service.faults++;
    MP_STATE_VM(hal_fault) = error;
    if (service.faults == 1) {
        print_fault(error);
    }
}

static mp_obj_t take_expired(void) {
    if (!service.expired) {
        return mp_const_none;
    }
    service.expired = false;
    return mp_const_true;
}

static void call(mp_obj_t callback) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_call_function_1(callback, take_expired());
        nlr_pop();
    } else {
        note_fault(MP_OBJ_FROM_PTR(nlr.ret_val));
    }
}

/* An exception that waits for the program (Ctrl-C) is not for the callback: kept until it has ended. */
static mp_obj_t hold_pending_exception(void) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    service.serving = true;
    mp_obj_t pending = MP_STATE_MAIN_THREAD(mp_pending_exception);
    MP_STATE_MAIN_THREAD(mp_pending_exception) = MP_OBJ_NULL;
    MICROPY_END_ATOMIC_SECTION(state);
    return pending;
}

static void finish(mp_obj_t pending) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    service.serving = false;
    bool again = service.again;
    bool ctrl_c = service.ctrl_c;
    service.again = false;
    service.ctrl_c = false;
    MICROPY_END_ATOMIC_SECTION(state);
    if (again) {
        schedule_after_prompt();
    }
    if (pending != MP_OBJ_NULL) {
        mp_sched_exception(pending);
    } else if (ctrl_c) {
        hal_port_interrupted();
    }
}

/*
 * From now on (or no longer) the program has less of the Python stack than there is, and the callback has the
 * rest.
 */
static void reserve_pystack(bool reserve) {
    #if MICROPY_ENABLE_PYSTACK
    if (reserve != service.reserved) {
        MP_STATE_THREAD(pystack_end) += reserve ? -PYSTACK_RESERVE : PYSTACK_RESERVE;
    }
    #endif
    service.reserved = reserve;
}

/* The program may be near the end of its stacks; while the callback runs, they reach further. */
static void extend_stacks(int sign) {
    MP_STATE_THREAD(stack_limit) += sign * HAL_PORT_STACK_RESERVE;
    #if MICROPY_ENABLE_PYSTACK
    MP_STATE_THREAD(pystack_end) += sign * PYSTACK_RESERVE;
    #endif
}

static void run(mp_sched_node_t *node) {
    mp_obj_t callback = MP_STATE_VM(hal_callback);
    if (callback == MP_OBJ_NULL || service.serving) {
        return;
    }
    mp_obj_t pending = hold_pending_exception();
    extend_stacks(1);
    call(callback);
    extend_stacks(-1);
    finish(pending);
}

/* ---- For the port ---- */

bool hal_serving(void) {
    return service.serving;
}

void hal_note_ctrl_c(void) {
    service.ctrl_c = true;
}

void hal_on_interrupt(unsigned intid) {
    if (intid < HAL_INTID_END && (service.attached[intid / 32] >> (intid % 32) & 1)) {
        hal_latch_take_all();
        hal_echo_answer_all();
        hal_schedule();
    }
}

void hal_on_timer(void) {
    service.expired = true;
    hal_schedule();
}

void hal_reset(void) {
    hal_latch_reset();
    hal_echo_reset();
    hal_lookout_reset();
    hal_port_timer_ms(0);
    for (unsigned intid = HAL_INTID_MIN; intid < HAL_INTID_END; intid++) {
        if (service.attached[intid / 32] >> (intid % 32) & 1) {
            hal_port_irq_disable(intid);
        }
    }
    memset(service.attached, 0, sizeof(service.attached));
    MP_STATE_VM(hal_callback) = MP_OBJ_NULL;
    MP_STATE_VM(hal_fault) = MP_OBJ_NULL;
    reserve_pystack(false);
    service.serving = false;
    service.again = false;
    service.ctrl_c = false;
    service.expired = false;
    service.queued = false;
    service.faults = 0;
}

/* ---- For Python ---- */

static mp_obj_t hal_serve(mp_obj_t callback) {
    if (callback != mp_const_none && !mp_obj_is_callable(callback)) {
        mp_raise_TypeError(MP_ERROR_TEXT("not callable"));
    }
    if (!service.serving) { /* else the reserve is in use */
        reserve_pystack(callback != mp_const_none);
    }
    MP_STATE_VM(hal_callback) = callback == mp_const_none ? MP_OBJ_NULL : callback;
    MP_STATE_VM(hal_fault) = MP_OBJ_NULL;
    service.faults = 0;
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(hal_serve_obj, hal_serve);

static mp_obj_t hal_serving_(void) {
    return mp_obj_new_bool(service.serving);
}
MP_DEFINE_CONST_FUN_OBJ_0(hal_serving_obj, hal_serving_);

static mp_obj_t hal_notify(void) {
    hal_schedule();
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_0(hal_notify_obj, hal_notify);

static mp_obj_t hal_faults(void) {
    return MP_OBJ_NEW_SMALL_INT(service.faults);
}
MP_DEFINE_CONST_FUN_OBJ_0(hal_faults_obj, hal_faults);

static mp_obj_t hal_fault(void) {
    mp_obj_t error = MP_STATE_VM(hal_fault);
    return error == MP_OBJ_NULL ? mp_const_none : error;
}
MP_DEFINE_CONST_FUN_OBJ_0(hal_fault_obj, hal_fault);

static unsigned arg_intid(mp_obj_t arg) {
    size_t intid = hal_arg_size(arg);
    if (intid < HAL_INTID_MIN || intid >= HAL_INTID_END) {
        mp_raise_ValueError(MP_ERROR_TEXT("interrupt id is not in 16 .. 1019"));
    }
    return (unsigned)intid;
}

static mp_obj_t hal_irq_attach(mp_obj_t intid_in, mp_obj_t edge) {
    unsigned intid = arg_intid(intid_in);
    bool is_edge = mp_obj_is_true(edge);
    service.attached[intid / 32] |= (uint32_t)1 << (intid % 32);
    if (!hal_port_irq_enable(intid, is_edge)) {
        service.attached[intid / 32] &= ~((uint32_t)1 << (intid % 32));
        mp_raise_ValueError(MP_ERROR_TEXT("the interrupt controller has no such interrupt"));
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_2(hal_irq_attach_obj, hal_irq_attach);

static mp_obj_t hal_irq_detach(mp_obj_t intid_in) {
    unsigned intid = arg_intid(intid_in);
    hal_port_irq_disable(intid);
    service.attached[intid / 32] &= ~((uint32_t)1 << (intid % 32));
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(hal_irq_detach_obj, hal_irq_detach);

static mp_obj_t hal_interrupt(mp_obj_t intid_in) {
    unsigned intid = arg_intid(intid_in);
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    hal_on_interrupt(intid);
    MICROPY_END_ATOMIC_SECTION(state);
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(hal_interrupt_obj, hal_interrupt);

static mp_obj_t hal_timer(mp_obj_t ms_in) {
    size_t ms = hal_arg_size(ms_in);
    if (ms > UINT32_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("time is negative or beyond 2^32 - 1 ms"));
    }
    hal_port_timer_ms((uint32_t)ms);
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(hal_timer_obj, hal_timer);
