/* SPDX-License-Identifier: MIT */
/*
 * seal(instance, accept): an object of a Python class that takes no further attributes but those that are accepted.
 *
 * MicroPython has __setattr__ for that (MICROPY_PY_DELATTR_SETATTR), but then looks for it at every store into every
 * object whose class has a property. This takes a comparison, in classes of which an object was sealed.
 */

#include "hal.h"
#include "py/objtype.h"

/* What loads, stores and deletes attributes of all Python objects. */
static mp_attr_fun_t plain_attr;

static mp_map_elem_t *member(mp_obj_instance_t *self, qstr name, mp_map_lookup_kind_t kind) {
    return mp_map_lookup(&self->members, MP_OBJ_NEW_QSTR(name), kind);
}

/*
 * Something was added when `attr` was stored: an object that was sealed keeps it only if it is accepted. If it is not
 * `attr`, that is a property, and what its function has added has been here already.
 */
static void keep_accepted(mp_obj_instance_t *self, qstr attr) {
    mp_map_elem_t *accept = member(self, MP_QSTR___accept__, MP_MAP_LOOKUP);
    if (accept != NULL && member(self, attr, MP_MAP_LOOKUP) != NULL) {
        mp_obj_t function = accept->value;
        mp_obj_t value = member(self, attr, MP_MAP_LOOKUP_REMOVE_IF_FOUND)->value;
        if (mp_obj_is_true(mp_call_function_2(function, MP_OBJ_FROM_PTR(self), MP_OBJ_NEW_QSTR(attr)))) {
            member(self, attr, MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)->value = value;
        }
    }
}

/*
 * An attribute that the object has already is no property, as those are not kept in objects: there is no need to look
 * for one in its class and all bases of that, which costs more than a thousand instructions.
 */
static bool overwrite(mp_obj_instance_t *self, qstr attr, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_SENTINEL || dest[1] == MP_OBJ_NULL) {
        return false;
    }
    mp_map_elem_t *found = member(self, attr, MP_MAP_LOOKUP);
    if (found == NULL) {
        return false;
    }
    found->value = dest[1];
    dest[0] = MP_OBJ_NULL;
    return true;
}

static void sealed_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    mp_obj_instance_t *self = MP_OBJ_TO_PTR(self_in);
    if (overwrite(self, attr, dest)) {
        return;
    }
    size_t used = self->members.used;
    plain_attr(self_in, attr, dest);
    if (self->members.used > used) {
        keep_accepted(self, attr);
    }
}

static mp_obj_t hal_seal(mp_obj_t instance, mp_obj_t accept) {
    const mp_obj_type_t *type = mp_obj_get_type(instance);
    if (!mp_obj_is_instance_type(type) || !mp_obj_is_callable(accept)) {
        mp_raise_TypeError(MP_ERROR_TEXT("not an object of a Python class, or not callable"));
    }
    if (MP_OBJ_TYPE_GET_SLOT(type, attr) != sealed_attr) {
        plain_attr = MP_OBJ_TYPE_GET_SLOT(type, attr);
        ((mp_obj_full_type_t *)type)->slots[type->slot_index_attr - 1] = (const void *)sealed_attr;
    }
    mp_obj_instance_t *self = MP_OBJ_TO_PTR(instance);
    member(self, MP_QSTR___accept__, MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)->value = accept;
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_2(hal_seal_obj, hal_seal);
