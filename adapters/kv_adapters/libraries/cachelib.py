"""SimpleCache of cachelib, the cache that Flask-Caching and Flask-Session build on.

Written against cachelib 0.17.0. `ttl` is `timeout`; everything else has the same name. Timeouts
are whole seconds, rounded up, and 0 is "never"; parts of a second go in as a timedelta, as a float
is deprecated. A stored None is read as None, like a miss. The two settings make a store of a cache:
no default timeout, and no limit that would be met.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from kv_spec.profile import Profile

from kv_adapters.libraries import Ttl, lacking, release

try:
    from cachelib import SimpleCache
except ImportError as error:
    raise ImportError(lacking("cachelib", "cachelib")) from error


class CachelibStore:
    """A SimpleCache of its own."""

    profile = Profile(
        name="cachelib",
        capabilities=frozenset({"bytes", "bigint", "datetime"}),
        key_model="flat",
        null="value",
        ttl_zero="never",
        ttl_resolution=1.0,
        delete_returns="bool",
    )

    def __init__(self) -> None:
        self._cache = SimpleCache(threshold=sys.maxsize, default_timeout=0)

    def get(self, key: str) -> Any:
        return self._cache.get(key)

    def set(self, key: str, value: Any, *, ttl: Ttl = None) -> None:
        timeout = timedelta(seconds=ttl) if isinstance(ttl, float) else ttl
        self._cache.set(key, value, timeout=timeout)

    def delete(self, key: str) -> Any:
        return self._cache.delete(key)

    def has(self, key: str) -> Any:
        return self._cache.has(key)

    def clear(self) -> None:
        self._cache.clear()

    def describe(self) -> str:
        """The library and its version."""
        return release("cachelib")
