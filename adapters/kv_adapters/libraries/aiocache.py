"""SimpleMemoryCache of aiocache, asynchronous, in the memory of the process.

Written against aiocache 0.12.3. `has` is `exists`, and `get` is given a default of ours, so that a
miss can be told from a stored None; keys are str. Entries end by timers of the event loop. A ttl
of 0 is none, and objects are kept, not copied: the cache's serializer leaves them as they are.
"""

from __future__ import annotations

from typing import Any, ClassVar

from kv_spec.profile import Profile

from kv_adapters.libraries import ABSENT, Missing, Ttl, lacking, release, seconds

try:
    from aiocache import SimpleMemoryCache
except ImportError as error:
    raise ImportError(lacking("aiocache", "aiocache")) from error


class AiocacheStore:
    """A SimpleMemoryCache of its own."""

    profile = Profile(
        name="aiocache",
        capabilities=frozenset({"bytes", "bigint", "datetime"}),
        key_model="flat",
        null="value",
        absent="sentinel",
        ttl_zero="never",
        isolation="alias",
    )
    ABSENT: ClassVar[Missing] = ABSENT

    def __init__(self) -> None:
        self._cache = SimpleMemoryCache()

    async def get(self, key: str) -> Any:
        return await self._cache.get(key, default=ABSENT)

    async def set(self, key: str, value: Any, *, ttl: Ttl = None) -> None:
        await self._cache.set(key, value, ttl=seconds(ttl))

    async def delete(self, key: str) -> None:
        await self._cache.delete(key)

    async def has(self, key: str) -> Any:
        return await self._cache.exists(key)

    async def clear(self) -> None:
        await self._cache.clear()

    async def close(self) -> None:
        await self._cache.close()

    def describe(self) -> str:
        """The library and its version."""
        return release("aiocache")
