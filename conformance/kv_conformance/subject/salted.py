"""A store whose every key is put below a name, for factories that give no space of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Salted:
    """Passes calls on with the keys of one program set apart by `salt`."""

    def __init__(self, store: Any, salt: str, flat: bool) -> None:
        self._store = store
        self._salt: Any = f"{salt}:" if flat else (salt,)
        self._size = len(self._salt)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _key(self, key: Any) -> Any:
        return self._salt + key if type(key) is type(self._salt) and key else key

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

    def list(self, prefix: Any = None) -> Iterator[tuple[Any, Any]]:
        for key, value in self._store.list(self._salt if not prefix else self._key(prefix)):
            yield key[self._size :], value
