"""How much of a server's time is tested in a second of real time, by server and mechanism.

    python conformance/benchmarks/server_clocks.py [name of a store ...]

For each installed store whose server can be started here: programs that write with a ttl, read
before the deadline and read after it. On the server's own clock the ttls are a second, a minute and
an hour; on real time, side by side and as a plain test would, asleep until the deadline is past,
they are as short as is safe. Beside it how long it takes from the call that moves the time until a
client sees the expiry.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kv_conformance import real_time
from kv_conformance.clocks import RealClock, ServerClock
from kv_conformance.phases import side_by_side
from kv_conformance.phases.timed import MOST_AT_ONCE, total_wait
from kv_conformance.servers import programs as servers
from kv_conformance.subject.factory import Factory
from kv_conformance.subject.world import Subject
from kv_conformance.target import find, started
from kv_conformance.trial import Trial
from kv_spec.generate import unit
from kv_spec.operations import Advance, Get, Program, Set
from kv_spec.profile import Profile

PROGRAMS = 300
SIDE_BY_SIDE = 600
"""Some rounds of as many as are under way at once: the first second is spent to spread them."""
ASLEEP = 3
JUMPS = 200
TESTED = ("TTL-2", "TTL-3")


@dataclass(frozen=True, slots=True)
class Figures:
    """For each second of real time: seconds of store time, programs, and tests of a TTL clause."""

    store_time: float
    programs: float
    checks: float


def program(profile: Profile, ttl: float) -> Program:
    """Writes, reads well before the deadline, and after it; `ttl` is in seconds."""
    late = profile.ttl_resolution
    k: Any = "k" if profile.flat else ("k",)
    return (Set(k, 1, ttl), Advance(0.5 * ttl), Get(k), Advance(0.5 * ttl + late + 0.05), Get(k))


def profile_of(run: Any) -> Profile:
    """What the store declares."""
    profile: Profile = run.make.profile
    return profile


def trial(run: Any, clock: Any) -> Trial:
    """The store on this clock."""
    factory = Factory.of(run.make, run.options)
    return Trial(Subject(factory, profile_of(run), clock))


def figures(sessions: Sequence[Any], seconds: float) -> Figures:
    """What sessions come to that took so many seconds of real time."""
    broken = [session.violation for session in sessions if session.violated]
    if broken:
        raise SystemExit(f"a wrong verdict: {broken[0]}")
    waited = sum(total_wait(session.program) for session in sessions)
    checks = sum(session.oracle.checks[clause] for session in sessions for clause in TESTED)
    return Figures(waited / seconds, len(sessions) / seconds, checks / seconds)


def one_by_one(on: Trial, programs: Sequence[Program]) -> Figures:
    """Programs one after the other."""
    began = real_time.perf_counter()
    sessions = [on.run(one) for one in programs]
    return figures(sessions, real_time.perf_counter() - began)


def shared(on: Trial, programs: Sequence[Program]) -> Figures:
    """Programs side by side."""
    began = real_time.perf_counter()
    sessions = side_by_side.run(on, programs, at_once=MOST_AT_ONCE)
    return figures(sessions, real_time.perf_counter() - began)


def to_expiry(run: Any) -> float:
    """Median seconds from the call that moves the time until a read that sees the expiry."""
    factory = Factory.of(run.make, run.options)
    opened = factory.open("kvc-benchmark")
    store, profile = opened.store, profile_of(run)
    k: Any = "k" if profile.flat else ("k",)
    took = []
    for number in range(JUMPS):
        ttl = unit(profile) * (1 + number % 5)
        store.set(k, number, ttl=ttl)
        began = real_time.perf_counter()
        run.time.move(ttl + profile.ttl_resolution + 0.05)
        while store.get(k) is not None:
            pass
        took.append(real_time.perf_counter() - began)
    opened.close()
    return statistics.median(took)


def measure(name: str) -> None:
    """Measures one store, and prints its rows."""
    with started(find(name)) as (run, _):
        profile = profile_of(run)
        short = max(0.5, 4 * profile.ttl_resolution, profile.ttl_min)
        most = [program(profile, unit(profile) * 60 ** (n % 3)) for n in range(PROGRAMS)]
        brief = [program(profile, short)] * SIDE_BY_SIDE
        rows = [
            ("real time, shared", shared(trial(run, RealClock()), brief)),
            ("asleep", one_by_one(trial(run, RealClock()), brief[:ASLEEP])),
        ]
        if run.time is None:
            print(f"{name:<10} its clock is not moved: {run.unmoved or 'it has none of its own'}")
        else:
            on_server = one_by_one(trial(run, ServerClock(run.time)), most)
            rows.insert(0, (f"its clock ({run.time.mechanism})", on_server))
        for how, found in rows:
            speed = f"{found.store_time:>10,.1f} s of store time a second"
            rates = f"{found.programs:>7,.1f} programs, {found.checks:>7,.1f} checks a second"
            print(f"{name:<10} {how:<18} {speed} {rates}")
        if run.time is not None:
            print(f"{name:<10} advance to expiry  {1000 * to_expiry(run):>10.3f} ms (median)")


def main() -> None:
    """Measures the stores that are named, or all that start a server."""
    asked = sys.argv[1:] or [name for name, found in servers() if found and found[0] == "/"]
    for name in asked:
        measure(name)


if __name__ == "__main__":
    main()
