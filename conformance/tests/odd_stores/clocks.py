"""Stores that read another clock than `time.time`, or read it elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, ClassVar

from kv_spec.profile import Profile

from .base import DictStore


class DatetimeClock(DictStore):
    """Counts with datetimes in UTC."""

    def now(self) -> Any:
        return datetime.now(UTC)

    def deadline(self, lifetime: float) -> Any:
        return datetime.now(UTC) + timedelta(seconds=lifetime)

    def over(self, deadline: Any) -> bool:
        return isinstance(deadline, datetime) and datetime.now(UTC) >= deadline


class MonotonicClock(DictStore):
    """Counts with the monotonic clock."""

    def now(self) -> float:
        return time.monotonic()


class RememberedMonotonic(DictStore):
    """Holds the monotonic clock by a name of its own since the import of its module."""

    def now(self) -> float:
        return monotonic()


class NanosecondClock(DictStore):
    """Counts in whole nanoseconds."""

    def now(self) -> float:
        return time.time_ns()

    def deadline(self, lifetime: float) -> float:
        return time.time_ns() + int(lifetime * 1e9)


class WorkerClock(DictStore):
    """Asks for the time in a thread of its own."""

    worker: ClassVar = ThreadPoolExecutor(1, "worker-clock")

    def now(self) -> float:
        return self.worker.submit(time.time).result()


class BoundClock(DictStore):
    """Has bound the clock as a default argument long ago."""

    def now(self, clock: Callable[[], float] = time.time) -> float:
        return clock()


class GivenClock(DictStore):
    """Takes a clock and goes by it."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        super().__init__()
        self.clock = clock

    def now(self) -> float:
        return self.clock()


class GivenClockSweeping(GivenClock):
    """Takes a clock; what all stores of the process do together goes by the latest time seen."""

    latest: ClassVar[float] = -math.inf

    @classmethod
    def new_process(cls) -> None:
        """Forgets what the process knows: its clock begins anew."""
        cls.latest = -math.inf

    def now(self) -> float:
        GivenClockSweeping.latest = max(GivenClockSweeping.latest, self.clock())
        return GivenClockSweeping.latest


class GivenSpace(DictStore):
    """Takes a space name: handles of one name share a dict."""

    spaces: ClassVar[dict[str, dict[Any, Any]]] = {}

    def __init__(self, *, space: str = "main") -> None:
        super().__init__()
        self.records = self.spaces.setdefault(space, self.records)


class GivenBoth(GivenSpace):
    """Takes a space and a clock."""

    profile = Profile(concurrent=False, ttl_resolution=0.0)

    def __init__(self, space: str, clock: Callable[[], float]) -> None:
        super().__init__(space=space)
        self.now = clock  # type: ignore[method-assign]


class RealTimeOnly(DictStore):
    """Counts with `time.perf_counter`, which no virtual clock moves."""

    def now(self) -> float:
        return time.perf_counter()
