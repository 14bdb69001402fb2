/* SPDX-License-Identifier: MIT */
/*
 * Server: answers one chain of a queue with a function, each time it is called. It decides nothing: what is not
 * an answer is returned to the driver empty and reported.
 */

#include "hal.h"

typedef struct {
    mp_obj_base_t base;
    hal_queue_t *queue;
    hal_chain_t *chain;
    mp_obj_t request;
    mp_obj_t reply;
    mp_obj_t handle;
    mp_obj_t interrupt;
    mp_obj_t report;
    mp_obj_t error; /* what the function has raised last, or None */
    size_t returned;
} server_t;

/* args: queue, chain, request, reply, handle, interrupt, report */
static mp_obj_t server_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 7, 7, false);
    hal_queue_t *queue = hal_arg_queue(args[0]);
    hal_chain_t *chain = hal_arg_chain(args[1]);
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[2], &info, MP_BUFFER_WRITE);
    mp_get_buffer_raise(args[3], &info, MP_BUFFER_READ);
    for (size_t i = 4; i < 7; i++) {
        if (!mp_obj_is_callable(args[i])) {
            mp_raise_TypeError(MP_ERROR_TEXT("not callable"));
        }
    }
    server_t *self = mp_obj_malloc(server_t, type);
    self->queue = queue;
    self->chain = chain;
    self->request = args[2];
    self->reply = args[3];
    self->handle = args[4];
    self->interrupt = args[5];
    self->report = args[6];
    self->error = mp_const_none;
    self->returned = 0;
    return MP_OBJ_FROM_PTR(self);
}

static int answer(server_t *self) {
    hal_chain_t *chain = self->chain;
    const mp_obj_t args[4] = {
        self->request, MP_OBJ_NEW_SMALL_INT(chain->readable), self->reply, MP_OBJ_NEW_SMALL_INT(chain->writable),
    };
    mp_obj_t written = mp_call_function_n_kw(self->handle, 4, 0, args);
    if (!mp_obj_is_small_int(written)) {
        if (written == mp_const_none && self->chain != chain) {
            return HAL_EMPTY; /* the chain has been put aside: nothing has happened yet that counts */
        }
    } else if (MP_OBJ_SMALL_INT_VALUE(written) < 0) {
        hal_queue_push(self->queue, chain, MP_OBJ_NEW_SMALL_INT(0), mp_const_none);
        return HAL_UNANSWERED;
    }
    hal_queue_push(self->queue, chain, written, self->reply);
    return HAL_TAKEN;
}

static void return_empty(server_t *self) {
    if (self->chain->queue == self->queue) { /* else the function has pushed it itself */
        hal_queue_push(self->queue, self->chain, MP_OBJ_NEW_SMALL_INT(0), mp_const_none);
    }
}

/* What is raised on the way comes from the function, or from what it returned: the driver gets its chain back. */
static int answer_protected(server_t *self) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        int result = answer(self);
        nlr_pop();
        return result;
    }
    mp_obj_t error = MP_OBJ_FROM_PTR(nlr.ret_val);
    return_empty(self);
    if (!mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(error)), MP_OBJ_FROM_PTR(&mp_type_Exception))) {
        nlr_raise(error);
    }
    self->error = error;
    return HAL_FAILED;
}

static mp_obj_t server_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    server_t *self = MP_OBJ_TO_PTR(self_in);
    int found = hal_queue_pop(self->queue, self->chain, self->request);
    if (found == HAL_TAKEN) {
        found = answer_protected(self);
    } else if (found == HAL_MALFORMED) {
        return_empty(self);
    }
    if (found != HAL_EMPTY && found != HAL_BROKEN) {
        self->returned++;
        if (hal_queue_signal(self->queue)) {
            mp_call_function_0(self->interrupt);
        }
    }
    if (found != HAL_TAKEN && found != HAL_EMPTY) {
        mp_call_function_1(self->report, MP_OBJ_NEW_SMALL_INT(found));
    }
    return mp_const_none;
}

/* The next request uses another function; another chain, as the one that is being answered is put aside. */
static void server_store(server_t *self, qstr attr, mp_obj_t *dest) {
    if (attr == MP_QSTR_handle && mp_obj_is_callable(dest[1])) {
        self->handle = dest[1];
        dest[0] = MP_OBJ_NULL;
    } else if (attr == MP_QSTR_chain) {
        self->chain = hal_arg_chain(dest[1]);
        dest[0] = MP_OBJ_NULL;
    }
}

static void server_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    server_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        if (dest[1] != MP_OBJ_NULL) {
            server_store(self, attr, dest);
        }
        return;
    }
    if (attr == MP_QSTR_returned) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->returned);
    } else if (attr == MP_QSTR_error) {
        dest[0] = self->error;
    } else if (attr == MP_QSTR_queue) {
        dest[0] = MP_OBJ_FROM_PTR(self->queue);
    } else if (attr == MP_QSTR_chain) {
        dest[0] = MP_OBJ_FROM_PTR(self->chain);
    }
}

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_server, MP_QSTR_Server, MP_TYPE_FLAG_NONE,
    make_new, server_make_new,
    attr, server_attr,
    call, server_call
    );
