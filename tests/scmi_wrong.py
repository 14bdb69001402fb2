# SPDX-License-Identifier: MIT
"""Every argument of every class of a platform description, with values that it must refuse.

`CASES`: (class, subject of its messages, arguments that are right, {argument: wrong values}, function that puts the
object into a Platform, as some rules need all of it).
"""

from scmi.platform import (
    Agent,
    Axis,
    Clock,
    Device,
    Frontend,
    Function,
    Group,
    Performance,
    Pin,
    Pins,
    PinState,
    Platform,
    PowerCap,
    PowerDomain,
    Reset,
    Sensor,
    SystemPower,
    ThermalZone,
    Voltage,
)


class Odd:
    """What no argument may be."""

    def __repr__(self):
        return "odd"


# No argument may be one of these.
NEVER = (1.5, b"x", Odd(), [Odd()], {Odd(): 1}, [None], [[]])

TEXT = NEVER + (None, 5, (), "")
NAME = TEXT + ("x" * 64, "a/b", "a\nb")
NUMBER = NEVER + ("5", (), True, -1 << 70, 1 << 70)
FLAG = NEVER + (None, 2, -1, "yes", ())
FUNCTION = NEVER + (5, "x", ())
LIST = NEVER + (None, 5, "text", {}, True, {"a": 1})
MAYBE_LIST = NEVER + (5, "text", {}, True, {"a": 1})
NUMBERS = LIST + (("a", "b"), (1.5, 2.5), (True,))
NAMES = LIST + ((1,), (None,), ("unheard of",))
ENTRIES = NEVER + (5, "text", (1,), True, (("a", 1),))
RANGE = NEVER + (5, "abc", (), (1,), (1, 2), (9, 1, 1), (1, 9, 0), ("a", "b", "c"), (1.5, 2.5, 0.5), {1: 2}, True)
PAIR = NEVER + (5, "ab", (), (1,), (2, 1), (1, 2, 3), ("a", "b"), (1.5, 2.5), {1: 2}, True)
DELAY = NEVER + (True, "soon", -1, 1 << 29, ())
OBJECT = NEVER + (5, "text", (1,))
WORD = NUMBER + (-1, 1 << 32)

QUANTITY = {
    "name": NAME,
    "unit": TEXT + ("parsec", "millimilli"),
    "value": NUMBER + (1 << 63,),
    "read": FUNCTION,
    "limits": PAIR,
    "resolution": NEVER + (5, "ab", (1,), (1, 2, 3), ("a", "b"), (1 << 27, 0), (1, 16), (-1, 0)),
}


def _in_pins(**members):
    return Platform(pins=Pins(["a", "b"], groups=[Group("g", ("a",))], **members))


CASES = (
    (
        Sensor,
        "sensor 's'",
        {"name": "s", "unit": "volt"},
        dict(
            QUANTITY,
            power=WORD,
            trip_points=NUMBER + (-1, 256),
            intervals=NUMBERS + ((0,), (-5,), (5, 5), (65_537,)),
            interval_range=RANGE,
            timestamps=FLAG,
            axes=LIST + (("x",), (Sensor("x", "volt"),)),
            enabled=FLAG,
            delay=DELAY,
            shared=FLAG,
        ),
        lambda made: Platform(sensors=[made]),
    ),
    (
        Axis,
        "axis 's'",
        {"name": "s", "unit": "volt"},
        QUANTITY,
        lambda made: Platform(sensors=[Sensor("axes", "volt", axes=[made])]),
    ),
    (
        Clock,
        "clock 'c'",
        {"name": "c", "rate": 5},
        {
            "name": NAME,
            "rate": NUMBER + (None, -1, 1 << 63),
            "rates": NUMBERS + ((1, 2), (5, 5), (5, -1), range(5, 5000)),
            "rate_range": RANGE + ((10, 20, 5), (-5, 5, 5)),
            "parents": NAMES + (("c",),),
            "enabled": FLAG,
            "forbidden": NAMES,
            "settings": ENTRIES + ({"duty": 1}, {3: 1}, {1: 101}, {2: 361}, {0x80: -1}, {1: "x"}, {0x100: 1}),
            "enable_delay": WORD,
            "change": FUNCTION,
            "delay": DELAY,
        },
        lambda made: Platform(clocks=[made]),
    ),
    (
        PowerDomain,
        "power domain 'd'",
        {"name": "d"},
        {
            "name": NAME,
            "state": TEXT + ("asleep",),
            "states": LIST + (("a",), (("a",),), ((1, 2),), (("on", 1),), (("a", 1 << 31),), (("a", "b"),), ("ab",)),
            "fixed": FLAG,
            "change": FUNCTION,
            "delay": DELAY,
        },
        lambda made: Platform(power_domains=[made]),
    ),
    (
        Performance,
        "performance domain 'p'",
        {"name": "p", "levels": (1, 2)},
        {
            "name": NAME,
            "levels": NUMBERS + ((), (0,), (1 << 32,), (1, 1), ("ab",), ((1, -1),), ((1, 0, 1 << 16),), ((),)),
            "level": NUMBER + (3,),
            "limits": PAIR + ((3, 4), (0, 2)),
            "sustained": NUMBER + (3,),
            "sustained_frequency": WORD,
            "indexed": FLAG,
            "power_unit": NEVER + ("watt", 5, ()),
            "rate_limit": NUMBER + (-1, 1 << 20),
            "forbidden": NAMES,
            "change": FUNCTION,
        },
        lambda made: Platform(performance=[made]),
    ),
    (
        Reset,
        "reset 'r'",
        {"name": "r"},
        {
            "name": NAME,
            "reset": FUNCTION,
            "signal": FUNCTION,
            "latency": WORD + (0xFFFFFFFF,),
            "states": NUMBERS + ((1,), (1 << 32,)),
            "asserted": FLAG,
            "forbidden": FLAG,
            "delay": DELAY,
        },
        lambda made: Platform(resets=[made]),
    ),
    (
        Voltage,
        "voltage 'v'",
        {"name": "v", "level": 5},
        {
            "name": NAME,
            "level": NUMBER + (None, 1 << 31),
            "levels": NUMBERS + ((1, 2), (5, 5), (5, 1 << 31), range(5, 5000)),
            "level_range": RANGE + ((10, 20, 5),),
            "enabled": FLAG,
            "always_on": FLAG,
            "forbidden": NAMES,
            "drive": FUNCTION,
            "delay": DELAY,
        },
        lambda made: Platform(voltages=[made]),
    ),
    (
        PowerCap,
        "power cap 'p'",
        {"name": "p", "power": 5, "cap_range": (10, 100, 5), "interval_range": (10, 100, 5)},
        {
            "name": NAME,
            "cap": WORD + (11, 105),
            "cap_range": RANGE + ((0, 10, 1), (3, 9, 2), (2, 4, 8)),
            "power": WORD,
            "interval": WORD + (0, 11),
            "interval_range": RANGE,
            "parent": NEVER + ("unheard of", "p", 5),
            "sustainable": WORD,
            "accuracy": WORD,
            "unit": TEXT + ("watt",),
            "forbidden": NAMES,
            "delay": DELAY,
            "change": FUNCTION,
        },
        lambda made: Platform(power_caps=[made]),
    ),
    (
        Pin,
        "pin 'p'",
        {"name": "p"},
        {
            "name": NAME,
            "config": ENTRIES
            + (
                {"color": 1},
                {1: 1},
                {"input-mode": 2},
                {"drive-strength": "x"},
                {"bias-disable": 0, "bias-pull-up": 1},
            ),
            "supports": NAMES,
            "choices": ENTRIES + ({"color": (1,)}, {"drive-strength": ()}, {"drive-strength": 5}, {192: (1,)}),
            "forbidden": FLAG,
            "change": FUNCTION,
        },
        lambda made: Platform(pins=Pins([made])),
    ),
    (
        Group,
        "pin group 'g'",
        {"name": "g", "pins": ("a",)},
        {"name": NAME, "pins": NAMES + ((), ("a", "a"))},
        lambda made: Platform(pins=Pins(["a"], groups=[made])),
    ),
    (
        Function,
        "pin function 'f'",
        {"name": "f", "groups": ("g",)},
        {"name": NAME, "groups": NAMES + ((), ("g", "g")), "pins": NEVER + (5, "a", ("a",)), "gpio": FLAG},
        lambda made: _in_pins(functions=[made]),
    ),
    (
        PinState,
        "pin state 's'",
        {"name": "s", "groups": ("g",)},
        {
            "name": NAME + ("x" * 27,),
            "groups": NAMES + ((), ("g", "g")),
            "pins": NEVER + (5, "a", ("a",)),
            "function": NEVER + ("unheard of", 5),
            "properties": ENTRIES + ({1: 1}, {"a": "x"}, {"a": -1}, {"a": 1 << 32}, {"a": False}, {"a": None}),
        },
        lambda made: _in_pins(states=[made]),
    ),
    (
        Pins,
        "pins",
        {"pins": ("a",)},
        {
            "pins": LIST + ((5,), ("a", "a")),
            "groups": LIST + (("g",),),
            "functions": LIST + (("f",),),
            "states": LIST + (("s",), (Pin("p"),)),
        },
        lambda made: Platform(pins=made),
    ),
    (
        SystemPower,
        "system power",
        {},
        {"states": NAMES, "change": FUNCTION},
        lambda made: Platform(system=made),
    ),
    (Agent, "agent 'a'", {"name": "a"}, {"name": NAME, "trusted": FLAG}, lambda made: Platform(agents=[made])),
    (
        Device,
        "device 'd'",
        {"name": "d"},
        {"name": NAME, "resources": NAMES + ((Clock("other", 1),),)},
        lambda made: Platform(devices=[made]),
    ),
    (
        ThermalZone,
        "thermal zone 'zone'",
        {"name": "zone", "sensor": "die"},
        {
            "name": TEXT + ("x", "Zone", "1st", "x" * 12),
            "sensor": TEXT + ("unheard of", "supply"),
            "trips": LIST
            + ((5,), ("ab",), ((1,),), ((1, "cold"),), (("x", "hot"),), ((1, "hot", -1),), ((1, "hot", 1, 1),)),
            "every": NUMBER + (None, -1, 1 << 31),
            "every_passive": NUMBER + (None, -1, 1 << 31),
        },
        lambda made: Platform([Sensor("die", "celsius"), Sensor("supply", "volt")], frontend=Frontend(zones=[made])),
    ),
    (
        Frontend,
        "frontend",
        {},
        {"cpus": NEVER + ("unheard of", 5), "zones": LIST + (("zone",), (Pin("p"),))},
        lambda made: Platform(frontend=made),
    ),
    (
        Platform,
        "platform",
        {"sensors": (Sensor("s", "volt"),)},
        {
            "sensors": LIST + ((Clock("c", 1),), (Sensor("s", "volt"), Sensor("s", "volt"))),
            "clocks": LIST + ((Sensor("s", "volt"),),),
            "agents": MAYBE_LIST + (("a",),),
            "devices": MAYBE_LIST + (("d",),),
            "vendor": NEVER + (None, 5, (), "x" * 16),
            "sub_vendor": NEVER + (None, 5, (), "x" * 16),
            "implementation_version": WORD,
            "power_domains": LIST + (("d",),),
            "system": OBJECT,
            "resets": LIST + (("r",),),
            "voltages": LIST + (("v",),),
            "performance": LIST + (("p",),),
            "protocols": ENTRIES + ({"fan": ()}, {5: ()}, {Odd: ()}),
            "versions": ENTRIES + ({"clock": 1}, {"sensor": 5}, {"sensor": "new"}, {5: 0x10000}),
            "power_caps": LIST + (("p",),),
            "pins": OBJECT,
            "frontend": OBJECT,
        },
        lambda made: made,
    ),
)
