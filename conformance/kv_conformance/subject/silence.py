"""When a store that does not answer is given up."""

from __future__ import annotations

from typing import Final

from kv_spec.outcomes import Outcome, Raced, Raised

from kv_conformance import real_time

MOST_IN_A_ROW: Final = 24
"""So many calls in a row without an answer end a run: half of the calls may well be lost."""
LONGEST: Final = 30.0
"""Seconds after which three calls in a row are enough, where each waits for its time-out."""
_FEWEST: Final = 3
PERHAPS_UNANSWERED: Final = frozenset({Raised, Raced})
"""The types of outcomes by which a store may say that it does not answer."""


class Unreachable(BaseException):
    """The store does not answer any more (exit 3); the message says what it raised.

    Not an Exception: nobody between the call and the engine is to take it for a program's fault.
    """


class Silence:
    """Counts the calls whose answer is unknown; raises Unreachable where no other ones come.

    Only an outcome of PERHAPS_UNANSWERED, or one that comes after some that were unknown
    (`in_a_row`), need be noted; other calls who makes them may count in `calls` himself.
    """

    def __init__(self) -> None:
        self.calls = self.unanswered = self.in_a_row = 0
        self.first: Raised | None = None
        self._since = 0.0

    def note(self, outcome: Outcome) -> None:
        """Takes the outcome of a call into account."""
        self.calls += 1
        raised = _unanswered(outcome)
        if raised is None:
            self.in_a_row = 0
            return
        now = real_time.monotonic()
        self.unanswered += 1
        self.first = self.first or raised
        self._since = self._since if self.in_a_row else now
        self.in_a_row += 1
        patient = self.in_a_row < _FEWEST or now - self._since < LONGEST
        if self.in_a_row >= MOST_IN_A_ROW or not patient:
            raise Unreachable(
                f"the store could not be reached: {raised} ({self.in_a_row} calls in a row were "
                "not answered). See that it runs, and that --option points to it."
            )

    def summary(self) -> str | None:
        """What a reader should know of calls that were not answered; None where all were."""
        if self.first is None:
            return None
        return (
            f"{self.unanswered:,} of {self.calls:,} calls were not answered, the first with "
            f"{self.first}: whether they happened is open, and nothing was held against them"
        )


def _unanswered(outcome: Outcome) -> Raised | None:
    if isinstance(outcome, Raised):
        return outcome if outcome.indefinite else None
    if isinstance(outcome, Raced):
        found = [_unanswered(one) for one in outcome.outcomes]
        return found[0] if found and all(found) else None
    return None
