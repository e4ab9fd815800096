"""Applying operations to a store: whatever it does becomes an outcome, and nothing gets out."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from kv_spec import perform
from kv_spec.operations import (
    STEP_VALUE,
    Cas,
    Clear,
    Close,
    Delete,
    Fill,
    Get,
    Has,
    Increment,
    Iterate,
    List,
    Operation,
    Prune,
    Scan,
    Set,
    Unoffered,
)
from kv_spec.outcomes import Malformed, Raised
from kv_spec.perform import Surface
from kv_spec.profile import Profile
from kv_spec.store import ABSENT
from kv_spec.values import CHANGED_AFTER_GET, CHANGED_AFTER_SET, Outside

KEY = ("k",)
SCRIPTS = ("read", "delete-current", "delete-yielded", "write-new", "overwrite", "abandon")
OPERATIONS: list[Operation] = [
    Get(KEY), Get(KEY, change=True), Get(Outside("number-component")), Set(KEY, [1]),
    Set(KEY, [1], 2.0, change=True), Set(KEY, Outside("cycle"), Outside("nan")), Delete(KEY),
    Has(KEY), List(), List(change=True), Scan("keys"), Scan("values"), Scan("entries"),
    *(Iterate((), script) for script in SCRIPTS), Cas(KEY, ABSENT, 1), Cas(KEY, 1, ABSENT, 2.0),
    Increment(KEY), Fill(3), Fill(3, (), 1.0), Clear(), Prune(), Close(),
    *(Unoffered(name) for name in ("has", "cas", "list", "ttl", "clear")),
]  # fmt: skip


class Answering:
    """A store each of whose methods answers with what one call of `answer` gives."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        def method(*_: Any, **__: Any) -> Any:
            return answer()

        for name in "get set delete has list keys values entries cas clear prune close".split():
            setattr(self, name, method)


class Everything:
    """Equal to everything, true, and of every length."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Unspeakable:
    """Raises whatever one asks of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


def cycle() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


async def coroutine() -> int:
    return 1


def failing_midway() -> Iterator[Any]:
    yield (KEY, 1)
    raise SystemExit("midway")


def throw(error: BaseException) -> NoReturn:
    raise error


ANSWERS: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "a number": lambda: 7,
    "no bool": lambda: 1,
    "text": lambda: "text",
    "itself in it": cycle,
    "a pair of pairs": lambda: [(KEY, 1), (KEY, [1])],
    "triples": lambda: [(KEY, 1, 2)],
    "a mapping": lambda: {KEY: 1},
    "keys that are lists": lambda: [[["k"], 1]],
    "no key at all": lambda: [(Everything(), Everything()), (Unspeakable(), Unspeakable())],
    "equal to everything": Everything,
    "unspeakable": Unspeakable,
    "a coroutine": coroutine,
    "endless entries": lambda: (((f"k{n}",), n) for n in itertools.count()),
    "endless nonsense": itertools.count,
    "fails midway": failing_midway,
    "a type": lambda: int,
}
ERRORS = [
    KeyError("k"), OSError(), ValueError(), TimeoutError(), StopIteration(), GeneratorExit(),
    KeyboardInterrupt(), SystemExit(0), RecursionError(), MemoryError(), AssertionError(),
    BaseException(),
]  # fmt: skip


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perform, "LONGEST_LISTING", 50)
    monkeypatch.setattr(perform, "_MOST_TRIES", 5)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_a_store_answers_becomes_an_outcome(answer: str, operation: Operation) -> None:
    for profile in (Profile(), Profile(null="value", absent="raises", key_model="flat")):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Surface(Answering(ANSWERS[answer]), profile).perform(operation)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_whatever_a_store_raises_becomes_an_outcome(
    error: BaseException, operation: Operation
) -> None:
    outcome = Surface(Answering(lambda: throw(error))).perform(operation)
    assert isinstance(outcome, Raised)
    assert outcome.name in (type(error).__name__, "RuntimeError")


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_store_without_methods_raises(operation: Operation) -> None:
    outcome = Surface(object()).perform(operation)
    assert isinstance(outcome, Raised)
    assert outcome.means_unoffered


@pytest.mark.parametrize("operation", [List(), Scan("keys"), Scan("entries"), Iterate()])
def test_a_listing_without_end_is_malformed(operation: Operation) -> None:
    outcome = Surface(Answering(ANSWERS["endless entries"])).perform(operation)
    assert isinstance(outcome, Malformed)
    assert "without end" in outcome.what


def test_a_listing_as_long_as_the_bound_is_none() -> None:
    longest = [((f"k{n}",), n) for n in range(50)]
    for operation in (List(), Scan("entries"), Iterate()):
        assert Surface(Answering(lambda: iter(longest))).perform(operation) == longest


@pytest.mark.parametrize("operation", [Has(KEY), Cas(KEY, 1, 2), Increment(KEY)])
def test_only_a_bool_answers_where_one_is_due(operation: Operation) -> None:
    for answer in (1, None, "yes", Everything()):
        store = Answering(lambda answer=answer: answer)  # type: ignore[misc]
        store.get = lambda _: 1  # type: ignore[attr-defined]
        assert isinstance(Surface(store).perform(operation), Malformed)


@pytest.mark.parametrize("operation", [Get(KEY), Set(KEY, 1), Delete(KEY), Has(KEY), Clear()])
def test_a_coroutine_is_closed_and_said(operation: Operation) -> None:
    outcome = Surface(Answering(coroutine)).perform(operation)
    assert isinstance(outcome, Malformed)
    assert "coroutine" in outcome.what


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


def test_a_miss_is_read_in_the_dialect_of_the_store() -> None:
    assert Surface(DictStore()).perform(Get(KEY)) is ABSENT
    assert Surface(DictStore(), Profile(null="value")).perform(Get(KEY)) is None
    sentinel = Profile(null="value", absent="sentinel")
    assert Surface(DictStore(DictStore.ABSENT), sentinel).perform(Get(KEY)) is ABSENT
    assert Surface(DictStore(), sentinel).perform(Get(KEY)) is None
    missing = Answering(lambda: throw(KeyError("k")))
    assert Surface(missing, Profile(absent="raises")).perform(Get(KEY)) is ABSENT
    assert isinstance(Surface(missing).perform(Get(KEY)), Raised)


def test_a_refusal_of_the_stores_own_is_one_where_the_profile_says_so() -> None:
    store = Answering(lambda: throw(OSError("name too long")))
    for rejects, refusal in (((), False), ((OSError,), True)):
        outcome = Surface(store, Profile(rejects=rejects)).perform(Set(KEY, 1))
        assert isinstance(outcome, Raised)
        assert outcome.refusal is refusal


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
