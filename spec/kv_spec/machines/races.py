"""Rules on races: every place of a switch is tried, each on a key of its own (CAS-8 to CAS-10)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from kv_spec import generate as gen
from kv_spec import switches
from kv_spec.machines.base import Machine, Plan
from kv_spec.machines.drawing import precondition, rule
from kv_spec.operations import Advance, Cas, Get, Has, Increment, Operation, Race, Set
from kv_spec.outcomes import Raced
from kv_spec.store import ABSENT

Operations: TypeAlias = "tuple[Operation, ...]"
EXPIRED: Final = "purge"
"""The kinds of race that begin with an expired entry."""
Kind: TypeAlias = "Callable[[Any], tuple[Operations, Operations]]"
"""From a key to what comes before the race, and to its branches."""


def _swap(key: Any) -> tuple[Operations, Operations]:
    """Of several that swap the same value one wins (CAS-8, CAS-9)."""
    return (Set(key, 0),), (Cas(key, 0, 1), Cas(key, 0, 2))


def _create(key: Any) -> tuple[Operations, Operations]:
    """Of several that create a key one wins (CAS-8, CAS-9)."""
    return (), (Cas(key, ABSENT, 1), Cas(key, ABSENT, 2))


def _delete(key: Any) -> tuple[Operations, Operations]:
    """Of several that swap the same value for ABSENT one wins (CAS-8, CAS-9)."""
    return (Set(key, 0),), (Cas(key, 0, ABSENT), Cas(key, 0, ABSENT))


def _count(key: Any) -> tuple[Operations, Operations]:
    """Counting by swaps loses nothing (CAS-10)."""
    return (Set(key, 0),), (Increment(key), Increment(key))


def _purge(read: type[Get] | type[Has], lives: float, key: Any) -> tuple[Operations, Operations]:
    """Who drops an expired entry does not drop the one written since (TTL-10)."""
    return (Set(key, "expired", lives),), (read(key), Set(key, "new"))


_SWAPS: Final[dict[str, tuple[str, Kind]]] = {
    "swap": ("cas-swap", _swap),
    "create": ("cas-create", _create),
    "count": ("cas-swap", _count),
    "delete": ("cas-delete", _delete),
}


def kinds(plan: Plan) -> dict[str, Kind]:
    """The kinds of race that suit what a store offers."""
    found = {name: kind for name, (part, kind) in _SWAPS.items() if part in plan.offers}
    if {"swap", "delete"} <= found.keys():
        del found["delete"]  # a swap for nothing takes the way of any other swap
    if "ttl" in plan.offers:
        lives = plan.pools.ttls[0]
        found[f"{EXPIRED} by get"] = partial(_purge, Get, lives)
        # Where waiting is real one wait has to do.
        if "has" in plan.offers and plan.time:
            found[f"{EXPIRED} by has"] = partial(_purge, Has, lives)
    return found


def late(plan: Plan) -> float:
    """Seconds after which an entry of the shortest ttl is gone."""
    return plan.pools.ttls[0] + plan.profile.ttl_resolution + gen.TICK


def _apart(number: int) -> str:
    """A text for a number that no store is likely to take for that of another.

    With digits, 12 and 21 are one to a store that mixes up the letters of a key: a fault of keys,
    which would be sought among all these races.
    """
    return f"{chr(ord('a') + number // 26)}{chr(ord('A') + number % 26)}"


class Races(Machine):
    """Of many that write at once each does what it would do alone, in some order."""

    @precondition(lambda self: self.plan.races and self.races < 1 and bool(kinds(self.plan)))
    @rule(costly=True)
    def race(self) -> None:
        """Every kind of race has its turn, each at every place where its first branch can wait.

        They are a program of their own, so that what another rule shows need not be sought among
        hundreds of races.
        """
        self.races += 1
        possible = kinds(self.plan)
        chosen = self.session.next_race(tuple(possible))
        if chosen is None:
            return
        self.start_anew()
        self.try_everywhere(possible[chosen], chosen)
        self.start_anew()

    def try_everywhere(self, kind: Kind, name: str) -> None:
        """Runs a race once for each place, each on a key of its own."""
        # Not by `self.do`: how many places there are is the store's doing, and what was done at
        # them must not decide which rules can be drawn later.
        session, places = self.session, switches.places()
        texts = [f"{name} {_apart(number)}" for number in range(switches.MOST + 1)]
        keys: list[Any] = texts if self.plan.profile.flat else [("race", text) for text in texts]
        expired = name.startswith(EXPIRED)
        if expired:  # one wait for all
            for key in keys:
                session.do(kind(key)[0][0])
            session.do(Advance(late(self.plan)))
        place = next(places)
        for key in keys:
            before, branches = kind(key)
            for operation in () if expired else before:
                session.do(operation)
            raced = session.do(Race(branches, place))
            session.do(Get(key))
            if session.over or not isinstance(raced, Raced):
                return
            try:
                place = places.send(raced.steps)
            except StopIteration:
                return
