"""AsyncReferenceStore: the reference with the asynchronous surface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from kv_reference.store import ReferenceStore


class AsyncReferenceStore:
    """A `ReferenceStore`, every call a coroutine; takes the same options."""

    profile = ReferenceStore.profile

    def __init__(
        self,
        *,
        clock: Any = None,
        space: str | None = None,
        profile: Any = None,
        world: dict[str, Any] | None = None,
    ) -> None:
        options = {} if clock is None else {"clock": clock}
        self.inner = ReferenceStore(
            space=space, profile=profile or self.profile, world=world, **options
        )

    async def get(self, key: Any) -> Any:
        """See `ReferenceStore.get`."""
        return self.inner.get(key)

    async def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        """See `ReferenceStore.set`."""
        self.inner.set(key, value, ttl=ttl)

    async def delete(self, key: Any) -> bool:
        """See `ReferenceStore.delete`."""
        return self.inner.delete(key)

    async def has(self, key: Any) -> bool:
        """See `ReferenceStore.has`."""
        return self.inner.has(key)

    async def list(self, prefix: Any = None) -> AsyncIterator[tuple[Any, Any]]:
        """See `ReferenceStore.list`."""
        for entry in self.inner.list(prefix):
            yield entry

    async def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        """See `ReferenceStore.cas`."""
        return self.inner.cas(key, expected, new, ttl=ttl)

    async def close(self) -> None:
        """See `ReferenceStore.close`."""
        self.inner.close()
