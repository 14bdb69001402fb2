# SPDX-License-Identifier: MIT
"""The second archive of the frontend's initrd, read back (Linux: early-userspace/buffer-format.rst)."""

import gzip

import pytest

from trapless import initramfs
from trapless.errors import TraplessError


def entries(archive):
    """Yield (name, mode, content) of a newc archive up to its trailer."""
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701" and at % 4 == 0
        field = [int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_size = field[1], field[6], field[11]
        name = archive[at + 110 : at + 109 + name_size].decode()
        data = (at + 110 + name_size + 3) // 4 * 4
        if name == "TRAILER!!!":
            return
        yield name, mode, archive[data : data + size]
        at = (data + size + 3) // 4 * 4


def test_files_and_modules_arrive(tmp_path):
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "one.ko").write_bytes(b"module")
    (modules / "one.o").write_bytes(b"no module")
    script = tmp_path / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep" / "data").write_bytes(bytes(5))
    base = gzip.compress(b"x")
    made = initramfs.extend(base, modules, [script, tmp_path / "folder"])
    at = len(base) + -len(base) % 4
    assert made[: len(base)] == base and at % 4 == 0
    found = {name: (mode, content) for name, mode, content in entries(made[at:])}
    assert found["lib/modules/trapless/one.ko"] == (0o100644, b"module")
    assert [name for name in found if name.startswith("lib/modules/trapless/")] == ["lib/modules/trapless/one.ko"]
    assert found["host/run.sh"] == (0o100755, b"#!/bin/sh\n")
    assert found["host/folder/deep"] == (0o040755, b"")
    assert found["host/folder/deep/data"][1] == bytes(5)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TraplessError, match="nothing-here"):
        initramfs.extend(b"", None, [tmp_path / "nothing-here"])


def test_two_files_of_one_name_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same").touch()
    with pytest.raises(TraplessError, match="host/same"):
        initramfs.extend(b"", None, [tmp_path / "a/same", tmp_path / "b/same"])
