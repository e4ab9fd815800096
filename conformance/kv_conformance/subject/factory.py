"""The factory of a store: what it takes, and a fresh store for each data space."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from kv_conformance.subject.aio import Bridge, is_async

Watched = Callable[[str], AbstractContextManager[None]]
"""Limits a stretch of foreign code; called with what it is, in words."""


def _unwatched(_: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(slots=True)
class Factory:
    """Opens stores; `space` and `clock` are passed to parameters of just these names.

    `options` are passed by keyword as they are. A store that is a context manager is entered, a
    factory that is a coroutine function is awaited. `failed` is what the last call that did not
    give a store raised. With `kept` the factory gives the same object again and again, which is
    therefore never closed.
    """

    make: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    clock: Callable[[], float] | None = None
    takes_space: bool = False
    takes_clock: bool = False
    bridge: Bridge | None = None
    watched: Watched = _unwatched
    failed: BaseException | None = None
    kept: bool = False
    in_use: int = 0
    """How many handles are open."""

    @classmethod
    def of(cls, make: Callable[..., Any], options: Mapping[str, Any] | None = None) -> Factory:
        """Reads the signature of `make`."""
        try:
            names = set(inspect.signature(make).parameters)
        except (TypeError, ValueError):
            names = set()
        return cls(
            make,
            dict(options or {}),
            takes_space="space" in names,
            takes_clock="clock" in names,
        )

    def open(self, space: str) -> Opened:
        """A handle on a data space; raises what the store's constructor raises."""
        arguments = dict(self.options)
        if self.takes_space:
            arguments["space"] = space
        if self.takes_clock and self.clock is not None:
            arguments["clock"] = self.clock
        try:
            with self.watched("opening the store"):
                made = self.make(**arguments)
                if inspect.isawaitable(made):
                    made = self._bridge().run(made)
                return self._enter(made)
        except BaseException as error:
            self.failed = error
            raise

    def renew(self) -> None:
        """A new event loop for what is opened from now on, unless the old one is in use.

        Of an asynchronous store that broke a clause, timers may be left in the old one.
        """
        if self.bridge is not None and not self.in_use:
            self.bridge.close()
            self.bridge = None

    def _bridge(self) -> Bridge:
        if self.bridge is None:
            self.bridge = Bridge()
        return self.bridge

    def _enter(self, made: Any) -> Opened:
        if is_async(made):
            bridge = self._bridge()
            if not hasattr(type(made), "__aenter__"):
                return self._opened(bridge.facade(made), made, None)
            entered = bridge.run(made.__aenter__())
            store = made if entered is None else entered
            leave: Leave = lambda: bridge.run(made.__aexit__(None, None, None))  # noqa: E731
            return self._opened(bridge.facade(store), store, leave)
        if hasattr(type(made), "__enter__") and hasattr(type(made), "__exit__"):
            entered = made.__enter__()
            store = made if entered is None else entered
            return self._opened(store, store, lambda: made.__exit__(None, None, None))
        return self._opened(made, made, None)

    def _opened(self, store: Any, original: Any, leave: Leave | None) -> Opened:
        self.in_use += 1
        return Opened(store, original, leave, self)


Leave = Callable[[], Any]


@dataclass(slots=True)
class Opened:
    """An open handle: the store as the harness calls it, and as it was made."""

    store: Any
    original: Any
    leave: Leave | None
    factory: Factory

    def close(self) -> None:
        """Gives the handle back: leaves its context, else calls `close` if there is one.

        What goes wrong here is nobody's clause: `Close` judges closing.
        """
        self.factory.in_use -= 1
        if self.factory.kept:
            return
        with suppress(BaseException), self.factory.watched("closing the store"):
            leave = self.leave or getattr(self.store, "close", None)
            if callable(leave):
                leave()
