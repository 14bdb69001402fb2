# SPDX-License-Identifier: MIT
"""The hardware contract: everything above this package asks for its machine here, and nowhere else.

`hal.edge` has the capabilities without policy: `Window`, `SplitQueue`, `PackedQueue`, `Chain`, `Watch` and the
barriers (see `hal.pure` for what each does; the C module `_hal` is used where the interpreter has it).

A *machine* is `hal.metal` (the module; bare metal) or a `hal.sim.Machine` (one process, no hardware). Both have:

- `links()`: list of `hal.contract.Link`, one for each frontend, as the backend's device tree tells them;
- `device(compatible, index=0)`: Window of the registers of a device of this machine, number `index` of those that are
  compatible; ValueError if there is none;
- `serve(callback)`: `callback(expired)` runs after every interrupt that matters, after `notify()` and after `timer()`,
  whatever a person does at the prompt meanwhile; `expired` is True once after the timer has expired, else None. It must
  do a bounded amount of work, and call `notify()` if some is left;
- `notify()`: have the callback run again soon, after the prompt had its turn;
- `timer(ms)`: have the callback run once, `ms` milliseconds from now; a new call replaces the old one, 0 cancels it;
- `lookout(watch, shortest, longest, patience)`: have the callback run when a look, of which nobody knows who finds
  nothing, sees work in a `Watch`: `shortest` to `longest` ms after the one before;
- `nonce(avoid=())`: a random integer, 1 to 2^32 - 1, that is not in `avoid`;
- `stir(window)`: mix the content of a Window (old page content) into the pool that nonces come from;
- `ticks_ms()`, `ticks_us()`, `ticks_diff(end, start)`: time, wrapping where the interpreter's does.
"""
