"""Which clauses a read puts to the test: those that it could have shown broken.

A wrong answer is blamed on one of these and on no other, so every violation is also a check.
"""

from __future__ import annotations

import math
from typing import Final

from kv_reference.belief import (
    ASKED,
    CAS_FAILED,
    CAS_NOTHING,
    DOUBTED,
    FLAGS,
    GOT,
    HANDED_OUT,
    REFUSED,
    Cell,
)
from kv_reference.clause_sets import BITS, ClauseSet, set_of
from kv_reference.journal import Journal
from kv_reference.semantics import Live, State, live_of

WITHOUT_VALUE: Final = ~set_of(
    *"GET-1 GET-2 GET-4 SET-1 VAL-1 VAL-2 VAL-3 VAL-5 VAL-6 VAL-7 VAL-8 NULL-4 SET-5 CAS-10".split()
)
"""What is left to a read that does not return the value (has, cas)."""
_GONE: Final = {
    "never": set_of("GET-1"),
    "delete": set_of("DEL-1", "GET-5"),
    "null": set_of("NULL-2", "GET-5"),
    "cas-null": set_of("NULL-4", "GET-5"),
    "zero": set_of("TTL-6", "GET-5"),
    "negative": set_of("TTL-7", "GET-5"),
    "cas-delete": set_of("CAS-4", "GET-5"),
}


def _by_flags(clauses: dict[int, str]) -> tuple[ClauseSet, ...]:
    """For every combination of flags the clauses that they put at stake."""
    return tuple(
        set_of(*(clause for flag, clause in clauses.items() if flags & flag))
        for flags in range(FLAGS)
    )


_LIVE: Final = _by_flags(
    {HANDED_OUT: "VAL-3", CAS_FAILED: "CAS-2", REFUSED: "SET-6", DOUBTED: "TTL-4"}
)
_REMOVED: Final = _by_flags(
    {GOT: "GET-3", ASKED: "HAS-2", CAS_NOTHING: "CAS-5", CAS_FAILED: "CAS-2", REFUSED: "ERR-1"}
)
"""Earlier reads, swaps and refusals must not have brought a key into being."""
_REFUSED: Final = tuple(set_of("SET-6") if flags & REFUSED else 0 for flags in range(FLAGS))
_CAS_1, _CAS_1_AND_6 = set_of("CAS-1"), set_of("CAS-1", "CAS-6")
_CAS_6, _CAS_10, _SET_2 = set_of("CAS-6"), set_of("CAS-10"), set_of("SET-2")
_TTL_1, _TTL_4, _TTL_9 = set_of("TTL-1"), set_of("TTL-4"), set_of("TTL-9")
_TTL_11, _TTL_13, _SET_3 = set_of("TTL-11"), set_of("TTL-13"), set_of("SET-3")
_ERR_1, _KEY_1, _EXPIRED = set_of("ERR-1"), set_of("KEY-1"), set_of("GET-5", "TTL-3")


def of_read(journal: Journal, cell: Cell, views: tuple[State, ...], began: float) -> ClauseSet:
    """The clauses at stake in a read that may find `views`; none where all is permitted."""
    if cell.unknown or cell.cause == "adopted":
        return 0
    live = views[0] if len(views) == 1 else live_of(views)
    if live is not None:
        if len(views) > 1 and None in views:
            return 0
        return _of_live(journal, cell, live, began)
    if cell.flags & DOUBTED and began < cell.doubt_ends:
        return _TTL_4
    found, since = of_gone(journal, cell, began), cell.since
    if journal.sets.number > since and journal.sets.other_than(cell) > since:
        found |= _KEY_1
    for other, clause in cell.kin:
        if other.latest is not None or other.written > since:
            found |= BITS[clause]
    return found


def _of_live(journal: Journal, cell: Cell, live: Live, began: float) -> ClauseSet:
    """At stake in a read of a live key."""
    since, before, cause = cell.since, cell.before, cell.cause
    found = cell.stakes | _LIVE[cell.flags] | journal.since(cell, since)
    if live.hi == math.inf and began > cell.wrote_at:
        found |= _TTL_1
    if before is not None and before.hi != math.inf and began >= before.lo:
        found |= _CAS_6 if cause == "cas" else _SET_2  # what it replaced would be gone by now
    if cause == "cas":
        found |= _CAS_1 if live.hi == math.inf else _CAS_1_AND_6
    elif cause == "increment":
        found |= _CAS_10
    elif cause == "race":
        found |= BITS[cell.clause]
    for other, clause in cell.kin:
        if other.written > since:
            found |= BITS[clause]
    return found


def of_entries(journal: Journal, cells: list[Cell], began: float) -> ClauseSet:
    """At stake in a listing that must show these: what reads of them put to the test together.

    But for what only an answer about the one key, or its value, could show.
    """
    found, known = 0, [cell for cell in cells if cell.cause != "adopted"]
    for cell in known:
        found |= cell.stakes | _LIVE[cell.flags]
        if began > cell.wrote_at and cell.latest is not None and cell.latest.hi == math.inf:
            found |= _TTL_1
    return found | journal.since_any(known)


def of_gone(journal: Journal, cell: Cell, began: float) -> ClauseSet:
    """At stake in what must not show a key that is gone, other keys aside."""
    if cell.cause == "adopted":
        return 0
    if cell.flags & DOUBTED and began < cell.doubt_ends:
        return _TTL_4  # gone since a read said so: no other clause excludes the entry yet
    found = _of_removed(cell) if cell.latest is None else _of_expired(journal, cell)
    return found | _ERR_1 if journal.refusals.other_than(cell) > cell.since >= 0 else found


def _of_removed(cell: Cell) -> ClauseSet:
    """At stake in a read of a key that was removed, or never written."""
    found = _GONE.get(cell.cause, 0) | _REMOVED[cell.flags]
    return found | cell.stakes if cell.cause == "never" else found


def _of_expired(journal: Journal, cell: Cell) -> ClauseSet:
    """At stake in a read of a key past its deadline."""
    written = cell.written
    found = _EXPIRED | cell.stakes & _TTL_9 | _REMOVED[cell.flags] | _REFUSED[cell.flags]
    if cell.clause in ("TTL-5", "TTL-12"):
        found |= BITS[cell.clause]
    if cell.cause == "cas":
        found |= _CAS_6
    elif cell.before is not None:
        found |= _SET_2
    if journal.expiries.other_than(cell) > written:
        found |= _TTL_13
    if journal.sets.other_than(cell) > written:
        found |= _SET_3
    if journal.pruned > written:
        found |= _TTL_11
    return found
