"""The clock of a server that was started for this run, moved from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from kv_conformance import real_time
from kv_conformance.clocks.base import NANOSECONDS, check_advance, nanoseconds
from kv_conformance.subject.silence import Unreachable

_PART: Final = 3
"""When a third of the time that a server can be moved by is used up, it is renewed."""
_SHORT_OF_THE_END: Final = 60.0
"""Seconds that stay unused: what is left grows less in real time, between the look and the move."""
_PROGRAMS: Final = 50
"""After so many programs it is renewed as well, where that is quick."""


class MovableTime(Protocol):
    """What the adapter of a store gives beside the server that it started."""

    @property
    def mechanism(self) -> str:
        """How the time is moved, in a word."""

    @property
    def why(self) -> str:
        """Why it is moved this way."""

    @property
    def left(self) -> float:
        """Seconds by which the server can be moved before it has to be renewed."""

    @property
    def quick(self) -> bool:
        """Whether to renew it takes no longer than a call."""

    def move(self, seconds: float) -> None:
        """Lets time pass for the server; on return its clients see what has expired.

        Raises OSError if the server is gone.
        """

    def renew(self) -> None:
        """Takes the server back to the present; what it holds may be gone, or be live again.

        Raises OSError if the server is gone.
        """


class ServerClock:
    """Real time, and what the server is ahead of it.

    Time passes during calls as on a real clock, so it is not exact; to let a day pass takes no
    longer than a call. No server can be moved for ever: dates end in 2038 for some. Between two
    programs, of which the later reads nothing that the earlier wrote, the server goes back to the
    present, while this clock goes on. Within one program a step that leads beyond the end is cut
    short: the oracle judges by what `now` tells, so nothing is tested then that has not come to
    pass. `longest` is what a program may surely wait, in seconds. `moving` is the number of the
    move that is under way, 0 where none is: a server that hangs holds it up, and a watchdog sees.
    """

    exact: Final = False
    jumps: Final = True

    def __init__(self, time: MovableTime) -> None:
        self.kind = f"server ({time.mechanism})"
        self._time = time
        self._moved = self._ahead = self._programs = 0
        self.moving = self._moves = 0
        self._room = time.left
        self.longest = self._room * (_PART - 1) / _PART

    def now(self) -> float:
        """Return the time in seconds, on a scale of this clock's own."""
        return real_time.monotonic() + self._moved / NANOSECONDS

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass for the server, as far as it can be moved.

        Raises:
            ValueError: `seconds` is negative, infinite or not a number.
            Unreachable: the server is gone.
        """
        check_advance(seconds)
        step = nanoseconds(min(seconds, max(0.0, self._time.left - _SHORT_OF_THE_END)))
        with self._asking():
            self._time.move(step / NANOSECONDS)
        self._moved += step
        self._ahead += step

    def restart(self) -> None:
        """Move on to a whole second of the server's wall clock, renewed if it is far ahead.

        What rounds or cuts off seconds then does so again when the program is run again.

        Raises:
            Unreachable: the server is gone.
        """
        self._programs += 1
        often = self._time.quick and self._programs % _PROGRAMS == 0
        if often or self._time.left < self.longest:
            with self._asking():
                self._time.renew()
            self._ahead = 0
        wall = real_time.time() + self._ahead / NANOSECONDS
        self.advance(1 - wall % 1)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        self._moves += 1
        self.moving = self._moves
        try:
            yield
        except OSError as error:
            raise _gone(error) from error
        finally:
            self.moving = 0


def _gone(error: OSError) -> Unreachable:
    return Unreachable(f"the server that was started for this run is gone, or hangs: {error}")
