"""Cache of diskcache, a cache in SQLite and files.

Written against diskcache 5.6.3. `get` is `cache[key]`, `ttl` is `expire`, `has` is `in`. A miss
raises KeyError, None is a value, and `delete` answers whether there was an item. Keys are str: of
tuples the library says itself that equal ones may be different keys. Its iterator is no `keys` and
is left out: it is documented to show expired items too. Only the folder and the eviction, which a
store has not, are other than the default.
"""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Any, Final

from kv_spec.profile import Profile

from kv_adapters.libraries import Ttl, lacking, release, seconds
from kv_adapters.spaces import Spaces

try:
    from diskcache import Cache
except ImportError as error:
    raise ImportError(lacking("diskcache", "diskcache")) from error

_FOLDERS: Final = Spaces(TemporaryDirectory[str], end=lambda folder: folder.cleanup())


class DiskcacheStore:
    """A cache in a temporary folder; the stores of one space have one folder."""

    profile = Profile(
        name="diskcache",
        capabilities=frozenset({"bytes", "bigint", "datetime", "shared"}),
        key_model="flat",
        null="value",
        absent="raises",
        delete_returns="bool",
    )

    def __init__(self, *, space: str | None = None) -> None:
        self._space, self._closed = space, False
        self._folder = _FOLDERS.open(space)
        self._cache = Cache(self._folder.name, eviction_policy="none")

    def get(self, key: str) -> Any:
        return self._cache[key]

    def set(self, key: str, value: Any, *, ttl: Ttl = None) -> None:
        self._cache.set(key, value, expire=seconds(ttl))

    def delete(self, key: str) -> Any:
        return self._cache.delete(key)

    def has(self, key: str) -> bool:
        return key in self._cache

    def clear(self) -> None:
        self._cache.clear()

    def close(self) -> None:
        self._cache.close()
        if not self._closed:
            self._closed = True
            _FOLDERS.close(self._space, self._folder)

    def describe(self) -> str:
        """The library and its version."""
        return release("diskcache")
