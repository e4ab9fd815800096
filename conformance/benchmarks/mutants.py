"""How long the harness takes from its start to the shrunk program, over all mutants.

    python conformance/benchmarks/mutants.py [--phase sweep ...] [--seed 0 ...]

Prints the median, the worst and the slowest few, for each phase by itself: in seconds, and in
those that this process computed for, which others on the machine change less. `kv-conformance
self-test` prints the first for each clause, and whether all are caught.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from statistics import median

from kv_conformance.self_test.catching import Result, caught_by
from kv_reference.mutants import MUTANTS, Mutant

SLOWEST = 15


@dataclass(frozen=True, slots=True)
class Timed:
    """What came of one mutant, and how many seconds were computed for it."""

    result: Result
    computed: float


def timed(mutant: Mutant, phase: str, seed: int) -> Timed:
    """Hunts one mutant by one phase."""
    began = time.process_time()
    result = caught_by(mutant, (phase,), seed)
    return Timed(result, time.process_time() - began)


def main() -> None:
    """Measures, and prints a block for each phase."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phase", action="append", choices=["vectors", "machines", "sweep"])
    parser.add_argument("--seed", type=int, action="append")
    options = parser.parse_args()
    seeds = options.seed or [0]
    for phase in options.phase or ["sweep"]:
        every = [timed(mutant, phase, seed) for seed in seeds for mutant in MUTANTS.values()]
        caught = [one for one in every if one.result.wrong is None]
        seconds = [one.result.seconds for one in caught]
        computed = [one.computed for one in caught]
        print(f"{phase}: {len(caught)} of {len(every)} caught")
        print("  to the shrunk program       median   worst")
        print(f"    seconds                 {median(seconds):8.3f}{max(seconds):8.2f}")
        print(f"    seconds computed        {median(computed):8.3f}{max(computed):8.2f}")
        print("   seconds computed  seed")
        for one in sorted(caught, key=lambda one: -one.computed)[:SLOWEST]:
            found = one.result
            print(
                f"  {found.seconds:8.2f} {one.computed:8.2f} {found.seed:5}  "
                f"{found.clause:8} {found.mutant}"
            )


if __name__ == "__main__":
    main()
