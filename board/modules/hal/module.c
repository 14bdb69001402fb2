/* SPDX-License-Identifier: MIT */
/* The module `_hal`: its names and constants. firmware/hal/pure/ says what each means. */

#include "barrier.h"
#include "hal.h"
#include "port.h"
#include "py/objarray.h"

#define DEFINE_BARRIER(name) \
    static mp_obj_t barrier_##name(void) { \
        hal_##name(); \
        return mp_const_none; \
    } \
    static MP_DEFINE_CONST_FUN_OBJ_0(barrier_##name##_obj, barrier_##name)

DEFINE_BARRIER(mb);
DEFINE_BARRIER(rmb);
DEFINE_BARRIER(wmb);
DEFINE_BARRIER(dsb);

static mp_obj_t hal_dtb(void) {
    size_t len;
    const void *dtb = hal_port_dtb(&len);
    return dtb == NULL ? mp_const_empty_bytes : mp_obj_new_memoryview('B', len, (void *)dtb);
}
static MP_DEFINE_CONST_FUN_OBJ_0(hal_dtb_obj, hal_dtb);

/* map_window(physical address, size, device): a Window of memory that the device tree names, made accessible. */
static mp_obj_t hal_map_window(mp_obj_t phys_in, mp_obj_t size_in, mp_obj_t device) {
    uint64_t phys;
    size_t size = hal_arg_size(size_in);
    if (!hal_arg_u64(phys_in, &phys) || (mp_int_t)size <= 0 || phys + size < phys) {
        mp_raise_ValueError(MP_ERROR_TEXT("no such range of memory"));
    }
    void *ptr = hal_port_map(phys, size, mp_obj_is_true(device) ? HAL_MEMORY_DEVICE : HAL_MEMORY_NORMAL);
    if (ptr == NULL) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("the port cannot map the memory at 0x%08x_%08x"),
            (unsigned)(phys >> 32), (unsigned)phys);
    }
    return hal_window_new(ptr, size, MP_OBJ_NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_3(hal_map_window_obj, hal_map_window);

static mp_obj_t hal_machine_reset(void) {
    hal_port_reset();
}
static MP_DEFINE_CONST_FUN_OBJ_0(hal_machine_reset_obj, hal_machine_reset);

static mp_obj_t hal_machine_off(void) {
    hal_port_off();
}
static MP_DEFINE_CONST_FUN_OBJ_0(hal_machine_off_obj, hal_machine_off);

static const mp_rom_map_elem_t hal_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__hal) },
    { MP_ROM_QSTR(MP_QSTR_Window), MP_ROM_PTR(&hal_type_window) },
    { MP_ROM_QSTR(MP_QSTR_Chain), MP_ROM_PTR(&hal_type_chain) },
    { MP_ROM_QSTR(MP_QSTR_SplitQueue), MP_ROM_PTR(&hal_type_split) },
    { MP_ROM_QSTR(MP_QSTR_PackedQueue), MP_ROM_PTR(&hal_type_packed) },
    { MP_ROM_QSTR(MP_QSTR_Server), MP_ROM_PTR(&hal_type_server) },
    { MP_ROM_QSTR(MP_QSTR_Answer), MP_ROM_PTR(&hal_type_answer) },
    { MP_ROM_QSTR(MP_QSTR_Numbers), MP_ROM_PTR(&hal_type_numbers) },
    { MP_ROM_QSTR(MP_QSTR_Row), MP_ROM_PTR(&hal_type_row) },
    { MP_ROM_QSTR(MP_QSTR_Dispatcher), MP_ROM_PTR(&hal_type_dispatcher) },
    { MP_ROM_QSTR(MP_QSTR_Watch), MP_ROM_PTR(&hal_type_watch) },
    { MP_ROM_QSTR(MP_QSTR_Bell), MP_ROM_PTR(&hal_type_bell) },
    { MP_ROM_QSTR(MP_QSTR_Hypercall), MP_ROM_PTR(&hal_type_hypercall) },
    { MP_ROM_QSTR(MP_QSTR_Notifier), MP_ROM_PTR(&hal_type_notifier) },
    { MP_ROM_QSTR(MP_QSTR_mb), MP_ROM_PTR(&barrier_mb_obj) },
    { MP_ROM_QSTR(MP_QSTR_rmb), MP_ROM_PTR(&barrier_rmb_obj) },
    { MP_ROM_QSTR(MP_QSTR_wmb), MP_ROM_PTR(&barrier_wmb_obj) },
    { MP_ROM_QSTR(MP_QSTR_dsb), MP_ROM_PTR(&barrier_dsb_obj) },
    { MP_ROM_QSTR(MP_QSTR_serve), MP_ROM_PTR(&hal_serve_obj) },
    { MP_ROM_QSTR(MP_QSTR_serving), MP_ROM_PTR(&hal_serving_obj) },
    { MP_ROM_QSTR(MP_QSTR_notify), MP_ROM_PTR(&hal_notify_obj) },
    { MP_ROM_QSTR(MP_QSTR_faults), MP_ROM_PTR(&hal_faults_obj) },
    { MP_ROM_QSTR(MP_QSTR_fault), MP_ROM_PTR(&hal_fault_obj) },
    { MP_ROM_QSTR(MP_QSTR_irq_attach), MP_ROM_PTR(&hal_irq_attach_obj) },
    { MP_ROM_QSTR(MP_QSTR_irq_detach), MP_ROM_PTR(&hal_irq_detach_obj) },
    { MP_ROM_QSTR(MP_QSTR_interrupt), MP_ROM_PTR(&hal_interrupt_obj) },
    { MP_ROM_QSTR(MP_QSTR_timer), MP_ROM_PTR(&hal_timer_obj) },
    { MP_ROM_QSTR(MP_QSTR_lookout), MP_ROM_PTR(&hal_lookout_obj) },
    { MP_ROM_QSTR(MP_QSTR_look), MP_ROM_PTR(&hal_look_obj) },
    { MP_ROM_QSTR(MP_QSTR_echo), MP_ROM_PTR(&hal_echo_obj) },
    { MP_ROM_QSTR(MP_QSTR_echo_off), MP_ROM_PTR(&hal_echo_off_obj) },
    { MP_ROM_QSTR(MP_QSTR_latch), MP_ROM_PTR(&hal_latch_obj) },
    { MP_ROM_QSTR(MP_QSTR_latch_off), MP_ROM_PTR(&hal_latch_off_obj) },
    { MP_ROM_QSTR(MP_QSTR_entropy), MP_ROM_PTR(&hal_entropy_obj) },
    { MP_ROM_QSTR(MP_QSTR_stir), MP_ROM_PTR(&hal_stir_obj) },
    { MP_ROM_QSTR(MP_QSTR_seal), MP_ROM_PTR(&hal_seal_obj) },
    { MP_ROM_QSTR(MP_QSTR_dtb), MP_ROM_PTR(&hal_dtb_obj) },
    { MP_ROM_QSTR(MP_QSTR_map_window), MP_ROM_PTR(&hal_map_window_obj) },
    { MP_ROM_QSTR(MP_QSTR_reset), MP_ROM_PTR(&hal_machine_reset_obj) },
    { MP_ROM_QSTR(MP_QSTR_off), MP_ROM_PTR(&hal_machine_off_obj) },

    { MP_ROM_QSTR(MP_QSTR_QUEUE_SIZE_MAX), MP_ROM_INT(HAL_QUEUE_SIZE_MAX) },
    { MP_ROM_QSTR(MP_QSTR_ECHO_SLOTS), MP_ROM_INT(HAL_ECHO_SLOTS) },
    { MP_ROM_QSTR(MP_QSTR_LATCHES), MP_ROM_INT(HAL_LATCHES) },
    { MP_ROM_QSTR(MP_QSTR_EMPTY), MP_ROM_INT(HAL_EMPTY) },
    { MP_ROM_QSTR(MP_QSTR_TAKEN), MP_ROM_INT(HAL_TAKEN) },
    { MP_ROM_QSTR(MP_QSTR_MALFORMED), MP_ROM_INT(HAL_MALFORMED) },
    { MP_ROM_QSTR(MP_QSTR_BROKEN), MP_ROM_INT(HAL_BROKEN) },
    { MP_ROM_QSTR(MP_QSTR_UNANSWERED), MP_ROM_INT(HAL_UNANSWERED) },
    { MP_ROM_QSTR(MP_QSTR_FAILED), MP_ROM_INT(HAL_FAILED) },
    { MP_ROM_QSTR(MP_QSTR_REASON_NONE), MP_ROM_INT(HAL_REASON_NONE) },
    { MP_ROM_QSTR(MP_QSTR_REASON_TOO_LONG), MP_ROM_INT(HAL_REASON_TOO_LONG) },
    { MP_ROM_QSTR(MP_QSTR_REASON_NEXT), MP_ROM_INT(HAL_REASON_NEXT) },
    { MP_ROM_QSTR(MP_QSTR_REASON_ADDRESS), MP_ROM_INT(HAL_REASON_ADDRESS) },
    { MP_ROM_QSTR(MP_QSTR_REASON_ORDER), MP_ROM_INT(HAL_REASON_ORDER) },
    { MP_ROM_QSTR(MP_QSTR_REASON_UNNEGOTIATED), MP_ROM_INT(HAL_REASON_UNNEGOTIATED) },
    { MP_ROM_QSTR(MP_QSTR_REASON_NESTED), MP_ROM_INT(HAL_REASON_NESTED) },
    { MP_ROM_QSTR(MP_QSTR_REASON_INDIRECT_NEXT), MP_ROM_INT(HAL_REASON_INDIRECT_NEXT) },
    { MP_ROM_QSTR(MP_QSTR_REASON_TABLE), MP_ROM_INT(HAL_REASON_TABLE) },
    { MP_ROM_QSTR(MP_QSTR_REASON_INDEX), MP_ROM_INT(HAL_REASON_INDEX) },
    { MP_ROM_QSTR(MP_QSTR_REASON_HEAD), MP_ROM_INT(HAL_REASON_HEAD) },
    { MP_ROM_QSTR(MP_QSTR_REASON_TWICE), MP_ROM_INT(HAL_REASON_TWICE) },
    { MP_ROM_QSTR(MP_QSTR_REASON_UNAVAILABLE), MP_ROM_INT(HAL_REASON_UNAVAILABLE) },
};
static MP_DEFINE_CONST_DICT(hal_globals, hal_globals_table);

const mp_obj_module_t hal_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&hal_globals,
};

MP_REGISTER_MODULE(MP_QSTR__hal, hal_module);
