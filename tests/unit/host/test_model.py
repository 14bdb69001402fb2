# SPDX-License-Identifier: MIT
"""Models of other people: whatever is wrong with one is told with its name, and without a traceback."""

import pytest

from trapless import model, topology
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


AGENTS = """
from scmi.platform import Agent, Platform
platform = Platform(agents=[Agent("a", trusted=True)])
"""


def test_each_frontend_is_an_agent(tmp_path):
    plan = topology.load(topology.find("two-frontends"))
    names = [
        (agent["id"], agent["name"], agent["trusted"]) for agent in model.agents(model.load("models.default"), plan)
    ]
    assert names == [(1, "linux", True), (2, "linux1", False)]
    path = tmp_path / "mine.py"
    path.write_text(AGENTS)
    with pytest.raises(TraplessError, match=r"two-frontends\.toml.*has 1 agents"):
        model.agents(model.load(path), plan)


def test_each_pair_has_a_platform_of_its_own():
    first, second = model.load("models.default"), model.load("models.default")
    first.agent(3)
    assert first is not second and len(second.agents) == 1


def test_a_model_that_the_firmware_does_not_have():
    with pytest.raises(TraplessError, match=r"models\.none"):
        model.load("models.none")


def test_scmi_devices_that_do_not_go_together(tmp_path):
    text = topology.find("two-frontends").read_text()
    path = tmp_path / "plan.toml"
    head, _, tail = text.rpartition("models.default")
    path.write_text(f"{head}models.minimal{tail}")
    with pytest.raises(TraplessError, match=r"one platform model, not models\.default, models\.minimal"):
        model.name_of(topology.load(path))
    path.write_text(text.replace('kind = "rng"', 'kind = "scmi"\nmodel = "models.default"'))
    with pytest.raises(TraplessError, match="link linux0 must have one SCMI device"):
        model.agents(model.load("models.default"), topology.load(path))
