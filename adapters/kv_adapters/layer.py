"""What stores on stores have in common: an operation that a layer does not change is passed on."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Final

from kv_spec.errors import StoreClosed, Unsupported
from kv_spec.profile import BASE, Profile
from kv_spec.store import Entry, Key, Prefix, Ttl, Value

from kv_adapters.base import ViewsOfListing
from kv_adapters.checks import Path, check_key, check_prefix

_OPTIONAL: Final = ("list", "has", "cas", "clear", "prune")
_FROM_LIST: Final = frozenset({"keys", "values", "entries", "iterate"})


class Layer(ViewsOfListing):
    """A synchronous store over one other, `below`, whose keys are tuples of str.

    It declares what the store below declares, without what that store lacks, and holds it itself
    (LAYER-1). A store that was given stays its owner's to close; closing the layer closes it only
    where the layer made it (`owned`).
    """

    def __init__(self, below: Any, *, name: str, owned: bool) -> None:
        self.profile = profile_over(below, name=name)
        self._below = below
        self._owned = owned
        self._closed = False

    def describe(self) -> str:
        """What the layer is over."""
        return f"over {named(self._below)}"

    def get(self, key: Key) -> Value | None:
        """The live value of `key`, or None."""
        return self._below.get(self._path(key))

    def set(self, key: Key, value: Value | None, *, ttl: Ttl = None) -> None:
        """Stores `value`; `ttl` is in seconds or a timedelta. Raises as the store below does."""
        self._below.set(self._path(key), value, **_given(ttl))

    def delete(self, key: Key) -> Any:
        """Removes `key`; answers as the store below does."""
        return self._below.delete(self._path(key))

    def has(self, key: Key) -> bool:
        """Whether `key` is live."""
        return bool(self._optional("has")(self._path(key)))

    def cas(self, key: Key, expected: Value | None, new: Value | None, *, ttl: Ttl = None) -> bool:
        """Installs `new` if the current value equals `expected`, and says whether it did."""
        return bool(self._optional("cas")(self._path(key), expected, new, **_given(ttl)))

    def list(self, prefix: Prefix = ()) -> Iterator[Entry]:
        """The live entries whose keys begin with `prefix`. Raises InvalidKey at the call."""
        self._check_open()
        return iter(self._optional("list")(check_prefix(prefix)))

    def clear(self) -> None:
        """Removes every entry of this store, and no other."""
        self._check_open()
        self._optional("clear")()

    def prune(self) -> None:
        """Drops the records of expired entries in the store below."""
        self._check_open()
        self._optional("prune")()

    def close(self) -> None:
        """Ends the handle; afterwards every operation raises StoreClosed."""
        if not self._closed:
            self._closed = True
            self._release()

    def _release(self) -> None:
        """Frees what the handle holds; called once."""
        if self._owned:
            self._below.close()

    def _path(self, key: object) -> Path:
        """The key as the store below knows it."""
        self._check_open()
        return check_key(key)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed(f"this {type(self).__name__} was closed")

    def _optional(self, name: str) -> Any:
        method = getattr(self._below, name, None)
        if name in self.profile.without or not callable(method):
            raise Unsupported(f"the store below, a {type(self._below).__name__}, has no {name}")
        return method


def named(store: Any) -> str:
    """A store as a report names it: its class, and what it says of itself."""
    describe = _member(store, "describe")
    return f"{type(store).__name__} {describe()}" if callable(describe) else type(store).__name__


def profile_over(below: Any, *, name: str) -> Profile:
    """What a layer over `below` declares, and by which name.

    Raises ValueError for a store whose keys are plain strings.
    """
    declared = profile_of(below)
    if declared.flat:
        raise ValueError("the store below has plain strings for keys; a layer's are tuples of str")
    without = set(declared.without) | {n for n in _OPTIONAL if not callable(_member(below, n))}
    if "list" in without:
        without |= _FROM_LIST
    if "ttl" not in inspect.signature(below.set).parameters:
        without.add("ttl")
    return declared.replace(
        name=name,
        capabilities=declared.capabilities - without | {"layer"},
        without=frozenset(without),
        after_close="error",
    )


def profile_of(store: Any) -> Profile:
    """The Profile that a store carries; the base dialect where it carries none."""
    declared = _member(store, "profile")
    return declared if isinstance(declared, Profile) else BASE


def _member(store: Any, name: str) -> Any:
    return getattr(store, name, None)


def _given(ttl: Ttl) -> dict[str, Any]:
    """A ttl as a keyword, if there is one: not every store takes the keyword."""
    return {} if ttl is None else {"ttl": ttl}
