"""Programs side by side on a real clock; here one that a test moves, so that nobody waits."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import pytest
from kv_conformance.clocks import RealClock
from kv_conformance.clocks.granularity import measure
from kv_conformance.hunt import Caught, Hunt
from kv_conformance.phases import timed
from kv_conformance.phases.side_by_side import WINDOW, Patient, real_waits, run, start_of
from kv_conformance.session import Session
from kv_conformance.shrink import BatchShrinker, together
from kv_conformance.subject.factory import Factory
from kv_conformance.subject.offer import look
from kv_conformance.subject.world import Subject
from kv_conformance.trial import Trial, trial_of
from kv_reference.rulings import Ruling
from kv_reference.store import REFERENCE_PROFILE, Record, ReferenceStore
from kv_reference.verdicts import Violation
from kv_spec.machines import Plan
from kv_spec.operations import Advance, Delete, Get, Has, Operation, Program, Race, Set
from kv_spec.profile import Profile

A, B, C = ("a",), ("b",), ("c",)
FINE = REFERENCE_PROFILE.replace(name="fine", ttl_resolution=0.001)
COARSE = REFERENCE_PROFILE.replace(name="coarse", ttl_resolution=1.0)


class Pretended:
    """A clock that says it is real, and sleeps at no cost. Each look at it takes `cost` seconds."""

    kind = "real (pretended)"
    exact = False
    jumps = False
    moving = 0
    longest = 0.0

    def restart(self) -> None:
        pass

    def __init__(self, cost: float = 0.0) -> None:
        self.time, self.cost, self.slept = 1000.3, cost, 0.0

    def now(self) -> float:
        self.time += self.cost
        return self.time

    def advance(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds
        self.slept += seconds


class WholeTtl(ReferenceStore):
    """Cuts a ttl to whole seconds."""

    def deadline(self, ruling: Ruling) -> float:
        due = super().deadline(ruling)
        return due if math.isinf(due) else due - ruling.lifetime % 1


class DeadlineRoundedDown(ReferenceStore):
    """Keeps deadlines in whole seconds, rounded down."""

    def deadline(self, ruling: Ruling) -> float:
        due = super().deadline(ruling)
        return due if math.isinf(due) else math.floor(due)


class EndsEarly(ReferenceStore):
    """Ends every entry after three quarters of its ttl."""

    def deadline(self, ruling: Ruling) -> float:
        return self.clock() + 0.75 * ruling.lifetime


class CountsFromNextSecond(ReferenceStore):
    """Counts a ttl from a clock that is rounded up: right up to the end of each second."""

    def deadline(self, ruling: Ruling) -> float:
        return math.ceil(self.clock()) + ruling.lifetime


class KeepsOldDeadline(ReferenceStore):
    """An overwrite keeps the deadline that was there."""

    def put(self, key: Any, value: Any, deadline: float) -> None:
        old = self.live(key)
        super().put(key, value, deadline if old is None else old.deadline)


class ExpiresOnSeconds(ReferenceStore):
    """Looks for what has expired once a second; right where it says so."""

    def expired(self, record: Record) -> bool:
        return math.floor(self.clock()) >= record.deadline


def trial(
    store: type[ReferenceStore] = ReferenceStore,
    profile: Profile = FINE,
    clock: Pretended | None = None,
) -> Trial:
    chosen = clock or Pretended()
    factory = Factory.of(store, {"profile": profile, "world": {}})
    factory.clock = lambda: chosen.time
    return Trial(Subject(factory, profile, chosen))


def plan(profile: Profile) -> Plan:
    offer = look(ReferenceStore(profile=profile), profile, True)
    return Plan(profile, offer.capabilities, offer.not_offered, time=False)


def hunt(subject: Trial) -> tuple[Hunt, list[Caught]]:
    found: list[Caught] = []
    reference = trial_of(profile=subject.profile.replace(absent="none"))
    return Hunt(subject, reference, found.append), found


def waiting(seconds: float) -> Program:
    return (Set(A, 1, 100.0), Advance(seconds), Get(A))


def log(sessions: Sequence[Session]) -> list[list[tuple[Operation, Any, tuple[str, ...]]]]:
    return [[(s.operation, s.outcome, s.at_stake) for s in session.steps] for session in sessions]


def test_one_wait_serves_all() -> None:
    clock = Pretended()
    began = clock.now()
    programs = [waiting(3.0) for _ in range(40)]
    sessions = run(trial(clock=clock), programs)
    assert [session.program for session in sessions] == programs
    assert not any(session.violated for session in sessions)
    assert clock.now() - began < 4.2  # a wait, and a second in which all start
    assert sum(session.oracle.checks["TTL-2"] for session in sessions) == 40


def test_the_same_programs_run_in_the_same_way() -> None:
    programs = [waiting(0.1 * number) for number in range(1, 20)]
    one, two = (run(trial(clock=Pretended(1e-5)), programs, at_once=5) for _ in range(2))
    assert log(one) == log(two)


def test_half_of_the_programs_start_with_a_second() -> None:
    clock = Pretended()
    starts: dict[int, float] = {}

    class Seen(ReferenceStore):
        def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
            starts[value] = self.clock() % 1.0
            super().set(key, value, ttl=ttl)

    run(trial(Seen, clock=clock), [(Set(A, number), Advance(0.1)) for number in range(12)])
    for number, start in starts.items():
        assert 0 <= (start - start_of(number)) % 1 <= WINDOW
    assert sum(start <= WINDOW for start in starts.values()) == 6


def test_a_program_goes_on_when_its_wait_is_over_whatever_others_do() -> None:
    clock = Pretended(1e-4)
    sessions = run(trial(clock=clock), [(Set(A, 1), Advance(0.5), Get(A), Advance(0.5))] * 30)
    assert all(len(session.steps) == 4 for session in sessions)
    looks = 30 * 4 * 6
    assert clock.slept < 2.2
    assert clock.time < 1000.3 + clock.slept + looks * clock.cost


def test_a_program_ends_at_a_violation_that_is_not_ignored() -> None:
    program = (Set(A, 1, 0.1), Advance(0.05), Get(A), Set(B, 1), Get(B))
    broken = trial(WholeTtl)
    (stopped,) = run(broken, [program])
    assert stopped.violation is not None
    assert stopped.violation.clause == "TTL-2"
    assert stopped.program == program[:3]
    (whole,) = run(broken, [program], ignores=lambda violation: violation.clause == "TTL-2")
    assert whole.program == program
    assert not whole.violated


class Counted(ReferenceStore):
    """Counts the handles that are open."""

    open = most = 0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        type(self).open += 1
        type(self).most = max(self.open, self.most)

    def close(self) -> None:
        super().close()
        type(self).open -= 1


@pytest.fixture
def counted() -> type[Counted]:
    return type("Fresh", (Counted,), {})


def test_no_more_programs_are_under_way_than_asked_for(counted: type[Counted]) -> None:
    done: list[int] = []
    run(
        trial(counted), [waiting(1.0)] * 9, at_once=3,
        on_done=lambda number, session: done.append(number),
    )  # fmt: skip
    assert (counted.most, counted.open) == (3, 0)
    assert sorted(done) == list(range(9))


def test_worlds_are_closed_when_the_run_breaks_off(counted: type[Counted]) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    programs = [waiting(5.0)] * 4 + [waiting(0.1)]
    with pytest.raises(KeyboardInterrupt):
        run(trial(counted), programs, on_done=interrupt)
    assert counted.most > 1
    assert counted.open == 0


def test_a_store_that_gives_few_handles_is_asked_for_few(counted: type[Counted]) -> None:
    class Few(counted):  # type: ignore[valid-type, misc]
        def __init__(self, **options: Any) -> None:
            if type(self).open == 2:
                raise OSError("too many connections")
            super().__init__(**options)

    sessions = run(trial(Few), [waiting(1.0)] * 7)
    assert [len(session.steps) for session in sessions] == [3] * 7
    assert Few.open == 0


def test_a_factory_that_fails_is_told() -> None:
    class Broken(ReferenceStore):
        def __init__(self, **_: Any) -> None:
            raise OSError("no server")

    with pytest.raises(OSError, match="no server"):
        run(trial(Broken), [waiting(1.0)])


def test_waits_are_real_only_on_a_real_clock() -> None:
    assert real_waits(trial(), waiting(1.0))
    assert not real_waits(trial(), (Get(A),))
    assert not real_waits(trial(), (Advance(1.0), Race((Get(A), Get(A)))))
    assert not real_waits(trial_of(), waiting(1.0))


NOISE = tuple(Set((f"noise{number}", "long"), [number] * 3) for number in range(6))
K = ("key", "x")
DEMONSTRATIONS: list[tuple[type[ReferenceStore], str, int, Program]] = [
    (
        WholeTtl, "TTL-2", 2,
        (*NOISE, Set(K, {"a": 7}, 0.1), Delete(C), Advance(0.05), Has(B), Get(K)),
    ),
    (DeadlineRoundedDown, "TTL-2", 2, (*NOISE, Set(K, 7, 0.1), Advance(0.05), Get(K))),
    (CountsFromNextSecond, "TTL-3", 3, (*NOISE, Set(K, 7, 0.1), Advance(0.15), Get(K))),
    (KeepsOldDeadline, "SET-2", 4, (Set(B, 2, 0.1), *NOISE, Set(B, 3), Advance(0.2), Get(B))),
]  # fmt: skip


@pytest.mark.parametrize(("store", "clause", "length", "program"), DEMONSTRATIONS)
def test_what_breaks_on_a_real_clock_is_shrunk(
    store: type[ReferenceStore], clause: str, length: int, program: Program
) -> None:
    clock = Pretended(1e-5)
    broken = trial(store, clock=clock)
    failed = next(session for session in run(broken, [program] * 4) if session.violation)
    hunter, found = hunt(broken)
    began = clock.now()
    assert failed.violation is not None
    hunter.investigate(failed.program, failed.violation)
    (caught,) = found
    assert (caught.clause, caught.steady) == (clause, True)
    assert len(caught.program) == length
    assert {op.key for op in caught.program if isinstance(op, Set | Get)} <= {A, B}
    assert caught.runs <= 200
    assert clock.now() - began < 30


def test_a_fault_in_one_part_of_the_second_is_met_again_there() -> None:
    patient = Patient(trial(CountsFromNextSecond, clock=Pretended(1e-5)))
    program = (Set(A, 1, 0.1), Advance(0.6), Get(A))  # late from 0.9 to 0.5, rightly gone between
    assert patient.run(program).violated
    (start,) = set(patient.starts)
    assert start is not None
    assert all(s.violated for s in patient.run_all([program] * 5, ignores=lambda _: False))


def test_a_fault_in_every_part_of_the_second_is_not_waited_for() -> None:
    clock = Pretended(1e-5)
    patient = Patient(trial(WholeTtl, clock=clock))
    assert patient.run((Set(A, 1, 0.1), Advance(0.05), Get(A))).violated
    slept = clock.slept
    patient.run_all([(Set(A, 1, 0.1), Advance(0.05), Get(A))] * 20, ignores=lambda _: False)
    assert clock.slept - slept == pytest.approx(0.05, abs=0.01)


def seen_once() -> tuple[Hunt, list[Caught]]:
    """A hunt after the look into a fault that did not show again."""

    class Once(ReferenceStore):
        lost = False

        def get(self, key: Any) -> Any:
            if not Once.lost:
                Once.lost = True
                return None
            return super().get(key)

    broken = trial(Once)
    (session,) = run(broken, [waiting(0.1)])
    hunter, found = hunt(broken)
    assert session.violation is not None
    hunter.investigate(session.program, session.violation)
    return hunter, found


def test_a_fault_that_does_not_show_again_is_said_to_be_unsteady() -> None:
    hunter, found = seen_once()
    hunter.finish()
    assert [caught.steady for caught in found] == [False]


def test_a_fault_that_does_not_show_again_is_left_out_beside_one_that_does() -> None:
    hunter, found = seen_once()
    steady = Caught("DEL-1", Violation("DEL-1", "ABSENT", "1"), (Get(A),), 1)
    hunter.caught["DEL-1"] = steady
    hunter.finish()
    assert found == []


def test_a_batch_shrinker_waits_no_longer_than_it_must() -> None:
    needed = {A, C}
    program: Program = (
        *NOISE,
        Set(A, 1),
        *NOISE,
        Advance(0.11),
        Set(B, 1),
        Set(C, [2, {"x": 3}]),
        Get(A),
    )
    batches: list[int] = []

    def fails(candidate: Program) -> Program | None:
        keys = {op.key for op in candidate if isinstance(op, Set)}
        waits = any(isinstance(op, Advance) for op in candidate)
        return candidate if needed <= keys and waits else None

    def all_fail(candidates: Sequence[Program]) -> list[Program | None]:
        batches.append(len(candidates))
        assert max(map(timed.total_wait, candidates)) <= 0.11
        return [fails(candidate) for candidate in candidates]

    shrinker = BatchShrinker(fails, all_fail)
    assert shrinker.shrink(program) == (Set(A, 1), Advance(0.11), Set(C, 1), Get(A))
    assert shrinker.runs == sum(batches) <= 200
    assert len(batches) <= 12


def test_changes_that_do_not_touch_each_other_are_made_together() -> None:
    best = (Set(A, 1), Set(B, 2), Advance(1.0), Get(A))
    without_b, plainer = (best[0], *best[2:]), (*best[:3], Get(B))
    conflicting = (best[0], Set(B, 3), *best[2:])
    assert together(best, [without_b]) == []
    assert together(best, [without_b, conflicting, plainer]) == [(best[0], best[2], Get(B))]


PHASE_RUNS = [(ReferenceStore, FINE), (ExpiresOnSeconds, COARSE)]


@pytest.mark.parametrize(("store", "profile"), PHASE_RUNS)
def test_the_phase_lets_right_stores_pass_and_checks_enough(
    store: type[ReferenceStore], profile: Profile
) -> None:
    clock = Pretended(5e-6)
    right = trial(store, profile, clock)
    hunter, found = hunt(right)
    tally = timed.run(hunter, plan(profile), seed=3, programs=40, granularity=measure(right))
    assert found == []
    assert all(tally.checks[clause] >= 50 for clause in ("TTL-2", "TTL-3", "SET-2", "CAS-6"))


@pytest.mark.parametrize(
    ("store", "profile", "clause"),
    [
        (WholeTtl, FINE, "TTL-2"),
        (EndsEarly, FINE, "TTL-2"),
        (DeadlineRoundedDown, FINE, "TTL-2"),
        (CountsFromNextSecond, FINE, "TTL-3"),
        (KeepsOldDeadline, FINE, "SET-2"),
        (ExpiresOnSeconds, FINE, "TTL-3"),
        (DeadlineRoundedDown, COARSE, "TTL-5"),
    ],
)
def test_the_phase_finds_what_is_broken(
    store: type[ReferenceStore], profile: Profile, clause: str
) -> None:
    broken = trial(store, profile, Pretended(5e-6))
    hunter, found = hunt(broken)
    tally = timed.run(hunter, plan(profile), seed=3, programs=12, granularity=measure(broken))
    assert clause in {caught.clause for caught in found}
    assert all(len(caught.program) <= 5 for caught in found)
    assert tally.programs > 12


def test_the_same_seed_gives_the_same_programs() -> None:
    reference = trial_of(profile=FINE)
    one, two, other = (
        timed.generated(reference, plan(FINE), 0.1, 0.4, seed=seed, programs=10)
        for seed in (1, 1, 2)
    )
    assert one == two != other
    assert 0 < len(one) <= 10
    assert all(0 < timed.total_wait(program) <= 0.4 for program in one)


def test_on_the_clock_of_this_machine() -> None:
    clock = RealClock()
    factory = Factory.of(ReferenceStore, {"profile": FINE, "world": {}})
    factory.clock = time.monotonic
    real = Trial(Subject(factory, FINE, clock))
    start = (time.time() + 0.05) % 1
    program = (Set(A, 1, 0.1), Advance(0.03), Get(A), Advance(0.2), Get(A))
    began = clock.now()
    sessions = run(real, [program] * 30, starts=[start] * 30)
    assert not any(session.violated for session in sessions)
    assert clock.now() - began < 30 * 0.23
    assert sum(session.oracle.checks["TTL-3"] for session in sessions) == 30
