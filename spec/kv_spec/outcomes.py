"""What a call came to, as data: a value, ABSENT, a list of entries, or one of the two below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from kv_spec.errors import StoreError, Unavailable

_INDEFINITE = (ConnectionError, TimeoutError, InterruptedError)
_INDEFINITE_WORDS = ("timeout", "connection", "unavailable")
_PLAIN_REJECTIONS = (ValueError, TypeError, OverflowError, RecursionError, NotImplementedError)
_OFFERS_NOT = ("Unsupported", "NotImplementedError", "TypeError", "AttributeError")


@dataclass(frozen=True, slots=True)
class Raised:
    """The call raised.

    `indefinite`: it may have happened all the same. `refusal`: an Exception that can mean
    "input refused", whatever its class. `plain`: one that everybody reads so. `early`: an async
    call raised before it was awaited.
    """

    name: str
    message: str
    indefinite: bool = False
    refusal: bool = True
    plain: bool = True
    early: bool = False

    @property
    def means_unoffered(self) -> bool:
        """True where the error says that the store does not offer the operation (ERR-2)."""
        return self.name in _OFFERS_NOT

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name


@dataclass(frozen=True, slots=True)
class Malformed:
    """The call returned something that is no answer at all; `what` says what it was."""

    what: str

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True, slots=True)
class Raced:
    """A race: an outcome for each branch, in the order of the branches.

    `steps` is how many steps the first worker made.
    """

    outcomes: tuple[Any, ...]
    steps: int


Outcome: TypeAlias = Any


def raised(error: BaseException, rejects: tuple[type[Exception], ...] = ()) -> Raised:
    """Describes an exception of the store; asks it for nothing but its text, and carefully."""
    kind = type(error)
    ours = isinstance(error, StoreError)
    indefinite = isinstance(error, (Unavailable, *_INDEFINITE))
    if not (indefinite or ours or isinstance(error, _PLAIN_REJECTIONS)):
        indefinite = any(word in kind.__name__.lower() for word in _INDEFINITE_WORDS)
    declared = isinstance(error, rejects)
    refusal = declared or (isinstance(error, Exception) and not indefinite)
    plain = declared or ours or isinstance(error, _PLAIN_REJECTIONS)
    name = next(
        (base.__name__ for base in kind.__mro__ if base.__name__ in _OFFERS_NOT), kind.__name__
    )
    early = _early(error)
    name = kind.__name__ if ours else name
    return Raised(name, _text(error), indefinite, refusal, plain, early)


def _text(error: BaseException) -> str:
    try:
        return str(error)[:500]
    except BaseException:
        return "(its text can not be had)"


def _early(error: BaseException) -> bool:
    try:
        return bool(getattr(error, "raised_early", False))
    except BaseException:
        return False
