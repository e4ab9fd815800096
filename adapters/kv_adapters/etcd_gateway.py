"""etcd's HTTP gateway: its gRPC calls as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from kv_spec.errors import StoreError, Unavailable

try:
    import httpx
except ImportError as error:
    raise ImportError("this adapter needs httpx: pip install kv-conformance[etcd]") from error

NOT_FOUND: Final = 5
_UNKNOWN_OUTCOMES: Final = frozenset({1, 2, 4, 13, 14})
"""Of gRPC's codes: cancelled, unknown, deadline exceeded, internal, unavailable."""


class EtcdError(StoreError):
    """What etcd answered instead of doing it; `code` is gRPC's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"etcd: {message}")
        self.code = code


class Gateway:
    """The gateway at a URL, or over an httpx.Client that has it as its `base_url`."""

    def __init__(self, url: str | None, client: httpx.Client | None) -> None:
        self._owned = client is None
        self._client = _connect(url or "") if client is None else client

    def call(self, method: str, body: dict[str, Any]) -> Any:
        """The answer to a call such as "kv/range"; integers of 64 bits are strings in it.

        Raises EtcdError where etcd refuses, and Unavailable where it does not answer.
        """
        with _errors():
            response = self._client.post(f"/v3/{method}", content=json.dumps(body))
            answer = response.json()
        if response.status_code == httpx.codes.OK:
            return answer
        code, message = answer.get("code", 2), answer.get("message") or answer.get("error")
        if code in _UNKNOWN_OUTCOMES:
            raise Unavailable(f"etcd: {message}")
        raise EtcdError(code, message)

    @property
    def version(self) -> str:
        """The version of the server."""
        with _errors():
            return str(self._client.get("/version").json()["etcdserver"])

    def close(self) -> None:
        """Ends the connections, unless they are the caller's."""
        if self._owned:
            self._client.close()


def _connect(url: str) -> httpx.Client:
    parts = urlsplit(url)
    if parts.scheme != "etcd" or not parts.hostname:
        raise ValueError(f"{url!r} is no etcd URL; write etcd://host:2379")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    # `verify` is for https, which takes a client of the caller's; to read the certificates that a
    # machine trusts would take a hundred times as long as all the rest here.
    return httpx.Client(
        base_url=f"http://{host}:{parts.port or 2379}",
        timeout=httpx.Timeout(10, connect=5),
        limits=httpx.Limits(max_connections=None),
        verify=False,
        trust_env=False,
    )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (httpx.TransportError, json.JSONDecodeError) as error:
        raise Unavailable(f"etcd: {error!r}") from error
