"""A store in etcd, over its HTTP gateway."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from kv_spec.errors import InvalidTtl, Unavailable
from kv_spec.profile import Profile
from kv_spec.store import Entry
from kv_spec.values import equal

from kv_adapters.base import ROUNDS
from kv_adapters.checks import NANOSECONDS, Path, round_up
from kv_adapters.encoding import decode_key, dump_value, encode_key, key_range, load_value
from kv_adapters.etcd_gateway import NOT_FOUND, EtcdError, Gateway
from kv_adapters.limits import LimitedStore, Limits
from kv_adapters.served import Served

_LONGEST: Final = 9_000_000_000
"""The longest life of a lease in seconds; etcd takes no longer one."""
_PAGE: Final = 250
_SHORT: Final = 4096
"""A text of more bytes is not sent to be compared: with the value it may be too much at once."""
_TRIES: Final = 5
"""How often a lease may be over before the entry is written that was to go with it."""


class EtcdStore(LimitedStore, Served):
    """Entries as keys of etcd 3.4 or later, each with a lease of its own if it has a ttl.

    A swap is one transaction; a listing is read at one revision of the whole store, page by page.
    If the server discards that revision meanwhile (a compaction), the listing raises EtcdError.

    `url` is `etcd://host:port`. Instead a `client` can be given, an httpx.Client with etcd as its
    `base_url`, and with what it takes to be let in; it then stays the caller's to close. A space
    is a pair of first components, `prefix` and `space`, of all keys.

    A lease counts whole seconds, a multiple of which the server may take as the least (2 as it is
    usually set up), and its end is noticed twice a second. After a change of leader, or a restart,
    etcd lets all leases run anew: an entry can then live longer, never shorter.
    """

    program = "etcd"
    # A request may have 1.5 MiB as a server is usually set up, and names its key three times.
    limits = Limits(key=16_384, name=128 * 1024, value=1_000_000)
    # A ttl is rounded up by one second, and by one more where the server's least is two; a lease
    # is looked at twice a second, and a thousand that end together are a second's work.
    profile = Profile(
        name="etcd",
        capabilities=frozenset({"bigint", "shared", "iterate"}),
        ttl_resolution=3.0,
        list_order="lex",
        after_close="error",
        max_key_bytes=limits.key,
        max_value_bytes=limits.value,
    )

    def __init__(
        self, url: str | None = None, *, client: Any = None, space: str = "", prefix: str = "kv"
    ) -> None:
        if (url is None) == (client is None):
            raise ValueError("an EtcdStore takes either a url (etcd://host:port) or a client")
        self._gateway = Gateway(url, client)
        self._root: Path = (prefix, space)

    def describe(self) -> str:
        """The server's name and version."""
        return f"etcd {self._gateway.version}"

    def _encoded(self, path: Path) -> bytes:
        return encode_key(self._root + path)

    def _read(self, path: Path) -> Any:
        found = self._gateway.call("kv/range", {"key": self._name(path)}).get("kvs")
        return _value(found[0]) if found else None

    def _write(self, path: Path, packed: Any, life: int | None) -> None:
        self._replace(path, packed, life)

    def _remove(self, path: Path) -> None:
        self._replace(path, None, None)

    def _swap(self, path: Path, expected: Any, packed: Any, life: int | None) -> bool:
        # By the text that this store writes for `expected`: so it is one request, most often. By
        # the revision where the value may be equal and its text another one (CAS-7), or is long.
        name = self._name(path)
        text = b"" if expected is None else dump_value(expected)
        if len(text) > _SHORT:
            found = self._gateway.call("kv/range", {"key": name}).get("kvs", [])
        else:
            as_written = {"key": name, "target": "VALUE", "value": _text(text)}
            found = self._replace(path, packed, life, as_written if text else _last(name, "0"))
        for _ in range(ROUNDS):
            if found is None:
                return True
            if not equal(_value(found[0]) if found else None, expected):
                return False
            revision = found[0]["mod_revision"] if found else "0"
            found = self._replace(path, packed, life, _last(name, revision))
        raise Unavailable(f"a swap lost to others {ROUNDS} times running")

    def _replace(
        self, path: Path, packed: bytes | None, life: int | None, condition: Any = None
    ) -> Any:
        """Writes, or removes (None), in one transaction.

        If `condition` does not hold nothing is done; the answer is then what is there: an entry,
        or none. If it was done the answer is None.
        """
        name, seconds = self._name(path), _seconds(life)
        body: dict[str, Any] = {} if condition is None else {"compare": [condition]}
        body["failure"] = [{"request_range": {"key": name}}]
        for _ in range(_TRIES):
            lease = "0" if seconds is None else self._granted(seconds)
            before = {"request_range": {"key": name, "keys_only": True}}
            body["success"] = [before, _change(name, packed, lease)]
            try:
                answer = self._gateway.call("kv/txn", body)
            except EtcdError as error:
                if error.code == NOT_FOUND:  # the lease ended first
                    continue
                self._revoke(lease)
                raise
            there = answer["responses"][0]["response_range"].get("kvs", [])
            if not answer.get("succeeded"):
                self._revoke(lease)
                return there
            self._revoke_those_of(there)
            return None
        raise Unavailable(f"{_TRIES} leases of {seconds} s ended before they were used")

    def _scan(self, prefix: Path) -> Iterator[Entry]:
        low, high = key_range(self._root + prefix)
        asked: dict[str, Any] = {"range_end": _text(high), "limit": str(_PAGE)}
        more = True
        while more:
            page = self._gateway.call("kv/range", {"key": _text(low), **asked})
            asked.setdefault("revision", page["header"]["revision"])
            more = page.get("more", False)
            for found in page.get("kvs", ()):
                low = b64decode(found["key"]) + b"\x00"
                yield decode_key(low[:-1])[len(self._root) :], _value(found)

    def _clear(self) -> None:
        low, high = map(_text, key_range(self._root))
        before = {"request_range": {"key": low, "range_end": high, "keys_only": True}}
        change = {"request_delete_range": {"key": low, "range_end": high}}
        answer = self._gateway.call("kv/txn", {"success": [before, change]})
        self._revoke_those_of(answer["responses"][0]["response_range"].get("kvs", ()))

    def _granted(self, seconds: int) -> str:
        return str(self._gateway.call("lease/grant", {"TTL": str(seconds)})["ID"])

    def _revoke_those_of(self, replaced: Iterable[Any]) -> None:
        """Ends the leases of keys that are overwritten or removed; they are good for no other.

        A lease is given to one key by one transaction, and once that is replaced nobody uses it.
        """
        for found in replaced:
            self._revoke(found.get("lease", "0"))

    def _revoke(self, lease: str) -> None:
        if lease != "0":
            with suppress(EtcdError, Unavailable):  # it ends by itself, if it has not already
                self._gateway.call("lease/revoke", {"ID": lease})

    def _name(self, path: Path) -> str:
        return _text(self._encoded(path))

    def _release(self) -> None:
        self._gateway.close()


def _change(name: str, packed: bytes | None, lease: str) -> dict[str, Any]:
    if packed is None:
        return {"request_delete_range": {"key": name}}
    return {"request_put": {"key": name, "value": _text(packed), "lease": lease}}


def _last(name: str, revision: str) -> dict[str, Any]:
    """The condition that a key was last written at a revision; "0": it is not there."""
    return {"key": name, "target": "MOD", "mod_revision": revision}


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _value(found: Any) -> Any:
    return load_value(b64decode(found["value"]))


def _seconds(life: int | None) -> int | None:
    """A life in nanoseconds as whole seconds, rounded up (TTL-5). Raises InvalidTtl."""
    if life is None:
        return None
    seconds = round_up(life, NANOSECONDS)
    if seconds > _LONGEST:
        raise InvalidTtl(f"a ttl of {seconds} seconds; the most that etcd takes is {_LONGEST}")
    return seconds
