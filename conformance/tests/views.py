"""A store seen another way that changes nothing of what it promises."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from kv_spec.values import check_json

ROOM = ("room", "of its own")
"""The components under which a substore keeps its entries."""

Maker = Callable[..., Any]


class PassThrough:
    """Hands every call on."""

    def __init__(self, make: Maker, profile: Any, clock: Any, space: str) -> None:
        self.profile = profile
        self.inner = make(clock=clock, space=space, profile=profile, world=WORLD)

    def get(self, key: Any) -> Any:
        return self.inner.get(key)

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        return self.inner.set(key, value, ttl=ttl)

    def delete(self, key: Any) -> Any:
        return self.inner.delete(key)

    def has(self, key: Any) -> Any:
        return self.inner.has(key)

    def list(self, prefix: Any = ()) -> Any:
        return self.inner.list(prefix)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> Any:
        return self.inner.cas(key, expected, new, ttl=ttl)

    def prune(self) -> Any:
        return self.inner.prune()

    def close(self) -> Any:
        return self.inner.close()


class Substore(PassThrough):
    """Shows what lies below one prefix, without it; others write beside it."""

    def __init__(self, make: Maker, profile: Any, clock: Any, space: str) -> None:
        super().__init__(make, profile, clock, space)
        self.inner.set((ROOM[0], "next door"), "not to be seen")
        self.inner.set((ROOM[0],), "nor this")

    def get(self, key: Any) -> Any:
        return self.inner.get(below(key))

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        return self.inner.set(below(key), value, ttl=ttl)

    def delete(self, key: Any) -> Any:
        return self.inner.delete(below(key))

    def has(self, key: Any) -> Any:
        return self.inner.has(below(key))

    def list(self, prefix: Any = ()) -> Iterator[Any]:
        found = self.inner.list(below(prefix) if prefix else ROOM)
        return ((key[len(ROOM) :], value) for key, value in found if len(key) > len(ROOM))

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> Any:
        return self.inner.cas(below(key), expected, new, ttl=ttl)


class AsText(PassThrough):
    """Takes and gives values by way of their JSON text."""

    def get(self, key: Any) -> Any:
        return self.there_and_back(self.inner.get(key))

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        return self.inner.set(key, self.there_and_back(value), ttl=ttl)

    def list(self, prefix: Any = ()) -> Iterator[Any]:
        found = self.inner.list(prefix)
        return ((key, self.there_and_back(value)) for key, value in found)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> Any:
        there = self.there_and_back
        return self.inner.cas(key, there(expected), there(new), ttl=ttl)

    def there_and_back(self, value: Any) -> Any:
        check_json(value, extra=self.profile.extra_types)
        return json.loads(json.dumps(value))


class Asynchronous:
    """The same methods, each a coroutine, and an asynchronous listing."""

    def __init__(self, make: Maker, profile: Any, clock: Any, space: str) -> None:
        self.profile = profile
        self.inner = PassThrough(make, profile, clock, space)

    async def get(self, key: Any) -> Any:
        return self.inner.get(key)

    async def set(self, key: Any, value: Any, *, ttl: Any = None) -> Any:
        return self.inner.set(key, value, ttl=ttl)

    async def delete(self, key: Any) -> Any:
        return self.inner.delete(key)

    async def has(self, key: Any) -> Any:
        return self.inner.has(key)

    async def list(self, prefix: Any = ()) -> AsyncIterator[Any]:
        for entry in self.inner.list(prefix):
            yield entry

    async def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> Any:
        return self.inner.cas(key, expected, new, ttl=ttl)

    async def prune(self) -> Any:
        return self.inner.prune()

    async def close(self) -> Any:
        return self.inner.close()


VIEWS = (PassThrough, Substore, AsText, Asynchronous)
WORLD: dict[str, Any] = {}
"""The data spaces of all stores that are seen."""


def below(key: Any) -> Any:
    """A key of the store around a substore; what is no key stays none."""
    return (*ROOM, *key) if isinstance(key, tuple) and key else key


def seen(view: type[Any], make: Maker, profile: Any) -> Maker:
    """A factory of stores seen this way."""

    class Seen(view):  # type: ignore[misc]
        def __init__(self, *, clock: Any, space: str) -> None:
            super().__init__(make, profile, clock, space)

    Seen.profile = profile
    return Seen
