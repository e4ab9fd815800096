"""A store whose every key is put below a name, for factories that give no space of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

HIDDEN: Final = frozenset({"keys", "values", "entries", "clear"})
"""What speaks of the whole store, and so of the entries of other programs too."""
_LENGTH: Final = 12


def salt_bytes(*, flat: bool) -> int:
    """By how many bytes a key grows; the longest key that can be asked for shrinks by as many."""
    return _LENGTH + 1 if flat else _LENGTH


class Salted:
    """Passes calls on with the keys of one data space set apart by its name.

    Input that is no key is passed on as it is, for the store to refuse. A listing is of the space
    only; an entry that is none is handed over as it came.
    """

    def __init__(self, store: Any, name: str, flat: bool) -> None:
        self._store = store
        salt = hashlib.sha256(name.encode()).hexdigest()[:_LENGTH]
        self._salt: Any = f"{salt}:" if flat else (salt,)
        self._size = len(self._salt)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _key(self, key: Any) -> Any:
        return self._salt + key if type(key) is type(self._salt) and key != () else key

    def get(self, key: Any) -> Any:
        return self._store.get(self._key(key))

    def set(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._store.set(self._key(key), *args, **kwargs)

    def delete(self, key: Any) -> Any:
        return self._store.delete(self._key(key))

    def has(self, key: Any) -> Any:
        return self._store.has(self._key(key))

    def cas(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._store.cas(self._key(key), *args, **kwargs)

    def list(self, prefix: Any = ()) -> Iterator[Any]:
        whole = type(prefix) is type(self._salt) and not prefix
        for entry in self._store.list(self._salt if whole else self._key(prefix)):
            if not isinstance(entry, tuple | list) or len(entry) != 2:
                yield entry
                continue
            key, value = entry
            if type(key) is not type(self._salt):
                yield entry
            elif key[: self._size] == self._salt:
                yield key[self._size :], value
