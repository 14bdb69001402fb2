# SPDX-License-Identifier: MIT
"""`python -m trapless.reference [--linux TREE]`, see the package."""

import argparse
from pathlib import Path

from trapless.reference import linux, pages

parser = argparse.ArgumentParser(prog="python -m trapless.reference", description="Write docs/reference/*.md.")
parser.add_argument("--linux", type=Path, metavar="TREE", help="read from this kernel source tree what Linux sends")
tree = parser.parse_args().linux
if tree:
    linux.save(tree)
pages.write()
