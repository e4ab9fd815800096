"""A store keeps its verdict, right or wrong, however it is reached.

The programs are the same each time, since what is drawn does not depend on the store; so each view
of one store must come to the same clauses, and a view of the reference to none.
"""

from __future__ import annotations

from typing import Any

import pytest
from kv_reference.mutants import MUTANTS
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore
from kv_spec.profile import Profile

from .odd_stores.trying import Run, run
from .views import VIEWS, WORLD, PassThrough, seen

JSON = frozenset({"shared", "bigint"})
"""What a text of JSON can carry."""
DIALECTS = {
    "exact": REFERENCE_PROFILE.replace(capabilities=JSON),
    "to the millisecond": Profile(capabilities=JSON),
    "null is a value": Profile(null="value", capabilities=JSON),
}
WRONG = (
    "falsy-is-miss", "list-sees-expired", "delete-takes-subtree", "prefix-is-like", "folds-case",
    "keeps-old-deadline", "has-by-truth", "zero-is-never", "null-ignored", "merges-mappings",
    "cas-ignores-expected", "cas-does-not-install", "get-refreshes", "ends-early",
)  # fmt: skip
"""Mutants whose fault no view hides: not of the types of values, nor of the whole listing."""


def came_to(view: type[Any], make: type[Any], profile: Profile, *, share: int) -> Run:
    WORLD.clear()
    return run("seen", seen(view, make, profile), seed=0, examples=2, share=share)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_reference_passes(view: type[Any], dialect: str) -> None:
    profile = DIALECTS[dialect]
    result = came_to(view, ReferenceStore, profile, share=6)
    assert result.alarms == {}
    assert (result.exit_code, result.reasons) == (0, ())
    assert result.operations > 5_000


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_is_the_same_fault(name: str) -> None:
    mutant = MUTANTS[name]
    profile = mutant.profile.replace(capabilities=JSON, concurrent=False)
    bare = came_to(PassThrough, mutant.store, profile, share=0).alarms
    assert mutant.clause in bare
    for view in VIEWS[1:]:
        assert came_to(view, mutant.store, profile, share=0).alarms.keys() == bare.keys()
