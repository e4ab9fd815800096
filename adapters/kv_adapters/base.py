"""What the adapters share: the checks, the dialect, and the loop of an optimistic swap.

An adapter writes down only how its backend reads, writes, removes and swaps. The public methods
are here, so that all adapters refuse the same arguments, before any change (ERR-1), and treat
null, ttl 0 and a closed handle alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from kv_spec.errors import StoreClosed, Unavailable
from kv_spec.profile import Profile
from kv_spec.store import Entry, Key, Prefix, Ttl, Value
from kv_spec.values import check_json, equal

from kv_adapters.checks import Path, check_key, check_prefix, lifetime
from kv_adapters.encoding import dump_value

ROUNDS: Final = 1000
"""How often a swap may lose to others before the store gives up."""


class TimeLimit(ValueError):
    """A server can not be moved so far into the future."""


class MovableTime(Protocol):
    """The time of a server that was started for one run, which moves forward when told.

    `mechanism` is how it is moved, "vdso" or "preload"; `why` is why it was this one. `left` is
    by how many seconds it can be moved before it has to be renewed, and `quick` whether that takes
    no longer than a call.
    """

    @property
    def mechanism(self) -> str: ...

    @property
    def why(self) -> str: ...

    @property
    def left(self) -> float: ...

    @property
    def quick(self) -> bool: ...

    def move(self, seconds: float) -> None:
        """Lets `seconds` (0 or more) pass for the server; on return its clients see what expired.

        Raises ValueError for a number that is negative or not finite, TimeLimit where the server
        can not be moved so far, and OSError where the server is gone.
        """

    def renew(self) -> None:
        """Takes the server back to the present; what it holds may be gone, or be live again.

        Raises OSError where the server is gone.
        """


@dataclass(frozen=True, slots=True)
class RunServer:
    """A backend that was started for one run: what `for_run` of an adapter yields.

    `options` are keyword arguments for the factory, `note` is a line for the report, and `pid`
    is the server's process id; None if there is no process. `time` moves the server's clock; None
    where that is not possible, and `real_time` then says why.
    """

    options: dict[str, object]
    note: str
    pid: int | None = None
    time: MovableTime | None = None
    real_time: str = ""


class Handle:
    """What all stores ask before they touch anything, those that are awaited too."""

    profile: Profile
    _closed = False

    def _path(self, key: object) -> Path:
        self._check_open()
        return check_key(key)

    def _packed(self, value: Any, life: int | None) -> Any:
        """What the backend stores for `value`, or None where nothing is to remain."""
        if value is None:
            return None
        packed = self._pack(value)
        return None if life == 0 else packed

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed(f"this {type(self).__name__} was closed")

    def _pack(self, value: Any) -> Any:
        """`value` as the backend stores it. Raises InvalidValue."""
        return dump_value(value)


class BaseStore(Handle, ABC):
    """get, set, delete, has, cas and close, over five methods of the backend.

    A life is given in nanoseconds; None is no ttl. A life of 0 never reaches the backend: it is
    a removal.
    """

    def get(self, key: Key) -> Value | None:
        """The live value of `key`, or None."""
        return self._read(self._path(key))

    def set(self, key: Key, value: Value | None, *, ttl: Ttl = None) -> None:
        """Stores `value`; None, and a ttl of 0 or less, remove the entry.

        `ttl` is in seconds or a timedelta. Raises InvalidKey, InvalidValue or InvalidTtl, and
        then nothing has changed.
        """
        path, life = self._path(key), lifetime(ttl)
        packed = self._packed(value, life)
        if packed is None:
            self._remove(path)
        else:
            self._write(path, packed, life)

    def delete(self, key: Key) -> None:
        """Removes `key`; an absent key is no error."""
        self._remove(self._path(key))

    def has(self, key: Key) -> bool:
        """Whether `key` is live."""
        return self._read(self._path(key)) is not None

    def cas(self, key: Key, expected: Value | None, new: Value | None, *, ttl: Ttl = None) -> bool:
        """Installs `new` if the current value equals `expected`, and says whether it did.

        None is ABSENT, on both sides. `ttl` is that of `new`. Raises as `set` does.
        """
        path, life = self._path(key), lifetime(ttl)
        check_json(expected, extra=self.profile.extra_types)
        return self._swap(path, expected, self._packed(new, life), life)

    def close(self) -> None:
        """Ends the handle; afterwards every operation raises StoreClosed."""
        if not self._closed:
            self._closed = True
            self._release()

    @abstractmethod
    def _read(self, path: Path) -> Any:
        """The live value, unpacked, or None."""

    @abstractmethod
    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        """Replaces value and deadline. Raises InvalidTtl for a life that can not be kept."""

    @abstractmethod
    def _remove(self, path: Path) -> None:
        """Removes the entry if there is one."""

    @abstractmethod
    def _swap(self, path: Path, expected: Any, packed: Any, life: int | None) -> bool:
        """Installs `packed` (None: removes) if the live value equals `expected`, atomically."""

    @abstractmethod
    def _release(self) -> None:
        """Frees what the handle holds; called once."""


class ViewsOfListing(ABC):
    """keys, values and entries, over the listing (ITER-5)."""

    @abstractmethod
    def list(self, prefix: Prefix = ()) -> Iterator[Entry]:
        """The live entries whose keys begin with `prefix`."""

    def keys(self) -> Iterator[Key]:
        """Every live key."""
        return (key for key, _ in self.list())

    def values(self) -> Iterator[Value]:
        """Every live value."""
        return (value for _, value in self.list())

    def entries(self) -> Iterator[Entry]:
        """Every live entry."""
        return self.list()


class ListingStore(ViewsOfListing, BaseStore):
    """list, keys, values, entries and clear, over two more methods of the backend."""

    def list(self, prefix: Prefix = ()) -> Iterator[Entry]:
        """The live entries whose keys begin with `prefix`. Raises InvalidKey at the call."""
        self._check_open()
        return self._scan(check_prefix(prefix))

    def clear(self) -> None:
        """Removes every entry of this store's space, and no other."""
        self._check_open()
        self._clear()

    @abstractmethod
    def _scan(self, prefix: Path) -> Iterator[Entry]:
        """The live entries below `prefix`, unpacked."""

    @abstractmethod
    def _clear(self) -> None:
        """Removes the entries of this space."""


class OptimisticStore(BaseStore):
    """cas over "read with a token" and "write if the token still holds"."""

    def _swap(self, path: Path, expected: Any, packed: Any, life: int | None) -> bool:
        # A lost exchange is no reason for False: somebody may have written the same value anew,
        # or an equal one, so that the current value equalled `expected` all the time (CAS-1).
        for _ in range(ROUNDS):
            current, token = self._look(path)
            if not equal(current, expected):
                return False
            if current is None and packed is None:
                return True
            if self._exchange(path, token, packed, life):
                return True
        raise Unavailable(f"a swap lost to others {ROUNDS} times running")

    @abstractmethod
    def _look(self, path: Path) -> tuple[Any, Any]:
        """The live value, unpacked, or None, and a token for it."""

    @abstractmethod
    def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        """Writes `packed` (None: removes) if the entry is still the one of `token`."""
