# SPDX-License-Identifier: MIT
"""Linux's pinctrl has the pins of the model, and a driver's states arrive at the backend.

Linux 6.12 logs an error for every group when pinconf-groups is read, as its SCMI driver has no type for one of the
settings that are asked for; so that file is left alone here.
"""

import re
import struct

import pytest

from e2e import consumer
from e2e.consumer import PINS, Consumer
from trapless import bench, overlay

PINCTRL = "/sys/kernel/debug/pinctrl/scmi_dev.*"
STATES = ("i2c0", "uart0", "led-on")


@pytest.fixture(scope="module")
def pair_options(request):
    """A pair whose frontend has a device with the pin states of the default model, none of them its default one."""
    from trapless.pytest_plugin import command_line_options

    options = bench.with_tool(command_line_options(request.config))
    node = overlay.provider(PINS).removesuffix("}")
    states = {f"pinctrl-{number}": f"{node}/{name}-pins}}" for number, name in enumerate(STATES)}
    device = {"compatible": consumer.COMPATIBLE, "pinctrl-names": list(STATES), **states}
    return consumer.equipped(options, {"pin-user": device}, "trapless_consumer")


@pytest.fixture(scope="module")
def device(pair):
    """The device that has the states."""
    pair.frontend.check("insmod /host/trapless_consumer.ko")
    return Consumer(pair.frontend, "pin-user")


@pytest.fixture(scope="module")
def described(pair):
    """What the model says of its pins."""
    return pair.platform.describe()["pins"]


def test_linux_has_the_pins_of_the_model(frontend, described):
    found = re.findall(r"^pin (\d+) \((\S+)\)", frontend.check(f"cat {PINCTRL}/pins"), re.MULTILINE)
    assert found == [(str(pin["id"]), pin["name"]) for pin in described["pins"]]


def test_linux_has_the_groups_of_the_model(frontend, described):
    groups = {}
    for line in frontend.check(f"cat {PINCTRL}/pingroups").splitlines():
        if line.startswith("group: "):
            groups[line.removeprefix("group: ")] = pins = []
        elif line.startswith("pin "):
            pins.append(line.split("(")[1].rstrip(")"))
    assert groups == {group["name"]: group["pins"] for group in described["groups"]}


def test_linux_has_the_functions_of_the_model(frontend, described):
    lines = frontend.check(f"cat {PINCTRL}/pinmux-functions").splitlines()
    found = {
        name: groups.split()
        for name, groups in re.findall(r"function \d+: (\S+), groups = \[ (.*) \]", "\n".join(lines))
    }
    assert found == {function["name"]: function["groups"] for function in described["functions"]}


def config(frontend, pin):
    """What Linux reads of the configuration of a pin, as texts."""
    (line,) = (line for line in frontend.check(f"cat {PINCTRL}/pinconf-pins").splitlines() if f"({pin})" in line)
    return line.split(": ", 1)[1].split(", ")


def test_a_setting_made_on_the_backend_is_what_linux_reads_next(backend, frontend):
    assert "output drive strength (4 mA)" in config(frontend, "gpio-0")
    backend.exec('soc.pins["gpio-0"]["drive-strength"] = 12; soc.pins["gpio-0"]["bias-pull-down"] = 1')
    assert {"output drive strength (12 mA)", "input bias pull down (1 ohms)"} <= set(config(frontend, "gpio-0"))
    backend.exec('soc.pins["gpio-0"]["drive-strength"] = 4; soc.pins["gpio-0"]["bias-pull-up"] = 1')
    assert not any("pull down" in text for text in config(frontend, "gpio-0"))


def test_a_state_of_a_driver_selects_a_function_and_configures_the_pins(device, backend, frontend):
    device.write("pins", "i2c0")
    assert backend.eval('soc.pins.groups["i2c0-pads"].function') == "i2c0"
    assert backend.eval('soc.pins.groups["i2c0-pads"]["drive-strength"]') == 8
    assert backend.eval('[sorted(soc.pins[pin].claims.values()) for pin in ("gpio-0", "gpio-2")]') == [[1], []]
    muxed = frontend.check(f"cat {PINCTRL}/pinmux-pins")
    assert re.search(r"pin 0 \(gpio-0\): pin-user .* function i2c0 group i2c0-pads", muxed), muxed


def test_the_next_state_of_a_driver_gives_pins_up(device, backend):
    device.write("pins", "uart0")
    assert backend.eval('soc.pins.groups["uart0-pads"].function') == "uart0"
    assert backend.eval('[sorted(soc.pins[pin].claims.values()) for pin in ("gpio-0", "gpio-2")]') == [[], [1]]


def test_a_state_without_a_function_configures_pins(device, backend):
    assert backend.eval('soc.pins["status-led-on-the-front-panel"]["output-value"]') == 0
    device.write("pins", "led-on")
    assert backend.eval('soc.pins["status-led-on-the-front-panel"]["output-value"]') == 1


def test_a_forbidden_pin_is_denied(frontend, described):
    (pin,) = (pin["id"] for pin in described["pins"] if pin["name"] == "reset-in")
    message = struct.pack("<3I", PINS << 10 | 0x7, pin, 0).hex()
    answer = bytes.fromhex(frontend.check(f"{bench.TOOL} send {message}"))
    assert answer == struct.pack("<Ii", PINS << 10 | 0x7, -3), "header, DENIED"


def test_the_kernel_has_nothing_to_complain_about(frontend):
    assert frontend.check("dmesg -r | grep '^<[0-4]>' | grep -iE 'pin|scmi' || true") == ""
