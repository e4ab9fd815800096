"""Runs the phase `machines` on every mutant, and prints a row for each.

    python conformance/checks/mutants.py [--seeds 3] [--only NAME ...]

Takes about a second for each mutant and seed. Exits with 1 if a mutant is missed that needs no
size, or if its program has more than eight operations.
"""

import argparse
import runpy
import time
from pathlib import Path

from kv_reference.mutants import MUTANTS

TEST = Path(__file__).parents[1] / "tests" / "test_machines_catch_mutants.py"


def main() -> int:
    """Runs the check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(MUTANTS))
    options = parser.parse_args()
    test = runpy.run_path(str(TEST))
    bad = 0
    for name in options.only:
        mutant = MUTANTS[name]
        for seed in range(1, options.seeds + 1):
            began = time.perf_counter()
            caught = test["caught_by_machines"](mutant, seed)
            took = time.perf_counter() - began
            length = None if caught is None else len(caught.program)
            wrong = (length is None and not mutant.needs_size) or (length or 0) > test["LONGEST"]
            bad += wrong
            said = "missed" if length is None else f"{length} operations"
            mark = "!" if wrong else " "
            print(f"{mark} {mutant.clause:8} {name:36} seed {seed}  {said:14} {took:6.1f} s")
    print(f"{bad} of {len(options.only) * options.seeds} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
