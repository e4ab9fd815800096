"""A store in Redis or Valkey."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kv_adapters.base import RunServer
from kv_adapters.redis_client import ServerStore

try:
    import redis
except ImportError as error:
    raise ImportError("this adapter needs redis-py: pip install kv-conformance[redis]") from error


class RedisStore(ServerStore):
    """A store on a Redis or Valkey server.

    `url` is `redis://host:port/db`, `rediss://…`, `valkey://…`, `unix:///path` or
    `redis+unix:///path`. Instead a `client` can be given, which then stays the caller's to close;
    it must not decode responses, and should not try commands again by itself: a swap that is sent
    twice can succeed and be told as a failure. Others that use the server must not write below
    `prefix`. Entries are as durable as the server is told to be.
    """

    library = redis

    @staticmethod
    def server_program() -> str:
        """The path of the program that `for_run` starts. Raises ServerMissing."""
        from kv_adapters.servers.redis import find_redis

        return find_redis()

    @classmethod
    @contextmanager
    def for_run(cls) -> Iterator[RunServer]:
        """A server of its own for one run. Raises ServerMissing where none is installed."""
        from kv_adapters.servers.redis import redis_server

        with redis_server() as server:
            yield RunServer(
                options={"url": server.url},
                note=server.note,
                pid=server.pid,
                time=server.time,
                real_time=server.real_time,
            )
