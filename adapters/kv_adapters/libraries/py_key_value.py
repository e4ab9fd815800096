"""MemoryStore of py-key-value-aio, asynchronous, in the memory of the process.

Written against py-key-value-aio 0.4.6. `set` is `put` and `clear` is `destroy`, which the library
describes as clearing all collections and keys. Keys are str. The library stores mappings only, so
that a value travels as `{"value": value}`: by that a stored None is told from a miss, too. A ttl
of 0 or less is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar

from kv_spec.profile import Profile

from kv_adapters.libraries import ABSENT, Missing, Ttl, lacking, release, seconds

try:
    from key_value.aio.errors import InvalidTTLError, SerializationError
    from key_value.aio.stores.memory import MemoryStore
except ImportError as error:
    raise ImportError(lacking("py-key-value-aio[memory]", "py-key-value")) from error


class PyKeyValueStore:
    """A MemoryStore of its own; all is in its default collection."""

    profile = Profile(
        name="py-key-value",
        capabilities=frozenset({"bigint"}),
        key_model="flat",
        null="value",
        absent="sentinel",
        ttl_zero="reject",
        ttl_negative="reject",
        delete_returns="bool",
        rejects=(InvalidTTLError, SerializationError),
    )
    ABSENT: ClassVar[Missing] = ABSENT

    def __init__(self) -> None:
        self._store = MemoryStore()

    async def get(self, key: str) -> Any:
        found = await self._store.get(key)
        return ABSENT if found is None else found["value"]

    async def set(self, key: str, value: Any, *, ttl: Ttl = None) -> None:
        await self._store.put(key, {"value": value}, ttl=seconds(ttl))

    async def delete(self, key: str) -> Any:
        return await self._store.delete(key)

    async def keys(self) -> AsyncIterator[str]:
        for key in await self._store.keys():
            yield key

    async def clear(self) -> None:
        await self._store.destroy()

    def describe(self) -> str:
        """The library and its version."""
        return release("py-key-value-aio")
