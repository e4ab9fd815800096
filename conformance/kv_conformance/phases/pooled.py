"""The sweep over several processes: parts are given out, what they found is investigated here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from itertools import islice
from typing import Final

from kv_spec.machines import Plan

from kv_conformance.hunt import Hunt
from kv_conformance.phases.jobs import Done, Job, Place, work
from kv_conformance.phases.sweep import Course, Sweep, pilot
from kv_conformance.phases.tally import OnProgress, Tally

_PART: Final = 250
"""Programs of a job: enough that starting it costs little beside them."""


def run(
    hunt: Hunt,
    plan: Plan,
    course: Course,
    progress: OnProgress,
    *,
    place: Place,
    pool: Executor,
    jobs: int,
    time_left: Callable[[], bool] = lambda: False,
) -> Tally:
    """Runs a course on `pool`, `jobs` parts at a time; as `sweep.run` does, the same programs.

    A job that is lost, with its process or in an endless call, is done once more here, where the
    run is watched and its end can be told.
    """
    sweep = Sweep(hunt, progress)
    usual, thin = pilot(sweep, plan, course)
    known = frozenset(hunt.caught)

    def job(numbers: range, favours: bool = False) -> Job:
        favoured = thin.favoured if favours else ()
        return Job(place, plan, course.seed, numbers, favoured, known)

    def take(given: Job, future: Future[Done]) -> None:
        try:
            done = future.result()
        except Exception:
            writer = thin if given.favoured else usual
            for number in given.numbers:
                sweep.write_and_run(writer, course.seed, number)
            return
        sweep.tally = sweep.tally.plus(done.tally)
        for program, violation in done.violations:
            if not hunt.ignores(violation):
                hunt.investigate(program, violation)
        progress(sweep.tally)

    def all_of(given: list[Job]) -> None:
        for one, future in [(one, pool.submit(work, one)) for one in given]:
            take(one, future)

    all_of([job(numbers, favours) for numbers, favours in course.parts(_PART)])
    more = course.more(_PART)
    while time_left():
        all_of([job(numbers) for numbers in islice(more, jobs)])
    return sweep.tally
