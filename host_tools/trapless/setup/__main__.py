# SPDX-License-Identifier: MIT
"""`python3 -m trapless.setup [--refresh] [--root FOLDER] [PRODUCT...]`, what `make setup` calls."""

import argparse
import sys
import time
from pathlib import Path

from . import environment, packages
from .report import Failure, report, say

ROOT = Path(__file__).parents[3]


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="trapless.setup", description=__doc__)
    return parser.parse_args()


def main() -> int:
    """Do all steps of set-up that are not done yet; the exit status."""
    begin = time.monotonic()
    arguments()
    try:
        packages.install()
        environment.ensure(ROOT)
    except Failure as failure:
        say(str(failure))
        return 1
    if summary := report.summary():
        say(f"ready after {time.monotonic() - begin:.0f} s ({summary})")
    return 0


sys.exit(main())
