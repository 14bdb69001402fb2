# SPDX-License-Identifier: MIT
"""What is written wrong at the prompt is an error that names what there is."""

from models import default
from scmi.platform import Axis, Clock, Platform, Sensor
from scmi_example import platform
from support import raises


def test_everything_of_a_description_refuses_what_it_does_not_have():
    for soc in (platform(), default.platform):
        things = [soc]
        for _, resources in soc._kinds():
            things += list(resources)
        for thing in things:
            error = raises(AttributeError, setattr, thing, "vaule", 5)
            assert "has no 'vaule'; it has: " in str(error)
            assert not hasattr(thing, "vaule")


def test_the_error_names_the_object_and_what_it_has():
    soc = Platform(sensors=[Sensor("cpu", "celsius", 5)], clocks=[Clock("c", 1)])
    told = str(raises(AttributeError, setattr, soc.sensors["cpu"], "vaule", 6))
    assert told.startswith("sensor 'cpu' has no 'vaule'; it has: ")
    listed = told.split(": ")[1].split(", ")
    assert "value" in listed and "enabled" in listed and listed == sorted(listed)
    assert not [name for name in listed if name.startswith("_")]
    assert "sensors" in str(raises(AttributeError, setattr, soc, "sensor", ()))


def test_naming_them_reads_no_sensor():
    def broken():
        raise OSError("no bus")

    soc = Platform(sensors=[Sensor("cpu", "celsius", read=broken)])
    assert "value" in str(raises(AttributeError, setattr, soc.sensors[0], "vaule", 6))


def test_axes_and_trip_points():
    soc = Platform(sensors=[Sensor("a", "volt", axes=[Axis("x", "volt")]), Sensor("b", "volt", trip_points=1)])
    assert "axis 'x'" in str(raises(AttributeError, setattr, soc.sensors["a"].axes["x"], "vaule", 1))
    raises(AttributeError, setattr, soc.sensors["b"].trip_points[0], "vaule", 1)


def test_a_method_cannot_be_hidden():
    soc = Platform(clocks=[Clock("c", 1)])
    raises(AttributeError, setattr, soc.clocks["c"], "refresh", 1)
    assert callable(soc.clocks["c"].refresh)
