/* SPDX-License-Identifier: MIT */
/*
 * PL011 (Arm DDI 0183) and its SBSA subset: reception by interrupt into a ring, transmission by polling. A full ring
 * masks the interrupt, so the FIFO fills and the sender is held back. Ctrl-C is taken out on arrival when Python
 * asked for that.
 */
#include <stdint.h>

#include "aarch64/cpu.h"
#include "modules/hal/port.h"
#include "platform.h"
#include "py/runtime.h"
#include "shared/runtime/interrupt_char.h"
#include "uart.h"

#define DR 0x00
#define FR 0x18
#define LCR_H 0x2c
#define CR 0x30
#define IMSC 0x38
#define ICR 0x44

#define FR_RX_EMPTY (1 << 4)
#define FR_TX_FULL (1 << 5)
#define LCR_8N1_FIFO 0x70
#define CR_ENABLE_RX_TX 0x301
#define INT_RX (1 << 4)
#define INT_RX_TIMEOUT (1 << 6)

#define RING 4096   /* a power of two */

static uint8_t ring[RING];
static volatile uint32_t ring_put, ring_get;
static volatile bool held_back;

static uint32_t get(unsigned reg) {
    return io_read32(platform.uart + reg);
}

static void put(unsigned reg, uint32_t value) {
    io_write32(platform.uart + reg, value);
}

static void interrupt_python(void) {
    if (hal_serving()) {
        hal_note_ctrl_c();
    } else {
        mp_sched_keyboard_interrupt();
    }
}

static void receive(uint8_t c) {
    if (c == mp_interrupt_char) {
        interrupt_python();
    } else {
        ring[ring_put++ % RING] = c;
    }
}

/* Interrupts are masked. ICR first: a character that comes in during the loop must raise its interrupt again. */
void uart_interrupt(void) {
    put(ICR, INT_RX | INT_RX_TIMEOUT);
    while (ring_put - ring_get < RING && !(get(FR) & FR_RX_EMPTY)) {
        receive(get(DR));
    }
    held_back = ring_put - ring_get == RING;
    put(IMSC, held_back ? 0 : INT_RX | INT_RX_TIMEOUT);
}

void uart_start(void) {
    if (!platform.uart_is_sbsa) {
        put(CR, 0);
        put(LCR_H, LCR_8N1_FIFO);
        put(CR, CR_ENABLE_RX_TX);
    }
    uart_interrupt();
}

bool uart_readable(void) {
    return ring_put != ring_get;
}

int uart_read(void) {
    if (!uart_readable()) {
        return -1;
    }
    uint8_t c = ring[ring_get % RING];
    ring_get++;
    if (held_back && ring_put - ring_get <= RING / 2) {
        uint64_t state = irq_mask();
        uart_interrupt();
        irq_restore(state);
    }
    return c;
}

void uart_write(const char *text, size_t len) {
    for (size_t i = 0; i < len; ++i) {
        while (get(FR) & FR_TX_FULL) {
        }
        put(DR, (uint8_t)text[i]);
    }
}
