# SPDX-License-Identifier: MIT
"""The cache outside the clone: what is in it is whole, and made once."""

import multiprocessing
import os
import pathlib
import time

import pytest

from trapless.setup import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def fill_slowly(folder):
    (folder / "first").write_text("1")
    time.sleep(0.2)  # gives the others time to come, the result does not depend on it
    (folder / "second").write_text("2")
    with (cache.root() / "fillings").open("a") as log:
        log.write("x")


def make_entry(_):
    path = cache.entry("kind", "key", fill_slowly)
    return sorted(file.name for file in path.iterdir())


def test_several_at_once_make_an_entry_once():
    with multiprocessing.get_context("fork").Pool(4) as pool:
        seen = pool.map(make_entry, range(4))
    assert seen == [["first", "second"]] * 4
    assert (cache.root() / "fillings").read_text() == "x"


def test_an_entry_that_failed_is_not_there_and_is_made_anew():
    def fail(folder):
        (folder / "half").touch()
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        cache.entry("kind", "key", fail)
    path = cache.entry("kind", "key", lambda folder: (folder / "whole").touch())
    assert [file.name for file in path.iterdir()] == ["whole"]


def test_a_key_depends_on_content_and_names_of_all_files(tmp_path):
    folder = tmp_path / "inputs"
    (folder / "deep").mkdir(parents=True)
    file = folder / "deep" / "a.py"
    keys = set()
    for content in ("1", "2"):
        file.write_text(content)
        keys.add(cache.key_of(folder))
    file.rename(folder / "deep" / "b.py")
    keys.add(cache.key_of(folder))
    keys.add(cache.key_of(folder, "more"))
    assert len(keys) == 4


def test_a_key_ignores_where_the_files_lie_and_what_python_leaves(tmp_path):
    keys = set()
    for clone in ("one", "two"):
        folder = tmp_path / clone / "inputs"
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "a.py").write_text("1")
        (folder / "__pycache__" / "a.pyc").write_text(clone)
        keys.add(cache.key_of(folder))
    assert len(keys) == 1


def test_pruning_keeps_the_newest(monkeypatch):
    monkeypatch.setattr(cache, "KEPT", 2)
    paths = [cache.entry("product", f"{number}", pathlib.Path.exists) for number in range(4)]
    another = cache.entry("product-of-another-kind", "0", pathlib.Path.exists)
    for age, path in enumerate([another, *paths]):
        os.utime(path, (1000 + age, 1000 + age))
    cache.prune("product")
    assert [path.exists() for path in paths] == [False, False, True, True]
    assert another.exists()
