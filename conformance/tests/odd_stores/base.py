"""An honest store on a dict, small and without a surprise: the odd ones change one thing of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeAlias

from kv_spec.profile import Profile
from kv_spec.values import check_json, copy, equal

Keys: TypeAlias = list[Any]
Entries: TypeAlias = list[tuple[Any, Any]]

QUIET = Profile(concurrent=False)
"""The base dialect, not offered for use from several threads: no time is spent on races."""
MISSING: Any = object()


class DictStore:
    """Keys of either model in a dict, each with a value and a deadline in seconds."""

    profile = QUIET

    def __init__(self) -> None:
        self.records: dict[Any, tuple[Any, float]] = {}

    def get(self, key: Any) -> Any:
        value = self.read(self.checked(key))
        return None if value is MISSING else value

    def set(self, key: Any, value: Any, *, ttl: float | timedelta | None = None) -> Any:
        self.write(self.checked(key), value, seconds(ttl))

    def delete(self, key: Any) -> Any:
        self.records.pop(self.checked(key), None)

    def has(self, key: Any) -> bool:
        return self.read(self.checked(key)) is not MISSING

    def list(self, prefix: Any = None) -> Iterable[Any]:
        return iter(self.entries_below(prefix))

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        key, lifetime = self.checked(key), seconds(ttl)
        current = self.read(key)
        if expected is None:
            fits = current is MISSING
        else:
            fits = current is not MISSING and self.same(expected, current)
        if not fits:
            return False
        if new is None:
            self.records.pop(key, None)
        else:
            self.write(key, new, lifetime)
        return True

    def now(self) -> float:
        """The time in seconds."""
        return time.time()

    def deadline(self, lifetime: float) -> float:
        """When an entry written now ends."""
        return self.now() + lifetime

    def over(self, deadline: float) -> bool:
        """Whether an entry with this deadline has ended."""
        return bool(self.now() >= deadline)

    def pack(self, value: Any) -> Any:
        """A value as it is kept."""
        return copy(value)

    def unpack(self, packed: Any) -> Any:
        """A value as it is answered."""
        return copy(packed)

    def same(self, expected: Any, current: Any) -> bool:
        """Whether a swap may go through."""
        return equal(expected, current)

    def check(self, value: Any) -> None:
        """Refuses a value that is not JSON."""
        check_json(value, extra=self.profile.extra_types)

    def checked(self, key: Any) -> Any:
        """The key; refuses what is none."""
        good = isinstance(key, str) if self.profile.flat else isinstance(key, tuple) and bool(key)
        if not good or not all(isinstance(part, str) for part in key):
            raise TypeError(f"not a key: {key!r}")
        return key

    def read(self, key: Any) -> Any:
        """The live value, or MISSING."""
        found = self.records.get(key)
        if found is None or self.over(found[1]):
            return MISSING
        return self.unpack(found[0])

    def write(self, key: Any, value: Any, lifetime: float | None) -> None:
        """Stores, or removes where the value is null or has no time to live."""
        self.check(value)
        if value is None or (lifetime is not None and lifetime <= 0):
            self.records.pop(key, None)
        else:
            ends = math.inf if lifetime is None else self.deadline(lifetime)
            self.records[key] = (self.pack(value), ends)

    def entries_below(self, prefix: Any = None) -> Entries:
        """The live entries below a prefix."""
        found = []
        for key in self.keys_below(prefix):
            value = self.read(key)
            if value is not MISSING:
                found.append((key, value))
        return found

    def keys_below(self, prefix: Any = None) -> Keys:
        """The keys below a prefix, live or not."""
        if not prefix:
            return [*self.records]
        self.checked(prefix)
        if isinstance(prefix, str):
            return [key for key in self.records if key.startswith(prefix)]
        return [key for key in self.records if key[: len(prefix)] == prefix]


def seconds(ttl: float | timedelta | None) -> float | None:
    """A ttl in seconds; refuses what is no length of time."""
    if ttl is None:
        return None
    if isinstance(ttl, timedelta):
        return ttl.total_seconds()
    if isinstance(ttl, bool) or not isinstance(ttl, int | float):
        raise TypeError(f"not a ttl: {ttl!r}")
    if not math.isfinite(ttl):
        raise ValueError(f"not a ttl: {ttl!r}")
    return ttl
