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
from typing import Any, Final, NamedTuple, TypeAlias

from kv_spec.store import ABSENT
from kv_spec.values import (
    CHANGED_AFTER_GET,
    CHANGED_AFTER_SET,
    carries,
    equal,
    is_container,
    walk,
)

from kv_reference.belief import ASKED, CAS_FAILED, DOUBTED, GOT, REFUSED, Cell
from kv_reference.semantics import Live, Ruling
from kv_reference.stakes import Journal
from kv_reference.verdicts import Violation

Suspect: TypeAlias = "tuple[str, bool]"
"""A clause, and whether it is certain, if it is at stake at all, that it is the one."""
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


class Blame(NamedTuple):
    """The clause to charge; where that is not sure, `others` may be the broken ones."""

    clause: str
    sure: bool = True
    others: tuple[str, ...] = ()

    def violation(self, expected: str, actual: str, key: Any = None) -> Violation:
        """The violation of this clause, with what was due and what came."""
        return Violation(self.clause, expected, actual, self.sure, key, self.others)


def choose(suspects: Iterator[Suspect], stakes: Collection[str], fallback: str) -> Blame:
    """The first suspect whose clause is at stake, and who else it may be; else the fallback."""
    possible = [suspect for suspect in suspects if suspect[0] in stakes]
    if not possible:
        return Blame(fallback, False)
    clause, sure = possible[0]
    others = () if sure else tuple(dict.fromkeys(c for c, _ in possible[1:] if c != clause))
    return Blame(clause, sure, others)


def of_read(scene: Scene, live: Live | None, answer: Any) -> Iterator[Suspect]:
    """Suspects where a read of one key answered wrongly; `live` is what the key should be."""
    if scene.minimal:
        yield from (("OPEN-2", True), ("OPEN-1", True))
    if live is None:
        yield from found(scene, answer)
    elif answer is ABSENT:
        yield from lost(scene, live)
    else:
        yield from differs(scene, live, answer)
    yield "OPEN-2", False


def lost(scene: Scene, live: Live) -> Iterator[Suspect]:
    """Suspects where a live entry was not found."""
    cell, began = scene.cell, scene.began
    if cell.flags & DOUBTED and began >= cell.wrote_at and live.lo > began:
        yield "TTL-4", True
    between = list(_between(scene, gone=True))
    yield from (suspect for suspect in between if suspect[1])
    before, passed, sure = cell.before, began > cell.wrote_at, not between
    if before is not None and before.hi != math.inf and began >= before.lo:
        yield "CAS-6" if cell.cause == "cas" else "SET-2", True
    for clause in ("KEY-5", "KEY-7", "KEY-3", "KEY-4"):
        yield clause, False
    if passed:
        yield from ((clause, sure) for clause in _of_time(cell, live))
    for clause in ("SET-5", "NULL-1", "GET-4", "VAL-8", "VAL-7", "NULL-4", "VAL-5"):
        yield clause, clause == "GET-4" and sure and live.hi == math.inf
    if not passed:
        yield from ((clause, False) for clause in _of_time(cell, live) if clause != "TTL-9")
    if before is not None and scene.minimal:
        yield "SET-1", True
    yield _installed(cell), sure
    yield from between
    yield "GET-2", sure


def _of_time(cell: Cell, live: Live) -> Iterator[str]:
    """The clauses that promise how long this entry lives, the most specific first."""
    if live.hi != math.inf and cell.cause == "cas":
        yield "CAS-6"
    yield from ("TTL-6", "TTL-7", "TTL-8", "TTL-9", "TTL-12", "TTL-5")
    yield "TTL-2" if live.hi != math.inf else "TTL-1"


def _installed(cell: Cell) -> str:
    return {"cas": "CAS-1", "increment": "CAS-10", "race": cell.clause}.get(cell.cause, "GET-2")


def found(scene: Scene, value: Any) -> Iterator[Suspect]:
    """Suspects where a key that is gone answered as if live; `value` is NO_VALUE from has."""
    cell, expired = scene.cell, scene.cell.latest
    foreign = value is not NO_VALUE and not any(equal(old, value) for old in cell.past())
    if cell.flags & DOUBTED:
        yield "TTL-4", True
    if foreign:
        yield from _same_as_kin(cell, value)
        owner = scene.owner(value)
        if owner is not None:
            yield owner, True
    if cell.flags & REFUSED and expired is None:
        yield "ERR-1", True
    if cell.flags & CAS_FAILED and (cell.cause == "never" or foreign):
        yield "CAS-2", True
    if not foreign:
        yield from _kept_up(scene, expired)
    if expired is not None and not foreign:
        if cell.cause == "cas":
            yield "CAS-6", False
        for clause in ("TTL-9", "TTL-12", "TTL-5", "TTL-3"):
            yield clause, False
    if cell.cause == "never" or foreign:
        if scene.minimal and scene.journal.refusals.other_than(cell.key) > cell.since:
            yield "ERR-1", True
        yield "CAS-5", True
        if cell.cause == "never":
            yield "KEY-5", True
        yield "GET-1" if cell.cause == "never" else "GET-5", True
    for clause in ("CAS-5", "DEL-1", "NULL-4", "NULL-2", "TTL-6", "TTL-7", "CAS-4", "GET-5"):
        yield clause, True


def _kept_up(scene: Scene, expired: Live | None) -> Iterator[Suspect]:
    """Operations that, if the program needs them, are what keeps a key alive that should be gone."""
    if not scene.minimal:
        return
    journal, cell = scene.journal, scene.cell
    if cell.flags & CAS_FAILED:
        yield "CAS-2", True
    if cell.flags & REFUSED:
        yield "SET-6", True
    if cell.flags & ASKED:
        yield "HAS-2", True
    if cell.flags & GOT:
        yield "GET-3", True
    if expired is None:
        return
    if cell.before is not None:
        yield "CAS-6" if cell.cause == "cas" else "SET-2", True
    if journal.pruned > cell.written:
        yield "TTL-11", True
    if journal.expiries.other_than(cell.key) > cell.written:
        yield "TTL-13", True
    if journal.sets.other_than(cell.key) > cell.written:
        yield "SET-3", True


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
        yield "SET-1" if cell.cause == "set" else _installed(cell), True
    elif (owner := scene.owner(value)) is not None:
        yield owner, True
    between = list(_between(scene, gone=False))
    yield from (suspect for suspect in between if suspect[1])
    sure = not between
    for clause in ("KEY-5", "KEY-7", "KEY-4", "KEY-3", "VAL-8", "VAL-7", "NULL-1", "GET-4"):
        yield clause, sure
    if _nulls(value) != _nulls(live.value):
        yield "NULL-4", sure
    if cell.before is not None and type(value) is type(live.value) and is_container(value):
        yield "SET-1", scene.minimal
    yield "VAL-5", sure
    if cell.before is not None and scene.minimal:
        yield "SET-1", True
    if cell.cause != "set":
        yield _installed(cell), sure
    yield "VAL-1", sure
    yield from between
    yield "GET-2", sure


def _nulls(value: Any) -> int:
    return sum(part is None for part in walk(value))


def _same_as_kin(cell: Cell, value: Any) -> Iterator[Suspect]:
    for other, clause in cell.kin:
        latest = other.latest
        if latest is not None and equal(latest.value, value):
            yield clause, True


def _between(scene: Scene, *, gone: bool) -> Iterator[Suspect]:
    """Operations since the last confirmation that had to leave this key alone."""
    journal, cell, since = scene.journal, scene.cell, scene.cell.since
    confirmed = cell.confirmed > cell.written
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
    for number, clause in (
        (journal.pruned, "TTL-11"),
        (journal.abandoned, "LIST-10"),
        (journal.iterated, "ITER-4"),
    ):
        if number > since:
            yield clause, sure
    if journal.asked > since or (confirmed and journal.asked == since):
        yield "HAS-2", sure
    if journal.got > since or (confirmed and journal.got == since):
        yield "GET-3", sure


def of_refusal(ruling: Ruling, ttl: Any) -> str:
    """The clause broken where a write inside the domain was refused or failed."""
    value = ruling.value
    if ttl is not None:
        return ruling.clause if ruling.clause.startswith("TTL") else "TTL-2"
    if ruling.clause.startswith(("NULL", "VAL")):
        return ruling.clause
    if any(part is None for part in walk(value)):
        return "NULL-4"
    if any(isinstance(part, str) and not part.isalnum() for part in walk(value)):
        return "VAL-5"
    return "VAL-1"
