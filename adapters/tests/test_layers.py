"""A store on stores answers as one store does, whatever is asked of it (LAYER-1)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kv_adapters.coalescing import CoalescingStore
from kv_adapters.memory import MemoryStore
from kv_adapters.prefixed import PrefixedStore
from kv_adapters.sqlite import SqliteStore
from kv_adapters.tiered import TieredStore

from .composed import Seconds
from .conftest import Clock

Call = tuple[str, tuple[Any, ...], dict[str, Any]]

KEYS = st.sampled_from([("a",), ("a", "b"), ("p", "a")])
VALUES = st.sampled_from(
    [None, False, 0, "", [], [1], {"v": None}, "1", [0, "1800000000000000000"]]
)
OPTIONS = st.sampled_from([{"ttl": 1}, {"ttl": 1.5}, {"ttl": 2}, {"ttl": 0}, {"ttl": -1}, {}])
CALLS = st.one_of(
    st.tuples(st.just("get"), st.tuples(KEYS), st.just({})),
    st.tuples(st.just("set"), st.tuples(KEYS, VALUES), OPTIONS),
    st.tuples(st.just("cas"), st.tuples(KEYS, VALUES, VALUES), OPTIONS),
    st.tuples(st.just("delete"), st.tuples(KEYS), st.just({})),
    st.tuples(st.just("has"), st.tuples(KEYS), st.just({})),
    st.tuples(st.just("list"), st.tuples(st.sampled_from([(), ("a",), ("p",)])), st.just({})),
    st.tuples(st.sampled_from(["clear", "prune"]), st.just(()), st.just({})),
    st.tuples(st.just("advance"), st.tuples(st.sampled_from([0.5, 1.0, 1.5])), st.just({})),
)
"""Few keys and short lives, so that calls meet."""


def prefixed(clock: Clock, stack: ExitStack) -> tuple[Any, Callable[[], None]]:
    store = MemoryStore(clock=clock)
    outside = {("p",): 1, ("pp", "a"): 2, ("a",): 3, ("p", "q"): 4}
    for key, value in outside.items():
        store.set(key, value)

    def untouched() -> None:
        found = dict(store.list())
        assert {key: found[key] for key in outside} == outside
        assert all(key in outside or key[:2] == ("p", "q") for key in found)

    return PrefixedStore(store, ("p", "q")), untouched


def coalescing(clock: Clock, stack: ExitStack) -> tuple[Any, Callable[[], None]]:
    store = CoalescingStore(MemoryStore(clock=clock))

    def nothing_left() -> None:
        assert not store._flights._next
        assert not store._flights._under_way

    return store, nothing_left


def tiered(clock: Clock, stack: ExitStack, fast: Any = None) -> tuple[Any, Callable[[], None]]:
    fast = fast or MemoryStore(clock=clock)
    slow = stack.enter_context(closing(SqliteStore(clock=clock)))

    def copies_are_right() -> None:
        held = dict(slow.list())
        for key, copy in fast.list():
            assert copy == held[key], "a copy is not what the slow tier holds"
            ends = float(copy[1]) if len(copy) > 1 else None
            assert ends is None or clock.now * 1e9 < ends, "a copy outlived its entry (LOAD-4)"

    return TieredStore(fast, slow, clock=clock), copies_are_right


def tiered_in_seconds(clock: Clock, stack: ExitStack) -> tuple[Any, Callable[[], None]]:
    return tiered(clock, stack, Seconds(clock=clock))


def layers_on_layers(clock: Clock, stack: ExitStack) -> tuple[Any, Callable[[], None]]:
    pair, check = tiered(clock, stack)
    return PrefixedStore(CoalescingStore(pair), ("p",)), check


def answer(store: Any, clock: Clock, call: Call) -> Any:
    name, arguments, options = call
    if name == "advance":
        clock.now += arguments[0]
        return None
    found = getattr(store, name)(*arguments, **options)
    return sorted(found) if name == "list" else found


@pytest.mark.parametrize(
    "make", [prefixed, coalescing, tiered, tiered_in_seconds, layers_on_layers]
)
@settings(max_examples=120, deadline=None, derandomize=True)
@given(calls=st.lists(CALLS, min_size=10, max_size=30))
def test_a_layer_answers_as_one_store(make: Any, calls: list[Call]) -> None:
    clock, plain_clock = Clock(), Clock()
    plain = MemoryStore(clock=plain_clock)
    with ExitStack() as stack:
        layer, check = make(clock, stack)
        for call in calls:
            assert answer(layer, clock, call) == answer(plain, plain_clock, call), call
            check()
        assert list(layer.list()) == list(plain.list())
        assert all(one < two for one, two in pairwise(layer.keys()))


COMPOSED = Path(__file__).with_name("composed.py")


@pytest.mark.parametrize("name", ["CoalescingLittle", "PrefixedSeconds", "TieredSeconds", "Tower"])
def test_a_layer_holds_every_clause_of_the_profile_it_declares(name: str, tmp_path: Path) -> None:
    command = ["--store", f"{COMPOSED}:{name}", "--budget", "quick", "--jobs", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "kv_conformance.cli", *command, "--report", "json=report.json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["verdict"] == "conformant"
    ttl = {one["id"]: one["checks"] for one in report["clauses"] if one["capability"] == "ttl"}
    assert ttl["TTL-2"] > 0
    assert ttl["TTL-3"] > 0
