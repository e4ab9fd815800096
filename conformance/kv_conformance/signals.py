"""Signals that end a run: it still writes its reports, and takes the store's process along."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

_ENDING: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Interrupted(KeyboardInterrupt):
    """A signal asked for the end of the run; the message says which."""


def _raise(number: int, _: FrameType | None) -> None:
    for ending in _ENDING:  # once is enough: the rest is cleaning up
        signal.signal(ending, signal.SIG_IGN)
    what = "from the keyboard" if number == signal.SIGINT else f"by {signal.Signals(number).name}"
    raise Interrupted(f"interrupted {what}")


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """In this stretch the first signal that ends a program raises Interrupted; others wait.

    In another thread than the main one nothing is changed: signals are not its business.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}
    for number in _ENDING:
        before[number] = signal.getsignal(number)
        if before[number] is not signal.SIG_IGN:  # nohup means it
            signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


@contextlib.contextmanager
def ignored_by_children() -> Iterator[None]:
    """A process started here ignores Ctrl-C from its first instruction on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
