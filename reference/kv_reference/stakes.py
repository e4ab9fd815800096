"""Which clauses a read puts to the test: those that it could have shown broken.

A wrong answer is blamed on one of these and on no other, so every violation is also a check.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from kv_spec.profile import Profile
from kv_spec.values import Outside, is_container, walk

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
from kv_reference.journal import Journal
from kv_reference.kinship import names_member
from kv_reference.rulings import Effect, Ruling, ttl_clause
from kv_reference.semantics import Live

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ")
_GONE: Final = {
    "never": ("GET-1",),
    "delete": ("DEL-1", "GET-5"),
    "null": ("NULL-2", "GET-5"),
    "cas-null": ("NULL-4", "GET-5"),
    "zero": ("TTL-6", "GET-5"),
    "negative": ("TTL-7", "GET-5"),
    "cas-delete": ("CAS-4", "GET-5"),
    "adopted": (),
}
READ_ONLY: Final = frozenset(
    ("GET-2 GET-4 SET-1 VAL-1 VAL-2 VAL-3 VAL-5 VAL-6 VAL-7 VAL-8 NULL-4 SET-5 CAS-10").split()
)
"""Clauses about the value: only a read that returns it puts them to the test."""


def of_write(profile: Profile, cell: Cell, ruling: Ruling, changed: bool, ttl: Any) -> None:
    """Sets what later reads of a live `cell` put to the test, as far as the write decides it."""
    value = ruling.value
    stakes = ["GET-2", *_of_value(profile, value, ruling)]
    if cell.before is not None:
        stakes.append("SET-1")
    if changed and is_container(value) and profile.isolation == "copy":
        stakes.append("VAL-2")
    if ruling.effect is Effect.EITHER:
        stakes.append("SET-5")
    if isinstance(cell.key, tuple | str) and names_member(cell.key):
        stakes.append("KEY-5")
    if profile.null == "value" and value is None:
        stakes.append("NULL-1")
    if profile.default_ttl is not None:
        stakes.append("TTL-9")
    if isinstance(ttl, Outside) or (ttl is not None and ttl <= 0):
        stakes.append(ruling.clause)
    elif ruling.lifetime != math.inf:
        stakes.append(ttl_clause(profile, ruling.lifetime))
    cell.stakes = tuple(dict.fromkeys(stakes))


def _of_value(profile: Profile, value: Any, ruling: Ruling) -> Iterator[str]:
    if ruling.clause in ("VAL-7", "VAL-8", "VAL-5"):
        yield ruling.clause
    if not value and value is not None:
        yield "GET-4"
    if isinstance(value, str):
        yield "VAL-1"
        if is_hard(value):
            yield "VAL-5"
    elif isinstance(value, list | dict):
        yield "VAL-1"
        inside = list(walk(value))
        if any(part is None for part in inside):
            yield "NULL-4"
        if any(isinstance(part, str) and is_hard(part) for part in inside):
            yield "VAL-5"
    elif value is not None:
        yield "VAL-1"


def is_hard(text: str) -> bool:
    """True for a text that looks like syntax: special characters, or a JSON document (VAL-5)."""
    if not _PLAIN.issuperset(text):
        return True
    return text.isdigit() or text in ("true", "false", "null")


_REFUSED: Final = frozenset("TTL-5 TTL-6 TTL-7 TTL-8 VAL-7 VAL-8 NULL-1 NULL-4 KEY-5".split())


@lru_cache(maxsize=4_096)
def of_acceptance(stakes: tuple[str, ...], nested: bool) -> tuple[str, ...]:
    """The clauses that a set puts to the test by not being refused.

    `stakes` are those of the value that it stored. Only what stores do refuse counts: odd
    ttls, typed, `nested` and large values.
    """
    return tuple(c for c in stakes if c in _REFUSED or (nested and c == "VAL-1"))


def of_read(journal: Journal, cell: Cell, began: float, ended: float) -> list[str]:
    """The clauses at stake in a read of `cell` in the interval; empty where all is permitted."""
    if cell.unknown or cell.cause == "adopted":
        return []
    possible = cell.views(began, ended)
    live = next((view for view in possible if view is not None), None)
    if live is not None and None in possible:
        return []
    if live is None and cell.flags & DOUBTED and began < cell.doubt_ends:
        return ["TTL-4"]  # gone since a read said so: no other clause excludes the entry yet
    found = list(_if_live(cell, live, began) if live is not None else _if_gone(journal, cell))
    found += _of_interference(journal, cell, live)
    if live is not None and cell.flags & DOUBTED:
        found.append("TTL-4")
    return found


def _if_live(cell: Cell, live: Live, began: float) -> Iterator[str]:
    yield from cell.stakes
    if cell.flags & HANDED_OUT:
        yield "VAL-3"
    bounded = live.hi != math.inf
    if not bounded and began > cell.wrote_at:
        yield "TTL-1"
    if cell.before is not None and cell.before.hi != math.inf and began >= cell.before.lo:
        yield "CAS-6" if cell.cause == "cas" else "SET-2"
    if cell.cause == "cas":
        yield "CAS-1"
        if bounded:
            yield "CAS-6"
    elif cell.cause in ("increment", "race"):
        yield "CAS-10" if cell.cause == "increment" else cell.clause


def _if_gone(journal: Journal, cell: Cell) -> Iterator[str]:
    expired = cell.latest
    if expired is None:
        yield from _GONE.get(cell.cause, ())
        if cell.cause == "never":
            yield from cell.stakes
        if cell.flags & GOT:
            yield "GET-3"
        if cell.flags & ASKED:
            yield "HAS-2"
        if cell.flags & CAS_NOTHING:
            yield "CAS-5"
        return
    if cell.flags & CAS_NOTHING:
        yield "CAS-5"
    yield "GET-5"
    if "TTL-9" in cell.stakes:
        yield "TTL-9"
    yield "TTL-3"
    if cell.clause in ("TTL-5", "TTL-12"):
        yield cell.clause
    if cell.before is not None:
        yield "CAS-6" if cell.cause == "cas" else "SET-2"
    elif cell.cause == "cas":
        yield "CAS-6"
    if cell.flags & GOT:
        yield "GET-3"
    if cell.flags & ASKED:
        yield "HAS-2"
    written = cell.written
    if journal.expiries.other_than(cell.key) > written:
        yield "TTL-13"
    if journal.sets.other_than(cell.key) > written:
        yield "SET-3"
    if journal.pruned > written:
        yield "TTL-11"


def _of_interference(journal: Journal, cell: Cell, live: Live | None) -> Iterator[str]:
    """Clauses by which operations since the last confirmation must have left the key alone."""
    since = cell.since
    if cell.flags & CAS_FAILED:
        yield "CAS-2"
    if cell.flags & REFUSED:
        yield from ("SET-6",) if cell.latest is not None else ()
        yield from ("ERR-1",) if live is None else ()
    if journal.refusals.other_than(cell.key) > since >= 0:
        yield "ERR-1"
    if live is not None:
        yield from _of_others(journal, cell, since)
    elif journal.sets.other_than(cell.key) > since:
        yield "KEY-1"
    for other, clause in cell.kin:
        if other.written > since or (live is None and other.latest is not None):
            yield clause


def _of_others(journal: Journal, cell: Cell, since: int) -> Iterator[str]:
    if journal.sets.other_than(cell.key) > since:
        yield "SET-3"
        yield "KEY-1"
    if journal.deletes.other_than(cell.key) > since:
        yield "DEL-3"
    if journal.expiries.other_than(cell.key) > since:
        yield "TTL-13"
    if journal.got >= since:
        yield "GET-3"
    if journal.asked >= since:
        yield "HAS-2"
    if journal.iterated >= since:
        yield "ITER-4"
    if journal.abandoned >= since:
        yield "LIST-10"
    if journal.pruned >= since:
        yield "TTL-11"


@lru_cache(maxsize=4_096)
def without_value(stakes: tuple[str, ...]) -> tuple[str, ...]:
    """The clauses left to a read that does not return the value (has, cas)."""
    return tuple(clause for clause in stakes if clause not in READ_ONLY and clause != "GET-1")


def unique(clauses: Iterable[str]) -> tuple[str, ...]:
    """The clauses, each once, in their order."""
    return tuple(dict.fromkeys(clauses))
