# SPDX-License-Identifier: MIT
# The capability module `_hal`, as a MicroPython user C module (USER_C_MODULES = the folder above this one).

HAL_MOD_DIR := $(USERMOD_DIR)

SRC_USERMOD_C += $(addprefix $(HAL_MOD_DIR)/, \
	module.c window.c chain.c queue.c split.c packed.c server.c answer.c numbers.c dispatcher.c watch.c bell.c \
	hypercall.c service.c lookout.c latch.c echo.c entropy.c seal.c)
CFLAGS_USERMOD += -I$(HAL_MOD_DIR)
