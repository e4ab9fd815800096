"""A store in Redis or Valkey."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from kv_spec.errors import InvalidTtl, Unavailable
from kv_spec.profile import Profile
from kv_spec.store import Entry

from kv_adapters.base import ListingStore, OptimisticStore, RunServer
from kv_adapters.checks import Path, round_up
from kv_adapters.encoding import decode_key, encode_key, load_value

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError as error:
    raise ImportError("this adapter needs redis-py: pip install kv-conformance[redis]") from error

_MILLISECOND: Final = 10**6
_LONGEST: Final = 2**62
"""The longest ttl in milliseconds: Redis adds the time of day to it, in 64 bits with a sign."""
_PAGE: Final = 1000

_GLOB: Final = re.compile(rb"([*?\[\]\\])")

_SWAP: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""


class RedisClientStore(OptimisticStore, ListingStore):
    """Entries as strings, over any client with the methods of redis-py's.

    A space is a pair of first components, `prefix` and `space`, of all keys.
    """

    # A millisecond of the server's clock, which may also be one behind, and the margin of `_px`.
    profile = Profile(
        name="redis",
        capabilities=frozenset({"bigint", "shared", "iterate"}),
        ttl_resolution=0.005,
        list_order="lex",
        iteration="weak",
        after_close="error",
    )

    def __init__(self, client: Any, *, space: str, prefix: str) -> None:
        self._client = client
        self._root: Path = (prefix, space)
        self._swap_script = client.register_script(_SWAP)

    def _read(self, path: Path) -> Any:
        return self._look(path)[0]

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        px = _px(life)
        with _errors():
            self._client.set(self._name(path), packed, px=px)

    def _remove(self, path: Path) -> None:
        with _errors():
            self._client.delete(self._name(path))

    def _look(self, path: Path) -> tuple[Any, Any]:
        with _errors():
            raw = self._client.get(self._name(path))
        return (None if raw is None else load_value(raw)), raw

    def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        # Not WATCH: a key that expires between WATCH and EXEC does not stop every server. The
        # script compares what was read, byte by byte, and the caller compares it as a value.
        name, px = self._name(path), _px(life)
        with _errors():
            if token is None:
                return bool(self._client.set(name, packed, px=px, nx=True))
            arguments = [token, packed or b"", "" if px is None else px]
            return bool(self._swap_script(keys=[name], args=arguments))

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        return self._pages(self._names(prefix))  # SCAN at the call, values as they are wanted

    def _pages(self, names: list[bytes]) -> Iterator[Entry]:
        for start in range(0, len(names), _PAGE):
            page = names[start : start + _PAGE]
            with _errors():
                values = self._client.mget(page)
            for name, raw in zip(page, values, strict=True):
                if raw is not None:  # gone since the scan
                    yield decode_key(name)[len(self._root) :], load_value(raw)

    def _names(self, prefix: Path) -> list[bytes]:
        """The names of the keys below `prefix`: each once (SCAN may repeat one), in order."""
        literal = _GLOB.sub(rb"\\\1", encode_key(self._root + prefix))
        with _errors():
            return sorted(set(self._client.scan_iter(match=literal + b"*", count=_PAGE)))

    def _clear(self) -> None:
        names = self._names(())
        with _errors():
            for start in range(0, len(names), _PAGE):
                self._client.delete(*names[start : start + _PAGE])

    def _name(self, path: Path) -> bytes:
        return encode_key(self._root + path)


class RedisStore(RedisClientStore):
    """A store on a Redis or Valkey server.

    `url` is `redis://host:port/db`, `rediss://…`, `valkey://…`, `unix:///path` or
    `redis+unix:///path`. Instead a `client` can be given, which then stays the caller's to close;
    it must not decode responses, and should not try commands again by itself: a swap that is sent
    twice can succeed and be told as a failure. Others that use the server must not write below
    `prefix`. Entries are as durable as the server is told to be.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        client: redis.Redis | None = None,
        space: str = "",
        prefix: str = "kv",
    ) -> None:
        if (url is None) == (client is None):
            raise ValueError("a RedisStore takes either a url (redis://host:port/db) or a client")
        connected: Any = client if url is None else _connect(url)
        if connected.connection_pool.connection_kwargs.get("decode_responses"):
            raise ValueError("the client must not decode responses: values are bytes here")
        self._owned = client is None
        super().__init__(connected, space=space, prefix=prefix)

    @classmethod
    @contextmanager
    def for_run(cls) -> Iterator[RunServer]:
        """A server of its own for one run. Raises ServerMissing where none is installed."""
        from kv_adapters.servers.redis import redis_server

        with redis_server() as server:
            yield RunServer(options={"url": server.url}, note=server.note, pid=server.pid)

    def describe(self) -> str:
        """The server's name and version."""
        with _errors():
            info = self._client.info("server")
        valkey = info.get("valkey_version")
        return f"Valkey {valkey}" if valkey else f"Redis {info.get('redis_version')}"

    def _release(self) -> None:
        if self._owned:
            self._client.close()


def _connect(url: str) -> redis.Redis:
    for given, meant in (("redis+unix://", "unix://"), ("valkey://", "redis://")):
        if url.startswith(given):
            url = meant + url.removeprefix(given)
    # No second try by the client: after a lost answer it could do a write twice.
    return redis.Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=5, socket_timeout=10
    )


def _px(life: int | None) -> int | None:
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


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise Unavailable(f"Redis: {error}") from error
