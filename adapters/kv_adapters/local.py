"""What the embedded stores share: entries that one writer at a time may change.

A backend writes down how it reads a record, lists records, and gives one writer a draft to change.
Expiry, swaps, listing, pruning and clearing are here.
"""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from kv_spec.profile import Profile
from kv_spec.store import Entry
from kv_spec.values import equal

from kv_adapters.base import ListingStore
from kv_adapters.checks import Path
from kv_adapters.encoding import load_value
from kv_adapters.envelope import Clock, Record, instant, record
from kv_adapters.spaces import Spaces

_T = TypeVar("_T")

LOCAL: Final = Profile(
    capabilities=frozenset({"bigint", "shared", "iterate"}),
    list_order="lex",
    after_close="error",
    durable=True,
)
"""What all these stores declare."""


class Reading(ABC):
    """Records by key, expired ones among them."""

    @abstractmethod
    def get(self, path: Path) -> Record | None:
        """The record of a key, or None."""

    @abstractmethod
    def below(self, prefix: Path) -> list[tuple[Path, Record]]:
        """The records of the keys that begin with `prefix`, at one instant, in order (LIST-9)."""


class Draft(Reading):
    """The records as a writer finds them, who is alone. It may not see its own changes."""

    @abstractmethod
    def put(self, path: Path, record: Record) -> None:
        """Replaces the record of a key."""

    @abstractmethod
    def delete(self, path: Path) -> None:
        """Removes the record of a key, if there is one."""


class Entries(Reading):
    """Where a store keeps its records. Every method raises Unavailable where it can not be done."""

    @abstractmethod
    def update(self, change: Callable[[Draft], _T]) -> _T:
        """Calls `change` while nobody else writes, and answers what it answers.

        `change` may be called more than once, of which the last call counts.
        """

    def close(self) -> None:
        """Ends the use; called once."""


OPEN: Final[Spaces[Entries]] = Spaces(end=lambda entries: entries.close())
"""The entries that handles of this process have open, which handles of one name share."""


class LocalStore(ListingStore):
    """A store over entries, which other handles may share.

    `name` says which entries they are, and `make` opens them for the first handle. `root` is put
    before all keys; the caller never sees it.
    """

    def __init__(
        self, name: str, make: Callable[[], Entries], *, clock: Clock, root: Path = ()
    ) -> None:
        self._name = process_wide(name)
        self._clock = clock
        self._root = root
        self._entries = OPEN.open(self._name, make)

    def prune(self) -> None:
        """Drops the records of expired entries, which otherwise stay until they are overwritten."""
        self._check_open()
        self._drop(expired_only=True)

    def _read(self, path: Path) -> Any:
        return self._value(self._entries.get(self._root + path))

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        new = record(packed, life, self._clock)
        self._entries.update(lambda draft: draft.put(self._root + path, new))

    def _remove(self, path: Path) -> None:
        self._entries.update(lambda draft: draft.delete(self._root + path))

    def _swap(self, path: Path, expected: Any, packed: Any, life: int | None) -> bool:
        def change(draft: Draft) -> bool:
            if not equal(self._value(draft.get(full)), expected):
                return False
            if packed is None:
                draft.delete(full)
            else:
                draft.put(full, record(packed, life, self._clock))
            return True

        full = self._root + path
        return self._entries.update(change)

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        # All records at once: they are a snapshot, and a listing that is left holds nothing.
        records = self._entries.below(self._root + prefix)
        now, start = instant(self._clock), len(self._root)
        live = [(path, found.packed) for path, found in records if found.live(now)]
        return ((path[start:], load_value(packed)) for path, packed in live)

    def _clear(self) -> None:
        self._drop(expired_only=False)

    def _drop(self, *, expired_only: bool) -> None:
        def change(draft: Draft) -> None:
            now = instant(self._clock)
            for path, found in draft.below(self._root):
                if not (expired_only and found.live(now)):
                    draft.delete(path)

        self._entries.update(change)

    def _release(self) -> None:
        OPEN.close(self._name, self._entries)

    def _value(self, found: Record | None) -> Any:
        if found is None or not found.live(instant(self._clock)):
            return None
        return load_value(found.packed)


def process_wide(name: str) -> str:
    """A name under which a fork of this process does not find what this process has open."""
    return f"{os.getpid()}:{name}"


def place(scheme: str, url: str | None, path: str | os.PathLike[str] | None) -> str:
    """The file or folder that a `url` or a `path` names, absolute and with links resolved.

    What follows `://` in a URL is the path: `file:///tmp/a.json` is absolute, `file://a.json` is
    relative to the current folder. Raises ValueError for neither or both, and for another URL.
    """
    if (url is None) == (path is None):
        raise ValueError(f"a store on a disk takes either a url ({scheme}:///path) or a path")
    return os.path.realpath(path if path is not None else _path_in(scheme, str(url)))


def _path_in(scheme: str, url: str) -> str:
    start, mark, rest = url.partition("://")
    if start != scheme or not mark or not rest.strip("/") or set("?#") & set(rest):
        raise ValueError(
            f"{url!r} is no URL of this store; write {scheme}:///absolute/path or {scheme}://path, "
            "with %3F for ? and %23 for #"
        )
    path = unquote(rest)
    drive = path[2:3] == ":" and path[:1] == "/"  # file:///C:/data.json
    return path[1:] if drive and os.name == "nt" else path


@contextmanager
def temporary(name: str) -> Iterator[str]:
    """A path for one run, in a temporary folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"kv-{name}-", ignore_cleanup_errors=True) as folder:
        yield str(FilePath(folder) / "data")
