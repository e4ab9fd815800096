"""Any MutableMapping; by itself a dict.

Written against the dict of Python 3.11. `delete` is `pop(key, None)`, `has` is `in`, `entries` is
`items()`; keys are tuples of str as they come. A miss raises KeyError, None is a value like any
other, and objects are kept, not copied. There is no ttl, no listing by prefix, no swap.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, MutableMapping
from typing import Any

from kv_spec.profile import Profile


class MappingStore:
    """The store in `mapping`, or in a new dict.

    For a mapping of your own write a function that returns `MappingStore(YourMapping())`.
    """

    profile = Profile(
        name="mapping",
        capabilities=frozenset({"bytes", "bigint", "datetime"}),
        null="value",
        absent="raises",
        isolation="alias",
    )

    def __init__(self, mapping: MutableMapping[Any, Any] | None = None) -> None:
        self._mapping: MutableMapping[Any, Any] = {} if mapping is None else mapping

    def get(self, key: Any) -> Any:
        return self._mapping[key]

    def set(self, key: Any, value: Any) -> None:
        self._mapping[key] = value

    def delete(self, key: Any) -> None:
        self._mapping.pop(key, None)

    def has(self, key: Any) -> bool:
        return key in self._mapping

    def keys(self) -> Iterator[Any]:
        return iter(self._mapping)

    def values(self) -> Iterator[Any]:
        return iter(self._mapping.values())

    def entries(self) -> Iterator[tuple[Any, Any]]:
        return iter(self._mapping.items())

    def clear(self) -> None:
        self._mapping.clear()

    def describe(self) -> str:
        """The kind of mapping, and the version of Python."""
        return f"{type(self._mapping).__qualname__} of Python {platform.python_version()}"
