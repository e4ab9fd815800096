"""The Redis store over fakeredis, which imitates a server within this process."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from kv_adapters.redis_client import RedisClientStore
from kv_adapters.spaces import Spaces

try:
    from fakeredis import FakeRedis, FakeServer
except ImportError as error:
    raise ImportError(
        "this adapter needs fakeredis: pip install kv-conformance[fakeredis]"
    ) from error


def _server() -> FakeServer:
    """An imitated server that has its database.

    fakeredis makes it on the first connection, and of two first connections at once each gets a
    database of its own: what one then writes, the other never sees.
    """
    server = FakeServer()
    with FakeRedis(server=server) as client:
        client.ping()
    return server


_SERVERS: Final = Spaces(_server)


class FakeRedisStore(RedisClientStore):
    """The store on an imitated server for each space, or for each store without a space.

    Entries end by `time.time()` of this process.
    """

    profile = RedisClientStore.profile.replace(name="fakeredis")

    def __init__(self, *, space: str | None = None) -> None:
        self._space = space
        self._server = _SERVERS.open(space)
        super().__init__(FakeRedis(server=self._server), space="", prefix="kv")

    def describe(self) -> str:
        """The name and version of the imitation."""
        return f"fakeredis {version('fakeredis')}"

    def _release(self) -> None:
        _SERVERS.close(self._space, self._server)
