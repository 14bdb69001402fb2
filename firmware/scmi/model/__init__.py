# SPDX-License-Identifier: MIT
"""The objects of a platform description: what a person writes, with the rules that they keep."""
