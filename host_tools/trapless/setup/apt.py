# SPDX-License-Identifier: MIT
"""Files of another Debian release or architecture, without touching the machine's own apt.

An apt of its own (state, lists, cache in a temporary folder; see apt.conf(5), `Dir`) asks the mirrors that the machine
is configured with. apt verifies everything with the keys of the machine's debian-archive-keyring, from the signed
release file down to each file's hash.
"""

import contextlib
import enum
import re
import subprocess
import tempfile
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import cache, packages
from .report import Failure, report, run

# apt's own, for what is not in a list (apt-helper(1)).
HELPER = Path("/usr/lib/apt/apt-helper")
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
        self.mirror = mirror(archive_of(suite))
        self.log = cache.root() / f"apt-{suite}.log"
        self.log.unlink(missing_ok=True)
        self.options = ["-c", str(folder / "apt.conf")]
        self._configure(architecture)

    def _configure(self, architecture: str) -> None:
        for name in ("state/lists/partial", "cache/archives/partial", "none"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "status").touch()
        keys = f" signed-by={KEYRING}" if KEYRING.exists() else ""
        where = {"keys": keys, "mirror": self.mirror, "suite": self.suite}
        entries = [ENTRY.format(source=source, targets=targets, **where) for source, targets in TYPES]
        (self.folder / "sources.list").write_text("".join(entries))
        configuration = CONFIGURATION.format(folder=self.folder, architecture=architecture)
        (self.folder / "apt.conf").write_text(configuration)

    def update(self) -> None:
        """Fetch the suite's lists. Raises: Failure."""
        run(["apt-get", *self.options, "update", "--quiet"], self.log)
        report.downloaded += sum(file.stat().st_size for file in self.folder.glob("state/lists/*") if file.is_file())

    def fetch(self, package: str, part: Part, into: Path, version: str | None = None) -> list[Path]:
        """Download a package, or what of it is asked for: this version, or the newest one. Raises: Failure."""
        wanted = f"{package}={version}" if version else package
        run(["apt-get", *self.options, "--quiet", *part.value, wanted], self.log, cwd=into)
        return _arrived(into)

    def fetch_unlisted(self, package: str, part: Part, into: Path, sha256: Mapping[str, str]) -> list[Path]:
        """Download files that the mirror still has beside those of the version that is listed.

        Args:
            package: the package of which they are another version.
            part: what of it they are.
            into: where to put them.
            sha256: their names, as apt gives them, and hashes.

        Raises:
            Failure: a file is not there, or is another one.
        """
        for name, digest in sha256.items():
            address = f"{self.mirror.rstrip('/')}/{self._directory(package, part)}/{_address(name)}"
            target = str(into / name)
            run([HELPER, *self.options, "download-file", address, target, f"SHA256:{digest}"], self.log, cwd=into)
        return _arrived(into)

    def _directory(self, package: str, part: Part) -> str:
        """The folder of the mirror's pool in which the listed version lies."""
        query, field = (["show"], "Filename") if part is Part.BINARY else (["showsrc", "--only-source"], "Directory")
        command = ["apt-cache", *self.options, *query, package]
        lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        found = [line.partition(": ")[2] for line in lines if line.startswith(f"{field}: ")]
        if not found:
            raise Failure(f"Debian {self.suite} has no package {package}")
        return found[0].rpartition("/")[0] if part is Part.BINARY else found[0]

    def listed(self, package: str, version: str) -> str | None:
        """The version of a package that the suite lists, given with or without Debian's revision; None: it does not."""
        return next((one for one in self.versions(package) if version in (one, one.rpartition("-")[0])), None)

    def versions(self, package: str) -> list[str]:
        """The versions of a package, and of the source package that it is built from, that the suite has."""
        command = ["apt-cache", *self.options, "madison", package]
        lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        return [line.split("|")[1].strip() for line in lines]


def _address(name: str) -> str:
    """How a file that apt calls `name` is called in a pool, where no file name has the epoch, in an address."""
    return urllib.parse.quote(re.sub(r"_\d+%3a", "_", name))


def _arrived(folder: Path) -> list[Path]:
    """The files in the folder, which are counted as downloaded."""
    files = [file for file in folder.iterdir() if file.is_file()]
    report.downloaded += sum(file.stat().st_size for file in files)
    return files


@contextlib.contextmanager
def isolated(suite: str, architecture: str) -> Iterator[Apt]:
    """An updated apt of its own, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="trapless-apt-") as folder:
        apt = Apt(Path(folder), suite, architecture)
        apt.update()
        yield apt
