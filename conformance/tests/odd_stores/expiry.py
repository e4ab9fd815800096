"""Stores that notice, compute or compare deadlines in their own way."""

from __future__ import annotations

import math
import time
from typing import Any, ClassVar

from .base import MISSING, QUIET, DictStore, Keys


class LazyExpiry(DictStore):
    """Drops an expired entry when a read comes upon it, and never otherwise."""

    def read(self, key: Any) -> Any:
        value = super().read(key)
        if value is MISSING:
            self.records.pop(key, None)
        return value


class EagerPurge(DictStore):
    """Drops everything that has expired at the beginning of every call; reads look at no clock."""

    def checked(self, key: Any) -> Any:
        self.purge()
        return super().checked(key)

    def keys_below(self, prefix: Any = None) -> Keys:
        self.purge()
        return super().keys_below(prefix)

    def purge(self) -> None:
        now = self.now()
        for key in [key for key, (_, ends) in self.records.items() if now >= ends]:
            del self.records[key]

    def over(self, deadline: float) -> bool:
        return False


class SeldomPurge(EagerPurge):
    """Sweeps at most once a second, and answers what the last sweep left: late by a second."""

    profile = QUIET.replace(ttl_resolution=1.0)

    def __init__(self) -> None:
        super().__init__()
        self.swept = -math.inf

    def purge(self) -> None:
        if self.now() - self.swept >= 1.0:
            self.swept = self.now()
            super().purge()


class SharedSweeper(EagerPurge):
    """All stores of the process are swept together, at most once a second."""

    profile = QUIET.replace(ttl_resolution=1.0)
    swept = -math.inf
    everyone: ClassVar[list[dict[Any, tuple[Any, float]]]] = []

    @classmethod
    def new_process(cls) -> None:
        """Forgets what the process knows: its clock begins anew."""
        cls.swept = -math.inf

    def __init__(self) -> None:
        super().__init__()
        SharedSweeper.everyone.append(self.records)
        del SharedSweeper.everyone[:-64]

    def purge(self) -> None:
        now = self.now()
        if now - SharedSweeper.swept >= 1.0:
            SharedSweeper.swept = now
            for records in SharedSweeper.everyone:
                for key in [key for key, (_, ends) in records.items() if now >= ends]:
                    del records[key]


class LivesAtDeadline(DictStore):
    """Counts in milliseconds, and is alive in the millisecond of the deadline."""

    profile = QUIET.replace(ttl_resolution=0.002)

    def now(self) -> float:
        return int(time.time() * 1000)

    def deadline(self, lifetime: float) -> float:
        return self.now() + math.ceil(lifetime * 1000)

    def over(self, deadline: float) -> bool:
        return self.now() > deadline


class RoundsUp(DictStore):
    """Rounds every deadline up to a whole second."""

    profile = QUIET.replace(ttl_resolution=1.0)

    def deadline(self, lifetime: float) -> float:
        return math.ceil(self.now() + lifetime)


class WholeSeconds(DictStore):
    """Has a clock of whole seconds, and gives an entry the second that it has begun."""

    profile = QUIET.replace(ttl_resolution=2.0)

    def now(self) -> float:
        return int(time.time())

    def deadline(self, lifetime: float) -> float:
        return self.now() + math.ceil(lifetime) + 1


class ExactlyOnTime(DictStore):
    """Ends an entry exactly at its deadline, and declares so."""

    profile = QUIET.replace(ttl_resolution=0.0)


class LongestFirst(DictStore):
    """Keeps the remaining life and the moment it was counted, and counts down at every read."""

    def deadline(self, lifetime: float) -> float:
        return lifetime

    def __init__(self) -> None:
        super().__init__()
        self.counted = self.now()

    def checked(self, key: Any) -> Any:
        self.count_down()
        return super().checked(key)

    def keys_below(self, prefix: Any = None) -> Keys:
        self.count_down()
        return super().keys_below(prefix)

    def count_down(self) -> None:
        now = self.now()
        passed, self.counted = now - self.counted, now
        for key, (value, left) in self.records.items():
            self.records[key] = (value, left - passed)

    def over(self, deadline: float) -> bool:
        return deadline <= 1e-7
