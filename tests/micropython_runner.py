# SPDX-License-Identifier: MIT
"""Run the portable tests of one file under MicroPython: `micropython micropython_runner.py FILE`.

Started by `test_under_micropython.py`, once per file, with the names of the tests to run after FILE; without names all
`test_*` functions run in alphabetical order. Prints, per test, a line `@start NAME`, what the test itself prints, and
`@pass NAME`, or a traceback and `@fail NAME`. Exit status 1 if one failed.
"""

import gc
import sys


def load(path):
    """Import the file `path` as a top-level module."""
    folder, _, name = path.rpartition("/")
    sys.path.insert(0, folder or ".")
    return __import__(name[: -len(".py")])


def run(name, test):
    """Run one test, say how it ended; True if it passed."""
    print("@start", name)
    gc.collect()
    try:
        test()
    except Exception as error:
        sys.print_exception(error)
        print("@fail", name)
        return False
    print("@pass", name)
    return True


def main(path, *names):
    """Run the named tests (all without names) of the file `path`; the exit status."""
    sys.path.pop(0)  # the folder of this file, in front of the firmware: tests/models would be taken for its models
    module = load(path)
    names = names or sorted(name for name in dir(module) if name.startswith("test_"))
    failed = [name for name in names if not run(name, getattr(module, name))]
    return 1 if failed else 0


sys.exit(main(*sys.argv[1:]))
