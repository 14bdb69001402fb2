# SPDX-License-Identifier: MIT
"""Spin searches the models of the transport, with small bounds; what is removed from them is missed (docs/models)."""

import pytest

from trapless.verify import removals, run, searches


@pytest.mark.parametrize("search", [*searches(full=False), *removals()], ids=lambda search: search.name)
def test_model(search, tmp_path):
    figures = run(search, tmp_path)
    assert figures.found == search.finds, figures.trail
