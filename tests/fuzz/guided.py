# SPDX-License-Identifier: MIT
"""Inputs that reach new line arcs of the backend are kept and mutated (CPython only).

`python tests/fuzz/guided.py KIND SEED COUNT` tries COUNT inputs of rings, packed or batches, adds to `seeds/KIND.txt`
what reached something new; `compare KIND SEED COUNT` says what that is worth. An input is the choices that `Bench` of
KIND draws, numbers on a line. One that disagrees is stored in `build/fuzz`; `run.py --replay` repeats it.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).parents[2]
SEEDS = ROOT / "tests" / "fuzz" / "seeds"
FAILED = ROOT / "build" / "fuzz"
MODULES = ("sync", "registers", "writes", "balloon")
TRACED = str(ROOT / "firmware" / "hal" / "pure"), *(str(ROOT / f"firmware/virtio/{name}.py") for name in MODULES)

if __name__ == "__main__":
    sys.path[:1] = [str(ROOT / "tests"), str(ROOT / "firmware")]

from fuzz import batches, packed, rings  # noqa: E402
from fuzz._cases import Recorded, Source, run_input  # noqa: E402

BENCHES = {"rings": rings.Bench, "packed": packed.Bench, "batches": batches.Bench}


class Disagrees(AssertionError):
    """An input of which backend and oracle disagree; where it is stored."""


class Arcs:
    """The pairs of lines of one code object of the backend that were run one after the other."""

    def __init__(self):
        self.met = set()

    def trace(self, frame, event, argument):
        """Trace a frame of the backend (sys.settrace)."""
        code = frame.f_code
        if not code.co_filename.startswith(TRACED):
            return None
        last = 0
        met = self.met

        def line(frame, event, argument):
            nonlocal last
            now = -1 if event == "return" else frame.f_lineno
            met.add((code, last, now))
            last = now
            return line

        return line


def reached(kind, source):
    """Run one input; return the arcs it reached. Disagrees: backend and oracle do."""
    arcs, before = Arcs(), sys.gettrace()
    try:
        sys.settrace(arcs.trace)
        run_input(BENCHES[kind], source)
    except Exception as error:
        sys.settrace(before)
        FAILED.mkdir(parents=True, exist_ok=True)
        file = FAILED / f"{kind}-{len(list(FAILED.glob('*')))}.txt"
        write(file, [source.made])
        raise Disagrees(f"{error!r}; python tests/fuzz/run.py --replay {file} {kind}") from error
    finally:
        sys.settrace(before)
    return arcs.met


def mutated(random, kept):
    """Return the choices of a mutation of one of `kept`: another tail, a few other choices, or two of them joined."""
    choices = list(random.one_of(kept))
    way = random.below(3)
    if way == 0:
        return choices[: random.below(len(choices))]
    if way == 1:
        return choices[: random.below(len(choices))] + random.one_of(kept)[random.below(len(choices)) :]
    for _ in range(1 + random.below(8)):
        choices[random.below(len(choices))] = random.below(1 << random.below(33))
    return choices


def search(kind, seed, count, kept, guide=True):
    """Try `count` inputs beside those of `kept`, which grows; return the number of arcs. Disagrees: one does."""
    random = Source(seed)
    met = set().union(*(reached(kind, Recorded(choices)) for choices in kept))
    for n in range(count):
        choices = mutated(random, kept) if guide and kept and n % 2 else []
        source = Recorded(choices, seed + n)
        found = reached(kind, source)
        if not found <= met:
            met |= found
            kept.append(source.made)
    return len(met)


def read(kind):
    """Return the inputs of `kind` that are kept in the repository."""
    file = SEEDS / f"{kind}.txt"
    return [[int(word) for word in line.split()] for line in file.read_text().splitlines()] if file.exists() else []


def write(file, inputs):
    """Store inputs, a line each."""
    file.write_text("".join(" ".join(map(str, choices)) + "\n" for choices in inputs))


def main(arguments):
    """Search or compare, print what was reached."""
    compare = arguments[0] == "compare"
    kind, seed, count = arguments[-3], int(arguments[-2]), int(arguments[-1])
    if compare:
        arcs = [search(kind, seed, count, [], guide) for guide in (False, True)]
        print("{}: {} inputs reach {} arcs, guided {}".format(kind, count, *arcs))
        return
    kept = read(kind)
    arcs = search(kind, seed, count, kept)
    write(SEEDS / f"{kind}.txt", kept)
    print(f"{kind}: {len(kept)} inputs reach {arcs} arcs")


if __name__ == "__main__":
    main(sys.argv[1:])
