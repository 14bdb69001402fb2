# SPDX-License-Identifier: MIT
"""PCI Express functions behind a generic ECAM bridge: find one, give it addresses, point its MSI-X at a GICv2m frame.

Sources: PCI Local Bus Specification 3.0, 6.1 (header), 6.2.5 (BARs), 6.8.2 (MSI-X); PCI Express Base Specification
3.0, 7.2.2 (ECAM); IEEE 1275 PCI binding and the Devicetree binding `pci-host-ecam-generic` (reg, ranges); Server Base
System Architecture 2.3, appendix on GICv2m (MSI_TYPER, MSI_SETSPI_NS).
"""

from hal.compat import const

_COMMAND = const(0x04)
_HEADER_BARS = const(0x10)
_CAPABILITIES = const(0x34)
_CAP_MSIX = const(0x11)
_MEMORY_AND_MASTER = const(0x6)  # COMMAND: decode memory, send messages
_MSIX_ENABLE = const(0x8000)
_FUNCTION_SIZE = const(0x1000)
_WORD = const(0xFFFFFFFF)

_TYPER = const(0x008)
_SETSPI = const(0x040)
_MEMORY_32 = const(2)  # space code in phys.hi of `ranges`


class MessageFrame:
    """A GICv2m frame: writing a number to its register raises that SPI. `node`: its device-tree node.

    `map_window(address, size, device)` makes a Window of physical memory. ValueError when the interrupts run out.
    """

    def __init__(self, node, map_window):
        address, size = node.reg()[0]
        self.register = address + _SETSPI
        typer = map_window(address, size, True).r32(_TYPER)
        self._next = node.number("arm,msi-base-spi", typer >> 16 & 0x3FF)
        self._end = self._next + node.number("arm,msi-num-spis", typer & 0x3FF)

    def take(self):
        """Return the INTID of an interrupt that nobody else has; it is edge triggered."""
        if self._next >= self._end:
            raise ValueError("GICv2m: no message interrupt is left")
        self._next += 1
        return self._next - 1


class Host:
    """A host bridge. `node`: its device-tree node; `map_window` as for MessageFrame."""

    def __init__(self, node, map_window):
        self._map = map_window
        self._ecam, self._ecam_size = node.reg()[0]
        self._offset, self._next, self._end = _memory_range(node)

    def function(self, node):
        """Return the Function of a child `node` of the bridge, with its memory assigned. ValueError if it is absent."""
        location = node.cells("reg")[0] >> 8 & 0xFFFF  # bus, device, function
        if (location + 1) * _FUNCTION_SIZE > self._ecam_size:
            raise ValueError("device tree: %s is outside the configuration space" % node.path)
        config = self._map(self._ecam + location * _FUNCTION_SIZE, _FUNCTION_SIZE, True)
        if config.r32(0) == _WORD:
            raise ValueError("PCI: nothing answers at %s" % node.path)
        return Function(self, config)

    def allocate(self, size):
        """Return a PCI address with `size` (a power of two) bytes of the 32-bit memory range, aligned to `size`."""
        address = (self._next + size - 1) & ~(size - 1)
        if address + size > self._end:
            raise ValueError("PCI: the 32-bit memory range has no %d bytes left" % size)
        self._next = address + size
        return address

    def window(self, address, size):
        """Return a Window on `size` bytes of registers at a PCI address."""
        return self._map(self.outside(address), size, True)

    def outside(self, address):
        """Return the processor's address of a PCI address."""
        return address + self._offset


def _memory_range(node):
    """Return (CPU minus PCI address, first PCI address, end) of the first 32-bit memory range in `ranges`."""
    cells = node.cells("ranges")
    parent_cells = node.parent.number("#address-cells", 2)
    size_cells = node.number("#size-cells", 2)
    stride = 3 + parent_cells + size_cells
    for at in range(0, len(cells) - stride + 1, stride):
        if cells[at] >> 24 & 3 == _MEMORY_32:
            pci = _join(cells, at + 1, 2)
            cpu = _join(cells, at + 3, parent_cells)
            return cpu - pci, pci, pci + _join(cells, at + 3 + parent_cells, size_cells)
    raise ValueError("device tree: %s has no 32-bit memory range" % node.path)


def _join(cells, at, count):
    value = 0
    for cell in cells[at : at + count]:
        value = value << 32 | cell
    return value


class Function:
    """One function; its memory BARs are assigned and decoded. `ids`: vendor in the low, device in the high 16 bits."""

    def __init__(self, host, config):
        self._host = host
        self._config = config
        self.ids = config.r32(0)
        self._msix = self._capability(_CAP_MSIX)
        self._silence()
        self._bars = self._assign()
        config.w16(_COMMAND, _MEMORY_AND_MASTER)

    def _silence(self):
        """Stop what an earlier life of this backend left running, before its addresses move."""
        if self._msix:
            self._config.w16(self._msix + 2, 0)
        self._config.w16(_COMMAND, 0)

    def _assign(self):
        bars = {}
        index = 0
        while index < 6:
            step, size = self._measure(index)
            if size:
                bars[index] = (self._place(index, step, size), size)
            index += step
        return bars

    def _measure(self, index):
        """Return (registers, size in bytes) of a BAR; size 0: absent or an I/O BAR."""
        at = _HEADER_BARS + 4 * index
        self._config.w32(at, _WORD)
        mask = self._config.r32(at)
        if not mask or mask & 1:
            return 1, 0
        size = (~(mask & ~0xF) + 1) & _WORD
        return (2 if mask & 0x6 == 0x4 else 1), size

    def _place(self, index, step, size):
        at = _HEADER_BARS + 4 * index
        address = self._host.allocate(size)
        self._config.w32(at, address)
        if step == 2:
            self._config.w32(at + 4, 0)
        return address

    def bar(self, index):
        """Return a Window on the registers in a memory BAR. ValueError if the function has none of that number."""
        return self._host.window(*self._bar(index))

    def memory(self, index):
        """Return (address, size) of a memory BAR as the processor sees it. ValueError as for `bar`."""
        address, size = self._bar(index)
        return self._host.outside(address), size

    def _bar(self, index):
        if index not in self._bars:
            raise ValueError("PCI: function %08x has no memory BAR %d" % (self.ids, index))
        return self._bars[index]

    def _capability(self, wanted):
        at = self._config.r8(_CAPABILITIES) & 0xFC
        for _ in range(48):  # as many as fit: a list that loops ends, too
            if not at or self._config.r8(at) == wanted:
                return at
            at = self._config.r8(at + 1) & 0xFC
        return 0

    def enable_message(self, register, data):
        """Have MSI-X vector 0 write `data` to the physical address `register`. ValueError without MSI-X."""
        if not self._msix:
            raise ValueError("PCI: function %08x has no MSI-X" % self.ids)
        where = self._config.r32(self._msix + 4)
        table = self.bar(where & 7)
        entry = where & ~7
        table.w32(entry, register & _WORD)
        table.w32(entry + 4, register >> 32)
        table.w32(entry + 8, data)
        table.w32(entry + 12, 0)  # not masked
        self._config.w16(self._msix + 2, _MSIX_ENABLE)
