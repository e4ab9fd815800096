"""Stores that are opened and closed in their own way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from .base import QUIET, DictStore, Keys


class ClosesQuietly(DictStore):
    """Has nothing to close, and goes on as before."""

    def close(self) -> None:
        pass


class Closes(DictStore):
    """Raises after it was closed, and declares so; closing again is no error."""

    profile = QUIET.replace(after_close="error")
    closed = False

    def close(self) -> None:
        self.closed = True

    def checked(self, key: Any) -> Any:
        if self.closed:
            raise RuntimeError("closed")
        return super().checked(key)

    def keys_below(self, prefix: Any = None) -> Keys:
        if self.closed:
            raise RuntimeError("closed")
        return super().keys_below(prefix)


class ClosesLater(Closes):
    """Raises after it was closed, a listing at its first step only."""

    def list(self, prefix: Any = None) -> Iterable[Any]:
        yield from self.entries_below(prefix)


class ForgetsWhenClosed(DictStore):
    """Drops its entries when it is closed, and goes on empty."""

    def close(self) -> None:
        self.records.clear()


class OpensByWith(Closes):
    """Can be used between enter and exit only."""

    closed = True

    def __enter__(self) -> Self:
        self.closed = False
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


class Session:
    """What gives stores out: entering it answers another object, the store."""

    def __init__(self) -> None:
        self.store = DictStore()

    def get(self, key: Any) -> Any:
        raise RuntimeError("enter the session first")

    def __enter__(self) -> DictStore:
        return self.store

    def __exit__(self, *_: object) -> None:
        self.store.records.clear()
