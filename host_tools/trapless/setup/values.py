# SPDX-License-Identifier: MIT
"""`build/deps.env`: where set-up put what the clone is built from. Lines of NAME=VALUE, for make, sh and Python."""

from pathlib import Path

from .report import Failure

ROOT = Path(__file__).parents[3]  # the clone
FILE = Path("build", "deps.env")
LINKS = {"KERNEL_IMAGE": "build/kernel/Image", "XEN": "build/hypervisor"}


def read(root: Path = ROOT) -> dict[str, str]:
    """The values that set-up wrote in the clone `root`; empty before it ran."""
    file = root / FILE
    lines = file.read_text().splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines)


def need(name: str, root: Path = ROOT) -> str:
    """One value. Raises: Failure if set-up did not run."""
    values = read(root)
    if name not in values:
        raise Failure(f"{root / FILE} does not tell {name}: run `make setup`")
    return values[name]


def write(values: dict[str, str], root: Path = ROOT) -> None:
    """Write the values, if they change, and link what the clone has a place for."""
    links = {root / place: values[name] for name, place in LINKS.items() if name in values}
    if read(root) == values and all(link.exists() for link in links):
        return
    for link, target in links.items():
        make_link(link, target)
    (root / FILE).write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def make_link(link: Path, target: str) -> None:
    """Make `link` refer to `target`, whatever it was before."""
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target)
