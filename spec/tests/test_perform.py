"""Applying operations to a store: whatever it does becomes an outcome, and nothing gets out."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from kv_spec import perform
from kv_spec.operations import (
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
    Script,
    Set,
    Unoffered,
)
from kv_spec.outcomes import Malformed, Raised
from kv_spec.perform import Surface
from kv_spec.profile import Profile
from kv_spec.store import ABSENT
from kv_spec.values import Outside

KEY = ("k",)
SCRIPTS: tuple[Script, ...] = (
    "read",
    "delete-current",
    "delete-yielded",
    "write-new",
    "overwrite",
    "abandon",
)
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


@pytest.mark.parametrize(
    "operation", [Get(KEY), Set(KEY, 1), Delete(KEY), Has(KEY), Increment(KEY), Fill(2), Clear()]
)
def test_a_coroutine_is_closed_and_said(operation: Operation) -> None:
    outcome = Surface(Answering(coroutine)).perform(operation)
    assert isinstance(outcome, Malformed)
    assert "coroutine" in outcome.what
