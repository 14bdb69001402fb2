# SPDX-License-Identifier: MIT
"""The Python dependencies: installed once per machine from pinned hashes, shared by the `.venv` of every clone.

A clone's `.venv` holds no packages. It points at the cached ones and at `host_tools/` with a .pth file, and has the
programs of both in its `bin/`.
"""

import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

from . import cache
from .report import report, run

BUILD, LOCKED = "requirements/build.txt", "requirements/locked.txt"
OF_THE_ENVIRONMENT = ("activate", "Activate", "python", "pip", "easy_install", "wheel")
SCRIPT = """#!{python}
import sys
from {module} import {function}
sys.exit({function}())
"""


def interpreter() -> Path:
    """The Python that environments are made from, outside any environment that is active now."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def ensure(root: Path) -> Path:
    """Make the clone's `.venv` if it is not there or not up to date; its path.

    Raises: Failure if pip fails.
    """
    about = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    packages = installed(root)
    stamp = json.dumps([str(packages), str(root), about["version"], about["scripts"], about.get("entry-points")])
    folder = root / ".venv"
    file = folder / "trapless.json"
    if not file.exists() or file.read_text() != stamp:
        link(root, folder, packages, about)
        file.write_text(stamp)
    return folder


def installed(root: Path) -> Path:
    """The cached environment with everything that the requirement files pin."""
    python = f"{interpreter()} {platform.python_version()} {sysconfig.get_platform()}"
    key = cache.key_of(root / BUILD, root / LOCKED, python)
    return cache.entry("python", key, lambda folder: _fill(root, folder))


def _fill(root: Path, folder: Path) -> None:
    log = folder / "pip.log"
    wheels = folder / "downloads"
    python = folder / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check"]
    # pylibfdt is built with the tools of BUILD, which must be found before others of their name
    settings = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    with report.step("downloads", "fetching the Python dependencies"):
        run([interpreter(), "-m", "venv", folder], log)
        for file in (BUILD, LOCKED):
            fetch: list[str | Path] = ["download", "--require-hashes", "--no-deps", "--no-build-isolation"]
            run([*pip, *fetch, "--dest", wheels, "--requirement", root / file], log, env=settings)
            if file == BUILD:
                run([*pip, "install", "--no-index", "--no-deps", *wheels.iterdir()], log)
        report.downloaded += sum(file.stat().st_size for file in wheels.iterdir())
    with report.step("builds", "installing the Python dependencies"):
        install: list[str | Path] = ["install", "--no-index", "--no-deps", "--no-build-isolation"]
        run([*pip, *install, "--find-links", wheels, "--requirement", root / LOCKED], log, env=settings)
    shutil.rmtree(wheels)


def link(root: Path, folder: Path, packages: Path, about: dict) -> None:  # type: ignore[type-arg]
    """Make a `.venv` that finds the cached packages and `host_tools/`."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([interpreter(), "-m", "venv", "--without-pip", folder], check=True)
    library = next(folder.glob("lib/python3*/site-packages"))
    shared = packages / library.relative_to(folder)
    (library / "trapless.pth").write_text(f"{shared}\n{root / 'host_tools'}\n")
    _describe(library / f"trapless-{about['version']}.dist-info", about)
    for program in (packages / "bin").iterdir():
        if not program.name.startswith(OF_THE_ENVIRONMENT):
            _link_program(program, folder / "bin")
    for name, target in about["scripts"].items():
        module, function = target.split(":")
        script = SCRIPT.format(python=folder / "bin/python3", module=module, function=function)
        _write_program(folder / "bin" / name, script)


def _describe(folder: Path, about: dict) -> None:  # type: ignore[type-arg]
    """What an installation of this project would leave, so that its entry points (pytest's plugin) are found."""
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    groups = {"console_scripts": about["scripts"], **about.get("entry-points", {})}
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")


def _link_program(program: Path, folder: Path) -> None:
    """Scripts get this environment's Python; anything else is linked."""
    content = program.read_bytes()
    first, _, rest = content.partition(b"\n")
    if first.startswith(b"#!") and b"python" in first:
        _write_program(folder / program.name, f"#!{folder / 'python3'}\n{rest.decode()}")
    else:
        (folder / program.name).symlink_to(program)


def _write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
