"""Judging compare-and-swap (CAS)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from kv_spec.operations import Cas
from kv_spec.outcomes import Malformed, Outcome, Raised
from kv_spec.store import ABSENT
from kv_spec.values import CHANGED_AFTER_GET, carries, equal, is_container

from kv_reference import blame, reads, stakes, writes
from kv_reference.belief import CAS_FAILED, CAS_NOTHING, REFUSED, RETAKEN, Cell
from kv_reference.clause_sets import ClauseSet, set_of
from kv_reference.rulings import Domain, Effect, Ruling
from kv_reference.semantics import Live, State, is_gone, live_of
from kv_reference.verdicts import Violation, describe, show

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle

_NUMBERS: Final = (int, float)
_OF_SWAP: Final = set_of("CAS-1")
_OF_CREATION: Final = set_of("CAS-1", "CAS-3")
_OF_NOTHING: Final = set_of("CAS-1", "CAS-3", "CAS-5")
_SUBTLE, _COUNTED, _RETAKEN = set_of("CAS-7"), set_of("CAS-10"), set_of("CAS-11")
_OF_KEY: Final = stakes.WITHOUT_VALUE & ~set_of("OPEN-2")


def judge_cas(
    oracle: Oracle, op: Cas, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """cas: whether it may answer so, and what it leaves."""
    cell = oracle.reach(op.key)
    if cell is None:
        return reads.outside(oracle, outcome, op.key)
    ruling = oracle.rules.ruling(op)
    views = cell.views(began, ended)
    fits = [oracle.rules.compares(op.expected, view) for view in views]
    alike = len(fits) == 1 or fits.count(fits[0]) == len(fits)
    if alike and fits[0] is not None and not cell.unknown:
        compared = _of_comparison(oracle, op, cell, live_of(views))
        oracle.stakes = compared | oracle.read_stakes(cell, views, began) & _OF_KEY
    if outcome is not True and outcome is not False:
        return _no_answer(oracle, op, cell, ruling, outcome, began, ended)
    if alike:
        kept = views if fits[0] is None or fits[0] is outcome else ()
    else:
        kept = reads.those(views, [fit is None or fit is outcome for fit in fits])
    if not kept and not cell.unknown:
        chosen = _blame(oracle, op, cell, views, bool(outcome), began)
        violation = chosen.violation(_due(outcome, views), show(outcome), op.key)
        _take_over(oracle, op, cell, ruling, bool(outcome), began, ended)
        return violation
    if not outcome:
        if not cell.unknown:
            cell.believe(reads.adopted(cell, kept, began, ended))
        cell.mark(CAS_FAILED)
        return None
    if ruling.effect is Effect.REFUSE:
        oracle.count(ruling.clause)
        cell.forget()
        return Violation(ruling.clause, "a refusal", show(outcome), op.key)
    _swapped(oracle, op, cell, ruling, kept, began, ended)
    return None


def _due(outcome: Any, views: tuple[State, ...]) -> str:
    return f"{not outcome} (the key holds {describe(views)})"


def _of_comparison(oracle: Oracle, op: Cas, cell: Cell, live: Live | None) -> ClauseSet:
    """The clauses at stake in what a cas compares."""
    if op.expected is ABSENT:
        return _OF_NOTHING if op.new is ABSENT else _OF_CREATION
    if live is None:
        return _OF_SWAP
    found = _OF_SWAP
    if oracle.profile.cas_equality == "structural" and is_subtle(op.expected, live.value):
        found |= _SUBTLE
    if carries(op.expected, CHANGED_AFTER_GET):
        found |= _COUNTED
    if cell.flags & RETAKEN and op.new is ABSENT:
        found |= _RETAKEN
    return found


def is_subtle(expected: Any, value: Any) -> bool:
    """True where a comparison other than the structural one would answer otherwise (CAS-7)."""
    if not equal(expected, value):
        return _is_alike(expected, value)
    if is_container(value) or type(expected) is not type(value):
        return True  # of containers, the identity differs too
    return type(value) is not str and repr(expected) != repr(value)


def _is_alike(expected: Any, value: Any) -> bool:
    """Whether one passes for the other where numbers have no type, and nothing has an order.

    It is led by `expected`, which is known to end: what a store gave back may hold itself.
    """
    if isinstance(expected, _NUMBERS) and isinstance(value, _NUMBERS):
        return _number(expected) == _number(value)
    if not is_container(expected) or not is_container(value):
        return equal(expected, value)
    if len(expected) != len(value):
        return False
    if isinstance(expected, dict) and isinstance(value, dict):
        return all(key in value and _is_alike(expected[key], value[key]) for key in expected)
    if isinstance(expected, dict) or isinstance(value, dict):
        return not expected
    rest = list(value)
    for item in expected:
        place = next((n for n, other in enumerate(rest) if _is_alike(item, other)), None)
        if place is None:
            return False
        rest.pop(place)
    return True


def _number(value: float) -> str:
    try:
        return repr(float(value))
    except OverflowError:
        return repr(math.inf if value > 0 else -math.inf)


def _blame(
    oracle: Oracle, op: Cas, cell: Cell, views: tuple[State, ...], answer: bool, began: float
) -> blame.Blame:
    live = live_of(views)
    scene = oracle.scene(cell, began)
    return blame.choose(_suspects(op, cell, live, answer, scene), oracle.at_stake, "CAS-1")


def _suspects(
    op: Cas, cell: Cell, live: Live | None, answer: bool, scene: blame.Scene
) -> Iterator[str]:
    creating = op.expected is ABSENT
    yield from blame.of_place(scene)
    if scene.minimal and cell.fresh & CAS_FAILED:
        yield "CAS-2"
    if creating and op.new is ABSENT and (live is not None or cell.latest is None):
        yield "CAS-5"
    if live is None:
        if creating and cell.cause == "never":
            yield "CAS-3"
        found = blame.found(scene, blame.NO_VALUE)
        yield from (clause for clause in found if not clause.startswith("KEY"))
    else:
        if not creating:
            yield from ("CAS-10", "CAS-11", "CAS-7")
            yield from ("CAS-1",) if answer else ()
        elif live.hi == math.inf and scene.began <= cell.wrote_at:
            yield "CAS-3"
        lost = blame.lost(scene, live)
        yield from (c for c in lost if c not in ("KEY-1", "SET-3", "CAS-1"))
    yield from ("CAS-3", "CAS-5", "OPEN-2", "CAS-1")


def _swapped(
    oracle: Oracle,
    op: Cas,
    cell: Cell,
    ruling: Ruling,
    kept: tuple[State, ...],
    began: float,
    ended: float,
) -> None:
    """Records a cas that answered True."""
    if op.expected is ABSENT and op.new is ABSENT:
        cell.flags |= CAS_NOTHING
        cell.fresh |= CAS_NOTHING
        return
    expired, cause = cell.latest if is_gone(kept) else None, cell.cause
    if is_gone(kept):
        cell.believe((None,))
    writes.done(oracle, cell, ruling, began, ended, ttl=op.ttl)
    if cell.cause == "set":
        cell.cause = "cas"
        if expired is not None:
            cell.before = expired
            cell.earlier.append(expired.value)
            if cause == "cas" and op.expected is ABSENT:
                cell.flags |= RETAKEN
    elif op.new is ABSENT:
        cell.cause = "cas-delete"
    elif cell.cause == "null":
        cell.cause = "cas-null"


def _take_over(
    oracle: Oracle, op: Cas, cell: Cell, ruling: Ruling, answer: bool, began: float, ended: float
) -> None:
    if not answer:
        cell.forget()
    elif ruling.effect is not Effect.REFUSE:
        writes.done(oracle, cell, ruling, began, ended, ttl=op.ttl)
        cell.adopt(cell.states[0], oracle.number, began)


def _no_answer(
    oracle: Oracle,
    op: Cas,
    cell: Cell,
    ruling: Ruling,
    outcome: Raised | Malformed,
    began: float,
    ended: float,
) -> Violation | None:
    if isinstance(outcome, Raised):
        if outcome.indefinite:
            later = oracle.rules.after_write(ruling, None, began, math.inf)
            cell.pending = (*cell.pending, later)
            return None
        either = ruling.effect in (Effect.REFUSE, Effect.EITHER) or cell.domain is Domain.DOUBTFUL
        if either and (outcome.refusal or ruling.effect is Effect.REFUSE):
            cell.mark(REFUSED)
            if ruling.effect is Effect.REFUSE:
                oracle.count(ruling.clause)
            oracle.space.journal.refusals.note(cell, oracle.number)
            return None
    clause, others = "CAS-1", tuple[str, ...]()
    if isinstance(outcome, Raised) and (op.ttl is not None or op.new is None):
        clause, others = writes.of_refusal(ruling, op.ttl), ("CAS-1",)
    oracle.count(clause)
    cell.forget()
    return Violation(clause, "True or False", show(outcome), op.key, others)
