"""The oracle where a call raised: without an answer, or refusing what a store may refuse."""

from __future__ import annotations

from typing import Any

import pytest
from kv_reference.oracle import Oracle
from kv_spec.operations import Cas, Delete, Get, Has, List, Operation, Set
from kv_spec.outcomes import Raised
from kv_spec.profile import Profile
from kv_spec.store import ABSENT
from kv_spec.values import Outside

KEY, OTHER = ("key",), ("other",)
LOST = Raised("TimeoutError", "no answer", indefinite=True, refusal=False)
REFUSED = Raised("ValueError", "not here")
BROKE = Raised("KeyError", "not here", refusal=False)


def known(value: Any) -> Oracle:
    """An oracle that knows a key and another one beside it."""
    oracle = Oracle(Profile())
    for key, content in ((KEY, value), (OTHER, "o")):
        if content is not ABSENT:
            assert oracle.judge(Set(key, content), None, 0.0, 1.0) is None
    return oracle


LOST_WRITES = [
    (Set(KEY, "new"), "new"),
    (Set(KEY, None), ABSENT),
    (Delete(KEY), ABSENT),
    (Cas(KEY, "old", "new"), "new"),
    (Cas(KEY, "old", ABSENT), ABSENT),
]


@pytest.mark.parametrize(("write", "left"), LOST_WRITES)
@pytest.mark.parametrize("happened", [False, True])
@pytest.mark.parametrize("when", [3.0, 1e9])
def test_a_write_without_an_answer_leaves_both_possible(
    write: Operation, left: Any, happened: bool, when: float
) -> None:
    oracle = known("old")
    assert oracle.judge(write, LOST, 1.0, 2.0) is None
    assert oracle.judge(Get(KEY), left if happened else "old", when, when) is None


@pytest.mark.parametrize(("write", "left"), LOST_WRITES)
def test_a_write_without_an_answer_may_still_happen_but_not_be_undone(
    write: Operation, left: Any
) -> None:
    oracle = known("old")
    for operation, outcome in ((write, LOST), (Get(KEY), "old"), (Get(KEY), left)):
        assert oracle.judge(operation, outcome, 2.0, 3.0) is None
    assert oracle.judge(Get(KEY), "old", 4.0, 4.0) is not None


@pytest.mark.parametrize(("write", "left"), LOST_WRITES)
def test_a_write_without_an_answer_may_happen_after_a_later_one(
    write: Operation, left: Any
) -> None:
    for outcome in (left, "later"):
        oracle = known("old")
        oracle.judge(write, LOST, 1.0, 2.0)
        assert oracle.judge(Set(KEY, "later"), None, 3.0, 4.0) is None
        assert oracle.judge(Get(KEY), outcome, 5.0, 5.0) is None
    assert known("old").judge(Get(KEY), left, 5.0, 5.0) is not None


@pytest.mark.parametrize("write", [write for write, _ in LOST_WRITES])
def test_a_write_without_an_answer_excuses_no_third_value_and_no_other_key(
    write: Operation,
) -> None:
    oracle = known("old")
    oracle.judge(write, LOST, 1.0, 2.0)
    assert oracle.judge(Get(KEY), "third", 3.0, 3.0) is not None
    assert oracle.judge(Get(OTHER), ABSENT, 3.0, 3.0) is not None


DOUBTFUL_KEYS = [("a\0b",), ("\ud800",), ("",), ("a", ""), ("k" * 201,), tuple("abcdefghi")]
LARGE = "v" * 70_000


@pytest.mark.parametrize("key", DOUBTFUL_KEYS)
@pytest.mark.parametrize("write", [Set, lambda key, value: Cas(key, ABSENT, value)])
def test_a_doubtful_key_may_be_refused_and_then_is_not_there(write: Any, key: Any) -> None:
    for read, right, wrong in (
        (Get(key), ABSENT, "v"),
        (Has(key), False, True),
        (List(), [(OTHER, "o")], [(OTHER, "o"), (key, "v")]),
    ):
        for outcome in (right, wrong):
            oracle = known(ABSENT)
            assert oracle.judge(write(key, "v"), REFUSED, 1.0, 1.0) is None
            assert (oracle.judge(read, outcome, 2.0, 2.0) is None) == (outcome == right)
    oracle = known(ABSENT)
    assert oracle.judge(Get(key), REFUSED, 1.0, 1.0) is None


@pytest.mark.parametrize("key", DOUBTFUL_KEYS)
def test_a_doubtful_key_that_was_accepted_works_like_any_other(key: Any) -> None:
    for outcome in (ABSENT, REFUSED, "other"):
        oracle = known(ABSENT)
        assert oracle.judge(Set(key, "v"), None, 1.0, 1.0) is None
        assert oracle.judge(Get(key), "v", 2.0, 2.0) is None
        violation = oracle.judge(Get(key), outcome, 3.0, 3.0)
        assert violation is not None
        assert violation.clause in oracle.at_stake


@pytest.mark.parametrize("value", [LARGE, "a\0b", {"a": ["\udfff"]}], ids=["large", "NUL", "half"])
def test_a_doubtful_value_may_be_refused_and_leaves_the_old_one(value: Any) -> None:
    oracle = known("old")
    assert oracle.judge(Set(KEY, value), REFUSED, 1.0, 1.0) is None
    assert oracle.judge(Get(KEY), "old", 2.0, 2.0) is None
    assert oracle.judge(Get(OTHER), "o", 2.0, 2.0) is None
    violation = oracle.judge(Get(KEY), value, 3.0, 3.0)
    assert violation is not None
    assert violation.clause in oracle.at_stake


@pytest.mark.parametrize("key", DOUBTFUL_KEYS)
def test_a_refusal_must_look_like_one(key: Any) -> None:
    assert known(ABSENT).judge(Set(key, "v"), BROKE, 1.0, 1.0) is not None
    assert known(ABSENT).judge(Get(key), BROKE, 1.0, 1.0) is not None


def test_plain_input_may_not_be_refused() -> None:
    for operation in (Set(KEY, "v"), Get(KEY), Delete(KEY), Has(KEY), List(), Cas(KEY, "v", "w")):
        oracle = known("old")
        violation = oracle.judge(operation, REFUSED, 1.0, 1.0)
        assert violation is not None, operation
        assert violation.clause in oracle.at_stake


@pytest.mark.parametrize("name", ["bytes", "bigint", "datetime"])
def test_a_declared_type_must_be_taken_and_come_back(name: str) -> None:
    value = Outside(name)
    for declared, outcome in ((True, None), (True, REFUSED), (False, None), (False, REFUSED)):
        oracle = Oracle(Profile(capabilities=frozenset({name} if declared else ())))
        violation = oracle.judge(Set(KEY, value), outcome, 1.0, 1.0)
        refused_though_declared = declared and outcome is REFUSED
        assert (violation is None) != refused_though_declared
        if violation is not None:
            assert violation.clause == "VAL-8"
        elif outcome is None:
            assert oracle.judge(Get(KEY), value.make(), 2.0, 2.0) is None
            assert "VAL-8" in oracle.at_stake
            assert oracle.judge(Set(KEY, value), None, 3.0, 3.0) is None
            changed = oracle.judge(Get(KEY), str(value.make()), 3.0, 3.0)
            assert changed is not None
            assert changed.clause == "VAL-8"
