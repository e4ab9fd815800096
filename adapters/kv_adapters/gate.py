"""Whose turn it is to change the copies of a key, and which copies can be kept right at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from kv_adapters.checks import Path

_LOCKS: Final = 64
"""Keys are spread over so many locks; two keys of one lock wait for each other."""


class Gate:
    """Who may change the copies of a key: one at a time, in all handles on one pair of tiers.

    A key is in doubt for good once a write of it failed without saying whether it happened: it may
    still happen, at any time, and a copy in the fast tier would not know.
    """

    def __init__(self) -> None:
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))
        self._in_doubt: set[Path] = set()
        self._all_in_doubt = False

    @contextmanager
    def change(self, path: Path) -> Iterator[None]:
        """Keeps others from the copies of `path`; an error leaves it in doubt."""
        with self._locks[hash(path) % _LOCKS]:
            try:
                yield
            except BaseException as error:
                if not getattr(error, "definite", False):
                    self._in_doubt.add(path)
                raise

    @contextmanager
    def change_all(self) -> Iterator[None]:
        """Keeps others from every copy; an error leaves every key in doubt."""
        with ExitStack() as stack:
            for lock in self._locks:
                stack.enter_context(lock)
            try:
                yield
            except BaseException as error:
                self._all_in_doubt |= not getattr(error, "definite", False)
                raise

    def is_certain(self, path: Path) -> bool:
        """Whether a copy of `path` would stay right; to be asked within `change`."""
        return not self._all_in_doubt and path not in self._in_doubt
