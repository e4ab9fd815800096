"""Entries in a server that speaks Redis' protocol, over its client for Python.

redis-py and valkey-py are one library under two names, and each is used here by what both have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from kv_spec.errors import InvalidTtl, Unavailable
from kv_spec.profile import Profile
from kv_spec.store import Entry

from kv_adapters.base import ListingStore, OptimisticStore
from kv_adapters.checks import Path, round_up
from kv_adapters.encoding import decode_key, encode_key, load_value

_MILLISECOND: Final = 10**6
_LONGEST: Final = 2**62
"""The longest ttl in milliseconds: Redis adds the time of day to it, in 64 bits with a sign."""
_PAGE: Final = 1000

_SCHEMES: Final = {"redis+unix": "unix", "valkeys": "rediss", "valkey": "redis"}
"""What a URL may begin with beside what both libraries know."""

_GLOB: Final = re.compile(rb"([*?\[\]\\])")

_SWAP: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""


class RedisClientStore(OptimisticStore, ListingStore):
    """Entries as strings, over a client of redis-py's or valkey-py's, or of a class below theirs.

    A space is a pair of first components, `prefix` and `space`, of all keys.
    """

    # A millisecond of the server's clock, which may also be one behind, and the margin of `px_of`.
    profile = Profile(
        name="redis",
        capabilities=frozenset({"bigint", "shared", "iterate"}),
        ttl_resolution=0.005,
        list_order="lex",
        iteration="weak",
        after_close="error",
    )

    def __init__(self, client: Any, *, space: str, prefix: str) -> None:
        library = _library(client)
        self._client = client
        self._lost = (library.ConnectionError, library.TimeoutError)
        self._refused = library.ResponseError
        self._root: Path = (prefix, space)
        self._swap_script = client.register_script(_SWAP)

    def _read(self, path: Path) -> Any:
        return self._look(path)[0]

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        px = px_of(life)
        with self._errors():
            self._client.set(self._name(path), packed, px=px)

    def _remove(self, path: Path) -> None:
        with self._errors():
            self._client.delete(self._name(path))

    def _look(self, path: Path) -> tuple[Any, Any]:
        with self._errors():
            raw = self._client.get(self._name(path))
        return (None if raw is None else load_value(raw)), raw

    def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        # Not WATCH: a key that expires between WATCH and EXEC does not stop every server. The
        # script compares what was read, byte by byte, and the caller compares it as a value.
        name, px = self._name(path), px_of(life)
        with self._errors():
            if token is None:
                return bool(self._client.set(name, packed, px=px, nx=True))
            arguments = [token, packed or b"", "" if px is None else px]
            return bool(self._swap_script(keys=[name], args=arguments))

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        return self._pages(self._names(prefix))  # SCAN at the call, values as they are wanted

    def _pages(self, names: list[bytes]) -> Iterator[Entry]:
        for start in range(0, len(names), _PAGE):
            page = names[start : start + _PAGE]
            with self._errors():
                values = self._client.mget(page)
            for name, raw in zip(page, values, strict=True):
                if raw is not None:  # gone since the scan
                    yield decode_key(name)[len(self._root) :], load_value(raw)

    def _names(self, prefix: Path) -> list[bytes]:
        """The names of the keys below `prefix`: each once (SCAN may repeat one), in order."""
        literal = _GLOB.sub(rb"\\\1", encode_key(self._root + prefix))
        with self._errors():
            return sorted(set(self._client.scan_iter(match=literal + b"*", count=_PAGE)))

    def _clear(self) -> None:
        names = self._names(())
        with self._errors():
            for start in range(0, len(names), _PAGE):
                self._client.delete(*names[start : start + _PAGE])

    def _name(self, path: Path) -> bytes:
        return encode_key(self._root + path)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._lost as error:
            raise Unavailable(f"{type(self._client).__name__}: {error}") from error


class ServerStore(RedisClientStore):
    """The store on a server that is named by its URL, or by a client that is connected to it.

    `library` is the module redis or valkey, by which a URL is connected to.
    """

    library: Any

    def __init__(
        self, url: str | None = None, *, client: Any = None, space: str = "", prefix: str = "kv"
    ) -> None:
        if (url is None) == (client is None):
            what = type(self).__name__
            raise ValueError(f"a {what} takes either a url (redis://host:port/db) or a client")
        self._owned = client is None
        connected = connect(self.library, url) if url is not None else client
        super().__init__(connected, space=space, prefix=prefix)
        if connected.connection_pool.connection_kwargs.get("decode_responses"):
            raise ValueError("the client must not decode responses: values are bytes here")

    def describe(self) -> str:
        """The server's name and version."""
        with self._errors():
            info = self._client.info("server")
        valkey = info.get("valkey_version")
        return f"Valkey {valkey}" if valkey else f"Redis {info.get('redis_version')}"

    def _release(self) -> None:
        if self._owned:
            self._client.close()


# A client tells the server its own name and version for each connection, and reads its package's
# metadata to know them: that takes longer than all else about a connection.
_UNNAMED: Final[dict[bool, dict[str, Any]]] = {
    True: {"driver_info": None},
    False: {"lib_name": None, "lib_version": None},
}


def connect(library: Any, url: str) -> Any:
    """A client of `library` for a URL; it tries nothing a second time.

    After a lost answer a second try could do a write twice.
    """
    for given, meant in _SCHEMES.items():
        if url.startswith(f"{given}://"):
            url = meant + url.removeprefix(given)
    retry = import_module(f"{library.__name__}.retry")
    backoff = import_module(f"{library.__name__}.backoff")
    return library.Redis.from_url(
        url,
        retry=retry.Retry(backoff.NoBackoff(), 0),
        socket_connect_timeout=5,
        socket_timeout=10,
        **_UNNAMED[hasattr(library, "DriverInfo")],
    )


def _library(client: Any) -> Any:
    """The module of redis-py or of valkey-py, whichever the client's class comes from."""
    for kind in type(client).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in ("redis", "valkey"):
            return import_module(name)
    raise TypeError(f"a {type(client).__name__} is no client of redis-py's or valkey-py's")


def px_of(life: int | None) -> int | None:
    """A life in nanoseconds as the milliseconds that the server is told.

    One more than asked: the server counts from a clock that some versions read once a
    millisecond, and an entry must not end early (TTL-2). Raises InvalidTtl.
    """
    if life is None:
        return None
    milliseconds = round_up(life, _MILLISECOND) + 1
    if milliseconds > _LONGEST:
        raise InvalidTtl("a ttl of so many milliseconds does not fit into 64 bits with the date")
    return milliseconds
