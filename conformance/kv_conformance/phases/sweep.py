"""The phase `sweep`: programs without number, in lockstep with the oracle, from one seed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kv_reference.oracle import Oracle
from kv_reference.verdicts import Violation
from kv_spec.operations import Program

from kv_conformance.hunt import Hunt
from kv_conformance.phases.tally import OnProgress, Tally

_PROGRESS_EVERY: Final = 64
"""Programs between two words on progress."""


def run(
    hunt: Hunt,
    programs: Iterable[Program],
    progress: OnProgress = lambda _: None,
) -> Tally:
    """Runs programs one after another; each violation is investigated, and its program resumed."""
    tally = Tally()
    for program in programs:
        while (found := _run(hunt, program, tally)) is not None:
            hunt.investigate(*found)
        tally.programs += 1
        if tally.programs % _PROGRESS_EVERY == 0:
            progress(tally)
    progress(tally)
    return tally


def _run(hunt: Hunt, program: Program, tally: Tally) -> tuple[Program, Violation] | None:
    """Runs one program; up to which operation, and why, if a violation is worth a look.

    The inner loop of the whole phase: it keeps no record that only a failure needs, since a
    failure is run again.
    """
    trial = hunt.trial
    oracle = Oracle(trial.profile, slack=trial.slack)
    world = trial.subject.world()
    perform, judge, now = world.perform, oracle.judge, trial.subject.clock.now
    done = 0
    try:
        for operation in program:
            began = now()
            outcome = perform(operation)
            violation = judge(operation, outcome, began, now())
            done += 1
            if violation is not None and not hunt.ignores(violation):
                return program[:done], violation
    finally:
        world.close()
    tally.operations += done
    tally.checks.update(oracle.checks)
    return None
