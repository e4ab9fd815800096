"""The oracle on a clock that tells only when a call began and ended.

A deadline is then somewhere in a window. Times are multiples of 1/64 s, exact in a float.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kv_reference.oracle import Oracle
from kv_spec.operations import Cas, Get, Has, List, Operation, Set
from kv_spec.profile import Profile
from kv_spec.store import ABSENT

deterministic = settings(derandomize=True, deadline=None, max_examples=300)

KEY = ("key",)

moments = st.integers(0, 256).map(lambda n: n / 64)
ttls = st.integers(1, 128).map(lambda n: n / 64)


class Bounded(NamedTuple):
    """An entry with a ttl, written by a call that lasted."""

    oracle: Oracle
    written: float
    lo: float
    hi: float


@st.composite
def bounded(draw: st.DrawFn, by: str = "set or cas") -> Bounded:
    """An oracle that saw one write with a ttl; certainly live before lo, certainly gone at hi."""
    resolution, slack, began, lasted = (draw(moments) / 8 for _ in range(4))
    ttl = draw(ttls)
    oracle = Oracle(Profile(ttl_resolution=resolution), slack=slack)
    ended = began + lasted
    if by == "set" or draw(st.booleans()):
        assert oracle.judge(Set(KEY, "v", ttl), None, began, ended) is None
    else:
        assert oracle.judge(Cas(KEY, ABSENT, "v", ttl), True, began, ended) is None
    return Bounded(oracle, ended, began + ttl - slack, ended + ttl + slack + resolution)


@st.composite
def doubted(draw: st.DrawFn) -> tuple[Oracle, float]:
    """An oracle that saw one write with a ttl, and a moment in the window of doubt."""
    entry = draw(bounded())
    first, span = max(entry.lo, entry.written), entry.hi - max(entry.lo, entry.written)
    assume(span > 0)
    return entry.oracle, first + span * draw(st.sampled_from([0.0, 0.25, 0.5, 0.875]))


class Read(NamedTuple):
    """A read that saw the key live or gone, with its interval."""

    operation: Operation
    live: bool
    began: float
    ended: float

    @property
    def outcome(self) -> Any:
        if isinstance(self.operation, Get):
            return "v" if self.live else ABSENT
        if isinstance(self.operation, List):
            return [(KEY, "v")] if self.live else []
        return self.live


seeing: st.SearchStrategy[Operation] = st.sampled_from([Get(KEY), Has(KEY), List(), List(KEY)])
# Where List(KEY) drops the entry of KEY, LIST-3 is to blame as much as the clock.
clocked: st.SearchStrategy[Operation] = st.sampled_from([Get(KEY), Has(KEY), List()])


@st.composite
def reads(draw: st.DrawFn, start: float, most: int = 6) -> list[Read]:
    """Reads one after the other, from `start` on."""
    found, now = [], start
    for _ in range(draw(st.integers(1, most))):
        began = now + draw(moments) / 8
        now = began + draw(st.sampled_from([0.0, 1 / 64, 0.25, 1.0]))
        found.append(Read(draw(seeing), draw(st.booleans()), began, now))
    return found


def explained(entry: Bounded, seen: list[Read]) -> bool:
    """Whether one deadline in the window explains what was seen.

    A live answer needs an instant of its call before the deadline, a miss one at or after it.
    """
    after = max((read.began for read in seen if read.live), default=float("-inf"))
    until = min((read.ended for read in seen if not read.live), default=float("inf"))
    # Some deadline D with lo <= D <= hi and after < D <= until.
    return entry.lo <= until and after < min(until, entry.hi)


@deterministic
@given(st.data())
def test_permitted_is_exactly_what_one_deadline_in_the_window_explains(data: st.DataObject) -> None:
    entry = data.draw(bounded())
    seen: list[Read] = []
    for read in data.draw(reads(entry.written)):
        seen.append(read)
        violation = entry.oracle.judge(read.operation, read.outcome, read.began, read.ended)
        assert (violation is None) == explained(entry, seen)
        if violation is not None:
            assert violation.clause in entry.oracle.at_stake
            return


@deterministic
@given(doubted(), seeing, st.booleans())
def test_in_the_window_both_answers_are_permitted(
    doubt: tuple[Oracle, float], operation: Operation, live: bool
) -> None:
    oracle, moment = doubt
    read = Read(operation, live, moment, moment)
    assert oracle.judge(operation, read.outcome, moment, moment) is None
    assert not {"GET-2", "TTL-2", "TTL-3", "HAS-1"} & set(oracle.at_stake)


@deterministic
@given(doubted(), seeing, clocked, st.booleans())
def test_what_was_seen_in_the_window_is_held_there_by_ttl_4(
    doubt: tuple[Oracle, float], first: Operation, second: Operation, live: bool
) -> None:
    oracle, moment = doubt
    seen = Read(first, live, moment, moment)
    contrary = Read(second, not live, moment, moment)
    assert oracle.judge(first, seen.outcome, moment, moment) is None
    violation = oracle.judge(second, contrary.outcome, moment, moment)
    assert violation is not None
    assert violation.clause == "TTL-4"
    assert "TTL-4" in oracle.at_stake


@deterministic
@given(doubted(), st.sampled_from([Cas(KEY, ABSENT, "w"), Cas(KEY, "v", "w")]), clocked)
def test_a_failed_cas_in_the_window_is_a_read(
    doubt: tuple[Oracle, float], cas: Cas, second: Operation
) -> None:
    oracle, moment = doubt
    assert oracle.judge(cas, False, moment, moment) is None
    live = cas.expected is ABSENT
    contrary = Read(second, not live, moment, moment)
    violation = oracle.judge(second, contrary.outcome, moment, moment)
    assert violation is not None
    assert violation.clause in ("TTL-4", "CAS-2")
    assert violation.clause in oracle.at_stake


@deterministic
@given(st.data(), seeing, st.booleans())
def test_a_read_that_reaches_into_the_window_may_see_either(
    data: st.DataObject, operation: Operation, live: bool
) -> None:
    entry = data.draw(bounded().filter(lambda entry: entry.written < entry.lo))
    read = Read(operation, live, entry.written, entry.lo)
    assert entry.oracle.judge(operation, read.outcome, entry.written, entry.lo) is None
    if live:
        return
    back = entry.oracle.judge(Get(KEY), "v", entry.lo, entry.lo)
    assert back is not None, "an entry seen gone came back"
    assert entry.lo == entry.hi or back.clause == "TTL-4"


@deterministic
@given(doubted(), seeing, seeing, st.booleans())
def test_past_the_window_the_clock_decides_whatever_was_seen_in_it(
    doubt: tuple[Oracle, float], first: Operation, second: Operation, live: bool
) -> None:
    oracle, moment = doubt
    assert oracle.judge(first, Read(first, live, moment, moment).outcome, moment, moment) is None
    violation = oracle.judge(second, Read(second, True, 1e3, 1e3).outcome, 1e3, 1e3)
    assert violation is not None
    assert violation.clause in ("TTL-3", "TTL-5", "CAS-6")
    assert "TTL-4" not in oracle.at_stake
