"""Everything that a run needs of one store: opened, looked at, with a clock, ready to be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from kv_spec.json_form import from_json
from kv_spec.machines import Plan
from kv_spec.perform import Surface
from kv_spec.profile import Profile, ProfileError, parse

from kv_conformance import events
from kv_conformance.clocks.choose import choose
from kv_conformance.clocks.virtual import InjectedClock, PatchedClock
from kv_conformance.hunt import Hunt
from kv_conformance.phases.tally import OnProgress, Tally
from kv_conformance.settings import Settings, UsageError
from kv_conformance.snippet import Opening
from kv_conformance.subject.factory import Factory, Opened
from kv_conformance.subject.offer import Offer, OfferError, declared_profile, look
from kv_conformance.subject.world import Subject
from kv_conformance.target import Target
from kv_conformance.trial import Trial

Phase = Callable[[Hunt, OnProgress], Tally]

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

    @property
    def profile(self) -> Profile:
        """The profile by which the store is judged."""
        return self.offer.profile

    def phases(self, settings: Settings) -> Iterator[tuple[str, Phase]]:
        """The phases asked for, in their order, each ready to be run."""
        from kv_conformance.phases import machines, programs

        if settings.replay is not None:
            program = from_json(settings.replay)
            yield "replay", lambda hunt, on: programs.run(hunt, [program], on)
            return
        if "vectors" in settings.phases:
            from kv_conformance.phases import vectors

            examples = [
                program
                for _, program in vectors.programs(
                    self.profile, self.offer.capabilities, self.plan.time, 1.0
                )
            ]
            yield "vectors", lambda hunt, on: programs.run(hunt, examples, on)
        if "machines" in settings.phases:
            yield (
                "machines",
                lambda hunt, on: machines.run(
                    hunt, self.plan, seed=settings.seed, examples=settings.examples, progress=on
                ),
            )


def set_up(
    target: Target,
    settings: Settings,
    patched: PatchedClock | None,
    emit: Callable[[events.Event], None],
) -> Stage:
    """Opens the store, looks at it and chooses a clock; raises UsageError and ClockError."""
    factory = Factory.of(target.make, {**target.options, **settings.options})
    if factory.takes_clock and settings.clock in ("auto", "injected"):
        factory.clock = InjectedClock()  # the first look needs one; `choose` puts its own
    opened = _open(factory, target)
    offer = _look(opened, factory, settings)
    _empty(opened, offer.profile)
    _speaks_keys(opened, offer.profile, settings)
    opened.close()
    ttl = "ttl" in offer.capabilities
    choice = choose(settings.clock, factory, offer.profile, ttl=ttl, patched=patched)
    subject = Subject(factory, offer.profile, choice.clock)
    subject.shared = factory.takes_space
    excused = _excuses(subject, offer)
    plan = Plan(
        offer.profile,
        offer.capabilities,
        offer.not_offered,
        races=_concurrent(offer) and not excused,
        time=choice.clock.exact,
    )
    kind = choice.clock.kind
    short = next((word for word in ("injected", "patched") if word in kind), "real")
    opening = Opening(
        target.imports, target.name, {**target.options, **settings.options},
        factory.takes_space, short, factory.bridge is not None,
    )  # fmt: skip
    _announce(target, opened, offer, excused, factory, emit)
    emit(events.ClockChosen(kind, choice.why, choice.clock.exact))
    return Stage(subject, offer, opening, Trial(subject), plan, excused)


def _open(factory: Factory, target: Target) -> Opened:
    try:
        return factory.open("kvc-first-look")
    except (Exception, SystemExit) as error:
        given = ", ".join(f"{name}={value!r}" for name, value in factory.options.items())
        raise UsageError(
            f"{target.text}: calling {target.name}({given}) raised "
            f"{type(error).__name__}: {error}\n"
            "The factory must return a new, empty store; --option NAME=VALUE passes it an argument."
        ) from error


def _look(opened: Opened, factory: Factory, settings: Settings) -> Offer:
    try:
        profile = declared_profile(opened.original)
        if settings.profile:
            profile = parse(settings.profile, profile)
        return look(opened.original, profile, factory.takes_space)
    except (OfferError, ProfileError) as error:
        raise UsageError(f"{settings.store}: {error}") from error


def _empty(opened: Opened, profile: Profile) -> None:
    """Never harm data: a store that holds entries is not written to."""
    if not callable(getattr(opened.original, "list", None)):
        return
    try:
        first = next(iter(opened.store.list("" if profile.flat else ())), None)
    except Exception:
        return  # a listing that fails is for the phases to judge
    if first is not None:
        raise UsageError(
            "the store is not empty at the start, and was not written to. Give it an empty "
            "database, a factory with a parameter named space (a new name must be empty), or "
            "--option to point it elsewhere."
        )


def _speaks_keys(opened: Opened, profile: Profile, settings: Settings) -> None:
    """Finds out early that a store wants the other kind of key."""

    def works(key: Any) -> bool:
        surface = Surface(opened.store, profile)
        try:
            opened.store.set(key, 1)
            answer = surface.answer(opened.store.get(key))
            opened.store.delete(key)
        except Exception:
            return False
        return bool(answer == 1)

    keys: tuple[Any, Any] = (("kvc-first",), "kvc-first")
    own, other = (keys[1], keys[0]) if profile.flat else keys
    if not works(own) and works(other):
        now, instead = ("flat", "path") if profile.flat else ("path", "flat")
        words = "plain strings" if instead == "flat" else "tuples of strings"
        raise UsageError(
            f"the store fails with keys of the model {now!r} and works with {words}. Try:\n"
            f"    kv-conformance --store {settings.store} --profile key_model={instead}"
        )


def _concurrent(offer: Offer) -> bool:
    declared = offer.profile.concurrent
    return "cas-swap" in offer.capabilities if declared is None else declared


def _excuses(subject: Subject, offer: Offer) -> dict[str, str]:
    """Clauses that can not be tested on this store, with the reason."""
    if not _concurrent(offer) or subject.shared or subject.factory.bridge is not None:
        return {}
    from concurrent.futures import ThreadPoolExecutor

    world = subject.world()
    key: Any = "kvc-thread" if offer.profile.flat else ("kvc-thread",)
    with ThreadPoolExecutor(1) as pool:
        failed = pool.submit(lambda: world.surface.store.get(key)).exception() is not None
    world.close()
    return dict.fromkeys(_RACED, _BOUND) if failed else {}


def _announce(
    target: Target,
    opened: Opened,
    offer: Offer,
    excused: dict[str, str],
    factory: Factory,
    emit: Callable[[events.Event], None],
) -> None:
    for note in offer.notes:
        emit(events.Note(note))
    describe = getattr(type(opened.original), "describe", None)
    version = getattr(opened.original, "version", None)
    emit(
        events.StoreOpened(
            name=type(opened.original).__name__,
            version=version if isinstance(version, str) else _described(opened, describe),
            profile=offer.profile.name,
            declared=offer.profile.differences(),
            capabilities=tuple(sorted(offer.capabilities)),
            not_offered=offer.not_offered,
            is_async=factory.bridge is not None,
            missing=dict(offer.missing),
            excused=excused,
        )
    )


def _described(opened: Opened, describe: Any) -> str | None:
    if not callable(describe):
        return None
    try:
        return str(opened.store.describe())[:200]
    except Exception:
        return None
