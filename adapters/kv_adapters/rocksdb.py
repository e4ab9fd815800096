"""A store in RocksDB."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, TypeVar

from kv_spec.errors import StoreError, Unavailable

from kv_adapters.local import LOCAL, Draft
from kv_adapters.one_process import OneProcessStore
from kv_adapters.sorted_bytes import Row, SortedDraft, SortedEntries

try:
    import rocksdict
except ImportError as error:
    raise ImportError(
        "this adapter needs rocksdict: pip install kv-conformance[rocksdb]"
    ) from error

_T = TypeVar("_T")


class RocksDbStore(OneProcessStore):
    """Entries in a RocksDB database; see `kv_adapters.one_process` for its folder and options.

    Expiry is not RocksDB's own, by which an entry may be read until it is compacted.
    """

    scheme = "rocksdb"
    profile = LOCAL.replace(name="rocksdb")

    @classmethod
    def version(cls) -> str:
        """The library's name, and the version of its client, which brings it along."""
        return f"RocksDB (rocksdict {version('rocksdict')})"

    @classmethod
    def _open(cls, folder: str, *, sync: bool) -> SortedEntries:
        return _Database(folder, sync)


class _Database(SortedEntries):
    """A database with one writer at a time: rocksdict has no transactions that read."""

    def __init__(self, folder: str, sync: bool) -> None:
        self._writing = threading.Lock()
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        self._how = rocksdict.WriteOptions()
        self._how.sync = sync
        if not os.path.isdir(os.path.dirname(folder)):  # which rocksdict would make
            raise Unavailable(f"there is no folder {os.path.dirname(folder)}")
        with _errors():
            self._db: Any = rocksdict.Rdict(folder, options)

    def fetch(self, key: bytes) -> bytes | None:
        with _errors():
            return self._db.get(key)  # type: ignore[no-any-return]

    def rows(self, low: bytes, high: bytes) -> list[Row]:
        bounds = rocksdict.ReadOptions()
        bounds.set_iterate_upper_bound(high)
        with _errors():
            return list(self._db.items(from_key=low, read_opt=bounds))  # sees one instant

    def update(self, change: Callable[[Draft], _T]) -> _T:
        batch = rocksdict.WriteBatch(raw_mode=True)
        with self._writing, _errors():
            answer = change(SortedDraft(self, batch))
            if not batch.is_empty():
                self._db.write(batch, self._how)
            return answer

    def close(self) -> None:
        self._db.close()


@contextmanager
def _errors() -> Iterator[None]:
    # rocksdict raises plain Exceptions.
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        raise Unavailable(f"RocksDB: {error}") from error
