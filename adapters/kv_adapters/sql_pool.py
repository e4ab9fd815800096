"""Connections to one database, lent to one thread at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from kv_spec.errors import StoreClosed

_Connection = TypeVar("_Connection")


class Pool(Generic[_Connection]):
    """As many connections as threads use at once.

    A pool, and not one connection for each thread: threads end without saying so, and the drivers
    allow a connection to go from thread to thread. A process that was forked has connections of
    its own, save where a connection `is_the_data`, as with a database in memory.
    """

    def __init__(
        self,
        connect: Callable[[], _Connection],
        close: Callable[[_Connection], None],
        *,
        is_the_data: bool = False,
    ) -> None:
        self._connect = connect
        self._close = close
        self._is_the_data = is_the_data
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._closed = False
        self._pid = os.getpid()
        self._parents: list[_Connection] = []

    def take(self) -> _Connection:
        """An idle connection, else another one. Raises StoreClosed, and what `connect` raises."""
        with self._lock:
            self._leave_the_parents()
            if self._closed:
                raise StoreClosed("this database was closed")
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def give_back(self, connection: _Connection) -> None:
        """Takes back what `take` gave; closes it if the pool was closed since."""
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        self._close(connection)

    def give_up(self, connection: _Connection) -> None:
        """Closes what `take` gave, and what is idle: where one is lost, the others are."""
        with self._lock:
            idle, self._idle = self._idle, []
        for each in (connection, *idle):
            self._close(each)

    def close(self) -> None:
        """Closes what is idle now, and what is lent as soon as it comes back."""
        with self._lock:
            self._leave_the_parents()
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            self._close(connection)

    def _leave_the_parents(self) -> None:
        # Two processes on one connection would read each other's answers; and to close it here
        # would end it for the parent, so that it is kept, unused.
        if self._pid != os.getpid() and not self._is_the_data:
            self._pid = os.getpid()
            self._parents, self._idle = self._idle, []
