"""A store in a folder, a file a key, safe between threads and between processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, TypeVar

from kv_spec.errors import Unavailable

from kv_adapters import locked_files
from kv_adapters.checks import Path
from kv_adapters.envelope import Record
from kv_adapters.file_names import file_name, is_name, may_be_below
from kv_adapters.files import FilesStore
from kv_adapters.local import LOCAL, Draft, Entries
from kv_adapters.records import dump_record, load_record

_T = TypeVar("_T")

_SUFFIX: Final = ".json"
_SPACE: Final = "space-"


class FolderStore(FilesStore):
    """A JSON file for each entry, named by its key; see `kv_adapters.file_names`.

    The folder is named by `path`, or by `url`: `folder:///var/data` (absolute), `folder://data`
    (relative to the current folder). It is made if it is missing, the folder around it is not. A
    space is a folder in it. Files of other names are left alone. In the folder lies a lock for
    all (`.lock`), beside a file for the moment of its write its successor (`.new`).

    A listing reads every file below its prefix, and writers wait for it meanwhile. For the options
    see `kv_adapters.files`.
    """

    scheme = "folder"
    note = "files in a temporary folder"
    profile = LOCAL.replace(name="folder")

    @classmethod
    def _open(cls, where: str, space: str, *, patience: float, sync: bool) -> Entries:
        folder = os.path.join(where, _SPACE + file_name((space,))) if space else where
        for each in (where, folder):
            locked_files.make_folder(each)
        lock = locked_files.Lock(os.path.join(where, ".lock"), patience=patience)
        return _Folder(folder, lock, sync)


class _Folder(Entries):
    """The files of one space, and the lock of those who write."""

    def __init__(self, folder: str, lock: locked_files.Lock, sync: bool) -> None:
        self._files = _Files(folder, sync)
        self._lock = lock

    def get(self, path: Path) -> Record | None:
        return self._files.get(path)

    def below(self, prefix: Path) -> list[tuple[Path, Record]]:
        with self._lock.held():  # so that all files are of one instant
            return self._files.below(prefix)

    def update(self, change: Callable[[Draft], _T]) -> _T:
        with self._lock.held():
            return change(self._files)


class _Files(Draft):
    """The files as they are; only who has the lock may change them."""

    def __init__(self, folder: str, sync: bool) -> None:
        self._folder = folder
        self._sync = sync
        self._successor = os.path.join(folder, ".new")

    def get(self, path: Path) -> Record | None:
        found = self._load(file_name(path))
        return None if found is None else found[1]

    def below(self, prefix: Path) -> list[tuple[Path, Record]]:
        found = [record for name in self._names(prefix) if (record := self._load(name))]
        size = len(prefix)
        return sorted((one for one in found if one[0][:size] == prefix), key=lambda one: one[0])

    def put(self, path: Path, record: Record) -> None:
        locked_files.replace(
            self._file(file_name(path)),
            dump_record(path, record) + b"\n",
            successor=self._successor,
            sync=self._sync,
        )

    def delete(self, path: Path) -> None:
        locked_files.remove(self._file(file_name(path)), sync=self._sync)

    def _names(self, prefix: Path) -> list[str]:
        with locked_files.errors():
            files = os.listdir(self._folder)
        names = [file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX)]
        return [name for name in names if is_name(name) and may_be_below(name, prefix)]

    def _load(self, name: str) -> tuple[Path, Record] | None:
        """The record in the file of this name; None without one, or with that of another name."""
        data = locked_files.read(self._file(name))
        if data is None:
            return None
        try:
            path, record = load_record(data)
        except (ValueError, RecursionError) as error:
            raise Unavailable(f"{self._file(name)} holds something else: {error}") from error
        return (path, record) if file_name(path) == name else None

    def _file(self, name: str) -> str:
        return os.path.join(self._folder, name + _SUFFIX)
