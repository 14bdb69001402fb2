# SPDX-License-Identifier: MIT
"""The protocols that the server speaks, one file each."""
