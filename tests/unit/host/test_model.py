# SPDX-License-Identifier: MIT
"""Models of other people: whatever is wrong with one is told with its name, and without a traceback."""

import pytest

from trapless import model
from trapless.errors import TraplessError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "neither `platform` nor `build"),
        ("import platform", "is a module, not a scmi.platform.Platform"),
        ("def build(machine):\n    return 1 / 0", "ZeroDivisionError"),
        ("import no_such_module", "no_such_module"),
        ("from scmi.platform import Sensor\nSensor('x', unit='parsec')", "parsec"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, text, told):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(TraplessError, match=r"mine\.py") as caught:
        model.load(path)
    assert told in str(caught.value)


def test_a_model_may_be_built_when_it_is_asked_for(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from scmi.platform import Clock, Platform\ndef build(machine):\n    return Platform(clocks=[Clock('c', 1)])"
    )
    assert model.load(path).describe()["clocks"][0]["name"] == "c"
