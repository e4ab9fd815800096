"""A store in the memory of this process: a dict and a lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from kv_spec.profile import Profile
from kv_spec.store import Entry
from kv_spec.values import check_json, copy, equal

from kv_adapters.base import ListingStore
from kv_adapters.checks import Path, nanoseconds_down, nanoseconds_up
from kv_adapters.spaces import Spaces


@dataclass(slots=True)
class _Data:
    """Values, never changed in place, with their deadlines in nanoseconds on the clock."""

    entries: dict[Path, tuple[Any, int | None]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_SPACES: Final = Spaces(_Data)


class MemoryStore(ListingStore):
    """A dict; values are copied on the way in and on the way out.

    `clock` tells the time in seconds. With `space` all stores of that name in this process share
    their data, until the last of them is closed; without it every store is by itself. Handles on
    one space are to have one clock.
    """

    profile = Profile(
        name="memory",
        capabilities=frozenset({"bigint", "shared", "iterate"}),
        ttl_resolution=0.0,
        list_order="lex",
        after_close="error",
    )

    def __init__(self, *, clock: Callable[[], float] = time.time, space: str | None = None) -> None:
        self._clock = clock
        self._space = space
        self._data = _SPACES.open(space)

    def prune(self) -> None:
        """Drops the records of expired entries, which otherwise stay until they are overwritten."""
        self._check_open()
        with self._data.lock:
            now, entries = self._now(), self._data.entries
            for path in [path for path in entries if self._live(path, now) is None]:
                del entries[path]

    def _pack(self, value: Any) -> Any:
        check_json(value, extra=self.profile.extra_types)
        return copy(value)

    def _read(self, path: Path) -> Any:
        with self._data.lock:
            return copy(self._live(path, self._now()))

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        with self._data.lock:
            self._put(path, packed, life)

    def _remove(self, path: Path) -> None:
        with self._data.lock:
            self._data.entries.pop(path, None)

    def _swap(self, path: Path, expected: Any, packed: Any, life: int | None) -> bool:
        with self._data.lock:
            if not equal(self._live(path, self._now()), expected):
                return False
            if packed is None:
                self._data.entries.pop(path, None)
            else:
                self._put(path, packed, life)
            return True

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        size = len(prefix)
        with self._data.lock:
            now = self._now()  # one instant for all: a listing is a snapshot
            found = [
                (path, value)
                for path in self._data.entries
                if path[:size] == prefix and (value := self._live(path, now)) is not None
            ]
        found.sort(key=lambda entry: entry[0])
        return ((path, copy(value)) for path, value in found)

    def _clear(self) -> None:
        with self._data.lock:
            self._data.entries.clear()

    def _release(self) -> None:
        _SPACES.close(self._space, self._data)

    def _now(self) -> int:
        return nanoseconds_down(self._clock())

    def _live(self, path: Path, now: int) -> Any:
        """The stored value if its deadline is after `now`, else None; the lock is held."""
        value, deadline = self._data.entries.get(path, (None, None))
        return value if deadline is None or now < deadline else None

    def _put(self, path: Path, packed: Any, life: int | None) -> None:
        deadline = None if life is None else nanoseconds_up(self._clock()) + life
        self._data.entries[path] = (packed, deadline)
