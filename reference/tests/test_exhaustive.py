"""Every small program: the reference against a plain reading of what happened, and the oracle.

The plain reading keeps no state of a key. It keeps the list of all writes that took effect, and
answers a read by looking back through it for the last one to that key. What it says is right by
inspection, so it checks the reference; the reference then checks the oracle.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any, TypeAlias

import pytest
from kv_reference.oracle import Oracle
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore
from kv_spec.operations import Advance, Cas, Delete, Get, Has, List, Operation, Program, Set
from kv_spec.perform import Surface
from kv_spec.store import ABSENT

Event: TypeAlias = "tuple[Operation, Any, float]"

PARENT, CHILD = ("a",), ("a", "b")
KEYS = (PARENT, CHILD)

TWO_KEYS: tuple[Operation, ...] = (
    *(operation for key in KEYS for operation in (
        Get(key), Has(key), Delete(key), Set(key, "x"), Set(key, "y", 1.0),
        Cas(key, ABSENT, "x", 1.0), Cas(key, "x", "y"), Cas(key, "y", ABSENT),
    )),
    List(()), List(CHILD), Advance(1.0),
)  # fmt: skip
"""Two keys, one the prefix of the other, so that each can disturb the other."""

ONE_KEY: tuple[Operation, ...] = (
    Get(PARENT), Has(PARENT), List(PARENT), Delete(PARENT), Advance(1.0),
    Set(PARENT, "x"), Set(PARENT, "x", 1.0), Set(PARENT, "y", 1.0), Set(PARENT, None),
    Set(PARENT, "x", 0.0), Set(PARENT, "y", -1.0),
    Cas(PARENT, ABSENT, ABSENT), Cas(PARENT, ABSENT, "x"), Cas(PARENT, ABSENT, "x", 1.0),
    Cas(PARENT, "x", "y"), Cas(PARENT, "x", "x", 1.0), Cas(PARENT, "x", ABSENT),
    Cas(PARENT, "y", "x", 0.0),
)  # fmt: skip
"""One key, and every way to write it that the base dialect knows."""


@dataclass(frozen=True, slots=True)
class Write:
    """A write that took effect; a removal leaves ABSENT."""

    key: Any
    left: Any
    deadline: float


@dataclass(slots=True)
class PlainReading:
    """The specification, read from the log of what happened."""

    now: float = 0.0
    log: list[Write] = field(default_factory=list)

    def value(self, key: Any) -> Any:
        """What the last write to the key left, unless its deadline has come."""
        for write in reversed(self.log):
            if write.key == key:
                return write.left if self.now < write.deadline else ABSENT
        return ABSENT

    def write(self, key: Any, value: Any, ttl: Any) -> None:
        left = ABSENT if value is None else value
        self.log.append(Write(key, left, inf if ttl is None else self.now + ttl))

    def perform(self, operation: Operation) -> Any:
        match operation:
            case Advance(seconds):
                self.now += seconds
            case Get(key):
                return self.value(key)
            case Has(key):
                return self.value(key) is not ABSENT
            case List(tuple(prefix)):
                below = [key for key in KEYS if key[: len(prefix)] == prefix]
                live = [(key, self.value(key)) for key in below]
                return [(key, value) for key, value in live if value is not ABSENT]
            case Set(key, value, ttl):
                self.write(key, value, ttl)
            case Delete(key):
                was_live = self.value(key) is not ABSENT
                self.write(key, ABSENT, None)
                return was_live
            case Cas(key, expected, new, ttl):
                swaps = bool(self.value(key) == expected)
                if swaps:
                    self.write(key, new, ttl)
                return swaps
        return None


def programs(alphabet: tuple[Operation, ...], longest: int) -> Iterator[Program]:
    """All programs up to a length that end with an operation that answers, shortest first.

    The longest begin with a write: what comes before the first one the shorter have shown.
    """
    answering = [one for one in alphabet if not isinstance(one, Advance | Set)]
    creating = [one for one in alphabet if isinstance(one, Set) or "expected=ABSENT" in str(one)]
    for length in range(longest - 1):
        for body in itertools.product(alphabet, repeat=length):
            yield from ((*body, last) for last in answering)
    between = [alphabet] * (longest - 2)
    yield from itertools.product(creating, *between, answering)


def recorded(program: Program) -> list[Event]:
    """What the reference does in a program, and when."""
    now, happened = 0.0, []
    surface = Surface(ReferenceStore(clock=lambda: now), REFERENCE_PROFILE)
    for operation in program:
        if isinstance(operation, Advance):
            now += operation.seconds
            outcome = None
        else:
            outcome = surface.perform(operation)
        happened.append((operation, outcome, now))
    return happened


def judged(happened: list[Event]) -> Oracle:
    """An oracle that has judged this, and found nothing."""
    oracle = Oracle(REFERENCE_PROFILE)
    for operation, outcome, now in happened:
        violation = oracle.judge(operation, outcome, now, now)
        assert violation is None, f"{show(happened)}: {violation}"
    return oracle


def wrong_answers(operation: Operation, right: Any) -> Iterator[Any]:
    """Answers to an operation that nothing excuses where `right` is the right one."""
    if isinstance(operation, Get):
        yield from (value for value in (ABSENT, "x", "y", "z") if value is not right)
    elif isinstance(operation, List):
        shown = [key for key, _ in right]
        for number, (key, value) in enumerate(right):
            without = right[:number] + right[number + 1 :]
            yield without
            yield [*right, (key, value)]
            yield [(key, "y" if value == "x" else "x"), *without]
        yield from ([*right, (key, "x")] for key in KEYS if key not in shown)
        yield [*right, (("other",), "x")]
        if len(right) > 1:
            yield right[::-1]
    else:
        yield not right


def show(happened: list[Event]) -> str:
    return "; ".join(f"{operation} -> {outcome}" for operation, outcome, _ in happened)


ALL = pytest.mark.parametrize(
    ("alphabet", "longest"), [(TWO_KEYS, 4), (ONE_KEY, 4)], ids=["two keys", "one key"]
)


@ALL
def test_the_reference_answers_as_the_plain_reading(
    alphabet: tuple[Operation, ...], longest: int
) -> None:
    for program in programs(alphabet, longest):
        happened, plain = recorded(program), PlainReading()
        answers = [plain.perform(operation) for operation in program]
        assert answers == [outcome for _, outcome, _ in happened], show(happened)


@ALL
def test_the_oracle_permits_the_right_answer_and_blames_a_clause_at_stake_for_each_wrong_one(
    alphabet: tuple[Operation, ...], longest: int
) -> None:
    for program in programs(alphabet, longest):
        happened = recorded(program)
        judged(happened)
        last, right, now = happened.pop()
        for wrong in wrong_answers(last, right):
            oracle = judged(happened)
            violation = oracle.judge(last, wrong, now, now)
            assert violation is not None, f"{show(happened)}; {last} may answer {wrong}"
            assert violation.clause in oracle.at_stake, f"{show(happened)}; {last}: {violation}"


def test_the_plain_reading_says_what_the_clauses_say() -> None:
    plain = PlainReading()
    program: Program = (
        Set(PARENT, "x", 1.0), Get(PARENT), Get(CHILD), Cas(PARENT, "y", "z"), List(),
        Advance(1.0), Has(PARENT), Delete(PARENT), Cas(PARENT, ABSENT, "y"), Get(PARENT),
    )  # fmt: skip
    expected = [None, "x", ABSENT, False, [(PARENT, "x")], None, False, False, True, "y"]
    assert [plain.perform(operation) for operation in program] == expected
