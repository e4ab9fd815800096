"""What a key-value store means, once: which outcomes a state permits.

`ReferenceStore` executes these rules, the oracle judges by them; neither repeats the other.
The rules speak of one key: its state is `Live` or None (no live entry).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from kv_spec.operations import Cas, Operation, Set
from kv_spec.profile import Profile
from kv_spec.store import ABSENT
from kv_spec.values import Outside, equal

from kv_reference.rulings import Effect, Ruling, rule_write


@dataclass(frozen=True, slots=True)
class Live:
    """A live entry: certainly live before `lo`, certainly gone from `hi` on (harness seconds)."""

    value: Any
    lo: float = math.inf
    hi: float = math.inf


State: TypeAlias = "Live | None"

_REMOVED: Final = {"NULL-2": "null", "TTL-6": "zero", "TTL-7": "negative"}
_OF_DELETE: Final = Ruling(Effect.REMOVE, "DEL-1")
_OF_CAS_TO_ABSENT: Final = Ruling(Effect.REMOVE, "CAS-4")
_MOST_RULINGS: Final = 16_384
_TOLD_APART: Final = frozenset({str, int})
"""The types whose equal values are the same in every respect: 0.0 and -0.0 are not."""


class Rules:
    """The specification of one key under a profile, with time as an interval.

    `slack` in seconds widens every deadline to both sides, for what the harness's clock and
    the store's may differ by. A state carries its deadline widened, resolution included.
    """

    def __init__(self, profile: Profile, slack: float = 0.0) -> None:
        self.profile = profile
        self.slack = slack
        self._late = profile.ttl_resolution + slack
        self._rulings: dict[tuple[type, Any, Any], tuple[Any, Ruling]] = {}

    def stored(self, ruling: Ruling, began: float, ended: float) -> Live:
        """The entry that a write leaves which lasted from `began` to `ended`."""
        if ruling.lifetime == math.inf:
            return _unending(ruling)
        lifetime = ruling.lifetime
        return Live(ruling.value, began + lifetime - self.slack, ended + lifetime + self._late)

    def after_write(self, ruling: Ruling, state: State, began: float, ended: float) -> State:
        """The state after a write that went through."""
        if ruling.effect is Effect.REMOVE:
            return None
        if ruling.effect is Effect.REFUSE:
            return state
        return self.stored(ruling, began, ended)

    def compares(self, expected: Any, state: State) -> bool | None:
        """Whether `expected` matches a state taken as it stands (CAS-1, CAS-3, CAS-7).

        None: the dialect leaves it open (`cas_equality=encoded` and another text).
        """
        if expected is ABSENT or (expected is None and self.profile.null != "value"):
            return state is None  # where null is no value, a caller's None says ABSENT
        if state is None:
            return False
        wanted = expected.make() if isinstance(expected, Outside) else expected
        if not equal(wanted, state.value):
            return False
        if self.profile.cas_equality == "encoded" and _text(wanted) != _text(state.value):
            return None
        return True

    def ruling(self, operation: Operation) -> Ruling:
        """The ruling on what an operation writes."""
        if isinstance(operation, Cas):
            if operation.new is ABSENT:
                return _OF_CAS_TO_ABSENT
            return self.of_write(operation.new, operation.ttl)
        if isinstance(operation, Set):
            return self.of_write(operation.value, operation.ttl)
        return _OF_DELETE

    def of_write(self, value: Any, ttl: Any) -> Ruling:
        """The ruling on a write of a program, kept by the value: nobody changes a program.

        What cannot be told apart but by looking all through it is known by its identity, which
        serves as well, since programs share their values.
        """
        kind = type(value)
        about = kind, value if kind in _TOLD_APART else id(value), ttl
        known = self._rulings.get(about)
        if known is None:
            if len(self._rulings) >= _MOST_RULINGS:
                self._rulings.clear()
            known = value, rule_write(self.profile, value, ttl)  # a value kept keeps its identity
            self._rulings[about] = known
        return known[1]


@lru_cache(maxsize=256)
def rules_of(profile: Profile, slack: float) -> Rules:
    """The rules under a profile, the same ones each time."""
    return Rules(profile, slack)


@lru_cache(maxsize=_MOST_RULINGS)
def _unending(ruling: Ruling) -> Live:
    return Live(ruling.value)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=False, default=repr)


def is_same(one: State, other: State) -> bool:
    """Whether two states are one: by typed equality, since `==` takes True for 1."""
    if one is None or other is None:
        return one is other
    return one.lo == other.lo and one.hi == other.hi and equal(one.value, other.value)


def live_of(states: Iterable[State]) -> Live | None:
    """The first live entry of `states`; None where all are gone."""
    for state in states:
        if state is not None:
            return state
    return None


def is_gone(states: tuple[State, ...]) -> bool:
    """Whether there is no entry for certain."""
    return len(states) == 1 and states[0] is None


def seen_live(state: Live, began: float) -> Live:
    """What is known of an entry after a read that began at `began` saw it live (TTL-4)."""
    if began < state.lo:
        return state
    return Live(state.value, math.nextafter(began, math.inf), state.hi)


def views(state: State, began: float, ended: float) -> tuple[State, ...]:
    """How a call from `began` to `ended` may find a state: live, gone, or both (TTL-2, TTL-3)."""
    if state is None or began >= state.hi:
        return (None,)
    if ended >= state.lo:
        return (seen_live(state, began), None)
    return (state,)


def removal_cause(ruling: Ruling) -> str:
    """Why a key is gone after a write that removes: "null", "zero", "negative" or "delete"."""
    return _REMOVED.get(ruling.clause, "delete")
