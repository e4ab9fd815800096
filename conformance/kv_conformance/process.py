"""The process of the store, as the run sees it: its events, and how it ended."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from collections.abc import Generator, Iterator, Mapping
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

from kv_spec.json_form import ProgramError, from_json, to_json
from kv_spec.operations import Program

from kv_conformance import events, real_time
from kv_conformance.parting import OVER, endless
from kv_conformance.settings import Settings
from kv_conformance.signals import ignored_by_children
from kv_conformance.snippet import Opening
from kv_conformance.subject import black_box

_STARTING: Final = 60.0
"""Seconds in which the process of the store must send its first sign of life."""
_GRACE: Final = 5.0
"""Seconds past the limit of an operation after which a silent process is ended, at the most."""


def watched(settings: Settings) -> Generator[events.Event, None, None]:
    """The events of a run in a process of its own; at its end, why it ended, if it was early.

    The process is gone when the iterator is closed, whatever it was doing.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(settings, sender), daemon=False)
    with ignored_by_children():
        process.start()
    sender.close()
    try:
        yield from _Listener(receiver, settings, process).told()
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        receiver.close()


def _main(settings: Settings, sender: Connection) -> None:
    """The process begins here, so that the waiting one needs nothing that only the engine needs."""
    from kv_conformance import child

    child.main(settings, sender)


class _Listener:
    """Reads what the process sends, until its end or until it has been silent for too long."""

    def __init__(self, receiver: Connection, settings: Settings, process: BaseProcess) -> None:
        self.receiver, self.settings, self.process = receiver, settings, process
        self.opening: Opening | None = None
        self.plan = b""
        self.stopped = False

    def told(self) -> Iterator[events.Event]:
        """The events, with a last one of our own where the process could not send it."""
        limit = self.settings.timeout
        patience = _STARTING
        while True:
            message = self._next(patience)
            if message is _SILENT:
                yield self._silent(limit if patience != _STARTING else _STARTING)
                return
            if message is _GONE:
                if not self.stopped:
                    yield self._ended()
                return
            if message == OVER:
                return
            patience = limit + min(_GRACE, max(limit, 1.0))
            if isinstance(message, Opening):
                self.opening = message
            elif isinstance(message, bytes):
                self.plan = message
            elif message is not None:
                self.stopped = self.stopped or isinstance(message, events.Stopped)
                yield message

    def _next(self, patience: float) -> Any:
        """The next message; _SILENT where none comes in time, _GONE where none will come."""
        until = real_time.monotonic() + patience
        while not self.receiver.poll():
            left = until - real_time.monotonic()
            if left <= 0:
                return _SILENT if self.process.is_alive() else _GONE
            ready = connection.wait([self.receiver, self.process.sentinel], left)
            # The process may be gone while a child of its own still holds the pipe.
            if ready == [self.process.sentinel] and not self.receiver.poll():
                return _GONE
        try:
            return self.receiver.recv()
        except (EOFError, OSError):
            return _GONE

    def _silent(self, limit: float) -> events.Stopped:
        doing, program, python = self._under_way()
        message = endless(doing or "something in the store's process", limit)
        return events.Stopped(
            "hang", f"{message}. It holds the interpreter, so that nothing else can run there",
            program, python,
        )  # fmt: skip

    def _ended(self) -> events.Stopped:
        self.process.join(_GRACE)
        doing, program, python = self._under_way()
        during = f" during {doing}" if doing else ""
        how = _how(self.process.exitcode)
        return events.Stopped(
            "crash", f"the process of the store ended {how}{during}", program, python
        )

    def _under_way(self) -> tuple[str, Any, str]:
        """What the process did last: in words, as JSON and as Python, as far as they are known."""
        found = black_box.read(self.settings.folder)
        if found is None:
            return "", None, ""
        if found.swept is not None and self.plan:
            program = _swept(self.plan, found.swept)[: found.begun]
            found = black_box.UnderWay(program[-1].op if program else "", to_json(program))
        if found.program is None:
            return found.doing, None, ""
        try:
            program = from_json(found.program)
        except ProgramError:
            return found.doing, found.program, ""
        opening = self.opening
        python = "" if opening is None else opening.python(program, "an answer", "none")
        return found.doing, found.program, python


def _swept(plan: bytes, name: Mapping[str, Any]) -> Program:
    """Writes a program of the sweep once more."""
    from kv_spec.programs import Composer

    composer = Composer(pickle.loads(plan), name["favoured"])
    return composer.program(name["seed"], name["number"])


_SILENT: Final = object()
_GONE: Final = object()


def _how(code: int | None) -> str:
    if code is None:
        return "its connection and then did not end"
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"by signal {-code}"
