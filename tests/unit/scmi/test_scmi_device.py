# SPDX-License-Identifier: MIT
"""The virtio-scmi device (virtio 1.3, 5.17) on a simulated link, the composition root on a simulated machine."""

from struct import pack, unpack

import main
from driver import Rig
from hal.sim import Machine
from scmi.device import ScmiDevice
from scmi.platform import DescriptionError, Platform, Sensor
from scmi_client import header
from scmi_example import BASE, PLAIN, SENSOR, platform
from virtio.layout import DEV_BE_EPOCH


class Namespace:
    """Stands for the module `__main__`."""


def rig():
    device = ScmiDevice(platform().agents["trusted"])
    return device, Rig(device)


def test_identity():
    device, _ = rig()
    assert device.device_id == 32 and device.features == 1
    commands, events = device.queue_sizes
    assert commands >= 64 and events >= 32, "Linux keeps half as many messages in flight as the queue has descriptors"


def test_reading_through_the_command_queue():
    device, bench = rig()
    driver = bench.drivers[0].begin()
    head = header(SENSOR, 0x6, token=9)
    reply = driver.request(pack("<3I", head, PLAIN, 0), 24)
    assert unpack("<IiqQ", reply) == (head, 0, 45_000, 0)
    assert device.returned == 1 and device.unanswerable == 0


def test_unanswerable_message_is_returned_empty_and_counted_and_service_goes_on():
    device, bench = rig()
    driver = bench.drivers[0].begin()
    assert driver.request(b"\0\0\0", 24) == b""
    assert driver.request(pack("<I", header(BASE, 0)), 7) == b""
    assert device.unanswerable == 2 and device.agent.unanswerable == 2
    assert len(driver.request(pack("<I", header(BASE, 0)), 12)) == 12


def test_chains_are_counted_over_resets():
    device, bench = rig()
    for life in (1, 2, 3):
        driver = bench.drivers[0].begin()
        assert len(driver.request(pack("<I", header(BASE, 0)), 12)) == 12
        assert device.returned == life
        device.reset()
        assert device.returned == life


def machine(*devices):
    made = Machine()
    made.add_link("linux0", list(devices))
    return made


def load(found):
    def loader(model, machine):
        if isinstance(found, Exception):
            raise found
        return found

    return loader


def test_composition_serves_scmi_and_rng():
    soc, names = platform(), Namespace()
    served = main.start(machine(("scmi", "m"), ("rng", None)), names, load(soc))
    assert names.soc is soc
    devices = [port.device for port in served.links[0].ports]
    assert [device.device_id for device in devices] == [32, 4]
    assert devices[0].agent is soc.agents["trusted"]
    assert served.links[0].epoch
    names.status()
    lines = list(served.lines())
    assert (
        "link linux0" in lines[0] and any("scmi" in line for line in lines) and any("trusted" in line for line in lines)
    )


def test_soc_is_the_first_platform():
    first, second, names = platform(), platform(), Namespace()
    main.start(machine(("scmi", "a"), ("scmi", "b")), names, lambda model, machine: first if model == "a" else second)
    assert names.soc is first and names.platforms == {"a": first, "b": second}


def test_second_scmi_device_is_the_second_agent():
    made = Machine()
    made.add_link("linux0", [("scmi", "m")])
    made.add_link("linux1", [("scmi", "m")])
    served = main.start(made, Namespace(), load(platform()))
    assert [link.ports[0].device.agent.name for link in served.links] == ["trusted", "guest"]


def test_without_agents_in_the_description_each_further_scmi_device_brings_an_ordinary_one():
    made = Machine()
    for link in range(3):
        made.add_link(f"linux{link}", [("scmi", "m")])
    soc = Platform(sensors=[Sensor("s", "volt", 3)])
    served = main.start(made, Namespace(), load(soc))
    agents = [link.ports[0].device.agent for link in served.links]
    assert [(agent.id, agent.name, agent.trusted) for agent in agents] == [
        (1, "linux", True),
        (2, "linux1", False),
        (3, "linux2", False),
    ]
    assert list(soc.agents) == agents and soc.describe()["agents"][2]["name"] == "linux2"
    for index, agent in enumerate(agents):
        assert soc.agent(index) is agent


def test_machine_without_links_is_just_a_prompt():
    names = Namespace()
    served = main.start(Machine(), names, load(platform()))
    assert served.links == [] and names.soc is None
    names.status()


def test_model_that_is_refused_publishes_nothing():
    for error in (DescriptionError("clock 'c': rule"), ImportError("no module named 'm'"), SyntaxError("invalid")):
        names = Namespace()
        made = machine(("scmi", "m"))
        served = main.start(made, names, load(error))
        assert served.links == [] and names.soc is None
        region = bytearray(0x1000)
        made.links()[0].region.read(0, region)
        assert not any(region), "a page was published"


def test_a_life_without_a_successor_is_taken_away():
    """docs/transport.md, 4.1: no frontend waits for a backend whose model cannot be used any more."""
    made = machine(("scmi", "m"), ("rng", None))
    (link,) = made.links()
    rung = []
    link.doorbell.ring = lambda: rung.append([page.r32(DEV_BE_EPOCH) for _, page, *_ in link.devices])
    main.start(made, Namespace(), load(platform()))
    assert all(rung.pop())
    main.start(made, Namespace(), load(DescriptionError("clock 'c': rule")))
    assert rung == [[0, 0]]


def test_one_link_that_is_refused_takes_all_away():
    made, names = Machine(), Namespace()
    made.add_link("linux0", [("scmi", "m")])
    made.add_link("linux1", [("disk", None)])
    served = main.start(made, names, load(platform()))
    assert served.links == [] and names.soc is None and next(iter(served.lines())) == "nothing is served"
    region = bytearray(0x1000)
    made.links()[0].region.read(0, region)
    assert not any(region), "a page of the other link was published"


def test_device_tree_that_asks_for_what_there_is_not():
    for devices in ([("disk", None)], [("scmi", None)], [("scmi", "m"), ("scmi", "m"), ("scmi", "m")]):
        assert main.start(machine(*devices), Namespace(), load(platform())).links == []


def test_model_modules():
    assert main.load_platform("models.minimal", Machine()).sensors["cpu"].value == 45_000
    try:
        main.load_platform("models", Machine())
    except DescriptionError as error:
        assert "neither a `platform` nor a `build(machine)`" in str(error)
    else:
        raise AssertionError("a module without a platform was accepted")


def test_sensors_alone():
    served = main.start(machine(("scmi", "m")), Namespace(), load(Platform(sensors=[Sensor("s", "volt", 3)])))
    assert len(served.links) == 1
