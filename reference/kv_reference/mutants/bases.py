"""What several mutants share: their ways of going wrong, and the dialects they need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from kv_reference.store import REFERENCE_PROFILE, ReferenceStore

WITH_DEFAULT = REFERENCE_PROFILE.replace(default_ttl=60.0, ttl_zero="never")


WHOLE_SECONDS = REFERENCE_PROFILE.replace(ttl_resolution=1.0)


_KEPT: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""What belongs to a data space, and so to all its handles, by its lock."""


class Timers(ReferenceStore):
    """Removes by timers, one a deadline, which fire before anything is read."""

    clears_on_overwrite = True
    clears_on_delete = True

    def prepare(self) -> None:
        self.timers: list[tuple[float, Any]] = _KEPT.setdefault(self.lock, [])

    def put(self, key: Any, value: Any, deadline: float) -> None:
        self.fire()
        if self.clears_on_overwrite and key in self.records:
            self.cancel(key)
        super().put(key, value, deadline)
        if deadline < math.inf:
            self.timers.append((deadline, key))

    def remove(self, key: Any) -> None:
        super().remove(key)
        if self.clears_on_delete:
            self.cancel(key)

    def cancel(self, key: Any) -> None:
        self.timers[:] = [timer for timer in self.timers if timer[1] != key]

    def fire(self) -> None:
        now = self.clock()
        for deadline, key in [timer for timer in self.timers if timer[0] <= now]:
            self.timers.remove((deadline, key))
            self.records.pop(key, None)

    def check_open(self) -> None:
        super().check_open()
        with self.lock:
            self.fire()


class Encodes(ReferenceStore):
    """Keeps entries under an encoded key; keys that encode alike are one entry."""

    def prepare(self) -> None:
        self.names: dict[Any, Any] = _KEPT.setdefault(self.lock, {})

    def encode(self, key: Any) -> Any:
        return tuple(map(self.part, key))

    def part(self, text: str) -> str:
        raise NotImplementedError

    def encoded(self, key: Any) -> Any:
        good = isinstance(key, tuple) and all(isinstance(part, str) for part in key)
        return self.encode(key) if good and key else key

    def get(self, key: Any) -> Any:
        return super().get(self.encoded(key))

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(self.encoded(key), value, ttl=ttl)
        self.names[self.encoded(key)] = key

    def delete(self, key: Any) -> bool:
        return super().delete(self.encoded(key))

    def has(self, key: Any) -> bool:
        return super().has(self.encoded(key))

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        swapped = super().cas(self.encoded(key), expected, new, ttl=ttl)
        if swapped:
            self.names[self.encoded(key)] = key
        return swapped

    def snapshot(self, prefix: Any = None) -> Sequence[tuple[Any, Any]]:
        wanted = self.check_prefix(prefix)
        named = [(self.names.get(key, key), value) for key, value in super().snapshot()]
        return sorted(
            (entry for entry in named if self.below(entry[0], wanted)), key=lambda entry: entry[0]
        )


class Matches(ReferenceStore):
    """Matches keys and prefixes as text, each component followed by a colon."""

    def below(self, key: Any, prefix: Any) -> bool:
        if not prefix:
            return True
        text, start = ":".join(key) + ":", ":".join(prefix) + ":"
        return super().below(key, prefix) or self.match(text, start)

    def match(self, text: str, start: str) -> bool:
        raise NotImplementedError


class Codec(ReferenceStore):
    """A store that spoils some values on the way in."""

    def take_in(self, value: Any) -> Any:
        return super().take_in(self.spoil(value))

    def spoil(self, value: Any) -> Any:
        raise NotImplementedError
