"""A store in one JSON file, safe between threads and between processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from kv_spec.errors import Unavailable

from kv_adapters import locked_files
from kv_adapters.checks import Path
from kv_adapters.encoding import load_value
from kv_adapters.envelope import Record
from kv_adapters.file_names import file_name
from kv_adapters.files import FilesStore
from kv_adapters.local import LOCAL, Draft, Entries
from kv_adapters.records import checked_record, dump_record

_T = TypeVar("_T")

_MARK: Final = "kv-conformance 1"
_HEAD: Final = b'{"store": "%b", "entries": [\n' % _MARK.encode()
_FOOT: Final = b"\n]}\n"


class FileStore(FilesStore):
    """All entries in one JSON file, an entry a line; see `kv_adapters.files` for the options.

    The file is named by `path`, or by `url`: `file:///tmp/data.json` (absolute),
    `file://data.json` (relative to the current folder). It is made by the first write, in a folder
    that exists. Beside `data.json` lie the lock of its writers, `data.json.lock`, and during a
    write its successor, `data.json.new`. A space has a file of its own, in `data.json.spaces`.

    Every write writes the whole file: the store is for what fits into memory easily.
    """

    scheme = "file"
    note = "a JSON file in a temporary folder"
    profile = LOCAL.replace(name="file")

    @classmethod
    def _open(cls, where: str, space: str, *, patience: float, sync: bool) -> Entries:
        lock = locked_files.Lock(f"{where}.lock", patience=patience)
        file = _file_of_space(where, space) if space else where
        return _File(file, f"{where}.new", lock, sync)


def _file_of_space(first: str, space: str) -> str:
    folder = f"{first}.spaces"
    locked_files.make_folder(folder)
    return os.path.join(folder, f"{file_name((space,))}.json")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A record, and the line that it is in the file."""

    record: Record
    line: bytes


@dataclass(frozen=True, slots=True)
class _Content:
    """What the file holds, as bytes and as records; never changed in place."""

    data: bytes | None = None
    entries: Mapping[Path, _Entry] = field(default_factory=dict)


class _File(Entries):
    """The file, and what it held when it was last looked at.

    Every call reads the file, and parses it if its bytes differ from those that were parsed last.
    Nothing less is safe: a successor may have the size of the file before it, its number on the
    disk, which is free again, and within the tick of a clock its time too.
    """

    def __init__(self, file: str, successor: str, lock: locked_files.Lock, sync: bool) -> None:
        self._file = file
        self._successor = successor
        self._lock = lock
        self._sync = sync
        self._known = _Content()
        if not os.path.isdir(os.path.dirname(file)):
            raise Unavailable(f"there is no folder {os.path.dirname(file)}")
        self._look()

    def get(self, path: Path) -> Record | None:
        entry = self._look().entries.get(path)
        return None if entry is None else entry.record

    def below(self, prefix: Path) -> list[tuple[Path, Record]]:
        return _below(self._look().entries, prefix)

    def update(self, change: Callable[[Draft], _T]) -> _T:
        with self._lock.held():
            before = self._look()
            draft = _Draft(before.entries)
            answer = change(draft)
            if draft.changed:
                data = _dump(draft.entries)
                locked_files.replace(self._file, data, successor=self._successor, sync=self._sync)
                self._known = _Content(data, draft.entries)
            return answer

    def _look(self) -> _Content:
        known, data = self._known, locked_files.read(self._file)
        if data != known.data:
            known = self._known = _Content() if data is None else _load(self._file, data)
        return known


class _Draft(Draft):
    """A copy of the records, made when it is first changed."""

    def __init__(self, entries: Mapping[Path, _Entry]) -> None:
        self.entries: dict[Path, _Entry] = dict(entries)
        self.changed = False

    def get(self, path: Path) -> Record | None:
        entry = self.entries.get(path)
        return None if entry is None else entry.record

    def below(self, prefix: Path) -> list[tuple[Path, Record]]:
        return _below(self.entries, prefix)

    def put(self, path: Path, record: Record) -> None:
        self.entries[path] = _Entry(record, dump_record(path, record))
        self.changed = True

    def delete(self, path: Path) -> None:
        if self.entries.pop(path, None) is not None:
            self.changed = True


def _below(entries: Mapping[Path, _Entry], prefix: Path) -> list[tuple[Path, Record]]:
    size = len(prefix)
    found = [(path, entry.record) for path, entry in entries.items() if path[:size] == prefix]
    return sorted(found, key=lambda one: one[0])


def _dump(entries: Mapping[Path, _Entry]) -> bytes:
    return _HEAD + b",\n".join([entry.line for entry in entries.values()]) + _FOOT


def _load(file: str, data: bytes) -> _Content:
    """Reads what any JSON writer may have laid out anew; what is not ours is not touched."""
    try:
        match load_value(data):
            case {"store": str(mark), "entries": [*records]} if mark == _MARK:
                read = dict(map(checked_record, records))
            case _:
                raise ValueError(f'no {{"store": "{_MARK}", "entries": […]}}')
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"{file} holds something else than a store: {error}") from error
    return _Content(
        data, {path: _Entry(record, dump_record(path, record)) for path, record in read.items()}
    )
