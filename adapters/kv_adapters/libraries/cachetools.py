"""TLRUCache of cachetools, the one whose items can each have a time to live.

Written against cachetools 8.0.0. The cache asks a function until when to keep an item; here the
item is the value with its ttl, and the function adds that to the time it is given, as in the
library's own example. It is a MutableMapping: `delete` is `pop(key, None)`, `has` is `in`. Keys are
tuples of str as they come, a miss raises KeyError, None is a value, and objects are not copied. The
size is unlimited, so that nothing is evicted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from kv_spec.profile import Profile

from kv_adapters.libraries import Ttl, lacking, release, seconds

try:
    from cachetools import TLRUCache
except ImportError as error:
    raise ImportError(lacking("cachetools", "cachetools")) from error


def _until(_key: Any, item: tuple[Any, float | None], now: float) -> float:
    return math.inf if item[1] is None else now + item[1]


class CachetoolsStore:
    """A TLRUCache of its own; `clock` is what the library calls its timer."""

    profile = Profile(
        name="cachetools",
        capabilities=frozenset({"bytes", "bigint", "datetime"}),
        null="value",
        ttl_resolution=0.0,
        absent="raises",
        isolation="alias",
    )

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cache: Any = TLRUCache(math.inf, _until, timer=clock)

    def get(self, key: Any) -> Any:
        return self._cache[key][0]

    def set(self, key: Any, value: Any, *, ttl: Ttl = None) -> None:
        self._cache[key] = (value, seconds(ttl))

    def delete(self, key: Any) -> None:
        self._cache.pop(key, None)

    def has(self, key: Any) -> bool:
        return key in self._cache

    def keys(self) -> Iterator[Any]:
        return iter(self._cache)

    def values(self) -> Iterator[Any]:
        return (value for value, _ in self._cache.values())

    def entries(self) -> Iterator[tuple[Any, Any]]:
        return ((key, value) for key, (value, _) in self._cache.items())

    def clear(self) -> None:
        self._cache.clear()

    def describe(self) -> str:
        """The library and its version."""
        return release("cachetools")
