# SPDX-License-Identifier: MIT
"""Barriers, which do nothing here: one interpreter thread sees its own stores in order."""


def mb():
    """Full barrier: earlier loads and stores before later ones."""


def rmb():
    """Load barrier: earlier loads before later loads."""


def wmb():
    """Store barrier: earlier stores before later stores."""


def dsb():
    """Completion barrier, before a doorbell: earlier stores are visible to the peer."""
