"""How an exception of a store is read: refused, failed, or perhaps done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from kv_spec import errors
from kv_spec.outcomes import Raised, raised


class RedisTimeoutError(Exception):
    """A client's own, of which we know only the name."""


class ServerUnavailable(RuntimeError):
    """Another."""


class ConnectionString(ValueError):
    """A refusal, whatever its name reminds of."""


class Refused(OSError):
    """A refusal, plain where the profile says so."""


class Missing(NotImplementedError):
    """Says in its own way that something is not offered."""


INDEFINITE = [
    errors.Unavailable(), ConnectionError(), ConnectionResetError(), BrokenPipeError(),
    TimeoutError(), TimeoutError(), InterruptedError(), RedisTimeoutError(),
    ServerUnavailable(),
]  # fmt: skip
REFUSALS = [
    errors.InvalidKey(), errors.InvalidValue(), errors.InvalidTtl(), errors.Unsupported(),
    errors.StoreClosed(), ValueError(), TypeError(), OverflowError(), RecursionError(),
    NotImplementedError(), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "half"), ConnectionString(),
]  # fmt: skip
ODD_REFUSALS = [
    RuntimeError(), AttributeError(), AssertionError(), Exception(), IndexError(),
    OSError(36, "name too long"), FileNotFoundError(), PermissionError(), KeyError("k"), Refused(),
]  # fmt: skip
NO_EXCEPTIONS = [KeyboardInterrupt(), SystemExit(1), GeneratorExit(), asyncio.CancelledError()]


def kind(error: BaseException) -> str:
    return type(error).__name__


@pytest.mark.parametrize("error", INDEFINITE, ids=kind)
def test_an_unanswered_call_may_have_happened_and_refuses_nothing(error: Exception) -> None:
    outcome = raised(error)
    assert outcome.indefinite
    assert not outcome.refusal


@pytest.mark.parametrize("error", REFUSALS, ids=kind)
def test_a_plain_refusal(error: Exception) -> None:
    outcome = raised(error)
    assert (outcome.indefinite, outcome.refusal, outcome.plain) == (False, True, True)


@pytest.mark.parametrize("error", ODD_REFUSALS, ids=kind)
def test_any_other_exception_can_be_a_refusal_but_no_plain_one(error: Exception) -> None:
    outcome = raised(error)
    assert (outcome.indefinite, outcome.refusal, outcome.plain) == (False, True, False)
    declared = raised(error, (type(error),))
    assert (declared.indefinite, declared.refusal, declared.plain) == (False, True, True)


@pytest.mark.parametrize("error", NO_EXCEPTIONS, ids=kind)
def test_what_is_no_exception_is_no_refusal(error: BaseException) -> None:
    outcome = raised(error, (ValueError,))
    assert not outcome.refusal
    assert not outcome.plain


@pytest.mark.parametrize("error", [*INDEFINITE, *REFUSALS, *ODD_REFUSALS], ids=kind)
def test_a_declared_exception_is_a_plain_refusal(error: Exception) -> None:
    outcome = raised(error, (Exception,))
    assert outcome.refusal
    assert outcome.plain


@pytest.mark.parametrize(
    ("error", "means"),
    [
        (errors.Unsupported(), True),
        (NotImplementedError(), True),
        (Missing(), True),
        (TypeError(), True),
        (AttributeError(), True),
        (ValueError(), False),
        (errors.InvalidKey(), False),
        (KeyError(), False),
    ],
    ids=repr,
)
def test_which_errors_say_that_something_is_not_offered(error: Exception, means: bool) -> None:
    assert raised(error).means_unoffered is means


def test_it_shows_as_python_shows_it() -> None:
    assert str(raised(ValueError("no"))) == "ValueError: no"
    assert str(raised(ValueError())) == "ValueError"
    assert len(raised(ValueError("x" * 10_000)).message) == 500


def test_an_early_error_is_told_by_its_mark() -> None:
    error = ValueError("not awaited")
    assert not raised(error).early
    error.raised_early = True  # type: ignore[attr-defined]
    assert raised(error).early


class Hostile(Exception):
    """Raises whatever one asks of it."""

    def __str__(self) -> str:
        raise KeyboardInterrupt

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_an_exception_that_raises_when_it_is_asked_is_described_all_the_same() -> None:
    assert raised(Hostile()) == Raised("Hostile", "(its text can not be had)", plain=False)


class Unhashable(type):
    """A class of classes that lets none of them be looked up."""

    def __hash__(cls) -> int:
        raise RuntimeError("not to be hashed")


def test_an_exception_whose_class_can_not_be_hashed_is_described_as_any_other() -> None:
    class Odd(ValueError, metaclass=Unhashable):
        pass

    described = raised(Odd("no"))
    assert (described.name, described.message, described.plain) == ("Odd", "no", True)
