"""Programs on a subject: a fresh session for each, judged from the first operation on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from kv_reference.oracle import Oracle
from kv_reference.store import ReferenceStore
from kv_reference.verdicts import Violation
from kv_spec.operations import Operation
from kv_spec.profile import Profile

from kv_conformance.clocks.base import Clock
from kv_conformance.clocks.virtual import InjectedClock
from kv_conformance.session import Session, run_program
from kv_conformance.subject.factory import Factory
from kv_conformance.subject.world import Subject

VIRTUAL_SLACK: Final = 1e-5
"""Seconds of rounding in a store that computes with floats, which tell the time to 4 µs in the
last centuries before `END_OF_TIME`; 0 where it declares r = 0."""
REAL_SLACK: Final = 0.005
"""Seconds by which two clocks of one machine may be read apart."""


Ignores = Callable[[Violation], bool]


def _nothing(_: Violation) -> bool:
    return False


def slack_of(clock: Clock, profile: Profile) -> float:
    """How far apart the harness's clock and the store's may be, in seconds."""
    if not clock.exact:
        return REAL_SLACK
    return VIRTUAL_SLACK if profile.ttl_resolution else 0.0


class Trial:
    """A subject, and how its programs are judged."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.profile = subject.profile
        self.slack = slack_of(subject.clock, subject.profile)

    def open(self, *, ignores: Ignores = _nothing, minimal: bool = False) -> Session:
        """A session on a fresh world."""
        oracle = Oracle(self.profile, slack=self.slack, minimal=minimal)
        return Session(self.subject.world(), oracle, self.subject.clock, ignores)

    def run(
        self,
        program: Sequence[Operation],
        *,
        ignores: Ignores = _nothing,
        minimal: bool = False,
    ) -> Session:
        """Runs a program up to its first violation that is not ignored."""
        return run_program(program, lambda: self.open(ignores=ignores, minimal=minimal))


def trial_of(store: type[ReferenceStore] = ReferenceStore, profile: Profile | None = None) -> Trial:
    """A trial of the reference (or a mutant of it) on a virtual clock."""
    clock = InjectedClock()
    chosen = store.profile if profile is None else profile
    factory = Factory.of(store, {"profile": chosen, "world": {}})
    factory.clock = clock
    return Trial(Subject(factory, chosen, clock))
