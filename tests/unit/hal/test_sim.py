# SPDX-License-Identifier: MIT
"""The simulated machine keeps the contract of `hal`; links from Python and from a device tree are the same."""

from hal import sim
from support import raises
from unit.hal.blob import cells, wide, write

REGION = 0x41000000
SIZE = 0x8000


def link_items(**changes):
    """Items of a link node as the harness writes it; a change of None leaves a property out."""
    properties = {
        "label": "linux0",
        "#address-cells": cells(2),
        "#size-cells": cells(2),
        "reg": wide(REGION, SIZE, REGION + 0x4000, 0x4000),
        "reg-names": "region\0pool",
        "trapless,frontend-base": wide(0x48004000),
        "mboxes": cells(9, 1),
    }
    properties.update({key.replace("_", "-").replace("--", ","): value for key, value in changes.items()})
    return [(key, value) for key, value in properties.items() if value is not None]


def device_items(index, *more):
    at = REGION + index * 0x2000
    return [("reg", wide(at, 0x1000, at + 0x1000, 0x1000)), ("reg-names", "device\0driver")] + list(more)


SCMI = ("virtio@41000000", device_items(0, ("trapless,device", "scmi"), ("trapless,model", "models.default")))
RNG = ("virtio@41002000", device_items(1, ("trapless,device", "rng")))


def blob(*links):
    root = [("#address-cells", cells(2)), ("#size-cells", cells(2))]
    nodes = [("link@%d" % i, items) for i, items in enumerate(links)]
    return write(root + [("trapless", root + [("compatible", "trapless,backend")] + nodes)])


def test_a_simulated_machine_maps_nothing_on_demand():
    error = raises(ValueError, sim.Machine, blob(link_items(trapless__memory=cells(9))))
    assert "trapless,memory" in str(error)


def test_links_come_from_the_device_tree():
    memory = bytearray(SIZE)
    machine = sim.Machine(blob(link_items() + [SCMI, RNG]), {REGION: memory})
    (link,) = machine.links()
    assert (link.name, link.frontend_base) == ("linux0", 0x48004000)
    assert (link.region.size, link.pool.size) == (SIZE, 0x4000)
    kind, device, driver, model, properties = link.devices[0]
    assert (kind, model, properties["trapless,model"]) == ("scmi", "models.default", b"models.default\0")
    assert [(d[0], d[3]) for d in link.devices] == [("scmi", "models.default"), ("rng", None)]
    device.w32(0, 1)
    driver.w32(0, 2)
    link.devices[1][1].w32(0, 3)
    link.devices[1][2].w32(0, 4)
    link.pool.w32(0, 5)
    assert [memory[at] for at in (0, 0x1000, 0x2000, 0x3000, 0x4000)] == [1, 2, 3, 4, 5]
    assert (link.doorbell.hears, link.doorbell.rings) == (True, True)


def test_memory_for_shared_memory_regions():
    reg = wide(REGION, SIZE, REGION + 0x4000, 0x4000, REGION + 0x3000, 0x1000)
    changes = {"reg": reg, "reg_names": "region\0pool\0shm", "trapless__frontend_shm": wide(0x48003000)}
    memory = bytearray(SIZE)
    (link,) = sim.Machine(blob(link_items(**changes)), {REGION: memory}).links()
    link.shared.w32(0, 6)
    assert (link.shared.size, link.frontend_shared, memory[0x3000]) == (0x1000, 0x48003000, 6)
    (link,) = sim.Machine(blob(link_items())).links()
    assert link.shared is None
    del changes["trapless__frontend_shm"]
    assert "trapless,frontend-shm" in str(raises(ValueError, sim.Machine, blob(link_items(**changes))))


def test_a_link_without_mboxes_polls():
    (link,) = sim.Machine(blob(link_items(mboxes=None) + [SCMI])).links()
    assert (link.doorbell.hears, link.doorbell.rings) == (False, False)
    link.doorbell.ring()
    assert link.doorbell.rung == 0
    assert link.doorbell.echo(link.region, 0, link.region, 4) == -1


def test_a_doorbell_may_have_one_direction():
    for name, found in (("polls", (False, True)), ("polled", (True, False))):
        items = link_items() + [("trapless," + name, b""), SCMI]
        (link,) = sim.Machine(blob(items)).links()
        assert (link.doorbell.hears, link.doorbell.rings) == found
        link.doorbell.ring()
        assert link.doorbell.rung == found[1]


def test_several_links():
    second = link_items(label="linux1", reg=wide(0x50000000, SIZE, 0x50004000, 0x4000))
    machine = sim.Machine(blob(link_items() + [SCMI], second))
    assert [link.name for link in machine.links()] == ["linux0", "linux1"]
    assert machine.links()[1].devices == []


def test_a_disabled_link_or_device_is_left_out():
    off = ("status", "disabled")
    rng = (RNG[0], RNG[1] + [off])
    machine = sim.Machine(blob(link_items() + [SCMI, rng], link_items() + [off]))
    assert [[d[0] for d in link.devices] for link in machine.links()] == [["scmi"]]


def test_a_machine_without_links():
    assert sim.Machine().links() == []
    assert sim.Machine(write([("#address-cells", cells(2))])).links() == []


def test_an_incomplete_link_is_refused():
    outside = wide(REGION, SIZE, REGION + 0x4000, 0x4001)
    before = wide(REGION, SIZE, REGION - 0x1000, 0x1000)
    for change in (
        {"trapless__frontend-base": None},
        {"reg": None},
        {"reg_names": "region"},
        {"reg_names": None},
        {"reg": outside},
        {"reg": before},
        {"reg": cells(1, 2, 3)},
    ):
        error = raises(ValueError, sim.Machine, blob(link_items(**change)))
        assert "/trapless/link@0" in str(error)
    nameless = ("virtio@0", device_items(0))
    raises(ValueError, sim.Machine, blob(link_items() + [nameless]))


def test_links_from_python():
    machine = sim.Machine()
    memory = bytearray(0x8000)
    link = machine.add_link("a", [("scmi", "models.default"), ("rng", None)], memory)
    assert machine.links() == [link]
    assert (link.pool.size, link.frontend_base) == (0x4000, 0x48200000)
    assert [(d[0], d[1].size, d[2].size, d[3]) for d in link.devices] == [
        ("scmi", 4096, 4096, "models.default"),
        ("rng", 4096, 4096, None),
    ]
    link.devices[1][2].w8(0, 7)
    assert memory[0x3000] == 7


def test_devices_come_from_the_device_tree():
    root = [("#address-cells", cells(2)), ("#size-cells", cells(2))]
    clock = [("compatible", "arm,pl031"), ("reg", wide(0x9010000, 0x1000))]
    memory = {0x9010000: bytearray(0x1000)}
    machine = sim.Machine(write(root + [("clock@9010000", clock)]), memory)
    machine.device("arm,pl031").w32(0, 5)
    assert memory[0x9010000][0] == 5
    assert "arm,pl061" in str(raises(ValueError, machine.device, "arm,pl061"))
    raises(ValueError, machine.device, "arm,pl031", 1)


def test_devices_from_python():
    given = object()
    machine = sim.Machine(devices={"arm,pl031": [given]})
    assert machine.device("arm,pl031") is given
    other = machine.device("arm,pl061", 1)
    other.w32(0x400, 7)
    assert machine.device("arm,pl061", 1) is other and machine.device("arm,pl061") is not other


def test_nothing_runs_by_itself():
    machine = sim.Machine()
    runs = []
    machine.serve(runs.append)
    assert (machine.step(), machine.run_pending(), runs) == (False, 0, [])
    machine.notify()
    machine.notify()
    assert runs == []
    assert (machine.step(), machine.step(), runs) == (True, False, [None])


def test_pending_runs_are_bounded():
    machine = sim.Machine()
    machine.serve(lambda _: machine.notify())
    machine.notify()
    raises(RuntimeError, machine.run_pending, 10)
    left = [3]

    def count_down(_):
        left[0] -= 1
        if left[0]:
            machine.notify()

    machine.serve(count_down)
    assert machine.run_pending() == 3


def test_doorbells():
    machine = sim.Machine()
    answers = []
    bell = sim.SimDoorbell(machine, on_ring=lambda: answers.append(1))
    link = machine.add_link("a", [("rng", None)], doorbell=bell)
    runs = []
    machine.serve(runs.append)
    bell.kick()
    assert machine.run_pending() == 1
    link.doorbell.ring()
    assert (bell.rung, answers) == (1, [1])
    deaf = sim.SimDoorbell(machine, hears=False)
    deaf.kick()
    assert machine.run_pending() == 0


def test_the_echo_answers_within_the_kick():
    machine = sim.Machine()
    link = machine.add_link("a", [("rng", None)])
    bell, page = link.doorbell, link.region
    slot = bell.echo(page, 0, page, 4)
    bell.kick()
    assert (page.r32(4), bell.rung) == (0, 0)
    page.w32(0, 5)
    bell.kick()
    assert (page.r32(4), bell.rung) == (5, 1)
    bell.kick()
    assert bell.rung == 1
    bell.echo_off(slot)
    page.w32(0, 6)
    bell.kick()
    assert page.r32(4) == 5
    slots = [bell.echo(page, 0, page, 4) for _ in range(9)]
    assert sorted(slots) == [-1, 0, 1, 2, 3, 4, 5, 6, 7]


def test_time_moves_by_hand():
    machine = sim.Machine()
    runs = []
    machine.serve(runs.append)
    machine.timer(10)
    start = machine.ticks_us()
    machine.advance(9)
    assert machine.run_pending() == 0
    machine.advance(1)
    assert machine.run_pending() == 1
    machine.advance(100)
    assert machine.run_pending() == 0
    assert machine.ticks_diff(machine.ticks_us(), start) == 110000
    assert machine.ticks_ms() == 110
    machine.timer(10)
    machine.timer(0)
    machine.advance(100)
    assert machine.run_pending() == 0


def test_nonces_avoid_what_they_are_told():
    first, second = sim.Machine(seed=5), sim.Machine(seed=5)
    taken = [first.nonce() for _ in range(50)]
    assert len(set(taken)) == 50
    assert all(0 < nonce <= 0xFFFFFFFF for nonce in taken)
    assert second.nonce(avoid=(taken[0], 0, taken[1])) == taken[2]
    second.stir(second.add_link("a", [("rng", None)]).region)
    assert second.nonce() == taken[3]
