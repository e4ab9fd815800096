"""The contract of a store: what a program may call, and what is optional.

Only `get`, `set` and `delete` must exist. A store shows what else it offers by having the
method; `kv_spec.profile.Profile` declares what signatures can not show.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterable, Iterable
from datetime import timedelta
from typing import Any, Final, Protocol, TypeAlias

Key: TypeAlias = "tuple[str, ...] | str"
"""A non-empty tuple of str; in the dialect `key_model=flat` a str."""

Prefix: TypeAlias = "tuple[str, ...] | str"
"""The first components of keys; `()` (flat: `""`) is the prefix of every key."""

Value: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list, dict with str keys."""

Entry: TypeAlias = "tuple[Key, Value]"

Ttl: TypeAlias = "float | timedelta | None"
"""Seconds to live; None is no ttl."""


class Absent(enum.Enum):
    """The type of ABSENT, so that it can stand in annotations."""

    ABSENT = "ABSENT"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT
"""What a read answers when there is no live entry. On the Python surface it is None."""


class KvStore(Protocol):
    """The least a synchronous store offers (capability `core`)."""

    def get(self, key: Key) -> Value | None:
        """The live value of `key`, or None (GET-1, GET-2)."""

    def set(self, key: Key, value: Value | None) -> None:
        """Stores `value`; a store with ttl takes `ttl: Ttl = None` by keyword (SET-1, SET-2)."""

    def delete(self, key: Key) -> None:
        """Removes `key`; an absent key is no error (DEL-1, DEL-2)."""


class ListingStore(KvStore, Protocol):
    """A store that lists by prefix (capability `list`)."""

    def list(self, prefix: Prefix = ()) -> Iterable[Entry]:
        """The live entries below `prefix`, each once (LIST-1 to LIST-8)."""


class SwappingStore(KvStore, Protocol):
    """A store with compare-and-swap (capability `cas`, or some of its parts)."""

    def cas(self, key: Key, expected: Value | None, new: Value | None, *, ttl: Ttl = None) -> bool:
        """Installs `new` and answers True exactly when the current value equals `expected`."""


class AsyncKvStore(Protocol):
    """The same contract with `async def`; a listing is an async iterator."""

    async def get(self, key: Key) -> Value | None:
        """See `KvStore.get`."""

    async def set(self, key: Key, value: Value | None) -> None:
        """See `KvStore.set`."""

    async def delete(self, key: Key) -> None:
        """See `KvStore.delete`."""


class AsyncListingStore(AsyncKvStore, Protocol):
    """An asynchronous store that lists by prefix."""

    def list(self, prefix: Prefix = ()) -> AsyncIterable[Entry]:
        """See `ListingStore.list`."""
