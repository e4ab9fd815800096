"""A sweep in several processes comes to what it comes to in one, and never speaks too soon."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kv_conformance import engine, events
from kv_conformance.clocks import Clock, InjectedClock, RealClock, ServerClock
from kv_conformance.hunt import Caught, Hunt
from kv_conformance.phases import sweep
from kv_conformance.phases.ahead import Ahead, processes_for
from kv_conformance.phases.course import Course
from kv_conformance.phases.jobs import Place, done
from kv_conformance.self_test.catching import plan_of
from kv_conformance.settings import Settings
from kv_conformance.stage import Stage, set_up
from kv_conformance.target import find
from kv_conformance.trial import trial_of
from kv_reference.store import ReferenceStore
from kv_spec.operations import Get, Set

COURSE = Course(0, 120)


SHARED = '''
import json, pathlib
from kv_adapters.memory import MemoryStore

class Store(MemoryStore):
    """All that it holds is in one file, which whoever opens it begins anew."""

    def __init__(self, *, clock):
        super().__init__(clock=clock)
        self.file = pathlib.Path(__file__).with_suffix(".json")
        self.file.write_text("{}")

    def get(self, key):
        return json.loads(self.file.read_text()).get("/".join(key)) and super().get(key)

    def set(self, key, value, *, ttl=None):
        super().set(key, value, ttl=ttl)
        self.file.write_text(json.dumps({"/".join(key): 1}))
'''


class Movable:
    """The time of a server that is never moved."""

    mechanism, why, left, quick = "told", "", 1e9, True

    def move(self, seconds: float) -> None:
        raise AssertionError

    def renew(self) -> None:
        raise AssertionError


class Pool:
    """An executor whose calls are all done at once, or never begun."""

    def __init__(
        self, store: type[ReferenceStore] = ReferenceStore, *, begins: bool = True
    ) -> None:
        self.store, self.begins, self.ended = store, begins, False

    def submit(self, function: Any, *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.begins:
            future.set_result(done(trial_of(self.store), args[0]))
        return future

    def shutdown(self, **_: Any) -> None:
        self.ended = True


def ahead_of(pool: Any, stage: Any = None) -> Ahead:
    """The parts of a course, given to a pool of our own."""
    settings = Settings(store="memory", jobs=1)
    ahead = Ahead(settings)
    ahead.jobs, ahead._pool = 2, pool
    ahead.stage, ahead.place = stage, Place(settings, {}, ".", ".")
    return ahead


def swept(store: type[ReferenceStore] = ReferenceStore, ahead: Ahead | None = None) -> Any:
    """The tally of a sweep, and what it found."""
    found: list[Caught] = []
    trial = trial_of(store)
    hunt = Hunt(trial, trial_of(), found.append, alone=ahead.stop if ahead else lambda: True)
    plan = plan_of(trial)
    if ahead is not None:
        ahead.begin(plan, COURSE)
    tally = sweep.run(hunt, plan, COURSE, ahead=ahead)
    return (tally.programs, tally.operations, tally.checks), [
        (caught.clause, caught.program) for caught in found
    ]


class Forgetful(ReferenceStore):
    """Breaks a clause now and then."""

    def delete(self, key: Any) -> bool:
        return False if key[0] > "b" else super().delete(key)


@pytest.mark.parametrize("store", [ReferenceStore, Forgetful])
@pytest.mark.parametrize("begins", [True, False])
def test_what_was_run_ahead_comes_to_the_same(store: type[ReferenceStore], begins: bool) -> None:
    class Staged:
        trial = trial_of(store)

    assert swept(store, ahead_of(Pool(store, begins=begins), Staged)) == swept(store)


def test_a_fault_is_only_told_if_it_shows_alone() -> None:
    """The others are ended at its first sign; what then does not show was their doing."""

    class Disturbed(ReferenceStore):
        """Another process takes its entries away, for as long as there is one."""

        def get(self, key: Any) -> Any:
            return super().get(key) if pool.ended else None

    pool = Pool()
    found: list[Caught] = []
    hunt = Hunt(trial_of(Disturbed), trial_of(), found.append, alone=ahead_of(pool).stop)
    program = (Set(("a",), 1), Get(("a",)))
    violation = hunt.run(program).violation
    assert violation is not None
    assert hunt.investigate(program, violation) is None
    assert pool.ended
    assert not found
    assert hunt.run(program).violation is None


@pytest.mark.parametrize(
    ("options", "others"),
    [
        ({"jobs": 3}, 2),
        ({"jobs": 1}, 0),
        ({"jobs": 3, "phases": ("machines",)}, 0),
        ({"jobs": 3, "replay": []}, 0),
        ({"jobs": 0, "examples": 5}, 0),
        ({"jobs": 0, "clock": "real"}, 0),
    ],
)
def test_how_many_other_processes_there_are(options: dict[str, Any], others: int) -> None:
    assert processes_for(Settings(store="memory", **options)) == others


@pytest.fixture
def meeting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Whether other processes are let be beside this one on a store."""
    monkeypatch.setattr("kv_conformance.phases.ahead.processes_for", lambda _: 1)
    begun: list[Ahead] = []

    def meet(store: str) -> bool:
        settings = Settings(store=store, jobs=0, clock="injected", folder=str(tmp_path))
        ahead = Ahead(settings)
        begun.append(ahead)
        target = find(store)
        stage: Stage = set_up(target, settings, None, lambda _: None)
        ahead.meet(stage, Place(settings, target.options, str(Path.cwd()), str(Path.cwd())))
        return not ahead.stop()

    yield meet
    for ahead in begun:
        ahead.stop()


def test_stores_that_live_in_their_process_are_swept_side_by_side(meeting: Any) -> None:
    assert meeting("memory")


def test_stores_that_share_data_between_processes_are_not(meeting: Any, tmp_path: Path) -> None:
    store = tmp_path / "one_file.py"
    store.write_text(SHARED)
    assert not meeting(f"{store}:Store")
    assert not meeting(f"sqlite:///{tmp_path / 'data.db'}")


@pytest.mark.parametrize(
    ("store", "clock", "own"),
    [
        ("memory", InjectedClock(), True),
        ("sqlite:///data.db", InjectedClock(), False),
        ("memory", ServerClock(Movable()), True),
        ("memory", RealClock(), False),
    ],
)
def test_a_process_starts_what_the_store_needs_where_it_moves_the_time_itself(
    store: str, clock: Clock, own: bool
) -> None:
    """Two processes that move the clock of one server would be in each other's way."""
    subject = SimpleNamespace(clock=clock, factory=SimpleNamespace(options={"url": "here"}))
    stage: Any = SimpleNamespace(subject=subject)
    place = Place.of(find(store), stage, Settings(store=store), ".")
    assert place.options == (None if own else {"url": "here"})


def test_a_default_run_tells_nothing_of_how_it_was_divided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    for jobs in (1, 2):
        monkeypatch.chdir(tmp_path)
        seen: list[Any] = []
        settings = Settings(
            store="memory", jobs=jobs, examples=12, clock="injected", phases=("vectors", "sweep")
        )
        assert engine.Engine(settings, seen.append, lambda _: None).run() is None
        told.append([
            (event.name, event.programs, event.operations, event.checks)
            for event in seen
            if isinstance(event, events.PhaseEnded)
        ])  # fmt: skip
    assert told[0] == told[1]
