"""What the adapters share that are awaited; see `kv_adapters.base` for the others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from kv_spec.errors import Unavailable
from kv_spec.store import Entry, Key, Prefix, Ttl, Value
from kv_spec.values import check_json, equal

from kv_adapters.base import ROUNDS, Handle
from kv_adapters.checks import Path, check_prefix, lifetime


class AsyncStore(Handle, ABC):
    """The operations of a store, over seven methods of the backend.

    A life is given in nanoseconds; None is no ttl. A life of 0 never reaches the backend: it is
    a removal. Nothing is raised before a call is awaited, or a listing's first step (ERR-1).
    """

    async def get(self, key: Key) -> Value | None:
        """The live value of `key`, or None."""
        return (await self._look(self._path(key)))[0]

    async def set(self, key: Key, value: Value | None, *, ttl: Ttl = None) -> None:
        """Stores `value`; None, and a ttl of 0 or less, remove the entry.

        `ttl` is in seconds or a timedelta. Raises InvalidKey, InvalidValue or InvalidTtl, and
        then nothing has changed.
        """
        path, life = self._path(key), lifetime(ttl)
        packed = self._packed(value, life)
        if packed is None:
            await self._remove(path)
        else:
            await self._write(path, packed, life)

    async def delete(self, key: Key) -> None:
        """Removes `key`; an absent key is no error."""
        await self._remove(self._path(key))

    async def has(self, key: Key) -> bool:
        """Whether `key` is live."""
        return await self.get(key) is not None

    async def cas(
        self, key: Key, expected: Value | None, new: Value | None, *, ttl: Ttl = None
    ) -> bool:
        """Installs `new` if the current value equals `expected`, and says whether it did.

        None is ABSENT, on both sides. `ttl` is that of `new`. Raises as `set` does.
        """
        path, life = self._path(key), lifetime(ttl)
        check_json(expected, extra=self.profile.extra_types)
        packed = self._packed(new, life)
        # A lost exchange is no reason for False: see OptimisticStore.
        for _ in range(ROUNDS):
            current, token = await self._look(path)
            if not equal(current, expected):
                return False
            if current is None and packed is None:
                return True
            if await self._exchange(path, token, packed, life):
                return True
        raise Unavailable(f"a swap lost to others {ROUNDS} times running")

    async def list(self, prefix: Prefix = ()) -> AsyncGenerator[Entry, None]:
        """The live entries whose keys begin with `prefix`. Raises InvalidKey at the first step."""
        self._check_open()
        async with aclosing(self._scan(check_prefix(prefix))) as entries:
            async for entry in entries:
                yield entry

    async def keys(self) -> AsyncGenerator[Key, None]:
        """Every live key."""
        async with aclosing(self.entries()) as entries:
            async for key, _ in entries:
                yield key

    async def values(self) -> AsyncGenerator[Value, None]:
        """Every live value."""
        async with aclosing(self.entries()) as entries:
            async for _, value in entries:
                yield value

    def entries(self) -> AsyncGenerator[Entry, None]:
        """Every live entry."""
        return self.list()

    async def clear(self) -> None:
        """Removes every entry of this store's space, and no other."""
        self._check_open()
        await self._clear()

    async def close(self) -> None:
        """Ends the handle; afterwards every operation raises StoreClosed."""
        if not self._closed:
            self._closed = True
            await self._release()

    @abstractmethod
    async def _look(self, path: Path) -> tuple[Any, Any]:
        """The live value, unpacked, or None, and a token for what is there."""

    @abstractmethod
    async def _write(self, path: Path, packed: Any, life: int | None) -> None:
        """Replaces value and deadline. Raises InvalidTtl for a life that can not be kept."""

    @abstractmethod
    async def _remove(self, path: Path) -> None:
        """Removes the entry if there is one."""

    @abstractmethod
    async def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        """Writes `packed` (None: removes) if what is there is still what `token` is of."""

    @abstractmethod
    def _scan(self, prefix: Path) -> AsyncGenerator[Entry, None]:
        """The live entries below `prefix`, unpacked."""

    @abstractmethod
    async def _clear(self) -> None:
        """Removes the entries of this space."""

    @abstractmethod
    async def _release(self) -> None:
        """Frees what the handle holds; called once."""
