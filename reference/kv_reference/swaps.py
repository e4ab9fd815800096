"""Judging compare-and-swap (CAS)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kv_spec.operations import Cas
from kv_spec.outcomes import Malformed, Outcome, Raised
from kv_spec.store import ABSENT
from kv_spec.values import CHANGED_AFTER_GET, carries, equal, is_container

from kv_reference import blame, reads, stakes, writes
from kv_reference.belief import CAS_FAILED, CAS_NOTHING, REFUSED, RETAKEN, Cell
from kv_reference.rulings import Domain, Effect, Ruling, rule_key
from kv_reference.semantics import Live, State
from kv_reference.verdicts import Violation, describe, show

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle


def judge_cas(
    oracle: Oracle, op: Cas, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """cas: whether it may answer so, and what it leaves."""
    domain, key_clause = rule_key(oracle.profile, op.key)
    if domain is Domain.OUTSIDE:
        return reads.outside(oracle, key_clause, outcome, op.key)
    cell = oracle.cell(op.key)
    ruling = oracle.rules.ruling(op)
    views = cell.views(began, ended)
    fits = [oracle.rules.compares(op.expected, view) for view in views]
    certain = len(set(fits)) == 1 and fits[0] is not None and not cell.unknown
    oracle.count(_stakes(oracle, op, cell, views, began, ended) if certain else [])
    if outcome is not True and outcome is not False:
        return _no_answer(oracle, op, cell, ruling, domain, outcome, began, ended)
    kept = tuple(v for v, fit in zip(views, fits, strict=True) if fit is None or fit is outcome)
    if not kept and not cell.unknown:
        chosen = _blame(oracle, op, cell, views, bool(outcome), began)
        violation = chosen.violation(_due(outcome, views), show(outcome), op.key)
        _take_over(oracle, op, cell, ruling, bool(outcome), began, ended)
        return violation
    if not outcome:
        if not cell.unknown:
            cell.states = reads.adopted(cell, kept, began, ended)
        cell.mark(CAS_FAILED)
        return None
    if ruling.effect is Effect.REFUSE:
        oracle.count([ruling.clause])
        cell.forget()
        return Violation(ruling.clause, "a refusal", show(outcome), op.key)
    _swapped(oracle, op, cell, ruling, kept, began, ended)
    return None


def _due(outcome: Any, views: tuple[State, ...]) -> str:
    return f"{not outcome} (the key is {describe(views)})"


def _stakes(
    oracle: Oracle, op: Cas, cell: Cell, views: tuple[State, ...], began: float, ended: float
) -> Iterator[str]:
    yield "CAS-1"
    live = next((view for view in views if view is not None), None)
    if op.expected is ABSENT:
        yield "CAS-3"
    if op.expected is ABSENT and op.new is ABSENT:
        yield "CAS-5"
    if live is not None and op.expected is not ABSENT:
        if is_subtle(op.expected, live.value) and oracle.profile.cas_equality == "structural":
            yield "CAS-7"
        if carries(op.expected, CHANGED_AFTER_GET):
            yield "CAS-10"
        if cell.flags & RETAKEN and op.new is ABSENT:
            yield "CAS-11"
    for clause in stakes.without_value(tuple(oracle.read_stakes(cell, began, ended))):
        if clause != "OPEN-2":
            yield clause


def is_subtle(expected: Any, value: Any) -> bool:
    """True where a comparison other than the structural one would answer otherwise (CAS-7)."""
    if equal(expected, value):
        other_text = type(expected) is not type(value) or _text(expected) != _text(value)
        return other_text or is_container(value)  # of containers, the identity differs too
    return bool(_loose(expected) == _loose(value))


def _text(value: Any) -> str:
    return json.dumps(value, default=repr)


def _loose(value: Any) -> Any:
    if isinstance(value, bool):
        return repr(float(value))
    if isinstance(value, int | float):
        return repr(float(value))
    if isinstance(value, list):
        return sorted((repr(_loose(item)) for item in value), key=str)
    if isinstance(value, dict):
        return sorted((repr(key), repr(_loose(item))) for key, item in value.items())
    return repr(value)


def _blame(
    oracle: Oracle, op: Cas, cell: Cell, views: tuple[State, ...], answer: bool, began: float
) -> blame.Blame:
    live = next((view for view in views if view is not None), None)
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
    expired, cause = cell.latest if kept == (None,) else None, cell.cause
    if kept == (None,):
        cell.states = (None,)
    writes.done(oracle, cell, ruling, began, ended, op)
    if cell.cause == "set":
        cell.cause = "cas"
        if expired is not None:
            cell.before = expired
            cell.remember(expired.value)
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
        writes.done(oracle, cell, ruling, began, ended, op)
        cell.adopt(cell.states[0], oracle.number, began)


def _no_answer(
    oracle: Oracle,
    op: Cas,
    cell: Cell,
    ruling: Ruling,
    domain: Domain,
    outcome: Raised | Malformed,
    began: float,
    ended: float,
) -> Violation | None:
    if isinstance(outcome, Raised):
        if outcome.indefinite:
            later = oracle.rules.after_write(ruling, None, began, math.inf)
            cell.pending = (*cell.pending, later)
            return None
        either = ruling.effect in (Effect.REFUSE, Effect.EITHER) or domain is Domain.DOUBTFUL
        if either and (outcome.refusal or ruling.effect is Effect.REFUSE):
            cell.mark(REFUSED)
            oracle.count([ruling.clause] if ruling.effect is Effect.REFUSE else [])
            oracle.space.journal.refusals.note(op.key, oracle.number)
            return None
    clause, others = "CAS-1", tuple[str, ...]()
    if isinstance(outcome, Raised) and (op.ttl is not None or op.new is None):
        clause, others = writes.of_refusal(ruling, op.ttl), ("CAS-1",)
    oracle.count([clause])
    cell.forget()
    return Violation(clause, "True or False", show(outcome), op.key, others)
