"""A store in Cloudflare Workers KV, over its REST API."""

from __future__ import annotations

import os
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from kv_spec.errors import Unavailable, Unsupported
from kv_spec.profile import Profile
from kv_spec.store import Entry

from kv_adapters.base import RunServer
from kv_adapters.checks import NANOSECONDS, Path, round_up
from kv_adapters.encoding import decode_key, encode_key, load_value
from kv_adapters.envelope import instant, record, seal, unseal
from kv_adapters.limits import LimitedStore, Limits
from kv_adapters.served import Served

try:
    import httpx
except ImportError as error:
    raise ImportError("this adapter needs httpx: pip install kv-conformance[cloudflare]") from error

_API: Final = "https://api.cloudflare.com/client/v4"
_TOKEN: Final = "CLOUDFLARE_API_TOKEN"
_NOT_FOUND: Final = 404
_TOO_LARGE: Final = 413

_PAGE: Final = 1000
_READ_AT_ONCE: Final = 100
_DELETE_AT_ONCE: Final = 10_000

_SHORTEST: Final = 60
"""Seconds; the service refuses a shorter time to live."""
_LONGEST: Final = 10 * 366 * 86_400
"""Seconds; what lives longer is not told to the service, and stays there when it has ended."""

# Names are printable text without blanks. A byte of an encoded key becomes one character, in the
# same order, of one or two bytes; what a key's encoding adds to it, of one: so 200 bytes have room.
_TO_TEXT: Final = {byte: byte + (0x21 if byte < 0x5E else 0x100 - 0x5E) for byte in range(256)}
_TO_BYTE: Final = {character: byte for byte, character in _TO_TEXT.items()}


class CloudflareStore(LimitedStore, Served):
    """Entries in one namespace of Workers KV.

    `url` is `cloudflare://ACCOUNT_ID/NAMESPACE_ID`, with `?endpoint=http://…` where the API is not
    at Cloudflare's: its root, up to `/client/v4`. The API token is `token`; it needs to read and
    write Workers KV. For Cloudflare's own API it is by default that of the environment variable
    CLOUDFLARE_API_TOKEN; another endpoint is told none but the one that is given. A space is a
    first component of all keys, and takes its length from the 512 bytes of a name.

    A value is stored with its deadline, which every read judges by `clock`, in seconds: so a ttl
    may be of any length, and ends exactly. The service, which takes 60 seconds and more and
    counts whole ones, is told to remove the entry no earlier. It is eventually consistent: a
    write may be seen elsewhere a minute later, and a key takes one write a second. It can not
    compare and swap, so that there is no cas.
    """

    program = "workers_kv"
    limits = Limits(key=200, name=512, value=18 * 2**20)
    """25 MiB, the most for a value, have room for so much in base64."""
    profile = Profile(
        name="cloudflare",
        capabilities=frozenset({"bigint", "shared"}),
        without=frozenset({"cas"}),
        list_order="lex",
        iteration="weak",
        consistency="eventual",
        concurrent=False,
        durable=True,
        after_close="error",
        max_key_bytes=limits.key,
        max_value_bytes=limits.value,
    )

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        client: httpx.Client | None = None,
        space: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._owned = client is None
        self._root: Path = (space,)
        self._clock = clock
        where, endpoint = _namespace(url)
        self._at = f"{endpoint or _API}{where}"
        if not endpoint:
            token = token or os.environ.get(_TOKEN)
        if client is None and not token and not endpoint:
            raise ValueError(
                "a CloudflareStore takes an API token: give token=…, or set the environment "
                f"variable {_TOKEN}"
            )
        self._client = client or httpx.Client(
            timeout=httpx.Timeout(10.0, connect=5.0), verify=_certificates()
        )
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    @classmethod
    @contextmanager
    def for_run(cls) -> Iterator[RunServer]:
        """Workers KV on this machine, for one run. Raises ServerMissing where there is none."""
        with super().for_run() as run:
            yield replace(run, time=None, real_time="deadlines are by the client's clock")

    def describe(self) -> str:
        """The namespace's address."""
        return f"Workers KV at {self._at}"

    def cas(self, *_: object, **__: object) -> bool:
        """Raises Unsupported: the service has no way to write on a condition."""
        raise Unsupported("Workers KV can not compare and swap")

    def _encoded(self, path: Path) -> bytes:
        return self._name(path).encode()

    def _read(self, path: Path) -> Any:
        answer = self._ask("GET", self._value_at(path))
        return None if answer is None else self._live(answer.text)

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        body = b64encode(seal(record(packed, life, self._clock)))
        self._ask("PUT", self._value_at(path) + _expiration(life), content=body)

    def _remove(self, path: Path) -> None:
        self._ask("DELETE", self._value_at(path))

    def _swap(self, path: Path, expected: Any, packed: Any, life: int | None) -> bool:
        raise Unsupported("Workers KV can not compare and swap")

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        for names in self._pages(prefix):
            for start in range(0, len(names), _READ_AT_ONCE):
                yield from self._values(names[start : start + _READ_AT_ONCE])

    def _values(self, names: list[str]) -> Iterator[Entry]:
        """The entries of some names, in their order, without those that have ended."""
        wanted = {"keys": names, "type": "text"}
        answer = self._ask("POST", "/bulk/get", besides=(_TOO_LARGE,), json=wanted)
        if answer is not None and answer.status_code == _TOO_LARGE and len(names) > 1:
            middle = len(names) // 2
            yield from self._values(names[:middle])
            yield from self._values(names[middle:])
            return
        found = {} if answer is None else answer.json()["result"]["values"]
        for name in names:
            text = found.get(name)
            value = None if text is None else self._live(text)
            if value is not None:
                key = decode_key(name.translate(_TO_BYTE).encode("latin-1"))
                yield key[len(self._root) :], value

    def _pages(self, prefix: Path) -> Iterator[list[str]]:
        """The names below `prefix`, up to 1000 at once."""
        begin, cursor = self._name(prefix), ""
        while True:
            options = f"?limit={_PAGE}&prefix={quote(begin, safe='')}"
            more = f"&cursor={quote(cursor, safe='')}" if cursor else ""
            answer = self._ask("GET", f"/keys{options}{more}")
            if answer is None:
                raise Unavailable(f"there is no Workers KV namespace at {self._at}")
            page = answer.json()
            yield [entry["name"] for entry in page["result"]]
            cursor = page["result_info"].get("cursor") or ""
            if not cursor:
                return

    def _clear(self) -> None:
        names = [name for page in self._pages(()) for name in page]
        for start in range(0, len(names), _DELETE_AT_ONCE):
            self._ask("POST", "/bulk/delete", json=names[start : start + _DELETE_AT_ONCE])

    def _release(self) -> None:
        if self._owned:
            self._client.close()

    def _name(self, path: Path) -> str:
        return encode_key(self._root + path).decode("latin-1").translate(_TO_TEXT)

    def _value_at(self, path: Path) -> str:
        return f"/values/{quote(self._name(path), safe='')}"

    def _live(self, text: str) -> Any:
        found = unseal(b64decode(text))
        return load_value(found.packed) if found.live(instant(self._clock)) else None

    def _ask(
        self, method: str, path: str, *, besides: Collection[int] = (), **body: Any
    ) -> httpx.Response | None:
        """The answer, if it is a success or has a status `besides`; None where nothing is there.

        Raises Unavailable for every other.
        """
        with _errors():
            answer = self._client.request(method, self._at + path, headers=self._headers, **body)
        if answer.status_code == _NOT_FOUND:
            return None
        if answer.is_success or answer.status_code in besides:
            return answer
        raise Unavailable(f"Workers KV answered {answer.status_code}: {answer.text[:200]}")


def _namespace(url: str | None) -> tuple[str, str]:
    """The path of a namespace within the API, and the API's root if one is named.

    Raises ValueError.
    """
    # netloc and not hostname, which is in lower case.
    parts = urlsplit(url or "")
    name = parts.path.strip("/")
    options = dict(parse_qsl(parts.query))
    named = parts.scheme == "cloudflare" and parts.netloc and name and "/" not in name
    if not named or options.keys() - {"endpoint"}:
        raise ValueError(
            "a CloudflareStore takes a url of a namespace: cloudflare://ACCOUNT_ID/NAMESPACE_ID"
        )
    where = f"/accounts/{parts.netloc}/storage/kv/namespaces/{name}"
    return where, options.get("endpoint", "").rstrip("/")


def _expiration(life: int | None) -> str:
    """When the service is to remove an entry: a second late rather than early."""
    if life is None or life > _LONGEST * NANOSECONDS:
        return ""
    return f"?expiration_ttl={max(_SHORTEST, round_up(life, NANOSECONDS) + 1)}"


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities that are trusted; to read them takes as long as ten requests."""
    return httpx.create_ssl_context()


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise Unavailable(f"Workers KV: {error!r}") from error
