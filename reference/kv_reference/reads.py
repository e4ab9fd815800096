"""Judging get and has (GET, HAS, and through them when a key is live and what it holds)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kv_spec.operations import Get, Has
from kv_spec.outcomes import Malformed, Outcome, Raised
from kv_spec.store import ABSENT
from kv_spec.values import equal, is_container

from kv_reference import blame, stakes
from kv_reference.belief import ASKED, DOUBTED, GOT, HANDED_OUT, Cell
from kv_reference.clause_sets import BITS, set_of
from kv_reference.rulings import Domain, rule_key
from kv_reference.semantics import Live, State, is_gone, live_of
from kv_reference.verdicts import NO_ANSWER, Violation, describe, show

if TYPE_CHECKING:
    from kv_reference.oracle import Oracle

_VAL_6, _HAS_1 = set_of("VAL-6"), set_of("HAS-1")
_NEVER_BY_HAS = frozenset({"GET-1", "CAS-1", "KEY-1", "KEY-2"})
"""Where has and get may differ, has is at fault by itself (HAS-1)."""


def judge_get(
    oracle: Oracle, op: Get, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """get: the value of a live key, ABSENT for one that is gone."""
    cell = oracle.reach(op.key)
    if cell is None:
        return outside(oracle, outcome, op.key)
    views = cell.views(began, ended)
    found = oracle.read_stakes(cell, views, began)
    if found and cell.latest is not None:
        found |= _VAL_6
    if cell.domain is Domain.DOUBTFUL:
        found |= BITS[cell.key_clause]
    oracle.stakes = found
    if isinstance(outcome, NO_ANSWER):
        return _failed(oracle, cell, views, outcome)
    kept = matching(oracle, views, outcome)
    if not kept and not cell.unknown:
        return _wrong(oracle, cell, views, outcome, began)
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


def matching(oracle: Oracle, views: tuple[State, ...], outcome: Outcome) -> tuple[State, ...]:
    """Those of `views` that explain what a get answered."""
    # With null=value and absent=none a miss and a stored null look alike (see GET-5).
    missed = outcome is ABSENT or (outcome is None and oracle.profile.absent == "none")
    if len(views) == 1:
        view = views[0]
        return views if (missed if view is None else equal(view.value, outcome)) else ()
    return those(views, [missed if view is None else equal(view.value, outcome) for view in views])


def those(views: tuple[State, ...], fits: Sequence[bool]) -> tuple[State, ...]:
    """Those of `views` that fit."""
    return views if all(fits) else tuple(itertools.compress(views, fits))


def note(oracle: Oracle, cell: Cell, kept: tuple[State, ...], began: float, ended: float) -> None:
    """Goes on with the states that a read left possible (TTL-4)."""
    if cell.unknown:
        return
    if kept is not cell.states:
        cell.believe(adopted(cell, kept, began, ended))
    cell.confirm(oracle.number)


def adopted(cell: Cell, kept: tuple[State, ...], began: float, ended: float) -> tuple[State, ...]:
    """`kept`, with an entry that is gone as an expired one: a revival is the clock's fault."""
    latest = cell.latest
    if latest is not None and -math.inf < latest.lo <= ended and began < latest.hi:
        cell.flags |= DOUBTED
        cell.doubt_ends = latest.hi
    if latest is not None and is_gone(kept):
        return (Live(latest.value, -math.inf, min(latest.hi, began)),)
    return kept


def _wrong(
    oracle: Oracle, cell: Cell, views: tuple[State, ...], outcome: Outcome, began: float
) -> Violation:
    live = live_of(views)
    # Where a stored null and a miss look alike, a None in place of a value is a miss.
    alike = oracle.profile.null == "value" and oracle.profile.absent == "none"
    missed = outcome is ABSENT or (outcome is None and alike)
    answer = ABSENT if missed else outcome
    suspects = blame.of_read(oracle.scene(cell, began), live, answer)
    fallback = "GET-5" if live is None else "GET-2"
    chosen = blame.choose(suspects, oracle.at_stake, fallback)
    violation = chosen.violation(describe(views), show(outcome), cell.key)
    cell.adopt(None if missed else Live(outcome), oracle.number, began)
    return violation


def _failed(
    oracle: Oracle,
    cell: Cell,
    views: tuple[State, ...],
    outcome: Raised | Malformed,
) -> Violation | None:
    if isinstance(outcome, Raised):
        doubtful = cell.domain is Domain.DOUBTFUL and None in views
        if outcome.indefinite or (outcome.refusal and doubtful):
            return None
    if cell.unknown:
        return None
    others: tuple[str, ...] = ()
    if cell.domain is Domain.DOUBTFUL:
        broken, others = cell.key_clause, ("GET-1",) if cell.cause == "never" else ()
    elif None not in views:
        broken = "VAL-6"
    elif cell.cause == "never":
        broken = "GET-1"
    else:
        broken, others = "GET-5", ("GET-1",)
    oracle.count(broken)
    cell.forget()
    return Violation(broken, describe(views), show(outcome), cell.key, others)


def outside(oracle: Oracle, outcome: Outcome, key: Any) -> Violation | None:
    """A read of what is no key at all, or one too long: no entry can come of it."""
    clause = rule_key(oracle.profile, key)[1]
    if clause != "KEY-7":
        return None
    oracle.count(clause)
    if isinstance(outcome, Raised) or outcome in (ABSENT, False, None):
        return None
    return Violation(clause, "a refusal, or ABSENT", show(outcome), key)


def judge_has(
    oracle: Oracle, op: Has, outcome: Outcome, began: float, ended: float
) -> Violation | None:
    """has: HAS-1, and the clauses on when a key is live."""
    cell = oracle.reach(op.key)
    if cell is None:
        return outside(oracle, outcome, op.key)
    views = cell.views(began, ended)
    found = oracle.read_stakes(cell, views, began) & stakes.WITHOUT_VALUE
    if not cell.unknown and (len(views) == 1 or len({view is None for view in views}) == 1):
        found |= _HAS_1
    oracle.stakes = found
    if isinstance(outcome, Raised):
        doubtful = cell.domain is Domain.DOUBTFUL and None in views
        if outcome.indefinite or (outcome.refusal and doubtful):
            return None
    if outcome is not True and outcome is not False:
        oracle.count("HAS-1")
        return Violation("HAS-1", "True or False", show(outcome), op.key)
    kept = those(views, [(view is not None) == outcome for view in views])
    if not kept and not cell.unknown:
        return _wrong_has(oracle, cell, outcome, views, began)
    note(oracle, cell, kept, began, ended)
    cell.mark(ASKED)
    oracle.space.journal.asked = oracle.number
    return None


def _wrong_has(
    oracle: Oracle, cell: Cell, outcome: bool, views: tuple[State, ...], began: float
) -> Violation:
    live = live_of(views)
    answer = blame.NO_VALUE if outcome else ABSENT
    found = blame.of_read(oracle.scene(cell, began), live, answer)
    suspects = [clause for clause in found if clause not in _NEVER_BY_HAS]
    chosen = blame.choose([*suspects, "HAS-1"], oracle.at_stake, "HAS-1")
    if live is not None and chosen.clause in ("TTL-2", "TTL-1") and began <= cell.wrote_at:
        chosen = blame.Blame("HAS-1", (chosen.clause,))
    due = f"{not outcome} (the key holds {describe(views)})"
    violation = chosen.violation(due, show(outcome), cell.key)
    if outcome:
        cell.forget()
    else:
        cell.adopt(None, oracle.number, began)
    return violation
