# SPDX-License-Identifier: MIT
"""`trapless describe`: the page about a platform names everything that its description has."""

import json

import pytest

from trapless import cli, describe, model
from trapless.errors import TraplessError


def rows(page, title):
    """The rows of a table of the page, as lists of cells."""
    table = page.partition(f"## {title}\n\n")[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


@pytest.mark.parametrize("name", ["default", "minimal", "living", "devices"])
def test_the_page_names_everything(name):
    soc = describe.load(name)
    page = describe.markdown(soc.describe())
    assert page.startswith(f"# {soc.vendor} {soc.sub_vendor}")
    for protocol in soc.protocols.values():
        version = f"{protocol.newest >> 16}.{protocol.newest & 0xFFFF}"
        assert [f"{protocol.ID:#04x}", protocol.NAME, version] in rows(page, "Protocols")
        for resource in protocol.resources:
            if resource is not soc.system:
                assert any(resource.name in line for line in page.splitlines() if "soc |" not in line), resource
            assert f"{protocol.NAME}:{resource.name}" in page
    for agent in soc.agents:
        assert [str(agent.id), agent.name, "yes" if agent.trusted else "no"] in rows(page, "Agents")
    widths = {len(line.split(" | ")) for line in page.splitlines() if line.startswith("|")}
    assert min(widths) > 1


def test_the_tables_of_the_default_model():
    page = describe.markdown(describe.load("models.default").describe())
    assert [row[1] for row in rows(page, "Power caps")] == [
        "package",
        "└ cpu-cluster",
        "└ gpu",
        "└ image-signal-processor-of-the-rear-camera",
    ]
    clocks = {row[1]: row[2:] for row in rows(page, "Clocks")}
    assert clocks["uart"][3:5] == ["osc", "osc, pll"]
    assert clocks["cpu"][:3] == ["800000000", "100000000 to 2000000000 in steps of 50000000", "on"]
    assert clocks["rtc"][-1] == "state, rate, parent"
    sensors = {row[1]: row[2:] for row in rows(page, "Sensors")}
    assert sensors["battery"][1] == "moves" and sensors["cpu"][3] == "2"
    assert rows(page, "System power") == [["power-up", "shutdown, cold-reset, warm-reset, suspend"]]


def test_the_zones_of_the_living_model():
    page = describe.markdown(describe.load("living").describe())
    assert rows(page, "Thermal zones of the frontends") == [["cpu", "cpu", "passive 75000", "500", "500"]]


def test_a_file_of_ones_own_as_json(tmp_path, monkeypatch, capsys):
    path = tmp_path / "mine.py"
    path.write_text("from scmi.platform import Clock, Platform\nplatform = Platform(clocks=[Clock('c', 5)])\n")
    monkeypatch.setattr("sys.argv", ["trapless", "describe", str(path), "--json"])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as end:
        cli.app()
    assert end.value.code == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(model.load(path).describe()))


@pytest.mark.parametrize("name", ["no-such", "models.no_such", "json"])
def test_a_model_that_is_not_there(name):
    with pytest.raises(TraplessError, match="it has default, devices, living, minimal"):
        describe.load(name)
