"""A part of a store that looks like a store of its own: all its keys begin with one prefix."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from kv_spec.profile import Profile
from kv_spec.store import Entry, Prefix

from kv_adapters.checks import Path, check_prefix
from kv_adapters.layer import Layer
from kv_adapters.memory import MemoryStore


class PrefixedStore(Layer):
    """The entries of `store` whose keys are `prefix` and at least one component more.

    Every operation is that of the store with the prefix before the key, and keys come back without
    it (NS-1). The prefix is a tuple of str and is taken literally. An entry whose key is the
    prefix itself belongs to the store and not to the part: no key addresses it here. `clear` lists
    the part and deletes entry by entry, so that it needs `list`, and not `clear`, of the store.

    Without a `store` the part is one of a store in memory, which all named spaces of this process
    have in common; a space is then a further component of the prefix. `clock` tells the time of
    that store in seconds.
    """

    def __init__(
        self,
        store: Any = None,
        prefix: Path = (),
        *,
        space: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if store is not None and space is not None:
            raise ValueError("a PrefixedStore takes a store or a space; write the space as prefix")
        self._prefix = check_prefix(prefix)
        owned = store is None
        if store is None:
            store = MemoryStore(clock=clock, space=None if space is None else __name__)
            self._prefix += () if space is None else (space,)
        super().__init__(store, name="prefixed", owned=owned)
        self.profile = _narrowed(self.profile, self._prefix)

    def prefix(self, prefix: Path) -> PrefixedStore:
        """The part of this part below `prefix` (NS-2). It ends when this one is closed."""
        self._check_open()
        return PrefixedStore(self, prefix)

    def list(self, prefix: Prefix = ()) -> Iterator[Entry]:
        """The live entries whose keys begin with `prefix`. Raises InvalidKey at the call."""
        self._check_open()
        size = len(self._prefix)
        found = self._optional("list")(self._prefix + check_prefix(prefix))
        return ((key[size:], value) for key, value in found if len(key) > size)

    def clear(self) -> None:
        """Removes the entries of this part and no others (NS-4)."""
        for key in tuple(self.keys()):
            self.delete(key)

    def _path(self, key: object) -> Path:
        return self._prefix + super()._path(key)


def _narrowed(profile: Profile, prefix: Path) -> Profile:
    """What is left of a profile below a prefix. Raises ValueError where no key is left."""
    without = profile.without - {"clear"} if "list" not in profile.without else profile.without
    most = profile.max_key_bytes
    if most is not None:
        most -= sum(len(component.encode("utf-8", "surrogatepass")) for component in prefix)
        if most <= 0:
            raise ValueError(f"the prefix leaves no room for keys: {profile.max_key_bytes} bytes")
    return profile.replace(
        capabilities=profile.capabilities | {"ns"}, without=without, max_key_bytes=most
    )
