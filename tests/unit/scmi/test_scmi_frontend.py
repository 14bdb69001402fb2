# SPDX-License-Identifier: MIT
"""What a description says of the frontends' own systems: what is refused, and what a device tree is made from."""

from scmi.platform import DescriptionError, Frontend, Platform, Sensor, ThermalZone
from support import raises


def refused(build, *words):
    """Demand that `build()` is refused with a message that has all `words` in it."""
    message = str(raises(DescriptionError, build))
    for word in words:
        assert word in message, message


def zoned(*zones):
    return Platform(
        sensors=[Sensor("fan", "rpm"), Sensor("die", "millicelsius", 45_000)], frontend=Frontend(zones=zones)
    )


def test_a_platform_says_nothing_of_its_frontends_unless_told():
    assert Platform().describe()["frontend"] == {"cpus": None, "zones": []}


def test_a_zone_has_the_id_of_its_sensor_and_a_hysteresis():
    trips = ((85_000, "passive"), (110_000, "critical", 0))
    (zone,) = zoned(ThermalZone("soc-1", "die", trips, every=500)).describe()["frontend"]["zones"]
    assert (zone["name"], zone["sensor"]) == ("soc-1", 1)
    assert (zone["every"], zone["every_passive"]) == (500, 100)
    assert zone["trips"] == [[85_000, "passive", 2_000], [110_000, "critical", 0]]


def test_names():
    for name in ("x", "a-very-long-name", "1st", "Cpu", "c_u", 5):
        refused(lambda name=name: ThermalZone(name, "die"), "2 to 11", repr(name))
    refused(lambda: zoned(ThermalZone("soc", "die"), ThermalZone("soc", "die")), "two thermal zones", "'soc'")
    refused(lambda: Platform(frontend=Frontend(cpus="cpu")), "'cpu'", "performance domain")


def test_sensors():
    refused(lambda: zoned(ThermalZone("soc", "no such")), "thermal zone 'soc'", "'no such'")
    refused(lambda: zoned(ThermalZone("soc", "fan")), "'fan'", "degrees Celsius")


def test_trips_and_times():
    refused(lambda: ThermalZone("soc", "die", [(1, "warm")]), "passive", "'warm'")
    refused(lambda: ThermalZone("soc", "die", [(1,)]), "millidegrees")
    refused(lambda: ThermalZone("soc", "die", [(1.5, "hot")]), "whole millidegrees")
    refused(lambda: ThermalZone("soc", "die", [(1, "hot", -1)]), "whole millidegrees")
    refused(lambda: ThermalZone("soc", "die", every=-1), "whole milliseconds")
    refused(lambda: zoned("soc"), "is no ThermalZone")
