"""Files that several threads and processes read and replace, on POSIX and on Windows.

A file is never changed in place: its successor is written beside it and takes its name in one
step. So a reader needs no lock, and a writer that is killed leaves the old file as it was (DUR-2).
Writers exclude each other by a lock on a file that stays where it is.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from kv_spec.errors import Unavailable

_T = TypeVar("_T")

_TRIES: Final = 400 if os.name == "nt" else 1
"""How often a file is asked for. Windows refuses while another process has just opened it."""
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_PIECE: Final = 2**16
_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.02


def read(file: str) -> bytes | None:
    """What the file holds; None if there is none."""
    with errors():
        try:
            return _patiently(lambda: _read(file))
        except FileNotFoundError:
            return None


def replace(file: str, data: bytes, *, successor: str, sync: bool) -> None:
    """Gives the file new content in one step; the caller has the lock.

    `successor` is the name under which it is written first, in the same folder. With `sync` the
    content has reached the disk when this returns.
    """
    with errors():
        try:
            _write(successor, data, sync)
        except FileExistsError:  # of a writer that was killed
            os.unlink(successor)
            _write(successor, data, sync)
        _patiently(lambda: os.replace(successor, file))
        if sync:
            _sync_folder(os.path.dirname(file))


def remove(file: str, *, sync: bool) -> None:
    """Removes the file, if there is one; the caller has the lock. `sync` is as in `replace`."""
    with errors(), suppress(FileNotFoundError):
        _patiently(lambda: os.unlink(file))
        if sync:
            _sync_folder(os.path.dirname(file))


def make_folder(folder: str) -> None:
    """Makes the folder if it is missing; the one around it must be there."""
    with errors(), suppress(FileExistsError):
        os.mkdir(folder)


@contextmanager
def errors() -> Iterator[None]:
    """Whatever the operating system refuses is Unavailable."""
    try:
        yield
    except OSError as error:
        raise Unavailable(str(error)) from error


class Lock:
    """One writer at a time, among the threads of this process and among all processes.

    `file` is made if it is missing, and never removed: a lock on a file that is gone would not
    keep out who makes it anew. The lock of a process that ends, however it ends, is free.
    """

    def __init__(self, file: str, *, patience: float) -> None:
        self._file = file
        self._patience = patience
        self._threads = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Has the lock inside. Raises Unavailable after `patience` seconds."""
        if not self._threads.acquire(timeout=self._patience):
            raise self._late()
        try:
            with errors():
                # Opened anew each time: what a fork inherits would be the same lock.
                descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                self._wait(descriptor)
                try:
                    yield
                finally:
                    _unlock(descriptor)
            finally:
                os.close(descriptor)
        finally:
            self._threads.release()

    def _wait(self, descriptor: int) -> None:
        waited, pause = 0.0, _PAUSE / 10
        while not _try_lock(descriptor):
            if waited >= self._patience:
                raise self._late()
            time.sleep(pause)
            waited += pause
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _late(self) -> Unavailable:
        return Unavailable(f"{self._file} was locked by others for {self._patience} seconds")


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLK):
                return False
            raise Unavailable(str(error)) from error
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

    def _sync_folder(folder: str) -> None:
        """Nothing: Windows does not open folders, and its file system keeps a log of names."""

else:
    import fcntl

    # Not lockf: that lock belongs to the process, and goes with any descriptor of the file.
    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise Unavailable(str(error)) from error
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _sync_folder(folder: str) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# Without the layers of `open`, whose questions to the system take longer than the file itself.
def _read(file: str) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | _BINARY)
    try:
        data = os.read(descriptor, os.fstat(descriptor).st_size + 1)
        while more := os.read(descriptor, _PIECE):
            data += more
        return data
    finally:
        os.close(descriptor)


def _write(file: str, data: bytes, sync: bool) -> None:
    # Only a file that is made here: what lies there, a link perhaps, is not written to.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _patiently(action: Callable[[], _T]) -> _T:
    for _ in range(_TRIES - 1):
        with suppress(PermissionError):
            return action()
        time.sleep(_PAUSE)
    return action()
