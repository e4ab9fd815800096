"""What the oracle believes of one key, and how it came to be so."""

from __future__ import annotations

import math
from typing import Any, Final

from kv_spec.values import equal

from kv_reference.clause_sets import ClauseSet
from kv_reference.rulings import Domain
from kv_reference.semantics import Live, State, is_same, live_of, views

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
FLAGS: Final = 256
"""So many combinations of the flags there are."""


class Cell:
    """One key of one data space.

    `states` are the states that the specification still permits, nearly always one, and `latest`
    is the entry last written, if it was one, expired or not: `believe` changes both. `earlier`
    are the values before that. `cause`
    tells why: "never", "set", "cas", "increment", or for a key that is gone "delete", "null",
    "zero", "negative", "cas-delete". `written`, `confirmed` are numbers of operations,
    and `since` is the greater one: from there on nothing of this key was confirmed.
    `is_member`: the key names a member of a host language's objects (KEY-5). `domain` and
    `key_clause` are the ruling on the key, and `stakes` what its last write promised.
    With the flag DOUBTED the clock alone tells from `doubt_ends` on that the entry is gone.
    """

    __slots__ = (
        "before",
        "cause",
        "clause",
        "confirmed",
        "domain",
        "doubt_ends",
        "earlier",
        "flags",
        "fresh",
        "handle",
        "is_member",
        "key",
        "key_clause",
        "kin",
        "latest",
        "pending",
        "since",
        "stakes",
        "states",
        "unknown",
        "writes",
        "written",
        "wrote_at",
    )

    def __init__(self, key: Any, domain: Domain, key_clause: str) -> None:
        self.key, self.domain, self.key_clause = key, domain, key_clause
        self.states: tuple[State, ...] = (None,)
        self.latest: Live | None = None
        self.pending: tuple[State, ...] = ()
        self.cause = "never"
        self.clause = "GET-1"
        self.before: Live | None = None
        self.earlier: list[Any] = []
        self.written = self.confirmed = self.since = self.handle = -1
        self.writes = 0
        self.wrote_at = self.doubt_ends = -math.inf
        self.flags = self.fresh = 0
        self.unknown = self.is_member = False
        self.stakes: ClauseSet = 0
        self.kin: list[tuple[Cell, str]] = []

    @property
    def old(self) -> list[Any]:
        """The values that this key had before, each once: to tell an old one from a foreign one."""
        found: list[Any] = []
        for value in self.earlier:
            if not any(equal(value, known) for known in found):
                found.append(value)
        return found

    def past(self) -> list[Any]:
        """The values that this key has had, the last one included."""
        latest = self.latest
        return self.old if latest is None else [*self.old, latest.value]

    def views(self, began: float, ended: float) -> tuple[State, ...]:
        """How a call may find this key."""
        states = self.states
        if len(states) == 1 and not self.pending:
            state = states[0]
            if state is None or ended < state.lo:
                return states  # as it was: there is nothing to learn
            return views(state, began, ended)
        found: list[State] = []
        for state in states + self.pending:
            for view in views(state, began, ended):
                if not any(is_same(view, known) for known in found):
                    found.append(view)
        return tuple(found)

    def write(self, state: State, cause: str, clause: str, number: int, began: float) -> None:
        """Records a write that went through: what it left, why, and when it began."""
        self.before = self.latest
        if self.before is not None:
            self.earlier.append(self.before.value)
        self.states, self.latest = (state,), state
        self.cause, self.clause = cause, clause
        self.written = self.since = number
        self.confirmed, self.wrote_at = -1, began
        self.flags = self.fresh = 0
        self.unknown = False
        if state is not None:
            self.writes += 1

    def believe(self, states: tuple[State, ...]) -> None:
        """Goes on with `states` as the possible ones."""
        if states is not self.states:
            self.states, self.latest = states, live_of(states)

    def confirm(self, number: int) -> None:
        """Records that a read agreed with what is believed."""
        self.confirmed = self.since = number
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
