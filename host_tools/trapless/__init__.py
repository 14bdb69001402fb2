# SPDX-License-Identifier: MIT
"""What runs on the host: the command `trapless` and the Python package that tests use.

Imports nothing: `trapless.setup` runs before any dependency is installed.
"""
