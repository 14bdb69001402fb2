# SPDX-License-Identifier: MIT
# Nothing that needs a library or a submodule, and nothing frozen: the firmware is imported from its folder.

FROZEN_MANIFEST =
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_PY_SSL = 0
MICROPY_PY_SOCKET = 0
MICROPY_PY_THREAD = 0
MICROPY_PY_BLUETOOTH = 0
MICROPY_VFS_FAT = 0
MICROPY_VFS_LFS1 = 0
MICROPY_VFS_LFS2 = 0

# SANITIZE=1: the capability module with AddressSanitizer and UndefinedBehaviorSanitizer, which end the process.
# MicroPython's own code stays as it is: its collector reads whatever lies on the stack.
ifeq ($(SANITIZE),1)
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all
$(BUILD)/hal/%.o: CFLAGS += $(SANITIZERS) -g -fno-omit-frame-pointer
LDFLAGS += $(SANITIZERS)
STRIP =
endif
