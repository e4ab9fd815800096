"""Which clause a wrong answer breaks: the most specific of those at stake.

A key's provenance orders the suspects. Where an operation on another key, or one that must change
nothing, came between the last confirmation and the wrong answer, that operation is suspected; if
nothing was confirmed in between it is only one of several. A program that is known to need each
of its operations (`minimal`) settles it: what came between is guilty there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from kv_spec.generate import TICK
from kv_spec.store import ABSENT
from kv_spec.values import CHANGED_AFTER_GET, CHANGED_AFTER_SET, carries, equal, walk

from kv_reference.belief import ASKED, CAS_FAILED, CAS_NOTHING, DOUBTED, GOT, REFUSED, Cell
from kv_reference.journal import Journal
from kv_reference.semantics import Live
from kv_reference.verdicts import Violation

NO_VALUE: Final = object()
"""Stands for the answer of a has that answered True."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a wrong answer was given.

    `owner` tells which clause breaks if a value is seen here that belongs elsewhere: KEY-1 for
    another key's, OPEN-1 for another data space's; None if it is nobody's. `alone`: the program
    opened one data space only.
    """

    journal: Journal
    cell: Cell
    began: float
    minimal: bool
    default_ttl: float | None
    alone: bool
    owner: Callable[[Any], str | None]


class Blame(NamedTuple):
    """The clause to charge, and the others that may be the broken ones instead."""

    clause: str
    others: tuple[str, ...] = ()

    def violation(self, expected: str, actual: str, key: Any = None) -> Violation:
        """The violation of this clause, with what was due and what came."""
        return Violation(self.clause, expected, actual, key, self.others)


def choose(suspects: Iterable[str], stakes: Collection[str], fallback: str) -> Blame:
    """The first suspect that is at stake, and the others; the fallback where none is."""
    possible = dict.fromkeys(clause for clause in suspects if clause in stakes)
    clause, *others = possible or (fallback,)
    return Blame(clause, tuple(others))


def of_read(scene: Scene, live: Live | None, answer: Any) -> Iterator[str]:
    """Suspects where a read of one key answered wrongly; `live` is what the key should be."""
    yield from of_place(scene)
    if live is None:
        yield from found(scene, answer)
    elif answer is ABSENT:
        yield from lost(scene, live)
    else:
        yield from differs(scene, live, answer)
    yield "OPEN-2"


def of_place(scene: Scene) -> Iterator[str]:
    """Suspects in a program that needs another handle, or another data space."""
    if scene.minimal:
        yield "OPEN-2"
        if not scene.alone:
            yield "OPEN-1"


def lost(scene: Scene, live: Live) -> Iterator[str]:
    """Suspects where a live entry was not found."""
    cell, before, began = scene.cell, scene.cell.before, scene.began
    passed = began > cell.wrote_at
    if cell.flags & DOUBTED and began >= cell.wrote_at and live.lo > began:
        yield "TTL-4"
    between, guilty = list(_between(scene, gone=True)), _is_guilty(scene)
    yield from between if guilty else ()
    if cell.cause == "race":
        yield cell.clause
    if before is not None and before.hi != math.inf and began >= before.lo:
        yield "CAS-6" if cell.cause == "cas" else "SET-2"
    default = scene.default_ttl
    late = default is not None and began >= cell.wrote_at + default
    of_time = [clause for clause in _of_time(cell, live) if clause != "TTL-9" or late]
    if scene.minimal and live.hi != math.inf and began - cell.wrote_at >= TICK:
        yield from of_time  # without the wait the entry is found, odd key or not
    yield from ("KEY-5", "KEY-7", "KEY-3", "KEY-4")
    if live.hi == math.inf:
        yield from ("NULL-1", "GET-4")
    if passed:
        yield from of_time
    yield from ("TTL-12", "SET-5", "NULL-1", "GET-4", "VAL-8", "VAL-7", "NULL-4", "VAL-5")
    if not passed:
        yield from (clause for clause in _of_time(cell, live) if clause != "TTL-9")
    if before is not None and scene.minimal:
        yield "SET-1"
    yield _installed(cell)
    yield from between
    yield from ("GET-2", "SET-1")


def _of_time(cell: Cell, live: Live) -> Iterator[str]:
    """The clauses that promise how long this entry lives, the most specific first."""
    if live.hi != math.inf and cell.cause == "cas":
        yield "CAS-6"
    yield from ("TTL-9", "TTL-6", "TTL-7", "TTL-8", "TTL-12", "TTL-5")
    yield "TTL-2" if live.hi != math.inf else "TTL-1"


def _installed(cell: Cell) -> str:
    return {"cas": "CAS-1", "increment": "CAS-10", "race": cell.clause}.get(cell.cause, "GET-2")


def found(scene: Scene, value: Any) -> Iterator[str]:
    """Suspects where a key that is gone answered as if live; `value` is NO_VALUE from has."""
    cell, expired = scene.cell, scene.cell.latest
    foreign = value is not NO_VALUE and not any(equal(old, value) for old in cell.past())
    if cell.flags & DOUBTED:
        yield "TTL-4"
    if foreign:
        yield from _same_as_kin(cell, value)
        owner = scene.owner(value)
        if owner is not None:
            yield owner
    if cell.flags & REFUSED and (expired is None or foreign):
        yield "ERR-1"
    if cell.flags & CAS_FAILED and (cell.cause == "never" or foreign):
        yield "CAS-2"
    kept_up = [] if foreign and cell.cause != "never" else list(_kept_up(scene, expired))
    yield from kept_up if scene.minimal else ()
    if expired is not None and not foreign:
        yield from ("CAS-6",) if cell.cause == "cas" else ()
        yield from ("TTL-9", "TTL-12", "TTL-5", "TTL-3")
    if cell.cause == "never" or foreign:
        if scene.minimal and scene.journal.refusals.other_than(cell) > cell.since:
            yield "ERR-1"
        yield "CAS-5"
        yield from ("KEY-5", "GET-1") if cell.cause == "never" else ("GET-5",)
    yield from ("CAS-5", "DEL-1", "NULL-4", "NULL-2", "TTL-6", "TTL-7", "CAS-4", "GET-5")
    yield from kept_up


def _kept_up(scene: Scene, expired: Live | None) -> Iterator[str]:
    """Clauses by which earlier operations must not have kept alive a key that should be gone."""
    journal, cell = scene.journal, scene.cell
    flagged = (
        (CAS_NOTHING, "CAS-5"),
        (CAS_FAILED, "CAS-2"),
        (REFUSED, "SET-6"),
        (ASKED, "HAS-2"),
        (GOT, "GET-3"),
    )
    yield from (clause for flag, clause in flagged if cell.flags & flag)
    if expired is None:
        return
    if cell.before is not None:
        yield "CAS-6" if cell.cause == "cas" else "SET-2"
    if journal.pruned > cell.written:
        yield "TTL-11"
    if journal.expiries.other_than(cell) > cell.written:
        yield "TTL-13"
    if journal.sets.other_than(cell) > cell.written:
        yield "SET-3"


def differs(scene: Scene, live: Live, value: Any) -> Iterator[str]:
    """Suspects where a live key answered with another value than its own."""
    cell = scene.cell
    if carries(value, CHANGED_AFTER_SET):
        yield "VAL-2"
    if carries(value, CHANGED_AFTER_GET):
        yield "VAL-3"
    yield from _same_as_kin(cell, value)
    if cell.fresh & CAS_FAILED:
        yield "CAS-2"
    if cell.fresh & REFUSED:
        yield "SET-6"
    if any(equal(old, value) for old in cell.old):
        yield "SET-1" if cell.cause == "set" else _installed(cell)
    elif (owner := scene.owner(value)) is not None:
        yield owner
    between = list(_between(scene, gone=False))
    yield from between if _is_guilty(scene) else ()
    yield from ("KEY-5", "KEY-7", "KEY-4", "KEY-3", "VAL-8", "VAL-7", "NULL-1", "GET-4")
    if _nulls(value) != _nulls(live.value):
        yield "NULL-4"
    if cell.before is not None and scene.minimal:
        yield "SET-1"
    yield "VAL-5"
    if cell.cause != "set":
        yield _installed(cell)
    yield from between
    yield from ("VAL-1", "GET-2", "SET-1")


def _nulls(value: Any) -> int:
    return sum(part is None for part in walk(value))


def _same_as_kin(cell: Cell, value: Any) -> Iterator[str]:
    for other, clause in cell.kin:
        latest = other.latest
        if latest is not None and equal(latest.value, value):
            yield clause


def _is_guilty(scene: Scene) -> bool:
    """Whether what came between, if anything, did it: the key was well before, or all is needed."""
    return scene.minimal or scene.cell.confirmed > scene.cell.written


def _between(scene: Scene, *, gone: bool) -> Iterator[str]:
    """Clauses by which operations since the last confirmation had to leave this key alone."""
    journal, cell, since = scene.journal, scene.cell, scene.cell.since
    confirmed = cell.confirmed > cell.written
    if cell.fresh & REFUSED:
        yield "SET-6"
    if cell.fresh & CAS_FAILED:
        yield "CAS-2"
    for other, clause in cell.kin:
        if other.written > since:
            yield clause if other.latest is not None else "DEL-3"
    if journal.refusals.other_than(cell) > since:
        yield "ERR-1"
    if gone and journal.expiries.other_than(cell) > since:
        yield "TTL-13"
    if journal.deletes.other_than(cell) > since:
        yield "DEL-3"
    if journal.sets.other_than(cell) > since:
        yield "SET-3"
    for number, clause in (
        (journal.pruned, "TTL-11"),
        (journal.abandoned, "LIST-10"),
        (journal.iterated, "ITER-4"),
    ):
        if number > since:
            yield clause
    if journal.asked > since or (confirmed and journal.asked == since):
        yield "HAS-2"
    if journal.got > since or (confirmed and journal.got == since):
        yield "GET-3"
