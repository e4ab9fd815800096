"""A store whose concurrent reads of one key share one read of the store below."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from kv_spec.errors import StoreClosed
from kv_spec.store import Key, Value
from kv_spec.values import copy

from kv_adapters.checks import Path
from kv_adapters.layer import Layer
from kv_adapters.memory import MemoryStore
from kv_adapters.spaces import Spaces


class Flight:
    """One read of the store below, for all who asked before it began."""

    def __init__(self, before: Flight | None) -> None:
        self.before = before
        """The read of the same key that is under way."""
        self.waiting = 0
        """How many calls wait for the answer, besides the one that reads."""
        self.done = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None


class Flights:
    """The reads of each key: at most one under way, and at most one that waits for its turn.

    A call joins the read that has not begun, never the one under way: what that one finds may be
    older than the call. Between its look into the store and its end the entry can be written anew,
    here or by another process, or reach its deadline. So every answer is from within the call, as
    if each call had read by itself, and it takes two reads to answer any number of calls.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[Path, Flight] = {}
        self._under_way: dict[Path, Flight] = {}

    def read(self, path: Path, read: Callable[[], Any]) -> Any:
        """What `read` answers, or answered to another call that waited for it as this one does.

        An error of `read` is raised in every call that waited, and is not kept (LOAD-2).
        """
        with self._lock:
            flight = self._next.get(path)
            if flight is not None:
                flight.waiting += 1
            else:
                own = self._next[path] = Flight(self._under_way.get(path))
        if flight is None:
            return self._lead(own, path, read)
        flight.done.wait()
        if _is_of_the_reader(flight.error):
            return read()
        if flight.error is not None:
            raise flight.error
        return copy(flight.value)

    def waiting(self, path: Path) -> int:
        """How many calls wait for the next read of a key, the one that will read included."""
        with self._lock:
            flight = self._next.get(path)
            return 0 if flight is None else flight.waiting + 1

    def _lead(self, flight: Flight, path: Path, read: Callable[[], Any]) -> Any:
        try:
            if flight.before is not None:
                flight.before.done.wait()
                flight.before = None
            with self._lock:
                del self._next[path]
                self._under_way[path] = flight
            flight.value = read()
            # Each caller may change what it got (VAL-3), also while another makes its copy.
            return copy(flight.value) if flight.waiting else flight.value
        except BaseException as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                for flights in (self._next, self._under_way):
                    if flights.get(path) is flight:
                        del flights[path]
            flight.done.set()


def _is_of_the_reader(error: BaseException | None) -> bool:
    """Whether an error concerns the call that read and not those that waited for it."""
    return isinstance(error, StoreClosed) or not isinstance(error, Exception | None)


_FLIGHTS: Final = Spaces(Flights)


class CoalescingStore(Layer):
    """`store`, with the gets of one key that come while it is being read put together (LOAD-3).

    Threads that share this object read every key one at a time, and a read serves all who asked
    before it began; see `Flights` for why it serves no others. All other operations are those of
    the store. A get can take as long as two reads.

    Without a `store` it is over one in memory, of the given `space`; the stores of one space share
    their reads too. `clock` tells the time of that store in seconds.
    """

    def __init__(
        self,
        store: Any = None,
        *,
        space: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if store is not None and space is not None:
            raise ValueError("a CoalescingStore takes a store or a space, not both")
        below = MemoryStore(clock=clock, space=space) if store is None else store
        super().__init__(below, name="coalescing", owned=store is None)
        self.profile = self.profile.replace(capabilities=self.profile.capabilities | {"coalescing"})
        self._space = space
        self._flights = _FLIGHTS.open(space)

    def get(self, key: Key) -> Value | None:
        """The live value of `key`, or None."""
        path = self._path(key)
        return self._flights.read(path, lambda: self._below.get(path))

    def _release(self) -> None:
        _FLIGHTS.close(self._space, self._flights)
        super()._release()
