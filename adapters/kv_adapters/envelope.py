"""A value with its deadline, for backends that know nothing of time.

The deadline is an absolute time, so that an entry goes on ageing while its store is closed
(DUR-1). It counts microseconds: it is rounded up, and a clock is read rounded down, so that no
entry ends early (TTL-2), and none lives two microseconds too long.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kv_spec.errors import InvalidTtl

from kv_adapters.checks import nanoseconds_down, nanoseconds_up, round_up

Clock = Callable[[], float]
"""Tells the time in seconds."""

_MICROSECOND: Final = 1000
_FOREVER: Final = 2**63 - 1
"""In an envelope, the deadline of an entry without one: no clock comes so far."""
_HEAD: Final = struct.Struct(">q")


@dataclass(frozen=True, slots=True)
class Record:
    """A value as packed by its store, and its deadline in microseconds; None is no deadline."""

    packed: bytes
    deadline: int | None = None

    def live(self, now: int) -> bool:
        """Whether the entry is there at the instant `now`, in microseconds (TTL-3)."""
        return self.deadline is None or now < self.deadline


def instant(clock: Clock) -> int:
    """The time in microseconds, by which a reader judges deadlines."""
    return nanoseconds_down(clock()) // _MICROSECOND


def record(packed: bytes, life: int | None, clock: Clock) -> Record:
    """`packed` with a life in nanoseconds from now on; None is no ttl.

    Raises InvalidTtl for a deadline that an envelope can not hold: in some 290,000 years.
    """
    if life is None:
        return Record(packed)
    deadline = round_up(nanoseconds_up(clock()) + life, _MICROSECOND)
    if deadline >= _FOREVER:
        raise InvalidTtl("a deadline so far ahead does not fit into 64 bits of microseconds")
    return Record(packed, deadline)


def seal(record: Record) -> bytes:
    """The envelope: eight bytes for the deadline, and the value."""
    deadline = _FOREVER if record.deadline is None else record.deadline
    return _HEAD.pack(deadline) + record.packed


def unseal(data: bytes) -> Record:
    """The record in an envelope. Raises ValueError for bytes that `seal` never writes."""
    if len(data) < _HEAD.size:
        raise ValueError(f"{data!r} is no envelope")
    (deadline,) = _HEAD.unpack_from(data)
    return Record(data[_HEAD.size :], None if deadline == _FOREVER else deadline)
