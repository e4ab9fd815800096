"""What a run finds out about a store before the first phase.

Each question is asked once, here, and a wrong answer that would break forty clauses in the same
way ends the run with the one thing to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from kv_reference.verdicts import Violation, show
from kv_spec.dialects import parse
from kv_spec.operations import Advance, Delete, Get, Open, Operation, Program, Set
from kv_spec.outcomes import Outcome, Raised, raised
from kv_spec.profile import Profile, ProfileError
from kv_spec.values import equal

from kv_conformance.settings import Settings, UsageError
from kv_conformance.subject.factory import Factory
from kv_conformance.subject.offer import Offer, OfferError, declared_profile, look
from kv_conformance.subject.salted import HIDDEN, salt_bytes
from kv_conformance.subject.silence import Unreachable
from kv_conformance.subject.world import Subject, World
from kv_conformance.target import Target

_MARK: Final = "kvc-first"
_LONG: Final = 10_000.0
"""A ttl in seconds that reads as ten seconds where milliseconds are taken."""
_SHORT: Final = 60.0
"""The same on a real clock: sixty milliseconds."""
_UNITS: Final = (("milliseconds", 0.001, "ttl * 1000"), ("minutes", 60.0, "ttl / 60"))
"""Units that stores take for seconds: their length in seconds, and how to convert to them."""


def open_first(subject: Subject, target: Target) -> World:
    """A world with the first handle; raises UsageError with what the factory raised."""
    try:
        return subject.world()
    except Unreachable:
        raise
    except BaseException as error:
        given = ", ".join(f"{name}={value!r}" for name, value in subject.factory.options.items())
        raise UsageError(
            f"{target.text}: calling {target.name}({given}) raised {raised(error)}\n"
            "The factory must return a new, empty store; --option NAME=VALUE passes it an argument."
        ) from error


def offer_of(store: Any, factory: Factory, settings: Settings) -> Offer:
    """What the store offers under the profile asked for; raises UsageError."""
    try:
        profile, notes = declared_profile(store)
        if settings.profile:
            profile = parse(settings.profile, profile)
        return look(store, profile, factory.takes_space, notes)
    except (OfferError, ProfileError) as error:
        raise UsageError(f"{settings.store}: {error}") from error


def check_empty(world: World, profile: Profile) -> None:
    """Never harm data: a store that holds entries is not written to. Raises UsageError."""
    store = world.surface.store
    for listing in _listings(store, profile):
        try:
            with world.subject.factory.watched("the listing that shows whether the store is empty"):
                steps = iter(listing())
                found = next(steps, None)
                getattr(steps, "close", lambda: None)()
        except Exception as error:
            world.subject.silence.note(raised(error))
            continue
        except BaseException:
            continue
        if found is None:  # by this way: a wrong kind of prefix may well be the prefix of nothing
            continue
        raise UsageError(
            "the store is not empty at the start, and was not written to. Give it an empty "
            "database, a factory with a parameter named space (a new name must be empty), or "
            "--option to point it elsewhere."
        )


def _listings(store: Any, profile: Profile) -> Iterator[Callable[[], Any]]:
    """Ways to see an entry; one that fails is for the phases to judge."""
    whole = "" if profile.flat else ()
    if callable(_member(store, "list")):
        for prefix in (whole, whole, whole, "", ()):  # what is not answered is asked again
            yield lambda prefix=prefix: store.list(prefix)  # type: ignore[misc]
        yield store.list
    for name in ("entries", "keys", "values"):
        method = _member(store, name)
        if callable(method):
            yield method


def _member(store: Any, name: str) -> Any:
    try:
        return getattr(store, name, None)
    except BaseException:
        return None


def check_keys(world: World, profile: Profile, settings: Settings) -> None:
    """Finds out early that a store wants the other kind of key; raises UsageError."""

    def works(key: Any) -> bool:
        answer: Outcome = definite(world, Set(key, 1))
        if not isinstance(answer, Raised):
            answer = definite(world, Get(key))
        definite(world, Delete(key))
        return equal(answer, 1)

    own, other = (_MARK, (_MARK,)) if profile.flat else ((_MARK,), _MARK)
    if not works(own) and works(other):
        instead = "path" if profile.flat else "flat"
        raise UsageError(
            f"the store fails with keys of the model {profile.key_model!r} and works with "
            f"{'tuples of strings' if profile.flat else 'plain strings'}. Try:\n"
            f"    kv-conformance --store {settings.store} --profile key_model={instead}"
        )


def definite(world: World, operation: Operation) -> Outcome:
    """Performs an operation until it is answered; raises Unreachable where it never is."""
    while True:
        outcome = world.perform(operation)
        if not (isinstance(outcome, Raised) and outcome.indefinite):
            return outcome


def shared_state(world: World, profile: Profile) -> tuple[Program, Violation] | None:
    """How a write in one space is seen in another (OPEN-1); None where it is not."""
    key: Any = _MARK if profile.flat else (_MARK,)
    value = "written in the space a"
    program: Program = (Set(key, value), Open("b"), Get(key))
    for _ in range(2):  # a store that answers at random is seldom wrong twice in one way
        definite(world, Open("a"))
        outcomes = [definite(world, operation) for operation in program]
        definite(world, Delete(key))
        if not equal(outcomes[-1], value):
            definite(world, Open("a"))
            definite(world, Delete(key))
            return None
    return program, Violation("OPEN-1", "ABSENT", show(outcomes[-1]))


def check_units(subject: Subject, settings: Settings) -> None:
    """Finds out early that a store takes its ttl for other than seconds; raises UsageError."""
    for unit, seconds, conversion in _UNITS:
        ttl = _LONG if subject.clock.jumps else max(_SHORT, subject.profile.ttl_min)
        if _lives_by(subject, ttl, seconds):
            raise UsageError(
                f"{settings.store}: an entry set with ttl={ttl:g} was gone after "
                f"{ttl * seconds:,g} s: the store takes its ttl in {unit}, and the contract in "
                "seconds. Wrap its set (and its cas), for instance:\n"
                "    def set(self, key, value, *, ttl=None):\n"
                f"        super().set(key, value, ttl=None if ttl is None else {conversion})"
            )


def _lives_by(subject: Subject, ttl: float, unit: float) -> bool:
    """True if an entry lives as if its ttl had been given in units of so many seconds."""
    resolution = subject.profile.ttl_resolution
    real = not subject.clock.jumps
    if real and (unit > 1 or resolution > ttl * unit):
        return False  # a wait that is too long, or entries that go when they like
    key: Any = _MARK if subject.profile.flat else (_MARK,)
    world = subject.world()
    try:
        world.perform(Set(key, 1, ttl))
        early = 0.0 if real else 0.9 * ttl * unit
        world.perform(Advance(early))
        if not equal(world.perform(Get(key)), 1):
            return False
        world.perform(Advance(1.1 * ttl * unit + resolution - early))
        answer = world.perform(Get(key))
        return not isinstance(answer, Raised) and not equal(answer, 1)
    finally:
        world.perform(Delete(key))
        world.close()


def version_of(store: Any, factory: Factory) -> str | None:
    """What the store says of its version, or of itself; None where it says nothing."""
    with suppress(BaseException), factory.watched("describe"):
        version = getattr(store, "version", None)
        if isinstance(version, str):
            return version[:200]
        if callable(getattr(type(store), "describe", None)):
            return str(store.describe())[:200]
    return None


def reopen(subject: Subject, world: World, offer: Offer) -> None:
    """Goes on with the profile known, and without closing what would be met again closed."""
    subject.profile = offer.profile
    subject.shared = subject.factory.takes_space and "shared" in offer.capabilities
    again = subject.world()
    subject.factory.kept = again.handles[0] is world.handles[0]
    world.close()
    again.close()


def set_apart(subject: Subject, offer: Offer) -> Offer:
    """Stores that see each other's entries (OPEN-1): every program keeps to keys of its own."""
    subject.salted = True
    longest = offer.profile.max_key_bytes
    if longest is not None:
        longest = max(1, longest - salt_bytes(flat=offer.profile.flat))
    left_out = HIDDEN & offer.capabilities
    if subject.factory.kept:
        left_out |= {"close"} & offer.capabilities
    profile = offer.profile.replace(max_key_bytes=longest)
    subject.profile = profile
    note = (
        "the factory gives stores that see each other's entries (OPEN-1): from here on every "
        "program keeps to keys of its own"
    )
    if left_out:
        note += f", and {', '.join(sorted(left_out))} are left out"
    return replace(
        offer,
        profile=profile,
        capabilities=offer.capabilities - left_out,
        notes=(*offer.notes, note),
    )
