"""Which clause a wrong answer breaks: the most specific of those at stake.

A key's provenance orders the suspects. Where an operation on another key (or one that must
change nothing) came between the last confirmation and the wrong answer, that operation is the
suspect; where nothing was confirmed in between, it is only one of several, and the verdict is
not `sure`. In a minimal program every operation is needed to show the fault, so there
(`minimal`) what came between is guilty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from kv_spec.values import CHANGED_AFTER_GET, CHANGED_AFTER_SET, carries, equal, walk

from kv_reference.belief import ASKED, CAS_FAILED, DOUBTED, GOT, REFUSED, Cell
from kv_reference.semantics import Live, Ruling
from kv_reference.stakes import Journal

Suspect: TypeAlias = "tuple[str, bool]"
NO_VALUE: Final = object()


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a wrong answer was given.

    `owner` tells which clause breaks if a value is seen here that belongs elsewhere: KEY-1 for
    another key's, OPEN-1 for another data space's; None if it is nobody's.
    """

    journal: Journal
    cell: Cell
    began: float
    minimal: bool
    owner: Callable[[Any], str | None]


def choose(suspects: Iterator[Suspect], stakes: Collection[str], fallback: str) -> Suspect:
    """The first suspect whose clause is at stake; the fallback where none is."""
    return next((suspect for suspect in suspects if suspect[0] in stakes), (fallback, False))


def lost(scene: Scene, live: Live) -> Iterator[Suspect]:
    """Suspects where a live entry was not found."""
    cell, began = scene.cell, scene.began
    if cell.flags & DOUBTED and began >= cell.wrote_at and live.lo > began:
        yield "TTL-4", True
    between = list(_between(scene, gone=True))
    yield from (suspect for suspect in between if suspect[1])
    before = cell.before
    if before is not None and before.hi != math.inf and began >= before.lo:
        yield "CAS-6" if cell.cause == "cas" else "SET-2", True
    for clause in ("KEY-5", "KEY-7", "KEY-3", "KEY-4"):
        yield clause, False
    if live.hi != math.inf:
        if cell.cause == "cas":
            yield "CAS-6", False
        for clause in ("TTL-9", "TTL-12", "TTL-5", "TTL-6", "TTL-7", "TTL-2"):
            yield clause, not between
    elif began > cell.wrote_at:
        yield "TTL-1", not between
    for clause in ("NULL-1", "GET-4", "SET-5"):
        yield clause, True
    yield _installed(cell), not between
    yield from between
    yield "GET-2", not between


def _installed(cell: Cell) -> str:
    return {"cas": "CAS-1", "increment": "CAS-10", "race": cell.clause}.get(cell.cause, "GET-2")


def found(scene: Scene, value: Any) -> Iterator[Suspect]:
    """Suspects where a key that is gone answered as if live; `value` is NO_VALUE from has."""
    cell = scene.cell
    foreign = value is not NO_VALUE and not any(equal(old, value) for old in _past(cell))
    expired = cell.latest
    if cell.flags & DOUBTED:
        yield "TTL-4", True
    if foreign:
        yield from _same_as_kin(cell, value)
        owner = scene.owner(value)
        if owner is not None:
            yield owner, True
    if cell.flags & REFUSED:
        yield "ERR-1", True
    if cell.flags & CAS_FAILED and (cell.cause == "never" or foreign):
        yield "CAS-2", True
    if expired is not None and not foreign:
        yield from _revived(cell, expired, scene.minimal)
    if cell.cause == "never" or foreign:
        if scene.minimal and scene.journal.refusals.other_than(cell.key) > cell.since:
            yield "ERR-1", True
        yield "CAS-5", True
        yield "GET-1" if cell.cause == "never" else "GET-5", True
    for clause in ("CAS-5", "DEL-1", "NULL-2", "NULL-4", "TTL-6", "TTL-7", "CAS-4", "GET-5"):
        yield clause, True


def _past(cell: Cell) -> list[Any]:
    latest = cell.latest
    return cell.old if latest is None else [*cell.old, latest.value]


def _revived(cell: Cell, expired: Live, minimal: bool) -> Iterator[Suspect]:
    if minimal:
        if cell.flags & CAS_FAILED:
            yield "CAS-2", True
        if cell.flags & REFUSED:
            yield "SET-6", True
        if cell.flags & ASKED:
            yield "HAS-2", True
        if cell.flags & GOT:
            yield "GET-3", True
        if cell.before is not None and cell.before.hi > expired.hi:
            yield "CAS-6" if cell.cause == "cas" else "SET-2", True
    if cell.cause == "cas":
        yield "CAS-6", False
    for clause in ("TTL-9", "TTL-12", "TTL-5", "TTL-3"):
        yield clause, False


def differs(scene: Scene, live: Live, value: Any) -> Iterator[Suspect]:
    """Suspects where a live key answered with another value than its own."""
    cell = scene.cell
    if carries(value, CHANGED_AFTER_SET):
        yield "VAL-2", True
    if carries(value, CHANGED_AFTER_GET):
        yield "VAL-3", True
    yield from _same_as_kin(cell, value)
    if cell.fresh & CAS_FAILED:
        yield "CAS-2", True
    if cell.fresh & REFUSED:
        yield "SET-6", True
    if any(equal(old, value) for old in cell.old):
        yield from ((_installed(cell), True), ("SET-1", False))
    between = list(_between(scene, gone=False))
    yield from (suspect for suspect in between if suspect[1])
    if not any(equal(old, value) for old in cell.old):
        owner = scene.owner(value)
        if owner is not None:
            yield owner, True
    for clause in ("KEY-5", "KEY-7", "KEY-4", "KEY-3", "VAL-8", "VAL-7", "NULL-1", "GET-4"):
        yield clause, True
    if cell.cause != "set":
        yield _installed(cell), True
    if cell.before is not None and type(value) is type(live.value) is dict:
        yield "SET-1", False
    if _nulls(value) != _nulls(live.value):
        yield "NULL-4", True
    for clause in ("VAL-5", "SET-1", "VAL-1", "GET-2"):
        yield clause, not between


def _nulls(value: Any) -> int:
    return sum(part is None for part in walk(value))


def _same_as_kin(cell: Cell, value: Any) -> Iterator[Suspect]:
    for other, clause in cell.kin:
        latest = other.latest
        if latest is not None and equal(latest.value, value):
            yield clause, True


def _between(scene: Scene, *, gone: bool) -> Iterator[Suspect]:
    """Operations since the last confirmation that had to leave this key alone."""
    journal, cell = scene.journal, scene.cell
    confirmed = cell.confirmed > cell.written
    since = cell.since
    if cell.fresh & REFUSED:
        yield "SET-6", True
    if cell.fresh & CAS_FAILED:
        yield "CAS-2", True
    sure = confirmed or scene.minimal
    for other, clause in cell.kin:
        if other.written > since:
            latest = other.latest
            yield clause if latest is not None else "DEL-3", sure
    if journal.refusals.other_than(cell.key) > since:
        yield "ERR-1", sure
    if gone and journal.expiries.other_than(cell.key) > since:
        yield "TTL-13", sure
    if journal.deletes.other_than(cell.key) > since:
        yield "DEL-3", sure
    if journal.sets.other_than(cell.key) > since:
        yield "SET-3", sure
    if journal.abandoned > since:
        yield "LIST-10", sure
    if journal.iterated > since:
        yield "ITER-4", sure
    if journal.asked > since or (confirmed and journal.asked == since):
        yield "HAS-2", sure
    if journal.got > since or (confirmed and journal.got == since):
        yield "GET-3", sure


def of_refusal(ruling: Ruling, ttl: Any) -> str:
    """The clause broken where a write inside the domain was refused or failed."""
    value = ruling.value
    if ttl is not None:
        return ruling.clause if ruling.clause.startswith("TTL") else "TTL-2"
    if ruling.clause.startswith("NULL"):
        return ruling.clause
    if any(part is None for part in walk(value)):
        return "NULL-4"
    if any(isinstance(part, str) and not part.isalnum() for part in walk(value)):
        return "VAL-5"
    return "VAL-1"
