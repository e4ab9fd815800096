"""A store in Valkey."""

from __future__ import annotations

from typing import Any

from kv_adapters.checks import Path
from kv_adapters.redis_client import ServerStore, px_of
from kv_adapters.served import Served

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


class ValkeyStore(ServerStore, Served):
    """A store on a Valkey server, over valkey-py, or redis-py where that is not installed.

    `url`, `client` and `prefix` are as for `kv_adapters.redis.RedisStore`. Where the server has
    the commands for it (Valkey 9, in part 8.1), a value is swapped for another, or removed, by one
    command and not by a script, which an access list may well refuse.
    """

    profile = ServerStore.profile.replace(name="valkey")
    program = "valkey"
    library = library
    _has_conditions = True

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
