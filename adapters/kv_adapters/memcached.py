"""A store in memcached."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from kv_spec.errors import InvalidTtl, Unavailable
from kv_spec.profile import Profile

from kv_adapters.base import OptimisticStore
from kv_adapters.checks import NANOSECONDS, Path, round_up
from kv_adapters.encoding import dump_value, encode_key, load_value
from kv_adapters.limits import check_encoded_size, check_key_size, check_value_size
from kv_adapters.served import Served

try:
    from pymemcache.client.base import Client, PooledClient
    from pymemcache.exceptions import MemcacheServerError
except ImportError as error:
    raise ImportError(
        "this adapter needs pymemcache: pip install kv-conformance[memcached]"
    ) from error

_MAX_KEY: Final = 16_384
_MAX_VALUE: Final = 1_000_000
_MAX_HEAD: Final = 2**20 - _MAX_VALUE - 4096
"""What an item of 1 MiB, the usual limit of a server, has left for the key in its full length."""

_LAG: Final = 2
"""Seconds by which the server's clock may be behind.

It counts whole seconds, and is set once a second: just before it is set anew it is behind by one
second for the fraction and one for the wait. An entry that is written then and told to live n
seconds may end after n - 2.
"""
_LONGEST_RELATIVE: Final = 30 * 24 * 60 * 60
"""A larger exptime is read as a date."""
_LAST_DATE: Final = 2**31 - 1


class MemcachedStore(OptimisticStore, Served):
    """Entries as items, each named by a digest of its key, with the full key before the value.

    memcached takes names of up to 250 bytes without blanks and control characters, fewer than the
    keys of the base domain. With the key in the item, another key of the same digest would be a
    miss, and never a wrong answer. cas with None as its new value needs memcached 1.6 (`md`).

    `url` is `memcached://host:port`. Instead a `client` can be given (a pymemcache client,
    `PooledClient` where threads share it), which then stays the caller's to close. There is no
    listing and no clear: memcached can not tell what it holds at one instant. It is a cache: it
    drops the entries that were not used for longest when it is full.
    """

    program = "memcached"
    # An entry lives up to a second more than asked for the fraction of its ttl, _LAG for the clock
    # when it was written, and one for how the clock's seconds have moved since.
    profile = Profile(
        name="memcached",
        capabilities=frozenset({"bigint", "shared"}),
        ttl_resolution=_LAG + 2.0,
        after_close="error",
        max_key_bytes=_MAX_KEY,
        max_value_bytes=_MAX_VALUE,
    )

    def __init__(
        self,
        url: str | None = None,
        *,
        client: Client | PooledClient | None = None,
        space: str = "",
        prefix: str = "kv",
    ) -> None:
        if (url is None) == (client is None):
            raise ValueError(
                "a MemcachedStore takes either a url (memcached://host:port) or a client"
            )
        self._owned = client is None
        self._client: Any = client if url is None else _connect(url)
        self._root: Path = (prefix, space)

    def describe(self) -> str:
        """The server's name and version."""
        with _errors():
            return f"memcached {self._client.version().decode()}"

    def _path(self, key: object) -> Path:
        path = super()._path(key)
        check_key_size(path, _MAX_KEY)
        check_encoded_size(encode_key(self._root + path), _MAX_HEAD)
        return path

    def _pack(self, value: Any) -> bytes:
        # The server's own refusal would come too late: it drops the old entry with it.
        packed = dump_value(value)
        check_value_size(packed, _MAX_VALUE)
        return packed

    def _read(self, path: Path) -> Any:
        name, head = self._address(path)
        with _errors():
            return _value(self._client.get(name), head)

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        name, head = self._address(path)
        with _errors():
            self._client.set(name, head + packed, expire=self._exptime(life), noreply=False)

    def _remove(self, path: Path) -> None:
        name, _ = self._address(path)
        with _errors():
            self._client.delete(name, noreply=False)

    def _look(self, path: Path) -> tuple[Any, Any]:
        name, head = self._address(path)
        with _errors():
            item, token = self._client.gets(name)
        return _value(item, head), token

    def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        name, head = self._address(path)
        with _errors():
            if packed is None:
                # The classic protocol deletes whatever is there; the meta command asks first.
                command = b"md " + name + b" C" + token
                return bool(self._client.raw_command(command) == b"HD")
            exptime = self._exptime(life)
            if token is None:
                return bool(self._client.add(name, head + packed, expire=exptime, noreply=False))
            return bool(self._client.cas(name, head + packed, token, expire=exptime, noreply=False))

    def _release(self) -> None:
        if self._owned:
            self._client.close()

    def _address(self, path: Path) -> tuple[bytes, bytes]:
        """The name of the item, and what its data begin with."""
        key = encode_key(self._root + path)
        name = b"kv:" + urlsafe_b64encode(hashlib.sha256(key).digest()).rstrip(b"=")
        return name, len(key).to_bytes(4, "big") + key

    def _exptime(self, life: int | None) -> int:
        """A life in nanoseconds as the server is told: seconds from now, or a date.

        Never early (TTL-2): rounded up, and more by what the server's clock may be behind. A date
        counts from the server's own clock, for that of this machine may be another. Raises
        InvalidTtl for a date beyond 2038, which a server would take for another.
        """
        if life is None:
            return 0
        seconds = round_up(life, NANOSECONDS) + _LAG
        if seconds <= _LONGEST_RELATIVE:
            return seconds
        date = int(self._client.stats()[b"time"]) + seconds
        if date > _LAST_DATE:
            raise InvalidTtl("a deadline after 2038-01-19 does not fit into memcached's 31 bits")
        return date


def _value(item: bytes | None, head: bytes) -> Any:
    if item is None or not item.startswith(head):
        return None
    return load_value(item[len(head) :])


def _connect(url: str) -> PooledClient:
    parts = urlsplit(url)
    if parts.scheme != "memcached" or not parts.hostname:
        raise ValueError(f"{url!r} is no memcached URL; write memcached://host:11211")
    address = (parts.hostname, parts.port or 11211)
    return PooledClient(
        address, connect_timeout=5, timeout=10, no_delay=True, default_noreply=False
    )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (OSError, MemcacheServerError) as error:
        raise Unavailable(f"memcached: {error!r}") from error
