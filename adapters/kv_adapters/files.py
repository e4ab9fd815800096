"""What the stores in files of their own have in common: how they are named, opened and run."""

from __future__ import annotations

import os
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from kv_adapters.base import RunServer
from kv_adapters.envelope import Clock
from kv_adapters.local import Entries, LocalStore, place, temporary


class FilesStore(LocalStore):
    """A store in files that processes share, each of which may write after the other.

    `path`, or a `url` that begins with the scheme, says where the files are. `clock` tells the
    time in seconds; processes that share the files must have the same. `patience` is how long a
    call waits for the writers before it, in seconds; after that it raises Unavailable. What was
    written outlives the process, also one that is killed; with `sync` it outlives a loss of power
    as well, and every write waits for the disk.
    """

    scheme: ClassVar[str]
    note: ClassVar[str]
    """What is said of the files of a run."""

    def __init__(
        self,
        url: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        space: str = "",
        clock: Clock = time.time,
        patience: float = 30.0,
        sync: bool = False,
    ) -> None:
        where = place(self.scheme, url, path)
        super().__init__(
            f"{self.scheme}:{where}\0{space}",
            lambda: self._open(where, space, patience=patience, sync=sync),
            clock=clock,
        )

    @classmethod
    @contextmanager
    def for_run(cls) -> Iterator[RunServer]:
        """Files of its own for one run, removed afterwards."""
        with temporary(cls.scheme) as path:
            yield RunServer(options={"path": path}, note=cls.note)

    @classmethod
    @abstractmethod
    def _open(cls, where: str, space: str, *, patience: float, sync: bool) -> Entries:
        """The entries of a space; "" is the one without a name. Raises Unavailable."""
