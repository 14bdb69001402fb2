# SPDX-License-Identifier: MIT
"""Power caps in a platform description: what is refused, what is derived, what they do at the prompt."""

from scmi.platform import Clock, DescriptionError, Platform, PowerCap
from scmi_example import LONG_CAP_NAME, platform
from support import raises


def refused(build, *words):
    """Demand that `build()` is refused with a message that has all `words` in it."""
    message = str(raises(DescriptionError, build))
    for word in words:
        assert word in message, message


def described(**options):
    """Return a function that describes a power cap."""
    options.setdefault("power", 1)
    return lambda: PowerCap(options.pop("name", "p"), **options)


def test_names_and_units():
    refused(described(name=""), "power cap ''", "1 to 63 bytes")
    refused(described(unit="watt"), "power cap 'p'", "unit", "microwatt, milliwatt", "'watt'")
    refused(lambda: Platform(power_caps=[PowerCap("a", power=1), PowerCap("a", power=1)]), "two power caps", "'a'")
    refused(lambda: Platform(power_caps=[Clock("c", 1)]), "power cap number 0 is a Clock")
    refused(lambda: Platform(power_caps=[PowerCap("a", power=1)], devices=[]), "power cap 'a'", "none of the devices")


def test_caps():
    refused(lambda: PowerCap("p"), "power cap 'p'", "neither power nor cap_range")
    for cap_range in ((0, 9, 1), (9, 1, 1), (5, 5, 1), (1, 9, 0)):
        refused(described(cap_range=cap_range), "power cap 'p'", "cap_range must rise")
    refused(described(cap_range=(1, 9)), "cap_range must be (lowest, highest, step)")
    refused(described(cap_range=(10, 19, 10)), "cap_range must have a step between")
    refused(described(cap_range=(10, 50, 3)), "cap_range must begin at a multiple of its step")
    refused(described(cap_range=(1, 1 << 32, 1)), "cap_range must be a whole number of 32 bits")
    refused(described(cap=15, cap_range=(10, 50, 10)), "cap 15 must be 0 or 10 to 50 in steps of 10")
    for cap in (-1, 1 << 32, 1.5, True, "5"):
        refused(described(cap=cap), "cap must be a whole number of 32 bits")


def test_intervals():
    refused(described(interval=0), "interval must be at least 1 microsecond")
    refused(described(interval=15, interval_range=(10, 50, 10)), "interval 15 must be 10 to 50 in steps of 10")
    refused(described(interval_range=(10, 50, 3)), "interval_range must begin at a multiple of its step")


def test_other_options():
    for what in ("power", "sustainable", "accuracy"):
        for value in (-1, 1 << 32, 1.5, "5"):
            refused(described(**{what: value}), "power cap 'p'", f"{what} must be a whole number of 32 bits")
    for delay in (-1, 1.5, "5"):
        refused(described(delay=delay), "power cap 'p'", "delay")
    refused(described(forbidden=("rate",)), "forbidden must be a list of cap, interval, or", "'rate'")
    refused(described(change=5), "change must be a function")


def test_parents():
    def tree(*pairs):
        return lambda: Platform(power_caps=[PowerCap(name, power=1, parent=parent) for name, parent in pairs])

    refused(tree(("a", "b")), "power cap 'a'", "parent 'b' is no power cap")
    refused(tree(("a", "a")), "power cap 'a'", "in itself")
    refused(tree(("top", None), ("a", "c"), ("b", "a"), ("c", "b")), "power cap 'a'", "in itself")
    caps = tree(("a", "b"), ("b", "c"), ("c", None))().power_caps
    assert caps["a"].parent is caps["b"] and caps["b"].parent is caps["c"] and caps["c"].parent is None


def test_defaults():
    part = PowerCap("p", cap_range=(10, 59, 10))
    assert (part.cap, part.limits) == (50, (10, 59, 10))
    assert (part.interval, part.interval_limits) == (1_000_000, (1_000_000, 1_000_000, 0))
    assert not part.measured and part.power is None and part.can_change_cap and not part.can_change_interval
    meter = PowerCap("m", power=5, interval_range=(2, 8, 2))
    assert (meter.cap, meter.limits, meter.interval) == (0, (0xFFFFFFFF, 0xFFFFFFFF, 0), 2)
    assert PowerCap("f", 7, power=5).limits == (7, 7, 0)


def test_at_the_prompt():
    soc, said = platform(), []
    box = soc.power_caps["box"]
    box._change = lambda domain, cap, interval: said.append((domain.name, cap, interval))
    box.cap = 2_000_000
    box.interval = 5_000
    box.cap = 2_000_000
    assert said == [("box", 2_000_000, 1_000), ("box", 2_000_000, 5_000)]
    refused(lambda: setattr(box, "cap", 1), "power cap 'box'", "cap 1 must be 0 or 1000000 to 15100000")
    refused(lambda: setattr(box, "interval", 1_001), "power cap 'box'", "1000 to 10000 in steps of 500 microseconds")
    refused(lambda: setattr(soc.power_caps["meter"], "cap", 1), "power cap 'meter'", "cap 1 must be 0 or 4294967295")
    refused(lambda: setattr(box, "power", "much"), "power cap 'box'", "whole number")
    refused(lambda: setattr(box, "power", None), "power cap 'box'", "no function")
    refused(lambda: setattr(soc.power_caps["slow"], "power", 5), "power cap 'slow'", "has no power")
    box.power = 7
    assert box.power == 7


def test_power_that_moves_can_be_held_and_let_go():
    load = platform().power_caps["load"]
    assert load.moving and load.power + 1 == load.power
    load.power = 5
    assert not load.moving and load.power == load.power == 5
    load.power = None
    assert load.moving


def test_change_that_fails_changes_nothing():
    def broken(domain, cap, interval):
        raise OSError("no answer")

    part = PowerCap("p", cap_range=(10, 50, 10), interval_range=(10, 50, 10), change=broken)
    raises(OSError, lambda: setattr(part, "cap", 20))
    raises(OSError, part.set_cap, 20, 1)
    raises(OSError, part.set_interval, 20, 1)
    assert (part.cap, part.interval, part.wanted) == (50, 10, {})


def test_tables():
    soc = platform()
    soc.power_caps["box"].set_cap(5_000_000, 2)
    text = repr(soc)
    for words in ("power caps", LONG_CAP_NAME, "no cap", "in box", "100 mW", "over 1000 µs", "agent 2 wants 5000000"):
        assert words in text, words

    def broken():
        raise OSError("no bus")

    text = repr(PowerCap("p", power=broken))
    assert "read failed" in text and "no bus" in text


def test_description_for_the_host():
    found = platform().describe()["power_caps"]
    assert found[0] == {
        "id": 0,
        "name": "box",
        "forbidden": [],
        "unit": "microwatt",
        "cap": 15_000_000,
        "limits": [1_000_000, 15_100_000, 250_000],
        "interval": 1_000,
        "power": 4_000_000,
        "parent": None,
    }
    assert [entry["power"] for entry in found] == [4_000_000, 2_500_000, None, None, 0xFFFFFFFF, None, 6_000]
    assert [entry["parent"] for entry in found] == [None, "box", "cores", None, None, "box", "box"]


def test_default_model():
    from models.default import platform as soc

    caps = soc.power_caps
    assert caps["package"].power == 350_000 + sum(caps[number].power for number in (1, 2, 3))
    assert [cap.parent for cap in caps] == [None] + [caps["package"]] * 3


def test_a_message_that_comes_in_between_at_the_prompt_is_not_undone():
    done, messages = [], [lambda domain: domain.set_interval(20, 1)]

    def change(domain, cap, interval):
        if messages:
            messages.pop()(domain)
        done.append((cap, interval))

    domain = PowerCap("p", cap=10, cap_range=(10, 50, 10), interval=10, interval_range=(10, 50, 10), change=change)
    Platform(power_caps=[domain])
    domain.cap = 30
    assert (domain.cap, domain.interval) == (30, 20) == done[-1]
