"""A store in LMDB."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from kv_spec.errors import InvalidValue, Unavailable

from kv_adapters.base import RunServer
from kv_adapters.checks import Path
from kv_adapters.encoding import encode_key
from kv_adapters.envelope import Clock
from kv_adapters.limits import check_encoded_size, check_key_size
from kv_adapters.local import LOCAL, Draft, LocalStore, place, temporary
from kv_adapters.sorted_bytes import Row, SortedDraft, SortedEntries, SortedReading

try:
    import lmdb
except ImportError as error:
    raise ImportError("this adapter needs lmdb: pip install kv-conformance[lmdb]") from error

_T = TypeVar("_T")

_MAX_ROW_KEY: Final = 511
"""The longest key of LMDB as it is usually built, in bytes."""
_DIGEST: Final = hashlib.sha256().digest_size * 2
_MAX_COMPONENTS: Final = 8
_MAX_KEY: Final = (_MAX_ROW_KEY - (_DIGEST + 1) - _MAX_COMPONENTS) // 2
"""The longest key that fits whatever it holds: each byte may take two, each component has an end.

The keys of the base domain, of up to 200 bytes, are among them.
"""


class LmdbStore(LocalStore):
    """Entries in an LMDB environment, safe between threads and between processes.

    The folder is named by `path`, or by `url`: `lmdb:///var/data` (absolute), `lmdb://data`
    (relative to the current folder). It is made if it is missing, the folder around it is not.
    Handles of one process share the environment, which must not be opened twice in a process, and
    which is closed with the last of them; the options of the first hold. Expiry is the adapter's:
    `clock` tells the time in seconds, and processes that share a folder must have the same.

    `map_size` is the room in bytes to begin with; it is doubled whenever it is full. Without
    `sync` no write waits for the disk: what was written outlives the process all the same, also
    one that is killed, but a loss of power may damage the whole environment.
    """

    profile = LOCAL.replace(name="lmdb", max_key_bytes=_MAX_KEY)

    def __init__(
        self,
        url: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        space: str = "",
        clock: Clock = time.time,
        map_size: int = 2**24,
        sync: bool = True,
    ) -> None:
        folder = place("lmdb", url, path)
        super().__init__(
            f"lmdb:{folder}",
            lambda: _Environment(folder, map_size=map_size, sync=sync),
            clock=clock,
            root=(_short(space),),
        )

    @classmethod
    @contextmanager
    def for_run(cls) -> Iterator[RunServer]:
        """A folder of its own for one run, removed afterwards; its writes do not wait."""
        with temporary("lmdb") as folder:
            note = f"{_version()} in a temporary folder, without sync"
            yield RunServer(options={"path": folder, "sync": False}, note=note)

    def describe(self) -> str:
        """The library's version, and its client's."""
        return _version()

    def _path(self, key: object) -> Path:
        path = super()._path(key)
        check_key_size(path, _MAX_KEY)
        check_encoded_size(encode_key(self._root + path), _MAX_ROW_KEY)
        return path


class _Rows(SortedReading):
    """What one transaction sees."""

    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction

    def fetch(self, key: bytes) -> bytes | None:
        return self._transaction.get(key)  # type: ignore[no-any-return]

    def rows(self, low: bytes, high: bytes) -> list[Row]:
        found: list[Row] = []
        if len(low) > _MAX_ROW_KEY:  # a prefix that no key here can have
            return found
        with self._transaction.cursor() as cursor:
            if cursor.set_range(low):
                for key, data in cursor:
                    if key >= high:
                        break
                    found.append((key, data))
        return found


class _Environment(SortedEntries):
    """An environment in which this process has one transaction at a time.

    Only so may the map be given another size. Between processes it is the write transactions
    that wait for each other.
    """

    def __init__(self, folder: str, *, map_size: int, sync: bool) -> None:
        self._lock = threading.Lock()
        with _errors():
            self._environment: Any = lmdb.open(folder, map_size=map_size, sync=sync)
            self._environment.reader_check()  # forgets readers that were killed

    def fetch(self, key: bytes) -> bytes | None:
        return self._run(lambda transaction: _Rows(transaction).fetch(key))

    def rows(self, low: bytes, high: bytes) -> list[Row]:
        return self._run(lambda transaction: _Rows(transaction).rows(low, high))

    def update(self, change: Callable[[Draft], _T]) -> _T:
        return self._run(
            lambda transaction: change(SortedDraft(_Rows(transaction), transaction)), write=True
        )

    def close(self) -> None:
        with self._lock:
            self._environment.close()

    def _run(self, work: Callable[[Any], _T], *, write: bool = False) -> _T:
        with self._lock, _errors():
            while True:
                try:
                    with self._environment.begin(write=write) as transaction:
                        return work(transaction)
                except lmdb.MapFullError:
                    self._environment.set_mapsize(self._environment.info()["map_size"] * 2)
                except lmdb.MapResizedError:  # by another process: its size is in the file
                    self._environment.set_mapsize(0)


def _short(space: str) -> str:
    """A space as a component that leaves room for keys.

    A digest is longer than all that is not made into one: so no space is taken for another.
    """
    encoded = space.encode("utf-8", "surrogatepass")
    if len(encode_key((space,))) <= _DIGEST:
        return space
    return hashlib.sha256(encoded).hexdigest()


def _version() -> str:
    return f"LMDB {'.'.join(map(str, lmdb.version()))} (lmdb {lmdb.__version__})"


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except lmdb.BadValsizeError as error:
        raise InvalidValue(f"LMDB: {error}") from error
    except (lmdb.Error, OSError) as error:
        raise Unavailable(f"LMDB: {error}") from error
