"""How much of a store's time is tested in a second of real time: waits shared, and one by one.

    python conformance/benchmarks/shared_waits.py [programs at once]

The store is the reference on the clock of this machine, so that what is measured is the harness.
"""

from __future__ import annotations

import sys
import time

from kv_conformance import real_time
from kv_conformance.clocks import RealClock
from kv_conformance.phases import side_by_side
from kv_conformance.phases.timed import MOST_AT_ONCE, total_wait
from kv_conformance.subject.factory import Factory
from kv_conformance.subject.world import Subject
from kv_conformance.trial import Trial
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore
from kv_spec.operations import Advance, Get, Has, Program, Set

PROGRAMS = 1_000
"""Some rounds of as many as are under way at once: the first second is spent to spread them."""
ONE_BY_ONE = 8


def program(number: int) -> Program:
    """Writes, reads before the deadline, overwrites, and reads after it."""
    ttl = 0.1 + 0.01 * (number % 5)
    k, other = ("k",), ("other",)
    return (
        *(Set(k, 1, ttl), Set(other, 2), Advance(ttl / 2), Get(k), Has(k), Set(other, 3, ttl)),
        *(Advance(ttl / 2 + 0.02), Get(k), Has(k), Get(other), Advance(ttl), Get(other)),
    )


def trial() -> Trial:
    """The reference on real time."""
    profile = REFERENCE_PROFILE.replace(ttl_resolution=0.005)
    factory = Factory.of(ReferenceStore, {"profile": profile, "world": {}})
    factory.clock = time.monotonic
    return Trial(Subject(factory, profile, RealClock()))


def measured(programs: list[Program], at_once: int) -> tuple[float, int]:
    """Seconds of store time for each second of real time, and how often TTL clauses were tested."""
    began = real_time.perf_counter()
    sessions = side_by_side.run(trial(), programs, at_once=at_once)
    seconds = real_time.perf_counter() - began
    assert not any(session.violated for session in sessions)
    checks = sum(session.oracle.checks[clause] for session in sessions for clause in TESTED)
    return sum(map(total_wait, programs)) / seconds, checks


TESTED = ("TTL-2", "TTL-3")


def main() -> None:
    """Measures both in one run, and prints the ratio."""
    at_once = int(sys.argv[1]) if len(sys.argv) > 1 else MOST_AT_ONCE
    programs = [program(number) for number in range(PROGRAMS)]
    shared, checks = measured(programs, at_once)
    began = real_time.perf_counter()
    sessions = [trial().run(one) for one in programs[:ONE_BY_ONE]]
    alone = sum(map(total_wait, programs[:ONE_BY_ONE])) / (real_time.perf_counter() - began)
    assert not any(session.violated for session in sessions)
    most = sum(session.oracle.checks[clause] for session in sessions for clause in TESTED)
    print(f"side by side, {at_once} at once: {shared:6.1f} s of store time a second")
    print(f"one after the other:     {alone:6.2f} s of store time a second")
    print(f"ratio:                   {shared / alone:6.1f}")
    print(
        f"TTL-2 and TTL-3 tested:  {checks / PROGRAMS / most * ONE_BY_ONE:.0%} as often a program"
    )


if __name__ == "__main__":
    main()
