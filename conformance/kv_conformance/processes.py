"""An executor whose calls run in other processes, each of which may be lost without the others.

The standard one gives up all its processes when one ends, and its semaphores outlive a process
that is ended as this harness ends its own.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from kv_conformance.surroundings import end_with_parent, quiet

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Lost(Exception):
    """The process of a call ended, or did not answer in time."""


class Processes(Executor):
    """So many processes, started when they are needed, gone when this is left.

    A call that takes longer than `patience` seconds is ended with its process. What the processes
    print goes to the folder of the run.
    """

    def __init__(self, number: int, *, patience: float, folder: str) -> None:
        self.patience, self.folder = patience, folder
        self._threads = ThreadPoolExecutor(number, "job")
        self._own = threading.local()
        self._started: list[_Process] = []
        self._over = False

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """A future of `fn(*args, **kwargs)`, called in one of the processes."""
        return self._threads.submit(self._call, fn, args, kwargs)

    def _call(self, function: Callable[..., _T], args: Any, kwargs: Any) -> _T:
        process: _Process | None = getattr(self._own, "process", None)
        if process is None:
            process = self._own.process = _Process(self.folder)
            self._started.append(process)
            if self._over:  # it was not there yet when all were ended
                process.end()
        try:
            answer, error = process.ask((function, args, kwargs), self.patience)
        except Lost:
            self._own.process = None
            raise
        if error is not None:
            raise error
        return answer  # type: ignore[no-any-return]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends all processes, whatever they do."""
        self._over = True
        for process in tuple(self._started):
            process.end()
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


class _Process:
    """A process that answers one call after another."""

    def __init__(self, folder: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        arguments = (theirs, folder, list(sys.path))
        self.process: BaseProcess = context.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, call: Any, patience: float) -> tuple[Any, Exception | None]:
        """What a call came to; raises Lost where nothing comes, and ends the process."""
        try:
            self.connection.send(call)
            if self.connection.poll(patience):
                answer: tuple[Any, Exception | None] = self.connection.recv()
                return answer
        except (EOFError, OSError):
            pass
        self.end()
        raise Lost(f"a process did not answer within {patience:g} s, or ended")

    def end(self) -> None:
        """Ends the process; no harm if it has ended."""
        self.process.kill()
        self.process.join()


def _serve(connection: Connection, folder: str, path: list[str]) -> None:
    """Answers calls until the one who started this is gone."""
    end_with_parent()
    sys.path[:] = path
    if folder and Path(folder).is_dir():
        quiet(folder)
    while True:
        try:
            function, args, kwargs = connection.recv()
        except EOFError:
            return
        try:
            answer: tuple[Any, Exception | None] = (function(*args, **kwargs), None)
        except Exception as error:
            answer = (None, error)
        connection.send(answer)
