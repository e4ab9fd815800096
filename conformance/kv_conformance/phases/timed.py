"""Programs with waits on a real clock: short ones, many, side by side."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from kv_spec import generate
from kv_spec.machines import Plan, machine
from kv_spec.operations import Advance, Cas, Fill, Get, Has, Operation, Program, Set
from kv_spec.outcomes import Outcome
from kv_spec.store import ABSENT
from kv_spec.values import Outside
from kv_spec.vector_files import least_factor, scaled

from kv_conformance.clocks.granularity import Granularity
from kv_conformance.hunt import Hunt
from kv_conformance.phases import side_by_side
from kv_conformance.phases.tally import OnProgress, Tally
from kv_conformance.session import Session, Step
from kv_conformance.trial import Trial

MOST_UNITS: Final = 4
"""A program waits so many units of ttl in all, and the resolution of the store."""
LONGEST_EXAMPLE: Final = 2.5
"""Seconds that a vector may wait at least: those on truncated seconds have times of their own."""
MOST_OPERATIONS: Final = 48
STEPS_A_PROGRAM: Final = 24
MOST_ROUNDS: Final = 4
"""So often the programs that found something are run again, past what was found."""
ABOUT_TIME: Final = frozenset(
    "TTL-2 TTL-3 TTL-4 TTL-5 TTL-9 TTL-11 TTL-13 SET-2 CAS-6 CAS-11".split()
)
"""Clauses that a program must check after a wait to be worth the wait."""
_CALLS_A_UNIT: Final = 5
_MOST_ENTRIES: Final = 16
_LARGEST_TEXT: Final = 4_096
FEWEST_AT_ONCE, MOST_AT_ONCE = 16, 200
"""How many programs are under way at once: each may hold connections, and files."""


def run(
    hunt: Hunt,
    plan: Plan,
    *,
    seed: int,
    programs: int,
    granularity: Granularity,
    progress: OnProgress = lambda _: None,
    parts: Collection[str] = ("vectors", "machines"),
) -> Tally:
    """Runs `edges`, `examples` and `programs` that are generated, and investigates what they break.

    The examples are the part `vectors`, the others the part `machines`.

    The same seed runs the same programs, as far as `granularity` is the same. Raises
    HarnessFault as `Hunt.investigate` does.
    """
    limit = MOST_UNITS * granularity.unit + plan.profile.ttl_resolution
    unit, todo = granularity.unit, list[Program]()
    if "vectors" in parts:
        todo += examples(plan, unit, max(1.25 * limit, LONGEST_EXAMPLE))
    if "machines" in parts:
        todo += edges(plan, unit)
        todo += generated(hunt.reference, plan, unit, limit, seed=seed, programs=programs)
    tally, at_once = Tally(), _at_once(granularity)

    def done(_: int, session: Session) -> None:
        if not session.violated:
            tally.add(session)
            progress(tally)

    for _ in range(MOST_ROUNDS):
        sessions = side_by_side.run(
            hunt.trial, todo, ignores=hunt.ignores, on_done=done, at_once=at_once
        )
        stopped = [session for session in sessions if session.violated]
        _investigate(hunt, stopped)
        todo = [todo[number] for number, session in enumerate(sessions) if session.violated]
        if not todo:
            return tally
    for session in stopped:
        tally.add(session)
    return tally


def _at_once(granularity: Granularity) -> int:
    """As many programs as can make a few calls each in every unit, and keep their times.

    With 24, 100 and 200 of them on Redis, where the unit is 0.1 s, as many reads fall outside the
    window of doubt; and the more there are, the sooner all are done.
    """
    fitting = granularity.unit / (_CALLS_A_UNIT * max(granularity.call, 1e-5))
    return int(min(max(fitting, FEWEST_AT_ONCE), MOST_AT_ONCE))


def _investigate(hunt: Hunt, stopped: Sequence[Session]) -> None:
    """Looks into what was broken most often first, and by its shortest program.

    Each look takes real time, and what was broken once may follow from what was broken often.
    """
    often = Counter(_clause(session) for session in stopped)

    def order(session: Session) -> tuple[int, float, int]:
        program = session.program
        return -often[_clause(session)], total_wait(program), len(program)

    for session in sorted(stopped, key=order):
        violation = session.violation
        if violation is not None and not hunt.ignores(violation):
            hunt.investigate(session.program, violation)


def _clause(session: Session) -> str:
    return session.violation.clause if session.violation is not None else ""


def total_wait(program: Sequence[Operation]) -> float:
    """The seconds that a program waits in all."""
    return sum(op.seconds for op in program if isinstance(op, Advance))


def edges(plan: Plan, unit: float) -> Iterator[Program]:
    """Programs that read just before and just after a deadline, for each way to come by one."""
    key: Any = "k" if plan.profile.flat else ("k",)
    margin = 2 * generate.TICK
    after: tuple[Operation, ...] = (Get(key), *([Has(key)] if "has" in plan.offers else []))
    for ttl in (unit, 1.5 * unit, 2 * unit):
        ways: list[Program] = [
            (Set(key, 1, ttl),),
            (Set(key, 1), Set(key, 2, ttl)),
            (Set(key, 1, 4 * unit), Set(key, 2, ttl)),
            (Set(key, 1, unit), Set(key, 2, ttl)),
        ]
        if "cas-create" in plan.offers:
            ways.append((Cas(key, ABSENT, 1, ttl),))
        if "cas-swap" in plan.offers:
            ways.append((Set(key, 1, 4 * unit), Cas(key, 1, 2, ttl)))
        for way in ways:
            late = Advance(plan.profile.ttl_resolution + 2 * margin)
            yield (*way, Advance(ttl - margin), Get(key), late, *after)
        # Within the window of doubt: an entry seen gone there is gone for every later read (TTL-4).
        for part in (0.25, 0.5, 0.75, 0.9) if plan.profile.ttl_resolution else ():
            doubt = Advance(ttl + part * plan.profile.ttl_resolution)
            yield (Set(key, 1, ttl), doubt, Get(key), *after, Get(key))


def examples(plan: Plan, unit: float, limit: float) -> Iterator[Program]:
    """The vectors that wait, at most `limit` seconds each, with `unit` for one second."""
    from kv_conformance.phases import vectors

    # In a vector no ttl is below half a second, and nothing is read later than a deadline by less.
    resolution = plan.profile.ttl_resolution
    second = max(unit, 2 * plan.profile.shortest_ttl, 2 * (resolution + generate.TICK))
    factor = second / least_factor(plan.profile)
    for vector, _ in vectors.programs(
        plan.profile, plan.offers, False, races=False, longest_wait=math.inf
    ):
        own = vector.default_ttl is not None  # its times are those of the store's default
        program = vector.program if own else scaled(vector, factor).program
        if 0 < total_wait(program) <= limit and not any(map(_holds_up, program)):
            yield program


def _holds_up(operation: Operation) -> bool:
    """True for an operation that would make all programs late, or spoil the timers of all.

    One loop serves them, and a NaN among its timers leaves it without an order.
    """
    if isinstance(getattr(operation, "ttl", None), Outside):
        return True
    if isinstance(operation, Fill):
        return operation.n > _MOST_ENTRIES
    value = getattr(operation, "value", None)
    return isinstance(value, str) and len(value) > _LARGEST_TEXT


def generated(
    reference: Trial, plan: Plan, unit: float, limit: float, *, seed: int, programs: int
) -> list[Program]:
    """Programs of the machine that wait, at most `limit` seconds each; `programs` or fewer.

    They are recorded on the reference, where time is virtual, and are those of twice as many
    that put most clauses to the test after a wait.
    """
    import hypothesis
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis.stateful import run_state_machine_as_test

    recorded: list[Recording] = []

    def open_recording() -> Recording:
        recorded.append(Recording(reference, limit))
        return recorded[-1]

    pools = generate.pools(plan.profile, ttl_unit=unit)
    timed = dataclasses.replace(plan, time=True, races=False, pools=pools)
    run_state_machine_as_test(
        hypothesis.seed(seed)(machine(timed, open_recording)),
        settings=settings(
            max_examples=2 * programs,
            stateful_step_count=STEPS_A_PROGRAM,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    best = sorted(recorded, key=lambda recording: -len(recording.clauses))[:programs]
    return [recording.program for recording in best if recording.clauses]


class Recording:
    """A session for the machine that keeps the program, up to the last step worth its waits.

    Waits that would take the program beyond `limit` seconds are left out.
    """

    def __init__(self, reference: Trial, limit: float) -> None:
        self.session = reference.open()
        self.left = limit
        self.clauses: set[str] = set()
        self.program: Program = ()

    @property
    def over(self) -> bool:
        """True once the program is long enough."""
        return len(self.session.steps) >= MOST_OPERATIONS

    def next_race(self, _: tuple[str, ...]) -> None:
        """None: racers need a clock of their own."""

    def do(self, operation: Operation) -> Outcome:
        """Performs an operation on the reference."""
        if _holds_up(operation):
            return None
        if isinstance(operation, Advance):
            if operation.seconds > self.left:
                return None
            self.left -= operation.seconds
        self.session.do(operation)
        return self.session.steps[-1].outcome

    def close(self) -> None:
        """Ends the program, and finds what of it is worth the wait."""
        self.session.world.close()
        waited, worth = False, 0
        for number, step in enumerate(self.session.steps, 1):
            waited = waited or isinstance(step.operation, Advance)
            if waited and (checked := ABOUT_TIME.intersection(step.at_stake)):
                self.clauses |= checked
                worth = number
        self.program = _operations(self.session.steps[:worth])


def _operations(steps: Sequence[Step]) -> Program:
    return tuple(step.operation for step in steps)
