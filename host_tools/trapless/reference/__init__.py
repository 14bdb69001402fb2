# SPDX-License-Identifier: MIT
"""docs/reference/: pages made of the message tables, of what Linux sends, and of what the conformance tests show.

`python -m trapless.reference` writes them (`make reference`); with `--linux TREE` it first reads anew, from a kernel
source tree, what Linux sends.
"""
