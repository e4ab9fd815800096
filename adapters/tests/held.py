"""A store whose operations a test can hold, so that threads meet where it wants them to."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 20.0
"""Seconds after which a test that waits for a thread gives up."""


@dataclass
class Hold:
    """One call that stops after it did its work in the store and before it answers."""

    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Hold":
        assert self.reached.wait(PATIENCE), "the call that was to be held never came"
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()


class Held:
    """A store around another that notes its calls, holds some, and fails some."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.calls: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self._holds: dict[str, Hold] = {}
        self._errors: dict[str, BaseException] = {}

    def hold(self, name: str) -> Hold:
        """Holds the next call of a method, from the moment its work is done."""
        self._holds[name] = Hold()
        return self._holds[name]

    def fail(self, name: str, error: BaseException) -> None:
        """Makes the next call of a method raise, its work undone; a held call raises at its end."""
        self._errors[name] = error

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.store, name)
        if not callable(member) or name not in {"get", "set", "delete", "cas", "list", "clear"}:
            return member
        return lambda *arguments, **options: self._call(name, member, arguments, options)

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        """By name, for a layer reads its signature."""
        self._call("set", self.store.set, (key, value), {"ttl": ttl})

    def _call(self, name: str, method: Callable[..., Any], given: Any, options: Any) -> Any:
        hold, error = self._holds.pop(name, None), self._errors.pop(name, None)
        self.calls.append(name)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            answer = None if error else method(*given, **options)
            if hold:
                hold.reached.set()
                assert hold.go_on.wait(PATIENCE), "the held call was forgotten"
            if error:
                raise error
            return answer
        finally:
            self.at_once -= 1


class Threads(ThreadPoolExecutor):
    """Threads for a test; a future's answer is asked for with patience."""

    def __init__(self) -> None:
        super().__init__(max_workers=32)

    def run(self, call: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Calls in a thread of its own."""
        return self.submit(call, *arguments)


def blocked(future: "Future[Any]") -> bool:
    """Whether a call waits for another; it would long have ended if it did not."""
    wait_for([future], timeout=0.1)
    return not future.done()


def until(condition: Callable[[], bool]) -> None:
    """Waits for what other threads are about to bring about."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        with suppress(InterruptedError):
            time.sleep(0)
