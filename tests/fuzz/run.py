# SPDX-License-Identifier: MIT
"""Run the fuzzers: `python tests/fuzz/run.py --seed N --count N [KIND ...]`, also under MicroPython, whose C code it
then tries.

Each kind is a module of this folder with `fuzz(seed, count)`, which returns a dictionary of what it met.
"""

import os
import sys

FOLDER = __file__.rpartition("/")[0] or "."
NOT_KINDS = ("run.py", "oracle.py", "races.py")


def kinds():
    """Return the names of the fuzzers, sorted."""
    files = [name for name in os.listdir(FOLDER) if name.endswith(".py") and name not in NOT_KINDS]
    return sorted([name[:-3] for name in files if not name.startswith(("test_", "_"))])


def options(arguments):
    """Return (seed, count, kinds) of a command line."""
    numbers, chosen, rest = {"--seed": 1, "--count": 1000}, [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word in numbers:
            numbers[word] = int(rest.pop(0))
        elif word in kinds():
            chosen.append(word)
        else:
            raise SystemExit("usage: run.py [--seed N] [--count N] [{}]".format(" | ".join(kinds())))
    return numbers["--seed"], numbers["--count"], chosen or kinds()


def main(arguments):
    """Run them, print what they met."""
    sys.path[:0] = [FOLDER + "/..", FOLDER + "/../../firmware"]
    seed, count, chosen = options(arguments)
    for kind in chosen:
        module = __import__("fuzz." + kind, None, None, ("fuzz",))
        met = module.fuzz(seed, count)
        print(
            "{}: {} cases, seed {}: {}".format(
                kind, count, seed, ", ".join(sorted("%s %s" % pair for pair in met.items()))
            )
        )


if __name__ == "__main__":
    main(sys.argv[1:])
