"""Runs the harness on stores that are odd but right, and shows what it reported: nothing, rightly.

    python conformance/checks/odd_but_right.py [--seeds 20] [--examples 80] [--only TEXT …]
    python conformance/checks/odd_but_right.py --phase sweep --seeds 1000 --examples 8

Each store gets the whole default run from the first seed, and from every other seed all of it but
the vectors, which are the same for all. The second line runs the sweep alone, some 20,000
operations for each seed. Exits with 1 if a run of a right store was not conformant; one on
a real clock may be inconclusive, since some of what it promises would take long waits.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kv_conformance.settings import PHASES

TESTS = Path(__file__).resolve().parent.parent / "tests"
ROW = "{:<34} {:>5} {:>9} {:>11} {:>8} {:>10}  {}\n"
INCONCLUSIVE = 3


def main() -> int:
    """Runs them all; returns the exit code."""
    sys.path.insert(0, str(TESTS))
    stores: dict[str, Any] = importlib.import_module("odd_stores").STORES
    options = _options()
    sys.stdout.write(
        ROW.format("store", "seeds", "programs", "operations", "seconds", "violations", "clock")
    )
    chosen = [
        name for name in stores if not options.only or any(text in name for text in options.only)
    ]
    passed = [_tried(name, stores[name], options) for name in chosen]
    return int(not all(passed))


def _tried(name: str, make: Callable[..., Any], options: argparse.Namespace) -> bool:
    """Runs one store from every seed, writes its row, and tells whether it passed."""
    run: Any = importlib.import_module("odd_stores.trying").run
    began, programs, operations, clock = time.perf_counter(), 0, 0, ""
    seen: dict[str, str] = {}
    violations, passed = set(), True
    phases = tuple(options.phase or PHASES)
    for number in range(options.seeds):
        seed = options.first + number
        result = run(
            name, make, seed=seed, examples=options.examples, share=int(number == 0), phases=phases
        )
        programs, operations = programs + result.programs, operations + result.operations
        clock = result.clock
        violations |= set(result.alarms)
        for clause, what in result.alarms.items():
            seen.setdefault(clause, f"seed {seed}, {clause}: {what}")
        if result.exit_code:
            seen.setdefault("; ".join(result.reasons), f"seed {seed}: {'; '.join(result.reasons)}")
            passed = passed and result.exit_code == INCONCLUSIVE and clock == "real"
    lasted = f"{time.perf_counter() - began:.1f}"
    sys.stdout.write(
        ROW.format(name, options.seeds, programs, operations, lasted, len(violations), clock)
    )
    for line in seen.values():
        sys.stdout.write(f"    {line[:2000]}\n")
    sys.stdout.flush()
    return passed


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=20, help="runs of each store")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed")
    parser.add_argument("--examples", type=int, default=80, help="programs of the machines a run")
    parser.add_argument("--phase", nargs="*", choices=PHASES, help="only these phases")
    parser.add_argument("--only", nargs="*", default=[], metavar="TEXT", help="parts of names")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
