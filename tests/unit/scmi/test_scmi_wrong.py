# SPDX-License-Identifier: MIT
"""Wrong descriptions: each argument of each class refuses what it may not be, names the object and says the rule."""

from scmi.platform import DescriptionError
from scmi_wrong import CASES


def told(made, arguments, use):
    """Return what the error says with which a description is refused, or what happened instead."""
    try:
        use(made(**arguments))
    except DescriptionError as error:
        return str(error)
    except Exception as error:
        return "{!r} was raised".format(error)
    return "accepted"


def test_every_wrong_argument_is_refused():
    faults = []
    for made, subject, right, wrong, use in CASES:
        for argument, values in wrong.items():
            for value in values:
                arguments = dict(right)
                arguments[argument] = value
                message = told(made, arguments, use)
                named = subject if argument != "name" else subject.split("'")[0] + repr(value)
                if not (message.startswith(named + ": ") and len(message) > len(named) + 8):
                    faults.append("{}({}={!r}): {}".format(made.__name__, argument, value, message))
    assert not faults, "\n".join(faults)


def test_what_is_right_is_accepted():
    for made, _, right, _, use in CASES:
        platform = use(made(**right))
        assert platform.describe()["protocols"] and repr(platform)
