# SPDX-License-Identifier: MIT
"""`python -m trapless` is the command `trapless`."""

import sys

from trapless.cli import main

sys.exit(main())
