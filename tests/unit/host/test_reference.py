# SPDX-License-Identifier: MIT
"""The pages of docs/reference/: up to date, and made of what they say they are made of."""

import functools

import pytest

from trapless.reference import linux, pages, tables
from trapless.setup import values

SOURCE = """
#define SCMI_PROTOCOL_SUPPORTED_VERSION\t\t0x20001
enum scmi_{name}_protocol_cmd {{
\tSENT = 0x3,
\tNEVER_SENT = 0xa, /* NEVER_SENT is not sent */
}};
static void send(void) {{ xfer_get_init(ph, SENT, PROTOCOL_ATTRIBUTES); }}
static const struct scmi_event events[] = {{ {{ .id = SCMI_EVENT_TAKEN, }}, }};
"""


@functools.cache
def rendered():
    return pages.render()


@pytest.mark.parametrize("name", ["scmi.md", "scmi-status.md"])
def test_page_is_up_to_date(name):
    assert (pages.FOLDER / name).read_text() == rendered()[name], "run `make reference`"


def test_every_message_that_linux_sends_is_served():
    _, used = linux.load()
    for protocol in tables.protocols():
        assert used[protocol.ID].messages <= {row[0] for row in protocol.MESSAGES}, protocol.NAME


def test_every_event_that_linux_takes_is_sent():
    _, used = linux.load()
    for protocol in tables.protocols():
        assert used[protocol.ID].events <= {event[0] for event in protocol.EVENTS}, protocol.NAME


def test_every_version_that_linux_knows_is_served():
    _, used = linux.load()
    assert {protocol.ID: protocol.VERSIONS[0] for protocol in tables.protocols()} == {
        protocol: use.version for protocol, use in used.items()
    }


def test_what_linux_sends_was_read_from_the_kernel_that_is_built():
    kernel, _ = linux.load()
    assert values.read()["KERNEL_VERSION"].startswith(kernel + ".")


def test_kernel_sources_are_read(tmp_path):
    folder = tmp_path / "drivers/firmware/arm_scmi"
    folder.mkdir(parents=True)
    for name in ("base", "power", "system", "perf", "clock", "sensors", "reset", "voltage", "powercap", "pinctrl"):
        (folder / f"{name}.c").write_text(SOURCE.format(name=name))
    (tmp_path / "include/linux").mkdir(parents=True)
    (tmp_path / "include/linux/scmi_protocol.h").write_text("enum { SCMI_EVENT_OTHER = 0x0, SCMI_EVENT_TAKEN = 0x1 };")
    (tmp_path / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\n")
    linux.save(tmp_path, tmp_path / "linux.toml")
    kernel, used = linux.load(tmp_path / "linux.toml")
    assert kernel == "6.12" and sorted(used) == list(range(0x10, 0x1A))
    assert used[0x14] == linux.Use(0x20001, frozenset({0x0, 0x1, 0x2, 0x3, 0x10}), frozenset({0x1}))
