"""The factory of a store: what it takes, and a fresh store for each data space."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kv_conformance.subject.aio import Bridge, is_async


@dataclass(slots=True)
class Factory:
    """Opens stores; `space` and `clock` are passed to parameters of just these names.

    `options` are passed by keyword as they are. A store that is a context manager is entered, a
    factory that is a coroutine function is awaited.
    """

    make: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    clock: Callable[[], float] | None = None
    takes_space: bool = False
    takes_clock: bool = False
    bridge: Bridge | None = None

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
        made = self.make(**arguments)
        if inspect.isawaitable(made):
            made = self._bridge().run(made)
        return self._enter(made)

    def _bridge(self) -> Bridge:
        if self.bridge is None:
            self.bridge = Bridge()
        return self.bridge

    def _enter(self, made: Any) -> Opened:
        leave: Callable[[], Any] | None = None
        store = made
        if is_async(made):
            bridge = self._bridge()
            if hasattr(type(made), "__aenter__"):
                store = bridge.run(made.__aenter__())
                leave = lambda: bridge.run(made.__aexit__(None, None, None))  # noqa: E731
            return Opened(bridge.facade(store), store, leave)
        if hasattr(type(made), "__enter__") and hasattr(type(made), "__exit__"):
            store = made.__enter__()
            leave = lambda: made.__exit__(None, None, None)  # noqa: E731
        return Opened(store, store, leave)


@dataclass(slots=True)
class Opened:
    """An open handle: the store as the harness calls it, and as it was made."""

    store: Any
    original: Any
    leave: Callable[[], Any] | None = None

    def close(self) -> None:
        """Gives the handle back: leaves its context, else calls `close` if there is one.

        What goes wrong here is nobody's clause: `Close` judges closing.
        """
        leave = self.leave or getattr(self.store, "close", None)
        if callable(leave):
            with suppress(Exception):
                leave()
