"""Sizes that a backend does not take, refused before it is asked (KEY-7, VAL-7).

A server's own refusal may come too late, be worded for its own protocol, or take the connection
with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from kv_spec.errors import InvalidKey, InvalidValue
from kv_spec.store import Entry, Prefix

from kv_adapters.base import Handle, ListingStore
from kv_adapters.checks import Path, check_prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most bytes of a key in UTF-8, of a key as the backend sees it, and of a value as JSON."""

    key: int
    name: int
    value: int


class Limited(Handle, ABC):
    """Refuses what is over `limits`; `_encoded` tells a key as the backend sees it."""

    limits: ClassVar[Limits]

    def _path(self, key: object) -> Path:
        path = super()._path(key)
        check_key_size(path, self.limits.key)
        check_encoded_size(self._encoded(path), self.limits.name)
        return path

    def _pack(self, value: Any) -> bytes:
        packed: bytes = super()._pack(value)
        check_value_size(packed, self.limits.value)
        return packed

    @abstractmethod
    def _encoded(self, path: Path) -> bytes | str:
        """What the backend takes for a key or a prefix, a text if it is in ASCII."""


class LimitedStore(Limited, ListingStore):
    """A store that lists, over a backend with limits."""

    def list(self, prefix: Prefix = ()) -> Iterator[Entry]:
        """The live entries whose keys begin with `prefix`. Raises InvalidKey at the call.

        No key begins with a prefix that is longer than keys are: the backend, which may refuse it,
        is not asked (LIST-2).
        """
        self._check_open()
        path = check_prefix(prefix)
        too_long = len(self._encoded(path)) > self.limits.name
        return iter(()) if too_long else self._scan(path)


def check_key_size(path: Path, most: int) -> None:
    """Raises InvalidKey if the components of `path` have more than `most` bytes of UTF-8."""
    size = sum(len(component.encode("utf-8", "surrogatepass")) for component in path)
    if size > most:
        raise InvalidKey(f"a key of {size} bytes; the most here is {most}")


def check_encoded_size(name: bytes | str, most: int) -> None:
    """Raises InvalidKey if a key takes more than `most` bytes as the backend sees it.

    A key of few bytes is long in its encoded form if it has many components, or many characters
    that are written by several.
    """
    if len(name) > most:
        raise InvalidKey(f"a key that takes more than {most} bytes in its encoded form")


def check_value_size(packed: bytes, most: int) -> None:
    """Raises InvalidValue if a value has more than `most` bytes as JSON."""
    if len(packed) > most:
        raise InvalidValue(f"a value of {len(packed)} bytes as JSON; the most is {most}")
