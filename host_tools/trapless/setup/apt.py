# SPDX-License-Identifier: MIT
"""Files of another Debian release or architecture, without touching the machine's own apt.

An apt of its own (state, lists, cache in a temporary folder; see apt.conf(5), `Dir`) asks the mirrors that the machine
is configured with. apt verifies everything with the keys of the machine's debian-archive-keyring, from the signed
release file down to each file's hash.
"""

import contextlib
import enum
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import cache, packages
from .report import Failure, report, run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ENTRY = "deb{source} [targets={targets}{keys}] {mirror} {suite} main\n"
TYPES = (("", "Packages"), ("-src", "Sources"))
# A mirror that shows the archive as it was on a day has release files past their date. What is fetched is pinned
# anyway.
CONFIGURATION = """
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "{folder}/none";
Dir::Etc::preferences "{folder}/none";
Dir::Etc::preferencesparts "{folder}/none";
APT::Architecture "{architecture}";
APT::Architectures "{architecture}";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Retries "3";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class Part(enum.Enum):
    """What of a package is fetched, as apt-get's arguments: the binary package, all of the source, upstream's part."""

    BINARY = ("download",)
    SOURCE = ("source", "--download-only", "--only-source")
    UPSTREAM = (*SOURCE, "--tar-only")


class Archive(enum.Enum):
    """An archive of Debian, as the label in its release file."""

    MAIN = "Debian"
    SECURITY = "Debian-Security"


def archive_of(suite: str) -> Archive:
    """The archive that has a suite."""
    return Archive.SECURITY if suite.endswith("-security") else Archive.MAIN


def mirrors(archive: Archive = Archive.MAIN) -> list[str]:
    """Addresses of one of Debian's archives that the machine's apt is configured with, best first."""
    form = "$(CREATED_BY)|$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"
    command = ["apt-get", "indextargets", "--format", form]
    lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    wanted = f"Packages|Debian|{archive.value}|main|"
    return list(dict.fromkeys(line.removeprefix(wanted) for line in lines if line.startswith(wanted)))


def mirror(archive: Archive = Archive.MAIN) -> str:
    """The first of `mirrors(archive)`, after an update of the machine's lists if there is none.

    Raises: Failure if the machine's apt knows no such archive.
    """
    if not mirrors(archive):
        packages.refresh()
    if not mirrors(archive):
        advice = "look at /etc/apt/sources.list.d, then run `apt-get update`"
        raise Failure(f"apt knows no mirror of {archive.value}: {advice}")
    return mirrors(archive)[0]


class Apt:
    """An apt of its own in `folder`, for one suite and architecture."""

    def __init__(self, folder: Path, suite: str, architecture: str) -> None:
        self.folder = folder
        self.suite = suite
        self.log = cache.root() / f"apt-{suite}.log"
        self.log.unlink(missing_ok=True)
        self.options = ["-c", str(folder / "apt.conf")]
        self._configure(architecture)

    def _configure(self, architecture: str) -> None:
        for name in ("state/lists/partial", "cache/archives/partial", "none"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "status").touch()
        keys = f" signed-by={KEYRING}" if KEYRING.exists() else ""
        where = {"keys": keys, "mirror": mirror(archive_of(self.suite)), "suite": self.suite}
        entries = [ENTRY.format(source=source, targets=targets, **where) for source, targets in TYPES]
        (self.folder / "sources.list").write_text("".join(entries))
        configuration = CONFIGURATION.format(folder=self.folder, architecture=architecture)
        (self.folder / "apt.conf").write_text(configuration)

    def update(self) -> None:
        """Fetch the suite's lists. Raises: Failure."""
        run(["apt-get", *self.options, "update", "--quiet"], self.log)
        report.downloaded += sum(file.stat().st_size for file in self.folder.glob("state/lists/*") if file.is_file())

    def fetch(self, package: str, part: Part, into: Path, version: str) -> list[Path]:
        """Download a package, or what of it is asked for: this version, or the newest without it. Raises: Failure."""
        wanted = f"{package}={version}" if version in self.versions(package) else package
        run(["apt-get", *self.options, "--quiet", *part.value, wanted], self.log, cwd=into)
        files = [file for file in into.iterdir() if file.is_file()]
        report.downloaded += sum(file.stat().st_size for file in files)
        return files

    def versions(self, package: str) -> list[str]:
        """The versions of a package, and of the source package that it is built from, that the suite has."""
        command = ["apt-cache", *self.options, "madison", package]
        lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        return [line.split("|")[1].strip() for line in lines]


@contextlib.contextmanager
def isolated(suite: str, architecture: str) -> Iterator[Apt]:
    """An updated apt of its own, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="trapless-apt-") as folder:
        apt = Apt(Path(folder), suite, architecture)
        apt.update()
        yield apt
