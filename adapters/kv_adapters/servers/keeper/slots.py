"""The offsets of a server's clocks, as the code in its process reads them.

    current: u64        where in `slots` the slot in force begins: 0 or 16
    slots: 2 x (realtime: i64, monotonic: i64), in nanoseconds

A move fills the slot that is not in force and then puts it in force by one byte, so that no clock
is ever read half moved.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

SIZE: Final = 40
"""Bytes in all."""
_FIRST: Final = 8
_SLOT: Final = struct.Struct("<qq")

Write = Callable[[int, bytes], object]
"""Writes bytes at a place counted from the beginning of `current`."""


class Slots:
    """The next slot to fill, for any number of processes that are moved together."""

    def __init__(self) -> None:
        self._current = 0
        self._offsets = (0, 0)

    def set(self, realtime: int, monotonic: int) -> None:
        """Decides on the offsets, in nanoseconds, that `put` writes from now on."""
        self._current = _SLOT.size - self._current
        self._offsets = (realtime, monotonic)

    def put(self, write: Write) -> None:
        """Writes the offsets to one process; more than once does no harm."""
        write(_FIRST + self._current, _SLOT.pack(*self._offsets))
        write(0, bytes([self._current]))
