/* SPDX-License-Identifier: MIT */
/*
 * The seam between the capability module `_hal` (this folder) and the port it is linked into. Two ports exist:
 * the bare-metal AArch64 one (board/) and MicroPython's unix port (board/unix), which the tests run on.
 *
 * A port must be configured with MICROPY_ENABLE_SCHEDULER and MICROPY_SCHEDULER_STATIC_NODES, and must look at the
 * scheduler before it sleeps (with interrupts masked between the look and the WFI), or a wake-up is lost. It should
 * have MICROPY_ENABLE_PYSTACK: without it MicroPython takes the frame of a Python function with more than a few
 * locals from the heap, at every call.
 */
#ifndef TRAPLESS_HAL_PORT_H
#define TRAPLESS_HAL_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The serving callback may begin when the program at the prompt is deep in a recursion. While it runs, the stack
 * limit that MicroPython checks is this many bytes further: the port's real stack has that room beyond what it gives
 * to mp_cstack_init*. (With MICROPY_ENABLE_PYSTACK the module keeps a reserve of the Python stack back by itself.)
 */
#define HAL_PORT_STACK_RESERVE (8 * 1024)

/* Memory types for hal_port_map(). */
enum hal_memory {
    HAL_MEMORY_NORMAL = 0, /* Normal, write-back, inner-shareable: shared pages and pools */
    HAL_MEMORY_DEVICE = 1, /* Device-nGnRE: registers, PCI configuration space and BARs */
};

/* ---- What the port provides ---- */

/*
 * Route interrupt `intid` (a GIC INTID, 32 or above, or a PPI) to this CPU, configure it as edge or level, and enable
 * it. From then on the port's dispatcher calls hal_on_interrupt(intid), with interrupts masked, after the
 * end-of-interrupt: what is handled may ring, and be rung for it at once. While the interrupt is active Xen 4.20 may
 * keep the next one back until the processor enters it for something else (gic_raise_inflight_irq()).
 * Returns false if the controller has no such interrupt.
 */
bool hal_port_irq_enable(unsigned intid, bool edge);
void hal_port_irq_disable(unsigned intid);

/* One one-shot timer: hal_on_timer() is called once, `ms` from now. A new call replaces the old one; 0 cancels it. */
void hal_port_timer_ms(uint32_t ms);

/* Another one: hal_on_look() is called once, `ms` from now. A new call replaces the old one; 0 cancels it. Any context. */
void hal_port_look_ms(uint32_t ms);

/* The flattened device tree that the machine was booted with, and its length; NULL and 0 if there is none. */
const void *hal_port_dtb(size_t *len);

/* A free running counter, the finest there is: only used to stir the entropy pool. */
uint64_t hal_port_counter(void);

/*
 * Make [phys, phys + size) accessible as `memory`; both ends are rounded outwards to the port's granule. Returns the
 * pointer for phys, or NULL if the port cannot map it. Mapping what is mapped already with the same type is free.
 */
void *hal_port_map(uint64_t phys, size_t size, enum hal_memory memory);

/*
 * Call the hypervisor with a number and arguments; returns its answer, negative if it refuses. ENOSYS, -38, where there
 * is no hypervisor to call, or, like any undefined instruction, a fault.
 */
#define HAL_HYPERCALL_ARGS (5)
int64_t hal_port_hypercall(uint64_t number, const uint64_t args[HAL_HYPERCALL_ARGS]);

/* Restart or switch off the machine (PSCI SYSTEM_RESET, SYSTEM_OFF). On the unix port: leave the process. */
__attribute__((noreturn)) void hal_port_reset(void);
__attribute__((noreturn)) void hal_port_off(void);

/*
 * A Ctrl-C came in while the serving callback ran (hal_serving() was true then), or was pending when it began. Called
 * right after the callback's end, from the scheduler, in thread context: raise it now (mp_sched_keyboard_interrupt()).
 */
void hal_port_interrupted(void);

/* ---- What the module provides ---- */

/* Interrupt context: INTID `intid` was acknowledged. Unknown ones are ignored. Allocates nothing, takes no lock. */
void hal_on_interrupt(unsigned intid);

/* Interrupt context: the timer of hal_port_timer_ms() has expired. */
void hal_on_timer(void);

/* Interrupt context: the timer of hal_port_look_ms() has expired. */
void hal_on_look(void);

/*
 * Any context: does the serving callback run now? Then the port must not raise KeyboardInterrupt, but calls
 * hal_note_ctrl_c() instead, and hears of it again by hal_port_interrupted().
 */
bool hal_serving(void);
void hal_note_ctrl_c(void);

/*
 * Detach everything: interrupts, timer, echoes, the serving callback. A port calls it at every soft reset, before the
 * heap is given up (gc_sweep_all() or a new gc_init()), and once after mp_init() at the start.
 */
void hal_reset(void);

#endif /* TRAPLESS_HAL_PORT_H */
