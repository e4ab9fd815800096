"""What a key-value store means, once: which outcomes a state permits.

`ReferenceStore` executes these rules, the oracle judges by them; neither repeats the other.
The rules speak of one key: its state is `Live` or None (no live entry).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
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


class Rules:
    """The specification of one key under a profile, with time as an interval.

    `slack` in seconds widens every deadline to both sides, for what the harness's clock and
    the store's may differ by. A state carries its deadline widened, resolution included.
    """

    def __init__(self, profile: Profile, slack: float = 0.0) -> None:
        self.profile = profile
        self.slack = slack

    def stored(self, ruling: Ruling, began: float, ended: float) -> Live:
        """The entry that a write leaves which lasted from `began` to `ended`."""
        if ruling.lifetime == math.inf:
            return Live(ruling.value)
        late = self.profile.ttl_resolution + self.slack
        return Live(
            ruling.value, began + ruling.lifetime - self.slack, ended + ruling.lifetime + late
        )

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
        if isinstance(operation, Set):
            return rule_write(self.profile, operation.value, operation.ttl)
        if isinstance(operation, Cas):
            if operation.new is ABSENT:
                return Ruling(Effect.REMOVE, "CAS-4")
            return rule_write(self.profile, operation.new, operation.ttl)
        return Ruling(Effect.REMOVE, "DEL-1")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=False, default=repr)


def is_same(one: State, other: State) -> bool:
    """Whether two states are one: by typed equality, since `==` takes True for 1."""
    if one is None or other is None:
        return one is other
    return one.lo == other.lo and one.hi == other.hi and equal(one.value, other.value)


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
