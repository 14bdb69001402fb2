# SPDX-License-Identifier: MIT
"""One Linux guest of a running pair: its machine, its link to the backend, and the shell in it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from trapless import guest, ivshmem, probe, project, region, splats
from trapless.endpoint import Endpoint
from trapless.errors import GuestTimeout, MachineError, TraplessError, Unsupported
from trapless.topology import Device, Link

_PROBE_ADVICE = (
    "With a kernel or modules of your own: qemu/kernel/fragment.config lists what the kernel needs, and `dmesg` there"
    " tells why a module was not loaded."
)
_ANSWER_TIMEOUT = 5.0
_EXAMINE = (
    "dmesg | tail -n 60; cd /sys/kernel/debug/trapless && for file in */stats */backend */*/state;"
    " do echo $file; cat $file; done"
)
READY_TIMEOUT = 60.0


class Frontend:
    """A frontend; it stays the same object when the guest is started anew.

    Args:
        vm: its machine.
        link: what joins it to the backend.
        platform: the model that the backend serves on that link.
        agent: what it is to SCMI: id, name, trusted.
        patience: what all time-outs are multiplied by: the guest's kernel may be slow by its nature.
    """

    def __init__(self, vm: Endpoint, link: Link, platform: Any, agent: dict[str, Any], patience: float = 1.0) -> None:
        self.vm = vm
        self.link = link
        self.platform = platform
        self.agent = agent
        self.patience = patience
        self._shell: guest.Guest | None = None
        self._doorbells: ivshmem.Server | None = None
        self._told: set[str] = set()

    @property
    def name(self) -> str:
        """The machine's name in the topology."""
        return self.vm.name

    @property
    def terminal(self) -> str:
        """The guest's name for its console."""
        return f"/dev/{self.vm.console}"

    @property
    def doorbells(self) -> ivshmem.Server:
        """The doorbell server of the link.

        Raises:
            MachineError: the pair does not run.
            Unsupported: the doorbells are the hypervisor's.
        """
        if self._doorbells is None and self.vm.inseparable:
            raise Unsupported("nobody but a domain at one of its ends can ring an event channel of Xen")
        if self._doorbells is None:
            raise MachineError(f"the doorbells of {self.name} are not served: the pair does not run")
        return self._doorbells

    def state(self) -> dict[str, Any]:
        """Return what other terminals may know of it."""
        return {
            "name": self.name,
            "link": self.link.name,
            "agent": self.agent,
            "console": str(self.vm.console_path),
            "region": str(region.path(self.vm.directory, self.link)),
            "hearts": region.hearts(self.link),
            "pool": region.pool(self.link),
            "devices": region.pages(self.link),
        }

    # Life

    def prepare(self, doorbells: ivshmem.Server | None) -> None:
        """Make the region and the channels before any machine starts; TraplessError without room.

        Args:
            doorbells: the server of the link, if the platform's doorbells need one.
        """
        region.make(self.vm.directory, self.link)
        self._doorbells = doorbells
        for name in guest.PORTS:
            self.vm.listen(name)

    def drop_shell(self) -> None:
        """Give up the connection to the guest's agent: its life ends."""
        if self._shell:
            self._shell.close()
            self._shell = None

    def close(self) -> None:
        """End the guest; the doorbells go with `close_doorbells`, after the backend."""
        self.drop_shell()
        self.vm.close()

    def close_doorbells(self) -> None:
        """Serve the doorbells no longer."""
        if self._doorbells:
            self._doorbells.close()
            self._doorbells = None

    def epochs(self) -> dict[Device, int]:
        """Return the `DEV_BE_EPOCH` of every device of the link (0: not there), as it stands in the region now."""
        return region.epochs(self.vm.directory, self.link)

    # What a person or a test does with it

    def run(
        self, command: str, timeout: float = 60.0, stdout: guest.Sink | None = None, stderr: guest.Sink | None = None
    ) -> guest.Result:
        """Run a command in the guest; see `trapless.guest.Guest.run`."""
        return self._guest().run(command, timeout * self.patience, stdout, stderr)

    def check(self, command: str, timeout: float = 60.0) -> str:
        """Run a command that must succeed and return its output; see `trapless.guest.Guest.check`."""
        return self._guest().check(command, timeout * self.patience)

    def wait_for(self, condition: str, timeout: float = 20.0) -> None:
        """Wait until a shell condition holds in the guest; see `trapless.guest.Guest.wait_for`."""
        self._guest().wait_for(condition, timeout * self.patience)

    def splats(self) -> list[str]:
        """Return the reports of damage in the kernel's log that no earlier call returned (`splats.reports`).

        Of a life that has ended, or a guest that does not answer, only what its console showed is left.
        """
        console = self.vm.path("console.log")
        log = console.read_text(errors="replace") if console.exists() else ""
        with suppress(TraplessError):
            log += self.run(f"dmesg | grep -qE '{splats.PATTERN}' && dmesg", _ANSWER_TIMEOUT).text
        fresh = {first: text for first, text in splats.reports(log) if first not in self._told}
        self._told.update(fresh)
        return list(fresh.values())

    def examine(self) -> str:
        """Return the kernel's log and what our modules show, for a person; of a guest that does not answer, why."""
        try:
            return self.run(_EXAMINE, _ANSWER_TIMEOUT).text
        except TraplessError as error:
            return f"{error}\n"

    def _guest(self) -> guest.Guest:
        if self._shell is None:
            raise MachineError(f"the {self.name} has not been waited for; call wait_ready() first")
        return self._shell

    def wait_agent(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until the frontend takes commands, whether or not the backend serves.

        Raises:
            MachineError: it died.
            GuestTimeout: it took too long.
        """
        if self._shell is None:
            ports = {name: self.vm.accept(name, timeout) for name in guest.PORTS}
            self._shell = guest.Guest(ports, self.vm.tail, self.name)
            self._shell.wait_ready(timeout * self.patience)

    def wait_probed(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until Linux has probed the platform: every driver that the model's protocols bring is bound.

        Raises:
            GuestTimeout: it took too long.
        """
        conditions = probe.conditions(self.platform)
        try:
            self.wait_for(" && ".join(conditions.values()), timeout)
        except GuestTimeout:
            what = f"Linux in the {self.name} did not probe the platform within {timeout:g} s"
            advice = project.outdated() or _PROBE_ADVICE
            raise GuestTimeout(f"{what}: {self._failing(conditions)}\n{advice}\n{self.vm.tail()}") from None

    def _failing(self, conditions: dict[str, str]) -> str:
        try:
            failing = [what for what, test in conditions.items() if self.run(test, _ANSWER_TIMEOUT).status]
        except TraplessError:
            return "it does not answer any more"
        return "; ".join(failing) or "it came a moment later"
