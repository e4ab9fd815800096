"""Runs the harness on stores that are odd but right, and shows what it reported: nothing, rightly.

    python conformance/checks/odd_but_right.py [--seeds 20] [--examples 80] [--only TEXT …]

Each store gets the whole default run, once for each seed. Exits with 1 if any run of any store
was not conformant.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent / "tests"
ROW = "{:<34} {:>5} {:>9} {:>11} {:>8} {:>9}  {}\n"


def main() -> int:
    """Runs them all; returns the exit code."""
    sys.path.insert(0, str(TESTS))
    stores: dict[str, Any] = importlib.import_module("odd_stores").STORES
    run: Any = importlib.import_module("odd_stores.trying").run
    options = _options()
    show = sys.stdout.write
    show(ROW.format("store", "seeds", "programs", "operations", "seconds", "alarms", ""))
    failed = False
    for name, make in stores.items():
        if options.only and not any(text in name for text in options.only):
            continue
        began, sums = time.perf_counter(), [0, 0]
        alarms: dict[str, str] = {}
        reasons: dict[tuple[str, ...], str] = {}
        for seed in range(options.first, options.first + options.seeds):
            result = run(name, make, seed=seed, examples=options.examples)
            sums[0] += result.programs
            sums[1] += result.operations
            for clause, seen in result.alarms.items():
                alarms.setdefault(clause, f"seed {seed}, {clause}: {seen}")
            if result.exit_code:
                reasons.setdefault(result.reasons, f"seed {seed}: {'; '.join(result.reasons)}")
        passed = time.perf_counter() - began
        show(ROW.format(name, options.seeds, *sums, f"{passed:.1f}", len(alarms), result.clock))
        for line in (*alarms.values(), *reasons.values()):
            show(f"    {line[:2000]}\n")
        sys.stdout.flush()
        failed = failed or bool(alarms or reasons)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=20, help="runs of each store")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed")
    parser.add_argument("--examples", type=int, default=80, help="programs of the machines a run")
    parser.add_argument("--only", nargs="*", default=[], metavar="TEXT", help="parts of names")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
