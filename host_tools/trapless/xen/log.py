# SPDX-License-Identifier: MIT
"""What Xen keeps in its memory: its console ring and its performance counters, read out of the file that is its memory.

Xen has no UART here: the machine's only one belongs to the backend. Nothing is asked of Xen, so this works while it
runs, after a panic, and after QEMU's end.
Sources: Xen 4.20, xen/drivers/char/console.c (conring), xen/common/perfc.c, xen/arch/arm/include/asm/mmu/layout.h.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trapless import project

_IMAGE_AT = 0xA0000200000  # XEN_VIRT_START
_DIRECT_MAP = 0x800000000000  # DIRECTMAP_VIRT_START: all memory, from its first byte on
_INFO_SIZE = 16  # of an element of perfc_info: name, type, number of counters
_INFO_FIELDS = ((0, 8), (12, 4))  # offset and size of name and number
_NAME_LIMIT = 64


@dataclass
class Memory:
    """The memory of a machine that runs Xen.

    Args:
        file: the machine's own memory.
        image: offset of Xen's Image in it.
        processors: how many the machine has.
    """

    file: Path
    image: int
    processors: int

    def ring(self) -> str:
        """Return what Xen has printed, with what its guests printed through it."""
        with self._opened() as memory:
            size, end = memory.number("console.c#conring_size", 4), memory.number("console.c#conringp", 4)
            ring = memory.number("console.c#conring", 8)
            if not size:
                return ""  # Xen has not begun
            content = memory.bytes(ring, size)
            start = max(0, end - size)
            return bytes(content[at % size] for at in range(start, end)).replace(b"\0", b"").decode(errors="replace")

    def counters(self) -> dict[str, int]:
        """Return Xen's performance counters, summed over the processors, by Xen's name for them."""
        with self._opened() as memory:
            names = list(memory.counter_names())
            offsets = [memory.number("__per_cpu_offset", 8, at) for at in range(self.processors)]
            start = memory.symbols["per_cpu__perfcounters"]
            totals: dict[str, int] = {}
            for at, name in enumerate(names):
                words = (memory.bytes((start + offset) % 2**64 + 4 * at, 4) for offset in offsets)
                totals[name] = sum(int.from_bytes(word, "little") for word in words)
            return totals

    @contextmanager
    def _opened(self) -> Iterator[_Opened]:
        with self.file.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
            yield _Opened(memory, self.image, symbols())


class _Opened:
    """The memory by Xen's own addresses."""

    def __init__(self, memory: mmap.mmap, image: int, known: dict[str, int]) -> None:
        self.symbols = known
        self._memory = memory
        self._image = image

    def bytes(self, address: int, size: int) -> bytes:
        at = address - _DIRECT_MAP if address >= _DIRECT_MAP else address - _IMAGE_AT + self._image
        return self._memory[at : at + size]

    def number(self, symbol: str, size: int, index: int = 0) -> int:
        return int.from_bytes(self.bytes(self.symbols[symbol] + size * index, size), "little")

    def counter_names(self) -> Iterator[str]:
        """Yield a name for each counter; those of an array are numbered."""
        at = self.symbols["perfc.c#perfc_info"]
        end = min(address for address in self.symbols.values() if address > at)
        for entry in range(at, end - _INFO_SIZE + 1, _INFO_SIZE):
            where, count = (int.from_bytes(self.bytes(entry + skip, size), "little") for skip, size in _INFO_FIELDS)
            name = self.bytes(where, _NAME_LIMIT).partition(b"\0")[0].decode() if where else ""
            yield from (f"{name} {index}" for index in range(count)) if count else (name,) if name else ()


def symbols() -> dict[str, int]:
    """Return the addresses of Xen's symbols; TraplessError if Xen is not built."""
    lines = project.need(project.XEN_SYMBOLS, "the hypervisor").read_text().splitlines()
    return {name: int(address, 16) for address, _, name in (line.split(maxsplit=2) for line in lines)}
