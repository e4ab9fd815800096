"""A store in Valkey."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kv_adapters.base import RunServer
from kv_adapters.checks import Path
from kv_adapters.redis_client import ServerStore, px_of

library: Any
try:
    import valkey as library
except ImportError:
    try:
        import redis as library
    except ImportError as error:
        raise ImportError(
            "this adapter needs valkey-py or redis-py: pip install kv-conformance[valkey]"
        ) from error


class ValkeyStore(ServerStore):
    """A store on a Valkey server, over valkey-py, or redis-py where that is not installed.

    `url`, `client` and `prefix` are as for `kv_adapters.redis.RedisStore`. Where the server has
    the commands for it (Valkey 9, in part 8.1), a value is swapped for another, or removed, by one
    command and not by a script, which an access list may well refuse.
    """

    profile = ServerStore.profile.replace(name="valkey")
    library = library
    _has_conditions = True

    @staticmethod
    def server_program() -> str:
        """The path of the program that `for_run` starts. Raises ServerMissing."""
        from kv_adapters.servers.valkey import find_valkey

        return find_valkey()

    @classmethod
    @contextmanager
    def for_run(cls) -> Iterator[RunServer]:
        """A server of its own for one run. Raises ServerMissing where none is installed."""
        from kv_adapters.servers.valkey import valkey_server

        with valkey_server() as server:
            yield RunServer(
                options={"url": server.url},
                note=server.note,
                pid=server.pid,
                time=server.time,
                real_time=server.real_time,
            )

    def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        if token is not None and self._has_conditions:
            command = _conditional(self._name(path), token, packed, px_of(life))
            try:
                with self._errors():
                    return bool(self._client.execute_command(*command))
            except self._refused:  # an unknown command, or unknown words: nothing was done
                self._has_conditions = False
        return super()._exchange(path, token, packed, life)


def _conditional(name: bytes, token: bytes, packed: bytes | None, px: int | None) -> list[Any]:
    """The command that writes `packed`, or removes (None), if the value is still `token`."""
    if packed is None:
        return ["DELIFEQ", name, token]
    return ["SET", name, packed, "IFEQ", token, *(() if px is None else ("PX", px))]
