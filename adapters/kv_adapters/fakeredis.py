"""The Redis store over fakeredis, which imitates a server within this process."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from kv_adapters.redis import RedisStore
from kv_adapters.spaces import Spaces

try:
    from fakeredis import FakeRedis, FakeServer
except ImportError as error:
    raise ImportError(
        "this adapter needs fakeredis: pip install kv-conformance[fakeredis]"
    ) from error

_SERVERS: Final = Spaces(FakeServer)


class FakeRedisStore(RedisStore):
    """RedisStore on an imitated server for each space, or for each store without a space.

    Entries end by `time.time()` of this process.
    """

    profile = RedisStore.profile.replace(name="fakeredis")

    def __init__(self, *, space: str | None = None) -> None:
        self._space = space
        self._server = _SERVERS.open(space)
        super().__init__(client=FakeRedis(server=self._server))

    def describe(self) -> str:
        """The name and version of the imitation."""
        return f"fakeredis {version('fakeredis')}"

    def _release(self) -> None:
        _SERVERS.close(self._space, self._server)
