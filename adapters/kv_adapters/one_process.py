"""Stores in a folder that one process at a time may have open, its threads sharing the database."""

from __future__ import annotations

import os
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import ClassVar, Final

from kv_adapters.base import RunServer
from kv_adapters.envelope import Clock
from kv_adapters.local import OPEN, Entries, LocalStore, place, process_wide, temporary
from kv_adapters.sorted_bytes import SortedEntries

_KEPT: Final[dict[str, Entries]] = {}
"""The databases of runs that this process has open, by name."""
_KEEPING: Final = threading.Lock()


class OneProcessStore(LocalStore):
    """A store in the folder of a database that one process at a time may have open.

    The folder is named by `path`, or by `url`: `leveldb:///var/data` (absolute), `leveldb://data`
    (relative to the current folder). It is made if it is missing, the folder around it is not.
    All handles of a process on one folder share the database, which is closed with the last of
    them; the options of the first hold. Another process gets Unavailable. A space is a first
    component of all keys. Expiry is the adapter's: `clock` tells the time in seconds.

    What was written outlives the process, also one that is killed; with `sync` it outlives a loss
    of power as well, and every write waits for the disk. `scratch` is for runs of thousands of
    short-lived handles: each process has a database of its own below `path`, open until the run
    ends.
    """

    scheme: ClassVar[str]

    def __init__(
        self,
        url: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        space: str = "",
        clock: Clock = time.time,
        sync: bool = False,
        scratch: bool = False,
    ) -> None:
        folder = place(self.scheme, url, path)
        if scratch:
            folder = self._kept(folder)
        super().__init__(
            f"{self.scheme}:{folder}",
            lambda: self._open(folder, sync=sync),
            clock=clock,
            root=(space,),
        )

    @classmethod
    @contextmanager
    def for_run(cls) -> Iterator[RunServer]:
        """A folder of its own for one run, removed afterwards.

        A run opens and closes thousands of handles, maybe in several processes: in each of them
        a database of its own stays open (`scratch`).
        """
        with temporary(cls.scheme) as folder:
            FilePath(folder).mkdir()
            note = f"{cls.version()} in a temporary folder"
            try:
                yield RunServer(options={"path": folder, "scratch": True}, note=note)
            finally:
                for name in [name for name in _KEPT if name.endswith(_scratch(folder))]:
                    OPEN.close(name, _KEPT.pop(name))

    def describe(self) -> str:
        """The library's name and version, and its client's."""
        return self.version()

    @classmethod
    def _kept(cls, folder: str) -> str:
        """This process's folder in that of a run, with its database open till the run ends."""
        own = _scratch(folder)
        name = process_wide(f"{cls.scheme}:{own}")
        with _KEEPING:
            if name not in _KEPT:
                _KEPT[name] = OPEN.open(name, lambda: cls._open(own, sync=False))
        return own

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """The library's name and version, and its client's."""

    @classmethod
    @abstractmethod
    def _open(cls, folder: str, *, sync: bool) -> SortedEntries:
        """Opens the database in `folder`. Raises Unavailable."""


def _scratch(folder: str) -> str:
    """This process's own folder in that of a run."""
    return os.path.join(os.path.realpath(folder), str(os.getpid()))
