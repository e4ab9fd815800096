"""Judging get and has (GET, HAS, and through them when a key is live and what it holds)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kv_spec.operations import Get, Has
from kv_spec.outcomes import Malformed, Outcome, Raised
from kv_spec.store import ABSENT
from kv_spec.values import equal, is_container

from kv_reference import blame, stakes
from kv_reference.belief import ASKED, DOUBTED, GOT, HANDED_OUT, Cell
from kv_reference.rulings import Domain, rule_key
from kv_reference.semantics import Live, State
from kv_reference.verdicts import Violation, describe, show

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle

_NEVER_BY_HAS = frozenset({"GET-1", "CAS-1", "KEY-1", "KEY-2"})
"""Where has and get may differ, has is at fault by itself (HAS-1)."""


def judge_get(
    oracle: Oracle, op: Get, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """get: the value of a live key, ABSENT for one that is gone."""
    domain, clause = rule_key(oracle.profile, op.key)
    if domain is Domain.OUTSIDE:
        return outside(oracle, clause, outcome, op.key)
    cell = oracle.cell(op.key)
    at_stake = oracle.read_stakes(cell, began, ended)
    if at_stake and cell.latest is not None:
        at_stake.append("VAL-6")
    if domain is Domain.DOUBTFUL:
        at_stake.append(clause)
    oracle.count(at_stake)
    if isinstance(outcome, Raised | Malformed):
        return _failed(oracle, cell, outcome, (domain, clause), began, ended)
    kept = matching(oracle, cell, outcome, began, ended)
    if not kept and not cell.unknown:
        return _wrong(oracle, cell, outcome, began, ended)
    note(oracle, cell, kept, began, ended)
    if op.change and is_container(outcome):
        handed_out(oracle, cell)
    cell.mark(GOT)
    oracle.space.journal.got = oracle.number
    return None


def handed_out(oracle: Oracle, cell: Cell) -> None:
    """Notes that the caller changed an object that came out: of an alias, the stored one too."""
    if oracle.profile.isolation == "copy":
        cell.mark(HANDED_OUT)
    else:
        cell.forget()


def matching(
    oracle: Oracle, cell: Cell, outcome: Outcome, began: float, ended: float
) -> tuple[State, ...]:
    """The states of `cell` that explain what a read answered."""
    views = cell.views(began, ended)
    if outcome is ABSENT:
        return tuple(view for view in views if view is None)
    # With null=value and absent=none a miss and a stored null look alike (see GET-5).
    null_or_miss = outcome is None and oracle.profile.absent == "none"
    return tuple(
        view for view in views if (null_or_miss if view is None else equal(view.value, outcome))
    )


def note(oracle: Oracle, cell: Cell, kept: tuple[State, ...], began: float, ended: float) -> None:
    """Goes on with the states that a read left possible (TTL-4)."""
    if cell.unknown:
        return
    cell.confirm(adopted(cell, kept, began, ended), oracle.number)


def adopted(cell: Cell, kept: tuple[State, ...], began: float, ended: float) -> tuple[State, ...]:
    """`kept`, with an entry that is gone as an expired one: a revival is the clock's fault."""
    latest = cell.latest
    if latest is not None and -math.inf < latest.lo <= ended and began < latest.hi:
        cell.flags |= DOUBTED
        cell.doubt_ends = latest.hi
    if kept == (None,) and latest is not None:
        return (Live(latest.value, -math.inf, min(latest.hi, began)),)
    return kept


def _wrong(oracle: Oracle, cell: Cell, outcome: Outcome, began: float, ended: float) -> Violation:
    views = cell.views(began, ended)
    live = next((view for view in views if view is not None), None)
    suspects = blame.of_read(oracle.scene(cell, began), live, outcome)
    fallback = "GET-5" if live is None else "GET-2"
    chosen = blame.choose(suspects, oracle.at_stake, fallback)
    violation = chosen.violation(describe(views), show(outcome), cell.key)
    cell.adopt(None if outcome is ABSENT else Live(outcome), oracle.number, began)
    return violation


def _failed(
    oracle: Oracle,
    cell: Cell,
    outcome: Raised | Malformed,
    domain: tuple[Domain, str],
    began: float,
    ended: float,
) -> Violation | None:
    views = cell.views(began, ended)
    if isinstance(outcome, Raised):
        doubtful = domain[0] is Domain.DOUBTFUL and None in views
        if outcome.indefinite or (outcome.refusal and doubtful):
            return None
    if cell.unknown:
        return None
    others: tuple[str, ...] = ()
    if domain[0] is Domain.DOUBTFUL:
        broken, others = domain[1], ("GET-1",) if cell.cause == "never" else ()
    elif None not in views:
        broken = "VAL-6"
    elif cell.cause == "never":
        broken = "GET-1"
    else:
        broken, others = "GET-5", ("GET-1",)
    oracle.count([broken])
    cell.forget()
    return Violation(broken, describe(views), show(outcome), cell.key, others)


def outside(oracle: Oracle, clause: str, outcome: Outcome, key: Any) -> Violation | None:
    """A read of what is no key at all, or one too long: no entry can come of it."""
    if clause != "KEY-7":
        return None
    oracle.count([clause])
    if isinstance(outcome, Raised) or outcome in (ABSENT, False, None):
        return None
    return Violation(clause, "a refusal, or ABSENT", show(outcome), key)


def judge_has(
    oracle: Oracle, op: Has, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """has: HAS-1, and the clauses on when a key is live."""
    domain, clause = rule_key(oracle.profile, op.key)
    if domain is Domain.OUTSIDE:
        return outside(oracle, clause, outcome, op.key)
    cell = oracle.cell(op.key)
    views = cell.views(began, ended)
    certain = len({view is None for view in views}) == 1 and not cell.unknown
    at_stake = stakes.without_value(tuple(oracle.read_stakes(cell, began, ended)))
    oracle.count((*at_stake, *(["HAS-1"] if certain else [])))
    if isinstance(outcome, Raised):
        doubtful = domain is Domain.DOUBTFUL and None in views
        if outcome.indefinite or (outcome.refusal and doubtful):
            return None
    if outcome is not True and outcome is not False:
        oracle.count(["HAS-1"])
        return Violation("HAS-1", "True or False", show(outcome), op.key)
    kept = tuple(view for view in views if (view is not None) == outcome)
    if not kept and not cell.unknown:
        return _wrong_has(oracle, cell, outcome, views, began)
    note(oracle, cell, kept, began, ended)
    cell.mark(ASKED)
    oracle.space.journal.asked = oracle.number
    return None


def _wrong_has(
    oracle: Oracle, cell: Cell, outcome: bool, views: tuple[State, ...], began: float
) -> Violation:
    live = next((view for view in views if view is not None), None)
    answer = blame.NO_VALUE if outcome else ABSENT
    found = blame.of_read(oracle.scene(cell, began), live, answer)
    suspects = [clause for clause in found if clause not in _NEVER_BY_HAS]
    chosen = blame.choose([*suspects, "HAS-1"], oracle.at_stake, "HAS-1")
    if live is not None and chosen.clause in ("TTL-2", "TTL-1") and began <= cell.wrote_at:
        chosen = blame.Blame("HAS-1", (chosen.clause,))
    due = f"{not outcome} (the key is {describe(views)})"
    violation = chosen.violation(due, show(outcome), cell.key)
    if outcome:
        cell.forget()
    else:
        cell.adopt(None, oracle.number, began)
    return violation
