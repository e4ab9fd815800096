"""Running given programs: vectors, a replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kv_spec.operations import Operation

from kv_conformance.hunt import Hunt
from kv_conformance.phases.tally import OnProgress, Tally


def run(
    hunt: Hunt, programs: Iterable[Sequence[Operation]], progress: OnProgress = lambda _: None
) -> Tally:
    """Runs programs one after another; each violation is investigated, and its program resumed.

    A program with a fault that is known already is run on to its end, past that fault.
    """
    tally = Tally()
    for program in programs:
        while True:
            session = hunt.run(program)
            violation = session.violation
            if violation is None:
                break
            hunt.investigate(session.program, violation)
        tally.add(session)
        progress(tally)
    return tally
