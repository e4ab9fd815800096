"""The registry of mutants: one at least for every clause that is checked, and each a fair one."""

from __future__ import annotations

from typing import Any

import pytest
from kv_reference import aio
from kv_reference.mutants import FAMILIES, MUTANTS, Mutant
from kv_reference.mutants.registry import mutant
from kv_reference.store import ReferenceStore
from kv_spec.clauses import clauses

CHECKED = [name for name, clause in clauses().items() if clause.not_yet_checked is None]


@pytest.mark.parametrize("clause", CHECKED)
def test_every_checked_clause_has_a_mutant(clause: str) -> None:
    assert any(each.clause == clause for each in MUTANTS.values())


@pytest.mark.parametrize("each", MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_breaks_a_checked_clause_and_implies_only_such(each: Mutant) -> None:
    assert {each.clause, *each.also} <= set(CHECKED)
    assert each.clause not in each.also


@pytest.mark.parametrize("each", MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_says_what_it_breaks_and_how_that_comes_about(each: Mutant) -> None:
    assert each.summary
    assert each.store.__doc__
    assert each.store.__doc__ not in (ReferenceStore.__doc__, aio.AsyncReferenceStore.__doc__)


@pytest.mark.parametrize("each", MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_carries_its_profile_and_takes_what_the_reference_takes(each: Mutant) -> None:
    store = each.store(space="one", clock=lambda: 0.0, world={})
    assert store.profile == each.profile == each.store.profile


def test_each_module_of_mutants_registers_some() -> None:
    homes = {each.store.__module__ for each in MUTANTS.values()}
    assert {module.__name__ for module in FAMILIES} == homes


def test_a_name_is_given_once() -> None:
    class MissRaises(ReferenceStore):
        """A second one of that name."""

    with pytest.raises(ValueError, match="two mutants named miss-raises"):
        mutant("GET-1", "a miss raises")(MissRaises)


def test_a_method_that_the_profile_excludes_raises() -> None:
    profile = ReferenceStore.profile.replace(without=frozenset({"cas", "ttl"}))
    store: Any = ReferenceStore(profile=profile)
    with pytest.raises(Exception, match="does not offer cas"):
        store.cas(("k",), None, 1)
    with pytest.raises(Exception, match="no ttl"):
        store.set(("k",), 1, ttl=1.0)
    assert store.get(("k",)) is None
