"""Everything that a run needs of one store: opened, looked at, with a clock, ready to be tried."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kv_reference.verdicts import Violation
from kv_spec.generate import pools
from kv_spec.machines import Plan
from kv_spec.operations import Get, Program
from kv_spec.outcomes import Raised
from kv_spec.profile import BASE, CAS_PARTS, Profile

from kv_conformance import events, first_look
from kv_conformance.canary import HOSTILE
from kv_conformance.clocks.base import Clock
from kv_conformance.clocks.choose import choose
from kv_conformance.clocks.granularity import Granularity, measure
from kv_conformance.clocks.patched import PatchedClock
from kv_conformance.clocks.real import RealClock
from kv_conformance.clocks.virtual import InjectedClock
from kv_conformance.settings import Settings, UsageError
from kv_conformance.snippet import Opening
from kv_conformance.subject.factory import Factory
from kv_conformance.subject.offer import Offer
from kv_conformance.subject.world import Subject
from kv_conformance.target import Target
from kv_conformance.trial import Trial
from kv_conformance.watch import Watch

_RACED: Final = ("CAS-8", "CAS-9", "CAS-10", "TTL-10")
_BOUND: Final = (
    "a handle of this store refuses another thread: give the factory a parameter space, or "
    "declare concurrent=no"
)


@dataclass(slots=True)
class Stage:
    """A store ready to be tried."""

    subject: Subject
    offer: Offer
    opening: Opening
    trial: Trial
    plan: Plan
    excused: dict[str, str] = field(default_factory=dict)
    granularity: Granularity | None = None
    """How the store was seen to expire, where that is waited for in real time."""
    leak: tuple[Program, Violation] | None = None
    """How the first look saw a write in one space from another (OPEN-1)."""

    @property
    def profile(self) -> Profile:
        """The profile by which the store is judged."""
        return self.offer.profile

    @property
    def reference_profile(self) -> Profile:
        """The profile of the reference that must pass where this store fails.

        It refuses what the store does not offer, since it would do it otherwise (ERR-2).
        """
        refused = self.profile.without.union(self.offer.not_offered)
        return self.profile.replace(absent="none", without=refused)


def set_up(
    target: Target,
    settings: Settings,
    patched: PatchedClock | None,
    emit: Callable[[events.Event], None],
    watch: Watch | None = None,
) -> Stage:
    """Opens the store, looks at it and chooses a clock; `watch` limits what the store may take.

    Raises UsageError, ClockError, and Unreachable for a store that does not answer.
    """
    subject, options = _subject(target, settings, watch)
    factory = subject.factory
    with factory.watched("looking at the store"):
        world = first_look.open_first(subject, target)
        (original,) = world.handles
        offer = first_look.offer_of(original, factory, settings)
        first_look.check_empty(world, offer.profile)
        first_look.reopen(subject, world, offer)
        first = subject.world()
        first_look.check_keys(first, offer.profile, settings)
        leak = first_look.shared_state(first, offer.profile)
        factory.kept = len({id(handle) for handle in first.handles}) < len(first.handles)
        first.close()
        ttl = "ttl" in offer.capabilities
        choice = choose(
            settings.clock, factory, offer.profile,
            ttl=ttl, patched=patched, server=target.time, unmoved=target.unmoved,
        )  # fmt: skip
        subject.clock = choice.clock
        if ttl:
            first_look.check_units(subject, settings)
    if leak is not None:
        offer = first_look.set_apart(subject, offer)
    excused = _excuses(subject, offer)
    kind = choice.clock.kind
    short = next((word for word in ("injected", "patched", "server") if word in kind), "real")
    opening = Opening(
        target.imports, target.name, dict(settings.options) if short == "server" else options,
        factory.takes_space, short,
        factory.bridge is not None,
    )  # fmt: skip
    plan = Plan(
        offer.profile,
        offer.capabilities,
        offer.not_offered,
        races=_concurrent(offer) and not excused,
        time=choice.clock.jumps,
    )
    _announce(target, original, offer, excused, factory, emit)
    trial = Trial(subject)
    granularity = None
    if ttl and not choice.clock.jumps:
        granularity = measure(trial)
    late = None if granularity is None or math.isinf(granularity.late) else granularity.late
    unit = 1.0 if granularity is None else granularity.unit
    hostile = HOSTILE if settings.hostile_keys else ()
    own = None if granularity is None else unit
    plan = replace(plan, pools=pools(offer.profile, ttl_unit=own, hostile=hostile))
    emit(events.ClockChosen(kind, choice.why, choice.clock.exact, late, unit))
    return Stage(subject, offer, opening, trial, plan, excused, granularity, leak)


def _subject(
    target: Target, settings: Settings, watch: Watch | None
) -> tuple[Subject, dict[str, Any]]:
    """The store as the harness reaches it, before anything is known of it; and its options."""
    options = {**target.options, **settings.options}
    factory = Factory.of(target.make, options)
    for name, passed in (("space", factory.takes_space), ("clock", factory.takes_clock)):
        if passed and name in options:
            raise UsageError(f"--option {name}=…: the run passes {name} itself; leave it out")
    clock: Clock = RealClock()
    if factory.takes_clock and settings.clock in ("auto", "injected"):
        clock = factory.clock = InjectedClock()  # until `choose` puts its own
    subject = Subject(factory, BASE, clock)
    if watch is not None:
        factory.watched, subject.box = watch.during, watch.box
        watch.subject = subject
    return subject, options


def _concurrent(offer: Offer) -> bool:
    declared = offer.profile.concurrent
    return not CAS_PARTS.isdisjoint(offer.capabilities) if declared is None else declared


def _excuses(subject: Subject, offer: Offer) -> dict[str, str]:
    """Clauses that can not be tested on this store, with the reason."""
    if not _concurrent(offer) or subject.shared or subject.factory.bridge is not None:
        return {}
    from concurrent.futures import ThreadPoolExecutor

    world = subject.world()
    key: Any = "kvc-thread" if offer.profile.flat else ("kvc-thread",)
    with subject.factory.watched("get in another thread"), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(lambda: world.surface.perform(Get(key))).result()
    world.close()
    bound = isinstance(answer, Raised) and not answer.indefinite
    return dict.fromkeys(_RACED, _BOUND) if bound else {}


def _announce(
    target: Target,
    original: Any,
    offer: Offer,
    excused: dict[str, str],
    factory: Factory,
    emit: Callable[[events.Event], None],
) -> None:
    for note in offer.notes:
        emit(events.Note(note))
    emit(
        events.StoreOpened(
            name=type(original).__name__,
            version=first_look.version_of(original, factory),
            profile=offer.profile.name,
            declared=offer.profile.differences(),
            capabilities=tuple(sorted(offer.capabilities)),
            not_offered=offer.not_offered,
            is_async=factory.bridge is not None,
            missing=dict(offer.missing),
            excused=excused,
        )
    )
