"""A right store seen through operations: dialects, ttls, changes by the caller, walks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
from kv_spec.operations import (
    STEP_VALUE,
    Fill,
    Get,
    Iterate,
    List,
    Set,
)
from kv_spec.outcomes import Raised
from kv_spec.perform import Surface
from kv_spec.profile import Profile
from kv_spec.store import ABSENT
from kv_spec.values import CHANGED_AFTER_GET, CHANGED_AFTER_SET, Outside

KEY = ("k",)


class DictStore:
    """A right store, without time."""

    ABSENT = object()

    def __init__(self, miss: Any = None) -> None:
        self.data: dict[Any, Any] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.miss = miss

    def get(self, key: Any) -> Any:
        return self.data.get(key, self.miss)

    def set(self, key: Any, value: Any, **options: Any) -> None:
        self.calls.append((key, value, options))
        self.data[key] = value

    def delete(self, key: Any) -> bool:
        return self.data.pop(key, self.miss) is not self.miss

    def list(self, prefix: Any = ()) -> Iterator[Any]:
        for key in list(self.data):
            if key[: len(prefix)] == prefix:
                self.calls.append(("listed", key))
                yield key, self.data[key]


class Failing:
    """A store that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get(self, key: Any) -> NoReturn:
        raise self.error

    def set(self, key: Any, value: Any) -> NoReturn:
        raise self.error


def test_a_miss_is_read_in_the_dialect_of_the_store() -> None:
    assert Surface(DictStore()).perform(Get(KEY)) is ABSENT
    assert Surface(DictStore(), Profile(null="value")).perform(Get(KEY)) is None
    sentinel = Profile(null="value", absent="sentinel")
    assert Surface(DictStore(DictStore.ABSENT), sentinel).perform(Get(KEY)) is ABSENT
    assert Surface(DictStore(), sentinel).perform(Get(KEY)) is None
    missing = Failing(KeyError("k"))
    assert Surface(missing, Profile(absent="raises")).perform(Get(KEY)) is ABSENT
    assert isinstance(Surface(missing).perform(Get(KEY)), Raised)


def test_a_refusal_of_the_stores_own_is_a_plain_one_where_the_profile_says_so() -> None:
    store = Failing(OSError("name too long"))
    for rejects, plain in (((), False), ((OSError,), True)):
        outcome = Surface(store, Profile(rejects=rejects)).perform(Set(KEY, 1))
        assert isinstance(outcome, Raised)
        assert outcome.refusal
        assert outcome.plain is plain


def test_a_ttl_is_passed_only_where_there_is_one() -> None:
    store = DictStore()
    for operation in (Set(KEY, 1), Set(KEY, 1, 0.0), Set(KEY, 1, Outside("text")), Fill(1, (), 2)):
        Surface(store).perform(operation)
    assert [options for _, _, options in store.calls] == [
        {}, {"ttl": 0.0}, {"ttl": "soon"}, {"ttl": 2},
    ]  # fmt: skip


def test_the_changes_of_a_caller_reach_the_stores_object_and_not_the_program() -> None:
    store, value = DictStore(), [{"a": 1}]
    operation = Set(KEY, value, change=True)
    Surface(store).perform(operation)
    assert value == [{"a": 1}]
    assert store.data[KEY] == [{"a": 1, CHANGED_AFTER_SET: True}, CHANGED_AFTER_SET]
    store.data[KEY] = [1]
    assert Surface(store).perform(Get(KEY, change=True)) == [1]
    assert store.data[KEY] == [1, CHANGED_AFTER_GET]
    store.data[KEY] = [1]
    assert Surface(store).perform(List(change=True)) == [(KEY, [1])]
    assert store.data[KEY] == [1, CHANGED_AFTER_GET]


@pytest.mark.parametrize(
    ("script", "left"),
    [
        ("read", {"a": 1, "b": 2, "c": 3}),
        ("delete-current", {"c": 3}),
        ("delete-yielded", {"b": 2, "c": 3}),
        ("overwrite", {"a": STEP_VALUE, "b": STEP_VALUE, "c": 3}),
        (
            "write-new",
            {"a": 1, "b": 2, "c": 3, "step00000": STEP_VALUE, "step00001": STEP_VALUE},
        ),
    ],
)
def test_a_walk_reads_all_and_acts_at_its_first_steps(script: Any, left: dict[str, Any]) -> None:
    store = DictStore()
    store.data = {("a",): 1, ("b",): 2, ("c",): 3}
    yielded = Surface(store).perform(Iterate((), script, limit=2))
    assert [key for key, _ in yielded] == [("a",), ("b",), ("c",)]
    assert store.data == {(name,): value for name, value in left.items()}


@pytest.mark.parametrize("limit", [0, 1, 2, 5])
def test_an_abandoned_walk_takes_no_more_than_its_limit(limit: int) -> None:
    store = DictStore()
    store.data = {("a",): 1, ("b",): 2, ("c",): 3}
    yielded = Surface(store).perform(Iterate((), "abandon", limit))
    assert len(yielded) == len(store.calls) == min(limit, 3)
