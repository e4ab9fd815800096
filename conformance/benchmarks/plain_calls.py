"""The programs of a sweep as plain calls: what a store does by itself, and beside a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kv_adapters.memory import MemoryStore
from kv_reference.store import ReferenceStore
from kv_spec.errors import StoreError
from kv_spec.operations import (
    Advance,
    Cas,
    Delete,
    Fill,
    Get,
    Has,
    Iterate,
    List,
    Operation,
    Program,
    Prune,
    Scan,
    Set,
    fill_keys,
)
from kv_spec.store import ABSENT
from kv_spec.values import Outside, equal

Call = tuple[str, tuple[Any, ...], dict[str, Any]]
"""The name of a method, and its arguments; or `advance` with seconds."""


@dataclass(frozen=True)
class Script:
    """A program as plain calls, and how many operations it has: `Fill` is one, of many calls."""

    operations: int
    calls: list[Call]


def scripts(programs: Iterable[Program]) -> list[Script]:
    """Programs as plain calls."""
    return [
        Script(len(program), [call for operation in program for call in calls(operation)])
        for program in programs
    ]


def calls(operation: Operation) -> list[Call]:
    """An operation as plain calls; none for what no single store does (opening another)."""
    match operation:
        case Get(key=key) | Delete(key=key) | Has(key=key) | List(prefix=key):
            return [(operation.op, (given(key),), {})]
        case Set(key=key, value=value, ttl=None):
            return [("set", (given(key), given(value)), {})]
        case Set(key=key, value=value, ttl=ttl):
            return [("set", (given(key), given(value)), {"ttl": given(ttl)})]
        case Cas(key=key, expected=expected, new=new, ttl=ttl):
            ends = [None if value is ABSENT else given(value) for value in (expected, new)]
            options = {} if ttl is None else {"ttl": given(ttl)}
            return [("cas", (given(key), *ends), options)]
        case Fill(ttl=ttl):
            options = {} if ttl is None else {"ttl": ttl}
            return [("set", (key, n), options) for n, key in enumerate(fill_keys(operation))]
        case Scan(method=method):
            return [(method, (), {})]
        case Iterate(prefix=prefix):
            return [("list", (given(prefix),), {})]
        case Prune():
            return [("prune", (), {})]
        case Advance(seconds=seconds):
            return [("advance", (seconds,), {})]
        case _:
            return []


def given(value: Any) -> Any:
    """What stands for an input outside the domain, made; other values as they are."""
    return value.make() if isinstance(value, Outside) else value


def reference(clock: Callable[[], float]) -> ReferenceStore:
    """The reference under the profile of the store, in a data space of its own."""
    return ReferenceStore(clock=clock, profile=MemoryStore.profile, world={})


class Now:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


LISTINGS = frozenset({"list", "keys", "values", "entries"})


def answer(store: Any, name: str, args: Any, kwargs: Any) -> Any:
    """What a plain call comes to: the answer, a listing as a list, or the kind of a refusal."""
    try:
        got = getattr(store, name)(*args, **kwargs)
        return list(got) if name in LISTINGS else got
    except StoreError as error:
        return type(error).__name__


def bare(make: Callable[..., Any], chosen: list[Script]) -> float:
    """Operations a second of plain calls."""
    count, began = 0, time.perf_counter()
    for script in chosen:
        clock = Now()
        store = make(clock=clock)
        for name, args, kwargs in script.calls:
            if name == "advance":
                clock.now += args[0]
            else:
                answer(store, name, args, kwargs)
        count += script.operations
    return count / (time.perf_counter() - began)


def lockstep(chosen: list[Script]) -> float:
    """Operations a second of the store and the reference side by side, their answers compared."""
    count, apart, began = 0, 0, time.perf_counter()
    for script in chosen:
        clock = Now()
        store = MemoryStore(clock=clock)
        model = reference(clock)
        for name, args, kwargs in script.calls:
            if name == "advance":
                clock.now += args[0]
                continue
            got, due = answer(store, name, args, kwargs), answer(model, name, args, kwargs)
            # What a delete answers is not judged where nothing is declared.
            apart += name != "delete" and not same(name, got, due)
        count += script.operations
    rate = count / (time.perf_counter() - began)
    assert apart == 0, f"{apart} answers differ"
    return rate


def same(name: str, got: Any, due: Any) -> bool:
    """Equality of two answers of a method; in a listing keys are compared as they are."""
    if name not in LISTINGS or not isinstance(got, list) or not isinstance(due, list):
        return equal(got, due)
    if name == "keys":
        return got == due
    if name == "values":
        return len(got) == len(due) and all(map(equal, got, due))
    return len(got) == len(due) and all(
        one[0] == other[0] and equal(one[1], other[1]) for one, other in zip(got, due, strict=True)
    )
