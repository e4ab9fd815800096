"""Answers that are none, and exceptions on good input: the clause says so, and nothing passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.bad.conftest import Run

GET = "def get(self, key):\n        found = Right.get(self, key)\n        "
ANSWERS = {
    "has answers 1": ("def has(self, key): return 1", {"HAS"}),
    "cas answers None": ("def cas(self, key, expected, new, *, ttl=None): pass", {"CAS"}),
    "list answers a dict": (
        "def list(self, prefix=()): return dict(Right.list(self, prefix))", {"LIST"},
    ),
    "an entry of three": (
        "def list(self, prefix=()): return [(k, v, 1) for k, v in Right.list(self, prefix)]",
        {"LIST"},
    ),
    "list answers nothing": ("def list(self, prefix=()): pass", {"LIST", "VAL"}),
    "get answers an object": (
        f"{GET}return None if found is None else object()", {"GET", "VAL", "SET"},
    ),
    "get answers what equals everything": (
        f"{GET}return type('Any', (), {{'__eq__': lambda *_: True}})()", {"GET", "VAL", "SET"},
    ),
    "get answers a number that equals everything": (
        f"{GET}return type('Any', (int,), {{'__eq__': lambda *_: True}})()", {"GET", "VAL", "SET"},
    ),
    "get answers what can not be shown": (
        f"{GET}return type('Any', (), {{'__repr__': lambda _: 1 / 0}})()", {"GET", "VAL", "SET"},
    ),
    "get answers a list that contains itself": (
        f"{GET}found = [found]; found[0] = found; return found", {"GET", "VAL", "SET"},
    ),
    "a listing without end": (
        "def list(self, prefix=()):\n        while entries := [*Right.list(self, prefix)]:\n"
        "            yield from entries",
        {"LIST", "SET", "VAL", "ITER"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_is_none_is_a_violation(run: Run, case: str) -> None:
    method, families = ANSWERS[case]
    result = run(f"class Store(Right):\n    {method}\n")
    assert result.code == 1, result.reasons
    assert {one.partition("-")[0] for one in result.clauses("fail")} & families


@pytest.mark.parametrize(
    "error",
    ["RuntimeError()", "OSError()", "KeyError()", "KeyboardInterrupt()", "SystemExit(0)",
     "GeneratorExit()"],
)  # fmt: skip
def test_an_exception_on_good_input_is_a_violation(run: Run, error: str) -> None:
    result = run(f"class Store(Right):\n    {GET}if found is not None: raise {error}\n")
    assert result.code == 1, result.reasons
    assert set(result.clauses("fail")) & {"VAL-6", "GET-2", "VAL-1", "GET-4"}
    assert result.report["stopped"] is None


def test_an_exception_of_delete_is_no_refusal(run: Run) -> None:
    result = run("class Store(Right):\n    def delete(self, key): raise ValueError('not today')")
    assert result.code == 1
    assert set(result.clauses("fail")) & {"DEL-1", "DEL-2"}


@pytest.mark.parametrize("seed", range(3))
def test_a_store_that_answers_at_random_never_passes(run: Run, seed: int) -> None:
    result = run(
        f"""
        import random
        dice = random.Random({seed})

        class Store(Right):
            def get(self, key):
                return dice.choice([None, 1, "a", True, Right.get(self, key)])
        """,
        "--seed",
        str(seed),
    )
    assert result.code in (1, 3)
    assert result.report["verdict"] != "conformant"


REFUSED = "raise ConnectionRefusedError('nobody there')"


@pytest.mark.parametrize("where", ["def __init__(self)", "def set(self, key, value, *, ttl=None)"])
def test_a_store_that_is_not_there(run: Run, where: str) -> None:
    result = run(f"class Store(Right):\n    {where}: {REFUSED}")
    assert (result.code, result.report["stopped"]["kind"]) == (3, "unreachable")
    assert "could not be reached: ConnectionRefusedError: nobody there" in result.reasons


def test_a_store_that_goes_away(run: Run) -> None:
    result = run(
        f"""
        class Store(Right):
            calls = 0

            def __getattribute__(self, name):
                if name in ("get", "set", "delete", "list"):
                    Store.calls += 1
                    if Store.calls > 100: {REFUSED}
                return Right.__getattribute__(self, name)
        """
    )
    assert (result.code, result.report["stopped"]["kind"]) == (3, "unreachable")
    assert sum(one["checks"] for one in result.report["clauses"]) > 0


@pytest.mark.parametrize(("every", "error"), [(7, "ConnectionResetError"), (2, "Unavailable")])
def test_calls_that_are_not_answered_at_times_are_held_against_nobody(
    run: Run, every: int, error: str
) -> None:
    result = run(
        f"""
        from kv_spec.errors import Unavailable

        class Store(Right):
            calls = 0
            def _key(self, key):
                Store.calls += 1
                if Store.calls % {every} == 0: raise {error}("not now")
                return Right._key(self, key)
        """
    )
    assert result.code == 0, result.reasons
    assert f"calls were not answered, the first with {error}: not now" in result.notes


def test_a_refusal_by_an_unusual_exception_is_taken_and_noted(run: Run) -> None:
    body = """
    class Odd(Exception):
        pass

    class Store(Right):
        {declared}

        def set(self, key, value, *, ttl=None):
            try:
                super().set(key, value, ttl=ttl)
            except ValueError as error:
                raise Odd("no") from error
    """
    found = run(body.format(declared="odd = Odd"), "--examples", "6")
    assert found.code == 0
    assert "input was refused with Odd" in found.notes
    declared = run(body.format(declared='profile = {"concurrent": False, "rejects": (Odd,)}'))
    assert (declared.code, declared.notes) == (0, "")
