"""Data spaces of this process: the same name is the same data (OPEN-2)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

_Data = TypeVar("_Data")


def _unmade() -> NoReturn:
    raise TypeError("nobody said how these data are made")


class Spaces(Generic[_Data]):
    """Data by name, made when a name is first opened and let go when its last handle closes.

    A handle that is forgotten without being closed keeps its data: only so can a name be opened
    again later. Without that rule a run of many thousand programs would keep all their data.
    """

    def __init__(
        self, make: Callable[[], _Data] = _unmade, *, end: Callable[[_Data], None] = lambda _: None
    ) -> None:
        self._make = make
        self._end = end
        self._lock = threading.Lock()
        self._open: dict[str, tuple[_Data, int]] = {}

    def open(self, name: str | None, make: Callable[[], _Data] | None = None) -> _Data:
        """The data of `name`, new ones by `make`; None gives data that nobody else can open."""
        make = make or self._make
        if name is None:
            return make()
        with self._lock:
            data, handles = self._open.get(name) or (make(), 0)
            self._open[name] = (data, handles + 1)
            return data

    def close(self, name: str | None, data: _Data) -> None:
        """Ends one handle on `data`, which `open(name)` gave."""
        if name is None:
            self._end(data)
            return
        with self._lock:
            handles = self._open[name][1] - 1
            if handles:
                self._open[name] = (data, handles)
                return
            del self._open[name]
            self._end(data)  # before anybody can open the name anew
