"""A failing program becomes short in few runs, and shows the fault where it is plainest."""

from __future__ import annotations

import pytest
from kv_conformance.hunt import Caught, Hunt
from kv_conformance.self_test.catching import reference_of
from kv_conformance.session import Session
from kv_conformance.settle import Inquiry
from kv_conformance.shrink import Shrinker
from kv_conformance.trial import Ignores, Trial, trial_of
from kv_reference.mutants import MUTANTS
from kv_spec.operations import Advance, Cas, Fill, Get, List, Open, Program, Race, Set
from kv_spec.store import ABSENT

A, B = ("a",), ("b",)


@pytest.mark.parametrize("enough", [1, 2, 3, 101, 1_000, 1_001, 1_024, 2_499, 2_500])
def test_the_fewest_entries_that_fail_are_found_by_bisecting(enough: int) -> None:
    def failing(program: Program) -> Program | None:
        filled = sum(op.n for op in program if isinstance(op, Fill))
        return program if filled >= enough else None

    shrinker = Shrinker(failing)
    assert shrinker.shrink((Fill(2_500, A), List(A))) == (Fill(enough, A), List(A))
    assert shrinker.runs <= 30


def test_a_key_that_is_filled_in_alone_is_set() -> None:
    def failing(program: Program) -> Program | None:
        writes = any(isinstance(op, Set) or (isinstance(op, Fill) and op.n) for op in program)
        return program if writes and isinstance(program[-1], List) else None

    assert Shrinker(failing).shrink((Fill(300, A), List(A))) == (Set(A, 1), List(A))


def caught_in(name: str, program: Program) -> list[Caught]:
    """What a hunt finds in a mutant by one program."""
    mutant = MUTANTS[name]
    found: list[Caught] = []
    hunt = Hunt(trial_of(mutant.store, mutant.profile), reference_of(mutant), found.append)
    while (violation := (session := hunt.run(program)).violation) is not None:
        hunt.investigate(session.program, violation)
    return found


@pytest.mark.parametrize(
    ("name", "clause", "twin"),
    [
        ("joins-by-nothing", "KEY-2", ("ab",)),
        ("folds-case", "KEY-3", ("A", "B")),
        ("drops-empty-components", "KEY-4", ("a", "", "b")),
    ],
)
def test_two_keys_taken_for_one_are_told_as_that_though_a_listing_shows_them(
    name: str, clause: str, twin: tuple[str, ...]
) -> None:
    (caught,) = caught_in(name, (Set(("a", "b"), 1), Set(twin, 2), List(())))
    assert caught.clause == clause
    assert [type(operation) for operation in caught.program] == [Set, Get]


@pytest.mark.parametrize(("name", "other"), [("one-space-for-all", "a"), ("spaces-fold-case", "B")])
def test_of_two_spaces_one_is_that_in_which_a_program_begins(name: str, other: str) -> None:
    (caught,) = caught_in(name, (Open("b"), Set(B, 1), Set(A, 1), Open(other), Get(A)))
    assert [type(operation) for operation in caught.program] == [Set, Open, Get]


def test_what_only_a_listing_shows_stays_with_the_listing() -> None:
    (caught,) = caught_in("first-level-only", (Set(A, 1), Set(("b", "c"), 2), List(())))
    assert caught.clause == "LIST-1"
    assert isinstance(caught.program[-1], List)


def test_a_fault_that_shows_without_the_race_is_told_by_what_it_needs() -> None:
    race = Race((Get(A), Cas(A, ABSENT, 2)))
    (caught,) = caught_in("create-sees-expired", (Set(A, 1, 1.0), Advance(2.0), race))
    assert caught.clause == "TTL-3"
    assert [type(operation) for operation in caught.program] == [Set, Advance, Cas]


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """The sessions that trials open: one for each place of a switch."""
    made: list[Session] = []
    plain = Trial.open

    def noted(
        trial: Trial, *, ignores: Ignores = lambda _: False, minimal: bool = False
    ) -> Session:
        made.append(plain(trial, ignores=ignores, minimal=minimal))
        return made[-1]

    monkeypatch.setattr(Trial, "open", noted)
    return made


def test_a_race_is_tried_first_where_it_went_wrong(worlds: list[Session]) -> None:
    mutant = MUTANTS["cas-without-lock"]
    trial = trial_of(mutant.store, mutant.profile)
    race = Race((Cas(A, 1, 2), Cas(A, 1, 3)))
    session = trial.run((Set(B, 0), Set(A, 1), race, Get(A)))
    assert session.violation is not None
    places = len(worlds)
    assert places > 20
    worlds.clear()
    inquiry = Inquiry(trial, session.program, session.violation, 2_000, without_list=False)
    assert inquiry.smallest() == (Set(A, 1), race)
    # Only where a simpler program does not fail are all the places tried.
    assert len(worlds) < inquiry.runs * places
