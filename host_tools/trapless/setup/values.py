# SPDX-License-Identifier: MIT
"""`build/deps.env`: where set-up put what the clone is built from. Lines of NAME=VALUE, for make, sh and Python."""

from pathlib import Path

from .report import Failure

ROOT = Path(__file__).parents[3]  # the clone
FILE = Path("build", "deps.env")


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
    """Write the values, if they change, and link the kernel's Image to where the clone has it."""
    link = root / "build" / "kernel" / "Image"
    if read(root) == values and link.exists():
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(values["KERNEL_IMAGE"])
    (root / FILE).write_text("".join(f"{name}={value}\n" for name, value in values.items()))
