# SPDX-License-Identifier: MIT
"""The table of wrong arguments has every class that a description is written with, and every argument of each."""

import inspect

import pytest

from scmi import platform
from scmi_wrong import CASES


def test_every_class_is_there():
    classes = {item for item in map(vars(platform).get, platform.__all__) if inspect.isclass(item)}
    assert classes - {case[0] for case in CASES} == {platform.DescriptionError}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_every_argument_is_there(case):
    assert set(case[3]) == set(inspect.signature(case[0]).parameters)


def test_what_is_no_unicode_is_refused_as_a_name():
    with pytest.raises(platform.DescriptionError, match="1 to 63 bytes"):
        platform.Clock("\ud800", 1)
