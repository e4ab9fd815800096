"""A store in Redis or Valkey."""

from __future__ import annotations

from kv_adapters.redis_client import ServerStore
from kv_adapters.served import Served

try:
    import redis
except ImportError as error:
    raise ImportError("this adapter needs redis-py: pip install kv-conformance[redis]") from error


class RedisStore(ServerStore, Served):
    """A store on a Redis or Valkey server.

    `url` is `redis://host:port/db`, `rediss://…`, `valkey://…`, `unix:///path` or
    `redis+unix:///path`. Instead a `client` can be given, which then stays the caller's to close;
    it must not decode responses, and should not try commands again by itself: a swap that is sent
    twice can succeed and be told as a failure. Others that use the server must not write below
    `prefix`. Entries are as durable as the server is told to be.
    """

    program = "redis"
    library = redis
