# SPDX-License-Identifier: MIT
"""Run the fuzzers: `python tests/fuzz/run.py --seed N --count N [KIND ...]`, also under MicroPython, whose C code it
then tries.

Each kind is a module of this folder with `fuzz(seed, count)`, which returns a dictionary of what it met.
`run.py --replay FILE KIND` runs the inputs of a file of `seeds`, or one that guided.py has stored: a line each.
"""

import os
import sys

FOLDER = __file__.rpartition("/")[0] or "."
NOT_KINDS = ("run.py", "oracle.py", "races.py", "guided.py")


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


def replay(file, kind):
    """Run the inputs of `file`, choices that `Bench` of `kind` draws; say which one disagrees."""
    module = __import__("fuzz." + kind, None, None, ("fuzz",))
    cases = __import__("fuzz._cases", None, None, ("fuzz",))
    with open(file) as opened:
        inputs = [[int(word) for word in line.split()] for line in opened]
    for number, choices in enumerate(inputs):
        try:
            cases.run_input(module.Bench, cases.Recorded(choices))
        except Exception:
            print("{}: line {} of {} disagrees".format(kind, number + 1, file))
            raise
    print("{}: {} inputs of {}".format(kind, len(inputs), file))


def main(arguments):
    """Run them, print what they met."""
    sys.path[:0] = [FOLDER + "/..", FOLDER + "/../../firmware"]
    if arguments[:1] == ["--replay"]:
        replay(*arguments[1:])
        return
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
