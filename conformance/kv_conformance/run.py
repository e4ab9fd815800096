"""A run, seen from outside: the process of the store, its events, and the end they come to."""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Protocol

from kv_conformance import engine, events, real_time
from kv_conformance.settings import Settings
from kv_conformance.verdict import Verdict

SPEC_VERSION: Final = "1"
_STARTING: Final = 60.0
"""Seconds in which the process of the store must send its first sign of life."""
_GRACE: Final = 5.0
"""Seconds past the limit of an operation after which a silent process is ended."""


class Handler(Protocol):
    """A reader of events; see `kv_conformance.reports`."""

    def handle(self, event: events.Event) -> None:
        """Takes one event in."""


def harness_version() -> str:
    """The version of this distribution."""
    try:
        return version("kv-conformance")
    except PackageNotFoundError:
        return "unknown"


def run(settings: Settings, verdict: Verdict, handlers: Iterable[Handler]) -> events.RunEnded:
    """Runs a store to the end, whatever it does, and tells `handlers` of it all the way."""
    everyone = [verdict, *handlers]
    began = real_time.perf_counter()

    def tell(event: events.Event) -> None:
        for handler in everyone:
            handler.handle(event)

    tell(
        events.RunStarted(
            settings.store,
            settings.seed,
            SPEC_VERSION,
            harness_version(),
            settings.phases,
            settings.clauses,
            verdict.narrowed,
        )
    )
    with _folder() as folder:
        try:
            for event in _events(replace(settings, folder=folder)):
                tell(event)
        except KeyboardInterrupt:
            tell(events.Stopped("interrupted", "interrupted from the keyboard"))
        printed = _printed(folder)
    if printed:
        tell(events.Note(f"the store printed: {printed}"))
    ended = verdict.ended(real_time.perf_counter() - began)
    tell(ended)
    return ended


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """A temporary folder for what the store writes; removed at the end."""
    folder = tempfile.mkdtemp(prefix="kv-conformance-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _printed(folder: str) -> str:
    with contextlib.suppress(OSError):
        text = (Path(folder) / "output.log").read_text(encoding="utf-8", errors="replace").strip()
        lines = text.splitlines()
        return "\n".join(lines[:3]) + (f"\n({len(lines)} lines in all)" if len(lines) > 3 else "")
    return ""


def _events(settings: Settings) -> Iterator[events.Event]:
    """The events of the process of the store; at its end, why it ended, if it was early."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=engine.main, args=(settings, sender), daemon=False)
    process.start()
    sender.close()
    try:
        yield from _received(receiver, settings, process)
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        receiver.close()


def _received(
    receiver: Connection, settings: Settings, process: multiprocessing.process.BaseProcess
) -> Iterator[events.Event]:
    patience, stopped = _STARTING, False
    while True:
        if not receiver.poll(patience):
            yield events.Stopped(
                "hang",
                "the process of the store does not answer: something in it holds the interpreter "
                f"for more than {patience:g} s",
            )
            return
        try:
            event = receiver.recv()
        except EOFError:
            break
        patience = settings.timeout + _GRACE
        if event is not None:
            stopped = stopped or isinstance(event, events.Stopped)
            yield event
    process.join(_GRACE)
    if not stopped and process.exitcode != 0:
        yield events.Stopped("crash", f"the process of the store ended {_how(process.exitcode)}")


def _how(code: int | None) -> str:
    if code is None:
        return "its connection and then did not end"
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
