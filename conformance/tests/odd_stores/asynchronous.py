"""Stores with the asynchronous surface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self

from kv_spec.profile import Profile

from .base import DictStore


class PlainAsync:
    """Coroutines that never wait; the listing is a coroutine that answers a list."""

    profile = Profile()

    def __init__(self) -> None:
        self.inner = DictStore()

    async def get(self, key: Any) -> Any:
        return self.inner.get(key)

    async def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        self.inner.set(key, value, ttl=ttl)

    async def delete(self, key: Any) -> None:
        self.inner.delete(key)

    async def has(self, key: Any) -> bool:
        return self.inner.has(key)

    async def list(self, prefix: Any = ()) -> Any:
        return [*self.inner.list(prefix)]

    async def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        return self.inner.cas(key, expected, new, ttl=ttl)


class SleepyAsync(PlainAsync):
    """Gives way to others before and after everything it does; a lock keeps cas whole."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = asyncio.Lock()

    async def get(self, key: Any) -> Any:
        await asyncio.sleep(0)
        value = self.inner.get(key)
        await asyncio.sleep(0)
        return value

    async def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        async with self.lock:
            await asyncio.sleep(0)
            self.inner.set(key, value, ttl=ttl)
        await asyncio.sleep(0)

    async def delete(self, key: Any) -> None:
        async with self.lock:
            await asyncio.sleep(0)
            self.inner.delete(key)

    async def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        async with self.lock:
            current = self.inner.get(key)
            await asyncio.sleep(0)
            if expected is None and current is not None:
                return False
            return self.inner.cas(key, expected, new, ttl=ttl)


class StreamingAsync(SleepyAsync):
    """Lists by an async generator that gives way at each step."""

    async def list(  # type: ignore[override]
        self, prefix: Any = ()
    ) -> AsyncIterator[Any]:
        for entry in self.inner.entries_below(prefix):
            await asyncio.sleep(0)
            yield entry


class AsyncWith(PlainAsync):
    """Can be used between enter and exit only, both asynchronous; has no cas."""

    cas = None  # type: ignore[assignment]
    opened = False

    async def get(self, key: Any) -> Any:
        if not self.opened:
            raise RuntimeError("not opened")
        return await super().get(key)

    async def __aenter__(self) -> Self:
        await asyncio.sleep(0)
        self.opened = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.opened = False


async def connect() -> PlainAsync:
    """An asynchronous factory."""
    await asyncio.sleep(0)
    return SleepyAsync()


class AsyncInside(DictStore):
    """Synchronous outside; runs a coroutine for every read."""

    def read(self, key: Any) -> Any:
        async def read() -> Any:
            await asyncio.sleep(0)
            return DictStore.read(self, key)

        return asyncio.run(read())
