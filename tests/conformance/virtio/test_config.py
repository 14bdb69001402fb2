# SPDX-License-Identifier: MIT
"""docs/transport.md, 6.3 and 7.2: a configuration space that the backend changes while a driver runs."""

from driver import Mirror, Rig
from virtio.layout import REG_CONFIG, REG_CONFIG_GENERATION


class Stepping:
    """A page (Window) that is stored to word by word; after each word, what a driver would see is kept in `seen`."""

    def __init__(self, page, seen, look):
        self._page = page
        self._seen = seen
        self._look = look

    def __getattr__(self, name):
        return getattr(self._page, name)

    def w32(self, offset, value):
        self._page.w32(offset, value)
        self._seen.append(self._look())

    def write(self, offset, data):
        for at in range(0, len(data), 4):
            self._page.write(offset + at, bytes(data[at : at + 4]))
            self._seen.append(self._look())


def changed_again_and_again(count):
    """Return what a driver sees after each store of `count` changes: (generation, first word, second word)."""
    rig = Rig(Mirror())
    driver = rig.drivers[0].begin()
    port = rig.link.ports[0]
    seen = []

    def look():
        space = driver.config(0, 8)
        return driver.load(REG_CONFIG_GENERATION), space[:4], space[4:]

    port.sync.device_page = Stepping(port.sync.device_page, seen, look)
    for value in range(count):
        port.change_config(0, bytes([value]) * 8)
        rig.run()
    return seen


def reads(seen):
    """Yield (generation, first word, second word, generation), loaded at any moments, the words in either order."""
    moments = range(len(seen))
    for before in moments:
        for first in moments[before:]:
            for second in moments[before:]:
                for after in moments[max(first, second) :]:
                    yield seen[before][0], seen[first][1], seen[second][2], seen[after][0]


def test_7_2_whoever_finds_the_same_even_generation_twice_has_read_no_mixture():
    good, mixed = 0, 0
    for before, first, second, after in reads(changed_again_and_again(3)):
        if before == after and not before & 1:
            assert first == second
            good += 1
        mixed += first != second
    assert good and mixed, "there are mixtures, and good reads"


def test_7_2_the_space_is_stored_to_in_odd_generations_only():
    seen = changed_again_and_again(4)
    for index in range(1, len(seen)):
        assert seen[index][1:] == seen[index - 1][1:] or seen[index][0] & 1
    assert [generation & 1 for generation, _, _ in seen] == [1, 1, 1, 0] * 4


def test_7_2_the_generation_wraps():
    rig = Rig(Mirror())
    driver = rig.drivers[0].begin()
    port = rig.link.ports[0]
    port.registers.generation = 0xFFFFFFFE
    port.change_config(0, b"\x01")
    rig.run()
    assert driver.load(REG_CONFIG_GENERATION) == 0
    assert driver.config(0, 1) == b"\x01"


def test_6_3_each_change_moves_the_counter_and_rings_a_running_driver():
    rig = Rig(Mirror())
    driver = rig.drivers[0].begin()
    changes, rung = driver.config_changes, rig.doorbell.rung
    for count in range(1, 6):
        rig.link.ports[0].change_config(0, bytes([count]))
        rig.run()
        assert (driver.config_changes, rig.doorbell.rung) == (changes + count, rung + count)
        assert driver.config(0, 1) == bytes([count])


def test_6_3_the_space_is_there_before_the_counter_moves():
    rig = Rig(Mirror())
    driver = rig.drivers[0].begin()
    seen = []
    port = rig.link.ports[0]

    class Noting:
        def __init__(self, page):
            self._page = page

        def __getattr__(self, name):
            return getattr(self._page, name)

        def add_release(self, offset, n):
            seen.append((driver.load(REG_CONFIG_GENERATION) & 1, bytes(driver.config(0, 2))))
            return self._page.add_release(offset, n)

    port.sync.device_page = Noting(port.sync.device_page)
    port.change_config(0, b"ab")
    rig.run()
    assert seen == [(0, b"ab")]
    assert port.sync.device_page.r8(REG_CONFIG) == ord("a")
