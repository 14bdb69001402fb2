/* SPDX-License-Identifier: MIT */
/*
 * Module _board, for the frozen _boot.py only: the RAM disk (outside the heap, so that it survives a soft reset) and
 * the initial RAM disk that the boot loader left. Block protocol: MicroPython's vfs.AbstractBlockDev, the extended
 * interface.
 */
#include <string.h>

#include "drivers/platform.h"
#include "extmod/vfs.h"
#include "py/mperrno.h"
#include "py/objarray.h"
#include "py/runtime.h"

#define BLOCK 512

static uint8_t disk[RAM_DISK_SIZE] __attribute__((section(".noinit.disk"), aligned(16)));

/* Where a transfer of block + offset starts, checked against the disk's end. */
static uint8_t *place(size_t n_args, const mp_obj_t *args, mp_buffer_info_t *buffer, mp_uint_t flags) {
    mp_uint_t block = mp_obj_get_int(args[1]);
    mp_uint_t at = n_args == 4 ? mp_obj_get_int(args[3]) : 0;
    mp_get_buffer_raise(args[2], buffer, flags);
    if (block >= sizeof(disk) / BLOCK || at > sizeof(disk) || block * BLOCK + at + buffer->len > sizeof(disk)) {
        mp_raise_OSError(MP_EINVAL);
    }
    return disk + block * BLOCK + at;
}

static mp_obj_t read_blocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buffer;
    const uint8_t *from = place(n_args, args, &buffer, MP_BUFFER_WRITE);
    memcpy(buffer.buf, from, buffer.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(read_blocks_obj, 3, 4, read_blocks);

static mp_obj_t write_blocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buffer;
    uint8_t *to = place(n_args, args, &buffer, MP_BUFFER_READ);
    memcpy(to, buffer.buf, buffer.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(write_blocks_obj, 3, 4, write_blocks);

static mp_obj_t control(mp_obj_t self, mp_obj_t operation, mp_obj_t argument) {
    (void)self, (void)argument;
    switch (mp_obj_get_int(operation)) {
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(sizeof(disk) / BLOCK);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(BLOCK);
        default:
            return MP_OBJ_NEW_SMALL_INT(0);
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(control_obj, control);

static const mp_rom_map_elem_t disk_locals[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&read_blocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&write_blocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&control_obj) },
};
static MP_DEFINE_CONST_DICT(disk_locals_dict, disk_locals);

static MP_DEFINE_CONST_OBJ_TYPE(disk_type, MP_QSTR_RamDisk, MP_TYPE_FLAG_NONE, locals_dict, &disk_locals_dict);

static const mp_obj_base_t disk_object = { &disk_type };

/* initrd() -> read-only memoryview, or None if the boot loader gave none. */
static mp_obj_t initrd(void) {
    if (platform.initrd == 0 || platform.initrd_size == 0) {
        return mp_const_none;
    }
    return mp_obj_new_memoryview('B', platform.initrd_size, (void *)(uintptr_t)platform.initrd);
}
static MP_DEFINE_CONST_FUN_OBJ_0(initrd_obj, initrd);

static const mp_rom_map_elem_t board_globals[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__board) },
    { MP_ROM_QSTR(MP_QSTR_disk), MP_ROM_PTR(&disk_object) },
    { MP_ROM_QSTR(MP_QSTR_initrd), MP_ROM_PTR(&initrd_obj) },
};
static MP_DEFINE_CONST_DICT(board_globals_dict, board_globals);

const mp_obj_module_t board_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&board_globals_dict,
};

MP_REGISTER_MODULE(MP_QSTR__board, board_module);
