"""Simpler programs: what a shrinker tries, from the boldest to the smallest step.

Every candidate is simpler by `size`, so that shrinking ends.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any, Final, cast

from kv_spec.operations import (
    Advance,
    Cas,
    Delete,
    Fill,
    Get,
    Iterate,
    List,
    Open,
    Operation,
    Program,
    Race,
    Scan,
    Set,
    fill_keys,
)
from kv_spec.store import ABSENT
from kv_spec.values import Outside

from kv_conformance.measure import keys_of, oddness, values_of

_SIMPLE_VALUES: Final[tuple[Any, ...]] = (1, 2, 0, "a", [1], {"a": 1})
_SIMPLE_KEYS: Final = (("a",), ("b",), ("a", "b"), ("c",))
_SIMPLE_FLAT_KEYS: Final = ("a", "b", "ab", "c")
_SIMPLE_TIMES: Final = (1.0, 2.0, 4.0, 16.0)


def about_key(program: Program, key: Any) -> Program:
    """The program without what is about other keys than `key`, the last operation kept."""
    kept = [op for op in program[:-1] if key in (keys := tuple(keys_of(op))) or not keys]
    return (*kept, program[-1])


def about_one_key(program: Program) -> Iterator[Program]:
    """The program without what is about other keys than the last operation is."""
    last = set(keys_of(program[-1]))
    if not last:
        return
    wanted = [op for op in program if not set(keys_of(op)) or not last.isdisjoint(keys_of(op))]
    yield tuple(wanted)
    yield tuple(op for op in wanted if set(keys_of(op)))


def without_blocks(program: Program) -> Iterator[Program]:
    """The program without a run of operations, longest runs first (Zeller's ddmin)."""
    length = len(program) - 1  # the last operation is the one that shows the fault
    block = length
    while block >= 1:
        for start in range(length - block, -1, -1):
            yield program[:start] + program[start + block :]
        block //= 2


def with_one_key_for_another(program: Program) -> Iterator[Program]:
    """The program with a key renamed everywhere, to a simpler key or to one it has already."""
    keys = list(dict.fromkeys(key for op in program for key in keys_of(op)))
    for key in keys:
        simple = _SIMPLE_FLAT_KEYS if isinstance(key, str) else _SIMPLE_KEYS
        for other in simple:
            if _is_simpler(other, key):
                yield tuple(_rename(op, key, other) for op in program)


def _is_simpler(other: Any, key: Any) -> bool:
    return oddness(other) < oddness(key)


def _rename(op: Operation, key: Any, other: Any) -> Operation:
    if isinstance(op, Race):
        branches = tuple(_rename(branch, key, other) for branch in op.branches)
        return dataclasses.replace(op, branches=branches)
    for name in ("key", "prefix"):
        if getattr(op, name, None) == key:
            return dataclasses.replace(op, **{name: other})
    return op


def with_one_value_for_another(program: Program) -> Iterator[Program]:
    """The program with a value replaced everywhere by a simpler one."""
    values = [v for op in program for v in values_of(op)]
    for value in {json.dumps(v, default=repr): v for v in values}.values():
        text = json.dumps(value, default=repr)
        for simple in _SIMPLE_VALUES:
            if (len(json.dumps(simple)), simple != 1) < (len(text), value != 1):
                yield tuple(_revalue(op, text, simple) for op in program)


def _revalue(op: Operation, text: str, simple: Any) -> Operation:
    if isinstance(op, Race):
        branches = tuple(_revalue(branch, text, simple) for branch in op.branches)
        return dataclasses.replace(op, branches=branches)
    changes = {
        name: simple
        for name in ("value", "expected", "new")
        if (value := getattr(op, name, ABSENT)) is not ABSENT
        and value is not None
        and not isinstance(value, Outside)
        and json.dumps(value, default=repr) == text
    }
    return dataclasses.replace(op, **changes) if changes else op


def with_one_operation_simpler(program: Program) -> Iterator[Program]:
    """The program with one argument of one operation simpler."""
    for number, op in enumerate(program):
        for simpler in _simpler(op):
            yield (*program[:number], simpler, *program[number + 1 :])


def _simpler(op: Operation) -> Iterator[Operation]:
    if getattr(op, "change", False):
        yield _with(op, change=False)
    ttl = getattr(op, "ttl", None)
    if ttl is not None:
        yield _with(op, ttl=None)
        for simple in _SIMPLE_TIMES:
            if not isinstance(ttl, Outside) and simple < ttl:
                yield _with(op, ttl=simple)
    if isinstance(op, Advance):
        yield from (Advance(simple) for simple in _SIMPLE_TIMES if _plainer(simple, op.seconds))
    elif isinstance(op, Fill):
        yield from (dataclasses.replace(op, n=n) for n in _smaller(op.n))
    elif isinstance(op, Iterate):
        yield from (dataclasses.replace(op, limit=n) for n in _smaller(op.limit))
    elif isinstance(op, Race) and len(op.branches) > 2:
        for number in range(len(op.branches)):
            yield dataclasses.replace(op, branches=op.branches[:number] + op.branches[number + 1 :])


def _with(op: Operation, **changes: Any) -> Operation:
    return dataclasses.replace(cast(Any, op), **changes)  # type: ignore[no-any-return]


def _plainer(simple: float, seconds: float) -> bool:
    return len(repr(simple)) < len(repr(seconds)) or simple < seconds


def _smaller(number: int) -> Iterator[int]:
    """Smaller numbers: 1, then the multiples of ever smaller powers of two next below `number`.

    They are the same for many numbers, so that most of those to try after a success are known.
    """
    if number > 1:
        yield 1
    step = 1 << max(number.bit_length() - 1, 0)
    while step > 0:
        below = (number - 1) // step * step
        if below > 1:
            yield below
        step //= 2


def with_shorter_lives(program: Program) -> Iterator[Program]:
    """The program with a shorter ttl, and a wait for its end that is shorter by as much."""
    for number, op in enumerate(program):
        ttl = getattr(op, "ttl", None)
        if ttl is None or isinstance(ttl, Outside):
            continue
        for simple in (time for time in _SIMPLE_TIMES if time < ttl):
            for later, wait in enumerate(program[number + 1 :], number + 1):
                left = wait.seconds - (ttl - simple) if isinstance(wait, Advance) else 0
                if left > 0:
                    shorter = _with(op, ttl=simple)
                    between = program[number + 1 : later]
                    yield (
                        *program[:number],
                        shorter,
                        *between,
                        Advance(left),
                        *program[later + 1 :],
                    )


def with_times_merged(program: Program) -> Iterator[Program]:
    """The program with two steps of the clock that follow each other as one."""
    for number in range(len(program) - 1):
        one, two = program[number], program[number + 1]
        if isinstance(one, Advance) and isinstance(two, Advance):
            merged = Advance(one.seconds + two.seconds)
            yield (*program[:number], merged, *program[number + 2 :])


def with_less_to_it(program: Program) -> Iterator[Program]:
    """The program with an operation replaced by a more basic one of the same effect."""
    for number, op in enumerate(program):
        if isinstance(op, Open) and op.space not in ("a", "b"):
            yield (*program[:number], Open("b"), *program[number + 1 :])
        if isinstance(op, Cas):
            wrote = Delete(op.key) if op.new is ABSENT else Set(op.key, op.new, op.ttl)
            yield (*program[:number], wrote, *program[number + 1 :])
        if isinstance(op, Fill) and op.n == 1:
            only = Set(fill_keys(op)[0], 1, op.ttl)
            yield (*program[:number], only, *program[number + 1 :])
        if isinstance(op, Iterate):
            yield (*program[:number], List(op.prefix), *program[number + 1 :])
        if isinstance(op, Scan):
            flat = any(isinstance(key, str) for one in program for key in keys_of(one))
            yield (*program[:number], List("" if flat else ()), *program[number + 1 :])


def with_the_first_space(program: Program) -> Iterator[Program]:
    """The program with the space that it opens first in the place of the one that it begins in."""
    place = next((number for number, op in enumerate(program) if isinstance(op, Open)), None)
    if place is None:
        return
    first = cast(Open, program[place]).space
    names = {first: "a", "a": first, first.swapcase(): "A"}
    later = (
        Open(names.get(op.space, op.space)) if isinstance(op, Open) else op
        for op in program[place + 1 :]
    )
    yield (*program[:place], *later)


def with_a_key_unwritten(program: Program) -> Iterator[Program]:
    """The program with a key read that it writes no more, while it goes on writing another.

    That shows two keys which are taken for one (KEY-1 to KEY-5), whatever showed them before.
    """
    writes = [(number, op.key) for number, op in enumerate(program[:-1]) if isinstance(op, Set)]
    if (
        isinstance(program[-1], Get)
        or len({json.dumps(key, default=repr) for _, key in writes}) < 2
    ):
        return
    for number, key in writes:
        yield (*program[:number], *program[number + 1 : -1], Get(key))


PASSES: Final = (
    about_one_key,
    without_blocks,
    with_times_merged,
    with_one_key_for_another,
    with_one_value_for_another,
    with_one_operation_simpler,
    with_shorter_lives,
    with_less_to_it,
    with_the_first_space,
    with_a_key_unwritten,
)
"""All ways to make a program simpler, the boldest first."""
