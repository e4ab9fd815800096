"""Entries in a database that keeps bytes under bytes, in order.

The bytes of keys are in the order of keys, and those below a prefix are one range; see
`kv_adapters.encoding`. A value stands in an envelope with its deadline; see `kv_adapters.envelope`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

from kv_adapters.checks import Path
from kv_adapters.encoding import decode_key, encode_key, key_range
from kv_adapters.envelope import Record, seal, unseal
from kv_adapters.local import Draft, Entries, Reading

Row = tuple[bytes, bytes]


class SortedReading(Reading):
    """Records over rows of bytes."""

    @abstractmethod
    def fetch(self, key: bytes) -> bytes | None:
        """The bytes under `key`, or None."""

    @abstractmethod
    def rows(self, low: bytes, high: bytes) -> list[Row]:
        """The rows from `low` on and before `high`, at one instant, in order."""

    def get(self, path: Path) -> Record | None:
        """The record of a key, or None."""
        data = self.fetch(encode_key(path))
        return None if data is None else unseal(data)

    def below(self, prefix: Path) -> list[tuple[Path, Record]]:
        """The records of the keys that begin with `prefix`, at one instant, in order."""
        return [(decode_key(key), unseal(data)) for key, data in self.rows(*key_range(prefix))]


class SortedEntries(SortedReading, Entries):
    """All records of a database."""


class Writer(Protocol):
    """What takes the changes of one update: a batch, or a transaction."""

    def put(self, key: bytes, value: bytes, /) -> Any:
        """Replaces a row."""

    def delete(self, key: bytes, /) -> Any:
        """Removes a row, if there is one."""


class SortedDraft(SortedReading, Draft):
    """Reads rows from one place, and notes changes in another."""

    def __init__(self, reading: SortedReading, writer: Writer) -> None:
        self._reading = reading
        self._writer = writer

    def fetch(self, key: bytes) -> bytes | None:
        """The bytes under `key`, or None."""
        return self._reading.fetch(key)

    def rows(self, low: bytes, high: bytes) -> list[Row]:
        """The rows from `low` on and before `high`."""
        return self._reading.rows(low, high)

    def put(self, path: Path, record: Record) -> None:
        """Replaces the record of a key."""
        self._writer.put(encode_key(path), seal(record))

    def delete(self, path: Path) -> None:
        """Removes the record of a key, if there is one."""
        self._writer.delete(encode_key(path))
