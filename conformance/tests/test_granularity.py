"""How finely a store expires, measured on a clock that a test moves."""

from __future__ import annotations

import math
from typing import Any

import pytest
from kv_conformance.clocks.granularity import KEYS, PATIENCE, measure, ttl_unit
from kv_conformance.subject.factory import Factory
from kv_conformance.subject.world import Subject
from kv_conformance.trial import REAL_SLACK, Trial
from kv_reference.rulings import Ruling
from kv_reference.store import REFERENCE_PROFILE, Record, ReferenceStore
from kv_spec.profile import Profile


class Pretended:
    """A clock that says it is real, and sleeps at no cost. Each look at it takes `cost` seconds."""

    kind = "real (pretended)"
    exact = False
    jumps = False
    moving = 0
    longest = math.inf

    def restart(self) -> None:
        pass

    def __init__(self, cost: float = 1e-5) -> None:
        self.time, self.cost = 1000.3, cost

    def now(self) -> float:
        self.time += self.cost
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


def trial(store: type[ReferenceStore], cost: float = 1e-5, **declared: Any) -> Trial:
    profile = REFERENCE_PROFILE.replace(**declared)
    clock = Pretended(cost)
    factory = Factory.of(store, {"profile": profile, "world": {}})
    factory.clock = lambda: clock.time
    return Trial(Subject(factory, profile, clock))


class OnSeconds(ReferenceStore):
    """Expires on full seconds only."""

    def expired(self, record: Record) -> bool:
        return math.floor(self.clock()) >= record.deadline


class Early(ReferenceStore):
    """Ends every entry 0.03 s before its time."""

    def deadline(self, ruling: Ruling) -> float:
        return super().deadline(ruling) - 0.03


class Never(ReferenceStore):
    """Expires nothing."""

    def expired(self, record: Record) -> bool:
        return False


class Refuses(ReferenceStore):
    """Takes no entry with a ttl."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        raise ValueError("no ttl")


def test_a_fine_store_is_measured_fine() -> None:
    found = measure(trial(ReferenceStore, ttl_resolution=0.005))
    assert 0 <= found.late < 0.01
    assert found.early == 0
    assert found.unit == 0.1
    assert found.call == pytest.approx(1e-5)


def test_a_coarse_store_is_seen_to_be_coarse() -> None:
    found = measure(trial(OnSeconds, ttl_resolution=1.0))
    assert 0.8 < found.late <= 1.01  # at one of the fractions of a second it is nearly all of it
    assert (found.early, found.unit) == (0, 1.0)


def test_an_early_end_is_seen() -> None:
    found = measure(trial(Early, ttl_resolution=0.001))
    assert found.early == pytest.approx(0.03, abs=0.003)
    assert found.late == 0


@pytest.mark.parametrize("store", [Never, Refuses])
def test_a_store_that_never_expires_is_waited_for_in_bounds(store: type[ReferenceStore]) -> None:
    subject = trial(store, ttl_resolution=0.005)
    began = subject.subject.clock.now()
    found = measure(subject)
    assert found.late == math.inf
    assert subject.subject.clock.now() - began < 1 + found.unit + 0.005 + PATIENCE + 0.5


def test_the_world_is_closed_and_flat_keys_are_spoken() -> None:
    handles: list[ReferenceStore] = []

    class Kept(ReferenceStore):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            handles.append(self)

    measure(trial(Kept, ttl_resolution=0.005, key_model="flat"))
    (handle,) = handles
    assert handle.closed
    assert len(handle.records) == KEYS


@pytest.mark.parametrize(
    ("declared", "unit"),
    [
        ({"ttl_resolution": 0.005}, 0.1),
        ({"ttl_resolution": 0.0}, 0.125),
        ({"ttl_resolution": 4.0}, 4.0),
        ({"ttl_resolution": 0.001, "ttl_min": 60.0}, 60.0),
        ({"ttl_resolution": 0.12}, 0.2),
    ],
)
def test_the_unit_is_as_short_as_is_allowed(declared: dict[str, float], unit: float) -> None:
    subject = trial(ReferenceStore, **declared)
    assert ttl_unit(subject) == unit
    assert unit >= Profile(**declared).shortest_ttl  # type: ignore[arg-type]
    assert unit >= 20 * REAL_SLACK - 1e-9


def test_a_slow_store_is_given_longer_ttls() -> None:
    found = measure(trial(ReferenceStore, cost=0.05, ttl_resolution=0.005))
    assert found.unit == pytest.approx(10 * found.call, abs=0.1)
