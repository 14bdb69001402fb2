# SPDX-License-Identifier: MIT
"""Turn the relocations that the linker left in an ELF file into the few hundred bytes that start.S works through.

usage: pack_relocations.py IN.elf CAPACITY OUT.bin

The linker describes each absolute pointer of a position-independent image with 24 bytes (R_AARCH64_RELATIVE, ELF for
the Arm 64-bit Architecture, 5.7.10), and stores the link-time value in place as well. The packed form is that of
SHT_RELR (gABI, "Relative relocations"): an even word is the address of a pointer, an odd word a bitmap of which of
the next 63 words are. OUT.bin has CAPACITY bytes, the rest zero.
"""

import struct
import sys

R_AARCH64_RELATIVE = 1027
SHT_RELA = 4
BITMAP_WORDS = 63


def relocated_addresses(elf):
    """The addresses of all pointers to be relocated, ascending. ValueError for any other kind of relocation."""
    (table,) = struct.unpack_from("<Q", elf, 40)
    size, count = struct.unpack_from("<HH", elf, 58)
    addresses = []
    for index in range(count):
        kind, _, _, offset, length = struct.unpack_from("<IQQQQ", elf, table + index * size + 4)
        if kind != SHT_RELA:
            continue
        for address, info, _ in struct.iter_unpack("<QQQ", elf[offset : offset + length]):
            if info != R_AARCH64_RELATIVE:
                raise ValueError("relocation type %d at %#x: only plain pointers can be relocated" % (info, address))
            addresses.append(address)
    return sorted(addresses)


def pack(addresses):
    """The words of the packed form."""
    words = []
    rest = list(addresses)
    while rest:
        first = rest.pop(0)
        words.append(first)
        base = first + 8
        while rest and rest[0] < base + 8 * BITMAP_WORDS:
            bitmap = 0
            while rest and rest[0] < base + 8 * BITMAP_WORDS:
                bitmap |= 1 << ((rest.pop(0) - base) // 8)
            words.append(bitmap << 1 | 1)
            base += 8 * BITMAP_WORDS
    return words


def main(source, capacity, target):
    with open(source, "rb") as file:
        addresses = relocated_addresses(file.read())
    if not addresses:
        sys.exit("%s: no relocations, so it was not linked position-independent (-static-pie)" % source)
    if any(address % 8 for address in addresses):
        sys.exit("%s: a pointer is not aligned to 8 bytes" % source)
    words = pack(addresses)
    packed = struct.pack("<%dQ" % len(words), *words)
    if len(packed) > int(capacity, 0):
        sys.exit("%s: %d bytes of relocations, %s reserved: raise RELOCATION_SIZE" % (source, len(packed), capacity))
    with open(target, "wb") as file:
        file.write(packed.ljust(int(capacity, 0), b"\0"))
    print("%d relocations in %d bytes" % (len(addresses), len(packed)))


if __name__ == "__main__":
    main(*sys.argv[1:])
