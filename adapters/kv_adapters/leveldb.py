"""A store in LevelDB."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, TypeVar

from kv_spec.errors import Unavailable

from kv_adapters.local import LOCAL, Draft
from kv_adapters.one_process import OneProcessStore
from kv_adapters.sorted_bytes import Row, SortedDraft, SortedEntries

try:
    import plyvel
except ImportError as error:
    raise ImportError("this adapter needs plyvel: pip install kv-conformance[leveldb]") from error

_T = TypeVar("_T")


class LevelDbStore(OneProcessStore):
    """Entries in a LevelDB database; see `kv_adapters.one_process` for its folder and options."""

    scheme = "leveldb"
    profile = LOCAL.replace(name="leveldb")

    @classmethod
    def version(cls) -> str:
        """The library's name and version, and its client's."""
        return f"LevelDB {plyvel.__leveldb_version__} (plyvel {plyvel.__version__})"

    @classmethod
    def _open(cls, folder: str, *, sync: bool) -> SortedEntries:
        return _Database(folder, sync)


class _Database(SortedEntries):
    """A database with one writer at a time: LevelDB has no transactions that read."""

    def __init__(self, folder: str, sync: bool) -> None:
        self._sync = sync
        self._writing = threading.Lock()
        with _errors():
            self._db: Any = plyvel.DB(folder, create_if_missing=True)

    def fetch(self, key: bytes) -> bytes | None:
        with _errors():
            return self._db.get(key)  # type: ignore[no-any-return]

    def rows(self, low: bytes, high: bytes) -> list[Row]:
        with _errors(), self._db.iterator(start=low, stop=high) as rows:  # sees one instant
            return list(rows)

    def update(self, change: Callable[[Draft], _T]) -> _T:
        # The batch as a transaction: where the change fails, nothing is written.
        begin = partial(self._db.write_batch, transaction=True, sync=self._sync)
        with self._writing, _errors(), begin() as batch:
            return change(SortedDraft(self, batch))

    def close(self) -> None:
        self._db.close()


_ERRORS: Final = (plyvel.Error, OSError)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        raise Unavailable(f"LevelDB: {error}") from error
