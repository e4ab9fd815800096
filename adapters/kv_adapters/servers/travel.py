"""The time of a server that runs, moved by one of two mechanisms: what `RunServer.time` holds.

The offset of the monotonic clock only grows, while a process lives: a server that has seen it go
back waits, forgets its timers, and heeds no signal. What goes by realtime alone may be taken back
to the present between two programs, since nobody reads any more what was written. So the offset has
an end (`Launch.latest`), and `renew` begins anew: by the one way or the other.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import Final, Protocol

from kv_adapters.base import TimeLimit
from kv_adapters.servers.keeper import vdso
from kv_adapters.servers.keeper.slots import Slots
from kv_adapters.servers.kept import Kept
from kv_adapters.servers.preload import Preload

_NANOSECONDS: Final = 10**9
_WORTHWHILE: Final = 20 * _NANOSECONDS
"""Less is not taken back: within half of it, it can be seen that the server has come back."""
REALTIME, MONOTONIC = "realtime", "monotonic"


class Mechanism(Protocol):
    """A way to set how far the clocks of a process are ahead."""

    def set(self, realtime: int, monotonic: int) -> None:
        """Sets both offsets, in nanoseconds. Raises OSError if the process is gone."""


@dataclass(slots=True)
class Preloaded:
    """By the library in the process."""

    preload: Preload
    process: Kept
    slots: Slots = field(default_factory=Slots)

    def set(self, realtime: int, monotonic: int) -> None:
        """Sets both offsets, in nanoseconds. Raises OSError if the process is gone."""
        if self.process.poll() is not None:
            raise ConnectionError("the server has ended")
        self.slots.set(realtime, monotonic)
        self.preload.write(self.slots)


class Patched:
    """By the code that was written over its vDSO.

    Where this process may write to the server's memory it does so itself, without a word to the
    keeper; `directly` is False where it must not even try.
    """

    def __init__(self, process: Kept, *, directly: bool = True) -> None:
        """Raises OSError where the program is only one that has started another."""
        self._process, self._pid, self._slots = process, process.pid, Slots()
        process.move(0, 0)
        self.directly = directly and self._reaches()

    def set(self, realtime: int, monotonic: int) -> None:
        """Sets both offsets, in nanoseconds. Raises OSError if the process is gone."""
        if not self.directly:
            self._process.move(realtime, monotonic)
            return
        if self._process.poll() is not None:
            raise ConnectionError("the server has ended")
        if self._pid != self._process.pid:  # started anew, and its slots with it
            self._pid, self._slots = self._process.pid, Slots()
        self._slots.set(realtime, monotonic)
        vdso.move(self._process.pid, self._process.address, self._slots)

    def _reaches(self) -> bool:
        try:
            vdso.move(self._process.pid, self._process.address, self._slots)
        except OSError:
            return False
        return True


@dataclass(slots=True, kw_only=True)
class ServerTime:
    """Moves the clocks of one server, and waits until its clients see what has expired.

    `mechanism` and `why` are for the report. `clocks` are those that entries expire by. `again`
    starts the server anew, and returns when it serves. `latest` is the last time, in seconds since
    1970, that it can live with.
    """

    mechanism: str
    why: str
    clocks: Set[str]
    latest: float
    setter: Mechanism
    settle: Callable[[float], None] | None
    settle_back: Callable[[float], None] | None
    empty: Callable[[], None] | None
    again: Callable[[], None]
    _offset: int = 0

    @property
    def quick(self) -> bool:
        """Whether to renew takes no longer than a call: the server need not be started anew."""
        return MONOTONIC not in self.clocks

    @property
    def left(self) -> float:
        """Seconds by which it can still be moved."""
        return max(0.0, self.latest - self._now())

    def move(self, seconds: float) -> None:
        """Lets `seconds` (0 or more) pass; on return clients see what has expired.

        Raises ValueError for a number that is negative or not finite, TimeLimit for one that is
        more than `left`, and OSError where the server is gone.
        """
        if not 0 <= seconds < math.inf:
            raise ValueError(f"time moves forward by a finite number of seconds, not {seconds!r}")
        if seconds > self.left:
            raise TimeLimit(f"the server can be moved by {self.left:.0f} s, and not by {seconds!r}")
        fraction, whole = math.modf(seconds)
        self._set(self._offset + int(whole) * _NANOSECONDS + round(fraction * _NANOSECONDS))
        if self.settle is not None:
            self.settle(self._now())

    def renew(self) -> None:
        """Back to the present: what was written so far may be gone, or be live again.

        Raises OSError where the server is gone.
        """
        if not self.quick:
            self.again()
            self._offset = 0
            return
        if self.empty is not None:
            self.empty()
        if self._offset > _WORTHWHILE:
            between = self._now() - self._offset / _NANOSECONDS / 2
            self._set(0)
            if self.settle_back is not None:
                self.settle_back(between)

    def _set(self, offset: int) -> None:
        both = [offset if clock in self.clocks else 0 for clock in (REALTIME, MONOTONIC)]
        self.setter.set(*both)
        self._offset = offset

    def _now(self) -> float:
        """The time in seconds since 1970 that the server has reached."""
        return (time.time_ns() + self._offset) / _NANOSECONDS
