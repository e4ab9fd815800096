"""A region of dogpile.cache over its backend in memory.

Written against dogpile.cache 1.5.0. A miss is the library's own NO_VALUE; None is a value. Keys are
str. How old an entry may be is asked at the reading and not said at the writing, so there is no
ttl; nor is there a `has` or a listing. Invalidating a region removes nothing and is left out.
"""

from __future__ import annotations

from typing import Any, ClassVar

from kv_spec.profile import Profile

from kv_adapters.libraries import lacking, release

try:
    from dogpile.cache import make_region
    from dogpile.cache.api import NO_VALUE
except ImportError as error:
    raise ImportError(lacking("dogpile.cache", "dogpile")) from error


class DogpileStore:
    """A region of its own on `dogpile.cache.memory_pickle`, the backend that copies."""

    profile = Profile(
        name="dogpile",
        capabilities=frozenset({"bytes", "bigint", "datetime"}),
        key_model="flat",
        null="value",
        absent="sentinel",
    )
    ABSENT: ClassVar[Any] = NO_VALUE

    def __init__(self) -> None:
        self._region = make_region().configure("dogpile.cache.memory_pickle")

    def get(self, key: str) -> Any:
        return self._region.get(key)

    def set(self, key: str, value: Any) -> None:
        self._region.set(key, value)

    def delete(self, key: str) -> None:
        self._region.delete(key)

    def describe(self) -> str:
        """The library and its version."""
        return release("dogpile.cache")
