# SPDX-License-Identifier: MIT
"""The steps of set-up, each against a small imitation of what it works on."""

import hashlib
import json
import subprocess
import sys

import pytest

from trapless.setup import apt, cache, diagnosis, environment, kernel, packages, products, sources, values
from trapless.setup.report import Failure, Report


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def program(folder, name, text):
    """An executable shell script in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def clone(tmp_path):
    """A clone with one product: `out` is `in`, and `count` grows by a letter with each build."""
    root = tmp_path / "clone"
    program(root, "copy", 'mkdir -p "$1" && cp in "$1/out" && printf x >> count')
    (root / "in").write_text("one")
    (root / "build").mkdir()
    return root


def make(root, monkeypatch, version="1"):
    """Bring the product of `clone` up to date; how often it was built in this clone, and its content."""
    product = products.Product("thing", "a thing", ("in",), ("./copy", "{build}/thing"), ("thing/out",), ("VERSION",))
    monkeypatch.setattr(products, "PRODUCTS", (product,))
    products.make(root, ["thing"], {"VERSION": version}, "gcc 12")
    count = root / "count"
    return len(count.read_text()) if count.exists() else 0, (root / "build" / "thing" / "out").read_text()


def test_a_product_is_built_once_per_content(clone, monkeypatch):
    assert make(clone, monkeypatch) == (1, "one")
    assert make(clone, monkeypatch) == (1, "one")
    (clone / "in").write_text("two")
    assert make(clone, monkeypatch) == (2, "two")
    (clone / "in").write_text("one")
    assert make(clone, monkeypatch) == (2, "one")


def test_a_product_that_was_removed_comes_back(clone, monkeypatch):
    make(clone, monkeypatch)
    (clone / "build" / "thing" / "out").unlink()
    assert make(clone, monkeypatch) == (1, "one")


def test_objects_of_another_version_are_not_used(clone, monkeypatch):
    make(clone, monkeypatch)
    (clone / "build" / "thing" / "object").touch()
    (clone / "in").write_text("two")
    make(clone, monkeypatch)
    assert (clone / "build" / "thing" / "object").exists()
    assert make(clone, monkeypatch, version="2") == (3, "two")
    assert not (clone / "build" / "thing" / "object").exists()


def test_a_build_that_fails_says_why_and_leaves_no_stamp(clone, monkeypatch):
    program(clone, "copy", "echo no such luck; exit 3")
    with pytest.raises(Failure, match=r"no such luck(.|\n)*failed with status 3"):
        make(clone, monkeypatch)
    program(clone, "copy", 'mkdir -p "$1" && cp in "$1/out"')
    assert make(clone, monkeypatch) == (0, "one")


def test_a_build_that_makes_nothing_fails(clone, monkeypatch):
    program(clone, "copy", "true")
    with pytest.raises(Failure, match="made no thing/out"):
        make(clone, monkeypatch)


def test_values_are_written_once_and_read_back(tmp_path):
    found = {"KERNEL_IMAGE": str(tmp_path / "cache"), "A": "x=y"}
    (tmp_path / "cache").mkdir()
    values.write(found, tmp_path)
    written = (tmp_path / values.FILE).stat().st_mtime_ns
    values.write(found, tmp_path)
    assert values.read(tmp_path) == found
    assert (tmp_path / values.FILE).stat().st_mtime_ns == written
    assert (tmp_path / "build/kernel/Image").samefile(tmp_path / "cache")


def test_a_value_that_is_missing_names_the_remedy(tmp_path):
    with pytest.raises(Failure, match="make setup"):
        values.need("BUSYBOX", tmp_path)


def test_the_version_of_what_was_fetched(tmp_path):
    archive, description = tmp_path / "xen_4.20.3+127.orig.tar.xz", tmp_path / "xen_4.20.3.dsc"
    description.write_text("Format: 3.0 (quilt)\nVersion: 4.20.3-1\n")
    assert sources.version_of([archive]) == "4.20.3+127"
    assert sources.version_of([archive, description]) == "4.20.3-1", "what apt was asked for, if it is there"
    with pytest.raises(Failure, match="no package"):
        sources.version_of([tmp_path / "anything"])


def test_a_file_with_another_hash_is_refused(tmp_path):
    file = tmp_path / "a.deb"
    file.write_bytes(b"content")
    sources.verify([file], {"a.deb": hashlib.sha256(b"content").hexdigest()})
    with pytest.raises(Failure, match="do not use this mirror"):
        sources.verify([file], {"a.deb": hashlib.sha256(b"other").hexdigest()})
    with pytest.raises(Failure, match="do not use this mirror"):
        sources.verify([file], {})


def test_the_version_of_a_source_package_is_that_of_its_description(tmp_path):
    (tmp_path / "a.dsc").write_text("Format: 3.0 (quilt)\nSource: a\nVersion: 1:2.3+ds-4\n")
    (tmp_path / "a.tar.xz").touch()
    assert sources.version_of(sorted(tmp_path.iterdir())) == "1:2.3+ds-4"


def test_somebody_s_own_micropython(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROPYTHON_TOP", str(tmp_path))
    with pytest.raises(Failure, match="is no MicroPython source"):
        sources.micropython(None)
    header = tmp_path / "py" / "mpconfig.h"
    header.parent.mkdir()
    numbers = (("MAJOR", 1), ("MINOR", 26), ("MICRO", 1))
    header.write_text("".join(f"#define MICROPY_VERSION_{part} {number}\n" for part, number in numbers))
    assert sources.micropython(None) == sources.Tree(tmp_path, f"1.26.1 in {tmp_path}")


def test_the_machine_s_mirror_is_found_among_others(tmp_path, monkeypatch):
    lines = (
        "Packages|Debian|Debian-Security|main|http://mirror.example/security/",
        "Packages|Somebody|Debian|main|http://other.example/",
        "Packages|Debian|Debian|contrib|http://mirror.example/day/20260101/",
        "Packages|Debian|Debian|main|http://mirror.example/day/20260101/",
        "Packages|Debian|Debian|main|http://mirror.example/day/20260101/",
    )
    program(tmp_path, "apt-get", "\n".join(f"echo '{line}'" for line in lines))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert apt.mirrors() == ["http://mirror.example/day/20260101/"]
    assert apt.mirror(apt.archive_of("trixie-security")) == "http://mirror.example/security/"


MADISON = "madison) echo ' tool | 1:1.2-4 | somewhere'; echo ' tool | 1:1.2-3 | somewhere';;"
SHOW = "show) echo 'Filename: pool/main/t/tool/tool_1.2-4_arm64.deb';; showsrc) echo 'Directory: pool/main/t/tool';;"


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """An apt of its own, of imitated programs that write what they were asked for; its pool has what is in `pool`."""
    monkeypatch.setattr(apt, "mirror", lambda archive: "http://mirror.example/")
    program(tmp_path, "apt-cache", f'case "$3" in\n{MADISON}\n{SHOW}\nesac')
    program(tmp_path, "apt-get", 'for last; do :; done; echo "$last" >fetched')
    helper = program(tmp_path, "apt-helper", f'[ -e "{tmp_path}/pool/${{4##*/}}" ] && echo "$4 $6" >"$5"')
    monkeypatch.setattr(apt, "HELPER", helper)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("apt", "into", "pool"):
        (tmp_path / name).mkdir()
    return apt.Apt(tmp_path / "apt", "trixie-security", "arm64")


def wanted(part, tested):
    """A package of which this version was tested."""
    return sources.Source("tool", part, tested, {f"tool_1%3a{tested}+b_arm64.deb": "abc"})


def fetched(suite, what, folder):
    """What one of the programs was asked for."""
    (file,) = sources._fetch(suite, what, folder)
    return file.read_text()


def test_the_tested_version_is_fetched_while_the_suite_lists_it(tmp_path, suite):
    assert fetched(suite, wanted(apt.Part.BINARY, "1:1.2-3"), tmp_path / "into") == "tool=1:1.2-3\n"


def test_upstream_s_version_stands_for_debian_s_of_it(tmp_path, suite):
    assert fetched(suite, wanted(apt.Part.UPSTREAM, "1:1.2"), tmp_path / "into") == "tool=1:1.2-4\n"


@pytest.mark.parametrize("part", [apt.Part.BINARY, apt.Part.UPSTREAM])
def test_the_tested_version_is_fetched_while_the_mirror_has_it(tmp_path, suite, part):
    (tmp_path / "pool" / "tool_1.1%2Bb_arm64.deb").touch()
    asked = "http://mirror.example/pool/main/t/tool/tool_1.1%2Bb_arm64.deb SHA256:abc\n"
    assert fetched(suite, wanted(part, "1.1"), tmp_path / "into") == asked


def test_the_newest_version_is_fetched_when_nobody_has_the_tested_one(tmp_path, suite):
    assert fetched(suite, wanted(apt.Part.BINARY, "1.1"), tmp_path / "into") == "tool\n"


def test_a_package_that_the_suite_does_not_have(tmp_path, suite):
    program(tmp_path, "apt-cache", "true")
    with pytest.raises(Failure, match="trixie-security has no package tool"):
        suite.fetch_unlisted("tool", apt.Part.SOURCE, tmp_path / "into", {"tool.dsc": "abc"})


def test_a_machine_without_a_mirror_gets_advice(tmp_path, monkeypatch):
    program(tmp_path, "apt-get", "true")
    program(tmp_path, "sudo", "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(Failure, match="apt-get update"):
        apt.mirror()


def test_packages_that_are_missing_are_told_from_those_removed(tmp_path, monkeypatch):
    program(tmp_path, "dpkg-query", "echo 'git installed 1:2.39'; echo 'flex config-files 2.6'; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert packages.found() == {"git": "1:2.39"}
    assert "flex" in packages.missing() and "git" not in packages.missing()


def test_what_apt_fetched_is_counted():
    log = "Fetched 20.3 MB in 2s (11.3 MB/s)\nNeed to get 3 MB\nFetched 1,002 kB in 0s (1 MB/s)\nFetched 12 B in 0s\n"
    assert packages.fetched(log) == 20_300_000 + 1_002_000 + 12


def test_without_root_the_command_is_told(tmp_path, monkeypatch):
    program(tmp_path, "sudo", "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    with pytest.raises(Failure, match="as root: apt-get install flex"):
        packages.privilege(["apt-get", "install", "flex"])
    program(tmp_path, "sudo", "exit 0")
    assert packages.privilege([]) == ["sudo", "-n"]


def test_the_doctor_tells_what_is_missing_and_how_to_get_it(capsys, monkeypatch):
    monkeypatch.setitem(packages.NEEDED, "no-such-package", "nothing")
    assert diagnosis.doctor() == 1
    table = capsys.readouterr().out
    assert "MISSING  no-such-package" in table and "apt-get install --no-install-recommends no-such-package" in table
    assert diagnosis.doctor(as_json=True) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [row["found"] for row in rows if row["name"] == "no-such-package"] == [""]


def test_the_kernel_keeps_what_modules_need_only(tmp_path):
    tree = tmp_path / "tree"
    kept = ("Makefile", "include/linux/a.h", "scripts/mod/modpost", "arch/arm64/Makefile", "arch/arm64/include/asm/b.h")
    gone = ("drivers/a.c", "arch/x86/include/asm/c.h", "arch/arm64/kernel/d.c", "Documentation/e.rst")
    for name in kept + gone:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    kernel._thin(tree, kernel._of_source)
    assert sorted(str(file.relative_to(tree)) for file in tree.rglob("*") if file.is_file()) == sorted(kept)
    assert not (tree / "drivers").exists()


def test_programs_of_the_environment_run_with_its_python(tmp_path):
    python = f"#!{sys.executable}\nimport sys; print(sys.argv[0])\n"
    (tmp_path / "shared").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    for name, content in (("tool", python), ("binary", "\x7fELF")):
        (tmp_path / "shared" / name).write_text(content)
        environment._link_program(tmp_path / "shared" / name, tmp_path / "bin")
    tool = tmp_path / "bin" / "tool"
    assert tool.read_text().startswith(f"#!{tmp_path}/bin/python3\n")
    assert subprocess.run([tool], capture_output=True, text=True).stdout == f"{tool}\n"
    assert (tmp_path / "bin" / "binary").is_symlink()


def test_the_summary_reports_downloads_apart_from_builds(capsys):
    report = Report()
    assert report.summary() == ""
    report.downloaded = 42_000_000
    with report.step("downloads", "fetching"):
        pass
    report.seconds = {"downloads": 12.4, "builds": 100.6}
    assert report.summary() == "downloads: 42 MB in 12 s; builds: 101 s"


def test_a_step_without_a_program_names_the_doctor(tmp_path):
    from trapless.setup import report

    with pytest.raises(Failure, match="make doctor"):
        report.run(["no-such-program"], cache.root() / "log")
