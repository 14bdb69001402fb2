# SPDX-License-Identifier: MIT
"""The loop that serves every device of every link: finds work, hands it out fairly, sleeps without losing a wake-up.

Source: docs/transport.md, 4.1 and 6. It has no thread of its own: a machine (see `hal`) runs it after interrupts.
"""

from hal.alarm import Alarms
from hal.compat import const
from hal.edge import Watch

# Between two looks where a frontend cannot ring, docs/transport.md, 6.8: while there is work, and at most; and how many
# looks have to find nothing before they become rarer.
POLL_MS = const(1)
IDLE_MS = const(18)
PATIENCE = const(20)
HANDLERS_PER_RUN = 32


def _describe(error):
    """Return `repr(error)`; its class's name if that fails, as for want of memory or in a model's own class."""
    try:
        return repr(error)
    except BaseException:
        return type(error).__name__


class Loop:
    """Serves the links that were added, on `machine`.

    `budget`: how many handlers one run calls at most before the prompt has its turn. `run(expired)` serves until there
    is nothing to do or the budget is used up: it is what the machine calls after an interrupt. `after(ms, function)`
    has a function called later and `repeat(ms, function)` again and again (`hal.alarm`), `notify()` has the loop run
    soon. `faults` counts the exceptions that left a handler, a batch or such a function, `fault` is the last one; the
    first is printed.
    """

    def __init__(self, machine, budget=HANDLERS_PER_RUN):
        self.links = []
        self._machine = machine
        self._budget = budget
        self._watch = None
        self._handlers = []
        self._alarms = Alarms(machine)
        self.notify = machine.notify
        self.after = self._alarms.after
        self.repeat = self._alarms.repeat
        self.faults = 0
        self.fault = None
        self.run = None

    def add(self, link):
        """Add `link`, with all its devices, before `start()`; return it."""
        self.links.append(link)
        return link

    def start(self):
        """Begin a backend life: publish, ring every link, examine every page, serve. docs/transport.md, 4.1."""
        self._prepare()
        for link in self.links:
            link.publish()
        for link in self.links:
            link.doorbell.ring()
        self._machine.serve(self.run)
        if not all(link.doorbell.hears for link in self.links):
            self._machine.lookout(self._watch, POLL_MS, IDLE_MS, PATIENCE)
        self.notify()

    def watch_word(self, window, offset, handler):
        """Have `handler()` called when the word at `offset` is neither 0 nor what is expected; return the slot."""
        return self._handle(self._watch.word(window, offset, 0), handler)

    def watch_queue(self, queue, handler):
        """Have `handler()` called when a chain waits in `queue`; return the slot."""
        return self._handle(self._watch.queue(queue), handler)

    def watch_sleep(self, window, offset):
        """Keep the sleep flag at `offset`: 1 while the loop may sleep, else 0; return the slot."""
        return self._watch.flag(window, offset)

    def expect(self, slot, value):
        """Set the value of the word of `slot` that is no work."""
        self._watch.expect(slot, value)

    def forget(self, slot):
        """Watch `slot` no longer."""
        self._watch.remove(slot)

    def _prepare(self):
        ports = [port for link in self.links for port in link.ports]
        capacity = len(self.links) + sum(2 + len(port.slots) for port in ports)
        self._watch = Watch(max(capacity, 1))
        self._handlers = [None] * capacity
        serving = self._serve()
        next(serving)
        self.run = serving.send
        for port in ports:
            port.attach(self)
        for link in self.links:
            link.attach(self)

    def _handle(self, slot, handler):
        self._handlers[slot] = handler
        return slot

    def _serve(self):
        """Serve whenever the generator is resumed. It is one since resuming it costs a third of a call."""
        turn, handlers, budget, notify = self._watch.run, self._handlers, self._budget, self.notify
        spin_us = max([link.spin_us for link in self.links] + [0])
        fresh, run_alarms = self._alarms.fresh, self._alarms.run
        while True:
            expired = yield
            try:
                if expired or fresh:
                    run_alarms()
                if turn(handlers, budget, spin_us):
                    notify()
            except BaseException as error:
                # A SystemExit of somebody's model, too: what leaves a generator ends it, and with it all serving.
                self.note(error)
                notify()  # awake, nobody rings us: go on, or one device's fault stops all the others

    def note(self, error):
        """Count `error`, which a device or something like it has raised; print the first."""
        self.faults += 1
        self.fault = error
        if self.faults == 1:
            print("trapless: a device could not be served:", _describe(error))
