"""What the oracle says of a wrong answer, in data and in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from kv_spec.outcomes import Malformed, Outcome, Raised

from kv_reference.semantics import State

NO_ANSWER: Final = (Raised, Malformed)
"""What stands in the place of an answer."""
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Violation:
    """A clause broken: what was due, and what came instead.

    Where the program leaves several suspects, `clause` is the likeliest and `others` are the
    rest: a shrinker may go over to any of them. Judging a minimal program again with
    `minimal=True` settles it. `key` is the key in question, if there is one.
    """

    clause: str
    expected: str
    actual: str
    key: Any = None
    others: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        """True where no other clause is suspected."""
        return not self.others


def describe(views: Iterable[State]) -> str:
    """The permitted answers in words."""
    return " or ".join(dict.fromkeys("ABSENT" if v is None else show(v.value) for v in views))


def show(outcome: Outcome) -> str:
    """An outcome in words, cut where it is long; never fails on what a store returned."""
    if isinstance(outcome, Raised):
        return f"raised {outcome}"
    if isinstance(outcome, Malformed):
        return outcome.what
    try:
        text = repr(outcome)
    except BaseException:
        text = f"an object of type {type(outcome).__name__} whose repr fails"
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 20]}… ({len(text)} characters)"
