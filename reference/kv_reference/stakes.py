"""Which clauses a read puts to the test: those that it could have shown broken.

A wrong answer is blamed on one of these and on no other, so every violation is also a check.
What they are follows from a few facts, the same again and again: each function with a memory names
the facts, and `of_read` finds them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, TypeAlias

from kv_reference.belief import (
    ASKED,
    CAS_FAILED,
    CAS_NOTHING,
    DOUBTED,
    GOT,
    HANDED_OUT,
    REFUSED,
    Cell,
)
from kv_reference.journal import Journal, Past
from kv_reference.semantics import State, live_of

Clauses: TypeAlias = tuple[str, ...]

_MOST: Final = 65_536
_GONE: Final = {
    "never": ("GET-1",),
    "delete": ("DEL-1", "GET-5"),
    "null": ("NULL-2", "GET-5"),
    "cas-null": ("NULL-4", "GET-5"),
    "zero": ("TTL-6", "GET-5"),
    "negative": ("TTL-7", "GET-5"),
    "cas-delete": ("CAS-4", "GET-5"),
}
READ_ONLY: Final = frozenset(
    ("GET-2 GET-4 SET-1 VAL-1 VAL-2 VAL-3 VAL-5 VAL-6 VAL-7 VAL-8 NULL-4 SET-5 CAS-10").split()
)
"""Clauses about the value: only a read that returns it puts them to the test."""


def of_read(journal: Journal, cell: Cell, views: tuple[State, ...], began: float) -> Clauses:
    """The clauses at stake in a read that may find `views`; none where all is permitted."""
    if cell.unknown or cell.cause == "adopted":
        return ()
    live = views[0] if len(views) == 1 else live_of(views)
    if live is not None and len(views) > 1 and None in views:
        return ()
    if live is None and cell.flags & DOUBTED and began < cell.doubt_ends:
        return ("TTL-4",)  # gone since a read said so: no other clause excludes the entry yet
    key, before, since = cell.key, cell.before, cell.since
    if live is not None:
        return _if_live(
            cell.stakes,
            cell.cause,
            cell.clause,
            cell.flags,
            live.hi != math.inf,
            began > cell.wrote_at,
            before is not None and before.hi != math.inf and began >= before.lo,
            journal.since(key, since),
            tuple([clause for other, clause in cell.kin if other.written > since]),
        )
    sets, refused = journal.sets.other_than(key), journal.refusals.other_than(key) > since >= 0
    kin = [c for other, c in cell.kin if other.latest is not None or other.written > since]
    if cell.latest is None:
        return _if_removed(cell.stakes, cell.cause, cell.flags, refused, sets > since, tuple(kin))
    written = cell.written
    return _if_expired(
        cell.stakes,
        cell.cause,
        cell.clause,
        cell.flags,
        before is not None,
        journal.expiries.other_than(key) > written,
        sets > written,
        journal.pruned > written,
        refused,
        sets > since,
        tuple(kin),
    )


@lru_cache(maxsize=_MOST)
def _if_live(
    promised: Clauses,
    cause: str,
    clause: str,
    flags: int,
    bounded: bool,
    passed: bool,
    outlives: bool,
    past: Past,
    kin: Clauses,
) -> Clauses:
    """At stake in a read of a live key.

    `bounded`: it will expire. `passed`: it was written earlier. `outlives`: what it replaced would
    be gone by now. `past`, `kin`: what befell other keys since the last confirmation.
    """
    found = list(promised)
    if flags & HANDED_OUT:
        found.append("VAL-3")
    if passed and not bounded:
        found.append("TTL-1")
    if outlives:
        found.append("CAS-6" if cause == "cas" else "SET-2")
    if cause == "cas":
        found += ("CAS-1", "CAS-6") if bounded else ("CAS-1",)
    elif cause in ("increment", "race"):
        found.append("CAS-10" if cause == "increment" else clause)
    if flags & CAS_FAILED:
        found.append("CAS-2")
    if flags & REFUSED:
        found.append("SET-6")
    found += _of_others(past)
    found += kin
    if flags & DOUBTED:
        found.append("TTL-4")
    return unique(found)


def _of_others(past: Past) -> Iterator[str]:
    """Clauses by which what happened to other keys must have left a live one alone."""
    sets, deletes, expiries, refusals, got, asked, iterated, abandoned, pruned = past
    if refusals:
        yield "ERR-1"
    if sets:
        yield from ("SET-3", "KEY-1")
    if deletes:
        yield "DEL-3"
    if expiries:
        yield "TTL-13"
    if got:
        yield "GET-3"
    if asked:
        yield "HAS-2"
    if iterated:
        yield "ITER-4"
    if abandoned:
        yield "LIST-10"
    if pruned:
        yield "TTL-11"


@lru_cache(maxsize=_MOST)
def _if_removed(
    promised: Clauses, cause: str, flags: int, refused: bool, sets: bool, kin: Clauses
) -> Clauses:
    """At stake in a read of a key that was removed, or never written.

    `refused`, `sets`: a write of another key was refused, or not, since the last confirmation.
    """
    found = list(_GONE.get(cause, ()))
    if cause == "never":
        found += promised
    found += _of_asking(flags)
    if flags & CAS_NOTHING:
        found.append("CAS-5")
    if flags & CAS_FAILED:
        found.append("CAS-2")
    if refused or flags & REFUSED:
        found.append("ERR-1")
    if sets:
        found.append("KEY-1")
    return unique((*found, *kin))


@lru_cache(maxsize=_MOST)
def _if_expired(
    promised: Clauses,
    cause: str,
    clause: str,
    flags: int,
    again: bool,
    expiries: bool,
    sets: bool,
    pruned: bool,
    refused: bool,
    sets_since: bool,
    kin: Clauses,
) -> Clauses:
    """At stake in a read of a key past its deadline.

    `again`: it replaced an entry. `expiries`, `sets`, `pruned`: what befell other keys since it
    was written; `refused`, `sets_since`: since the last confirmation.
    """
    found = ["CAS-5"] if flags & CAS_NOTHING else []
    found += ("GET-5", "TTL-9", "TTL-3") if "TTL-9" in promised else ("GET-5", "TTL-3")
    if clause in ("TTL-5", "TTL-12"):
        found.append(clause)
    if cause == "cas":
        found.append("CAS-6")
    elif again:
        found.append("SET-2")
    found += _of_asking(flags)
    if expiries:
        found.append("TTL-13")
    if sets:
        found.append("SET-3")
    if pruned:
        found.append("TTL-11")
    if flags & CAS_FAILED:
        found.append("CAS-2")
    if flags & REFUSED:
        found.append("SET-6")
    if refused or flags & REFUSED:
        found.append("ERR-1")
    if sets_since:
        found.append("KEY-1")
    return unique((*found, *kin))


def _of_asking(flags: int) -> Iterator[str]:
    """Clauses by which earlier reads must not have brought a key into being."""
    if flags & GOT:
        yield "GET-3"
    if flags & ASKED:
        yield "HAS-2"


@lru_cache(maxsize=4_096)
def without_value(stakes: Clauses) -> Clauses:
    """The clauses left to a read that does not return the value (has, cas)."""
    return tuple(clause for clause in stakes if clause not in READ_ONLY and clause != "GET-1")


@lru_cache(maxsize=_MOST)
def among(stakes: Clauses, wanted: frozenset[str]) -> Clauses:
    """Those of the clauses that are wanted."""
    return tuple(clause for clause in stakes if clause in wanted)


@lru_cache(maxsize=_MOST)
def joined(stakes: Clauses, more: Clauses) -> Clauses:
    """The clauses of both, each once."""
    return unique((*stakes, *more))


def unique(clauses: Iterable[str]) -> Clauses:
    """The clauses, each once, in their order."""
    return tuple(dict.fromkeys(clauses))
