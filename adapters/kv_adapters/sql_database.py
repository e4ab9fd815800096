"""A database on a server: its connections, and what is done about its errors."""

from __future__ import annotations

import enum
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from kv_spec.errors import Unavailable

from kv_adapters.sql_pool import Pool

_ROUNDS: Final = 1000
"""How often a statement that the server gave up in favour of another one is sent again."""
_WAITS: Final = 3
"""How often a statement waits for a lock as long as the server lets it."""


class Fault(enum.Enum):
    """What an error of the driver means for the statement that raised it."""

    DEADLOCK = "it was undone so that another one can go on"
    LOCKED = "it was undone because it had waited too long for another one"
    TAKEN = "it would have added a key that is there"
    LOST = "nobody knows: the server is gone, or gave no answer"
    WRONG = "it is not possible: no such database, no permission"


class Answer(NamedTuple):
    """What a statement came to: the rows it selected, or how many it changed."""

    rows: Sequence[Sequence[Any]]
    changed: int


class Driver(ABC):
    """A client library and the address of a server, in the five words that a store needs.

    Every statement is a transaction of its own, at the level READ COMMITTED.
    """

    name: str
    """How messages call the server."""
    errors: tuple[type[Exception], ...]
    """What the library raises."""

    @abstractmethod
    def connect(self) -> Any:
        """A new connection. Raises one of `errors`."""

    @abstractmethod
    def execute(self, connection: Any, statement: str, values: Sequence[Any]) -> Answer:
        """Runs a statement with `%s` for each of the values. Raises one of `errors`."""

    @abstractmethod
    def fault(self, error: Exception) -> Fault:
        """What one of `errors` means."""

    @abstractmethod
    def version(self, connection: Any) -> str:
        """The server's name and version."""

    @abstractmethod
    def close(self, connection: Any) -> None:
        """Closes a connection, whatever state it is in."""


class Database:
    """One table of a database, through as many connections as threads use at once."""

    def __init__(self, driver: Driver, *, probe: str, create: str) -> None:
        """`probe` is a statement that fails where there is no table, `create` makes it."""
        self._driver = driver
        self._pool: Pool[Any] = Pool(driver.connect, driver.close)
        self._probe, self._create = probe, create
        self._prepared = False
        self._preparing = threading.Lock()

    def prepare(self) -> None:
        """Makes the table if it is missing. Raises Unavailable where no server answers.

        The table is looked for first: who may use it need not have the right to create one.
        """
        with self._preparing:
            if self._prepared:
                return
            try:
                self.execute(self._probe)
            except self._driver.errors:
                self._create_table()
            self._prepared = True

    def execute(self, statement: str, *values: Any) -> Answer:
        """Runs one statement, again where another one was in its way (CAS-9).

        A key that is there already counts as nothing changed. Raises Unavailable where the server
        can not be reached or a lock is not to be had.
        """
        deadlocks, waits = 0, 0
        while deadlocks < _ROUNDS and waits < _WAITS:
            answer = self._once(statement, values)
            if isinstance(answer, Answer):
                return answer
            deadlocks += answer is Fault.DEADLOCK
            waits += answer is Fault.LOCKED
        raise Unavailable(f"{self._driver.name}: others were in the way {deadlocks + waits} times")

    def version(self) -> str:
        """The server's name and version. Raises Unavailable."""
        connection = self._take()
        try:
            return self._driver.version(connection)
        finally:
            self._pool.give_back(connection)

    def close(self) -> None:
        """Closes the connections."""
        self._pool.close()

    def _once(self, statement: str, values: Sequence[Any]) -> Answer | Fault:
        connection = self._take()
        try:
            answer = self._driver.execute(connection, statement, values)
        except self._driver.errors as error:
            fault = self._driver.fault(error)
            if fault in (Fault.DEADLOCK, Fault.LOCKED, Fault.TAKEN):
                self._pool.give_back(connection)
                return Answer((), 0) if fault is Fault.TAKEN else fault
            self._pool.give_up(connection)
            if fault is Fault.LOST:
                raise Unavailable(f"{self._driver.name}: {error}") from error
            raise
        except BaseException:  # a statement that was interrupted leaves an answer unread
            self._pool.give_up(connection)
            raise
        self._pool.give_back(connection)
        return answer

    def _take(self) -> Any:
        try:
            return self._pool.take()
        except self._driver.errors as error:
            if self._driver.fault(error) is Fault.LOST:
                raise Unavailable(f"{self._driver.name}: {error}") from error
            raise

    def _create_table(self) -> None:
        try:
            self.execute(self._create)
        except self._driver.errors as error:
            # Somebody else may have made it in this moment, which servers report in many ways.
            try:
                self.execute(self._probe)
            except self._driver.errors:
                raise error from None
