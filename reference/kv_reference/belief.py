"""What the oracle believes of one key, and how it came to be so."""

from __future__ import annotations

import math
from typing import Any, Final

from kv_spec.values import equal

from kv_reference.semantics import Live, State, is_same, views

GOT: Final = 1
ASKED: Final = 2
CAS_FAILED: Final = 4
REFUSED: Final = 8
DOUBTED: Final = 16
"""An answer inside the window of doubt was adopted: from there all reads must agree (TTL-4)."""
CAS_NOTHING: Final = 32
"""cas(key, ABSENT, ABSENT) answered True (CAS-5)."""
RETAKEN: Final = 64
"""A lock that expired was taken again (CAS-11)."""
HANDED_OUT: Final = 128
"""An object that came out was changed by the caller (VAL-3)."""


class Cell:
    """One key of one data space.

    `states` are the states that the specification still permits, nearly always one. `cause`
    tells why: "never", "set", "cas", "increment", or for a key that is gone "delete", "null",
    "zero", "negative", "cas-delete". `written`, `confirmed` are numbers of operations.
    With the flag DOUBTED the clock alone tells from `doubt_ends` on that the entry is gone.
    """

    __slots__ = (
        "before",
        "cause",
        "clause",
        "confirmed",
        "doubt_ends",
        "flags",
        "fresh",
        "handle",
        "key",
        "kin",
        "old",
        "pending",
        "stakes",
        "states",
        "unknown",
        "writes",
        "written",
        "wrote_at",
    )

    def __init__(self, key: Any) -> None:
        self.key = key
        self.states: tuple[State, ...] = (None,)
        self.pending: tuple[State, ...] = ()
        self.cause = "never"
        self.clause = "GET-1"
        self.before: Live | None = None
        self.old: list[Any] = []
        self.written = self.confirmed = self.handle = -1
        self.writes = 0
        self.wrote_at = self.doubt_ends = -math.inf
        self.flags = self.fresh = 0
        self.unknown = False
        self.stakes: tuple[str, ...] = ()
        self.kin: list[tuple[Cell, str]] = []

    @property
    def since(self) -> int:
        """The number of the operation from which on nothing of this key was confirmed."""
        return max(self.written, self.confirmed)

    @property
    def latest(self) -> Live | None:
        """The entry last written, if it was one, expired or not."""
        return next((state for state in self.states if state is not None), None)

    def past(self) -> list[Any]:
        """The values that this key has had, the last one included."""
        latest = self.latest
        return self.old if latest is None else [*self.old, latest.value]

    def views(self, began: float, ended: float) -> tuple[State, ...]:
        """How a call may find this key."""
        if len(self.states) == 1 and not self.pending:
            return views(self.states[0], began, ended)
        found: list[State] = []
        for state in self.states + self.pending:
            for view in views(state, began, ended):
                if not any(is_same(view, known) for known in found):
                    found.append(view)
        return tuple(found)

    def write(self, state: State, cause: str, clause: str, number: int, began: float) -> None:
        """Records a write that went through: what it left, why, and when it began."""
        self.before = next((old for old in self.states if old is not None), None)
        if self.before is not None:
            self.remember(self.before.value)
        self.states = (state,)
        self.cause, self.clause = cause, clause
        self.written, self.confirmed, self.wrote_at = number, -1, began
        self.flags = self.fresh = 0
        self.unknown = False
        if state is not None:
            self.writes += 1

    def remember(self, value: Any) -> None:
        """Keeps a value that this key had before, to tell an old value from a foreign one."""
        if not any(equal(value, known) for known in self.old):
            self.old.append(value)

    def confirm(self, states: tuple[State, ...], number: int) -> None:
        """Records that a read agreed with `states`."""
        self.states = states
        self.confirmed = number
        self.fresh = 0

    def mark(self, flag: int) -> None:
        """Notes an operation on this key that must not have changed it."""
        self.flags |= flag
        self.fresh |= flag

    def adopt(self, state: State, number: int, began: float) -> None:
        """Takes over what the store did against the specification, so that the run can go on."""
        if state is not None:
            # How long it lives is unknown now: every later answer about it is permitted.
            state = Live(state.value, -math.inf, math.inf)
        self.write(state, "adopted", "", number, began)

    def forget(self) -> None:
        """Gives this key up until it is written again: nothing is known of it."""
        self.unknown = True
