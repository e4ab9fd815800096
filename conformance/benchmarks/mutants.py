"""How long the harness takes from its start to the shrunk program, over all mutants.

    python conformance/benchmarks/mutants.py [--phase sweep ...] [--seed 0]

Prints the median, the worst and the slowest few, for each phase by itself. `kv-conformance
self-test` prints the same for each clause, and whether all are caught.
"""

from __future__ import annotations

import argparse
from statistics import median

from kv_conformance.self_test.catching import caught_by
from kv_reference.mutants import MUTANTS

SLOWEST = 8


def main() -> None:
    """Measures, and prints a block for each phase."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phase", action="append", choices=["vectors", "machines", "sweep"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for phase in options.phase or ["sweep"]:
        results = [caught_by(mutant, (phase,), options.seed) for mutant in MUTANTS.values()]
        caught = sorted((r for r in results if r.wrong is None), key=lambda r: -r.seconds)
        times = [result.seconds for result in caught]
        print(f"{phase}: {len(caught)} of {len(results)} caught")
        print(f"  seconds to the shrunk program: median {median(times):.3f}, worst {times[0]:.2f}")
        for result in caught[:SLOWEST]:
            print(f"  {result.seconds:8.2f}  {result.clause:8} {result.mutant}")


if __name__ == "__main__":
    main()
