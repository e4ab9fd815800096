"""A store in a key-value bucket of NATS JetStream, asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

from kv_spec.errors import InvalidTtl
from kv_spec.profile import Profile
from kv_spec.store import Entry

from kv_adapters.async_base import AsyncStore
from kv_adapters.checks import Path
from kv_adapters.encoding import dump_value, load_value
from kv_adapters.limits import check_encoded_size, check_key_size, check_value_size
from kv_adapters.nats_bucket import Bucket, Message
from kv_adapters.served import Served
from kv_adapters.subjects import path_of, subject_of

_MAX_KEY: Final = 1000
_MAX_VALUE: Final = 1_000_000
_MAX_SUBJECT: Final = 3800
"""A line of NATS' protocol has at most 4096 bytes, and names the subject of the answer, too."""
_LONGEST: Final = 2**63 - 1
"""The longest life in nanoseconds, as of all durations in NATS."""
_PAGE: Final = 256


class NatsStore(AsyncStore, Served):
    """Entries as the last values of a bucket of NATS 2.9 or later, used on one event loop.

    A swap is a write on condition of the key's revision. Removed keys leave a mark, as is usual in
    NATS, and `prune` takes the marks away with the entries that are over.

    NATS 2.9 has no ttl for a key. So it travels in a header of the message (Kv-Life, in
    nanoseconds), and counts from the time at which the server took the message. An entry is over by
    the server's clock, too: a read that meets a ttl asks for it, by two more requests. No clock of
    a client has a part in it. What is over stays in the bucket until it is overwritten, removed or
    pruned, and other programs that read the bucket still see it.

    `url` is `nats://host:port`. Instead a `client` can be given, a connected nats.NATS, which then
    stays the caller's to close. `bucket` is made if it is not there; one that is there should have
    no ttl of its own. A space is a first component of all keys.
    """

    program = "nats"
    # Exact by the server's clock; what is left is the way of a swap from the look to the write.
    profile = Profile(
        name="nats",
        capabilities=frozenset({"bigint", "shared", "iterate"}),
        ttl_resolution=0.005,
        list_order="lex",
        iteration="weak",
        after_close="error",
        max_key_bytes=_MAX_KEY,
        max_value_bytes=_MAX_VALUE,
    )

    def __init__(
        self, url: str | None = None, *, client: Any = None, space: str = "", bucket: str = "kv"
    ) -> None:
        if (url is None) == (client is None):
            raise ValueError("a NatsStore takes either a url (nats://host:port) or a client")
        self._bucket = Bucket(bucket, url=url, client=client)
        self._root: Path = (space,)

    def describe(self) -> str:
        """The server's name, and its version once there is a connection."""
        return f"NATS {self._bucket.version}".rstrip()

    async def prune(self) -> None:
        """Takes away what is over, and the marks of what was removed."""
        self._check_open()
        now = await self._bucket.now()
        for path in await self._paths(()):
            message = await self._bucket.last(self._name(path))
            if not message.is_live(now):  # what is written from now on has a higher revision
                await self._bucket.purge(self._name(path), up_to=message.revision)

    def _path(self, key: object) -> Path:
        path = super()._path(key)
        check_key_size(path, _MAX_KEY)
        check_encoded_size(self._name(path), _MAX_SUBJECT)
        return path

    def _pack(self, value: Any) -> bytes:
        packed = dump_value(value)
        check_value_size(packed, _MAX_VALUE)
        return packed

    async def _look(self, path: Path) -> tuple[Any, Any]:
        name = self._name(path)
        message, now = await self._bucket.last(name), 0
        if message.deadline is not None:
            now = await self._bucket.now()
            if not message.is_live(now):
                # It is over, but may have been overwritten before it was.
                message = await self._bucket.last(name)
        return (load_value(message.data) if message.is_live(now) else None), message.revision

    async def _write(self, path: Path, packed: Any, life: int | None) -> None:
        await self._bucket.put(self._name(path), packed, life=_checked(life))

    async def _remove(self, path: Path) -> None:
        if (await self._bucket.last(self._name(path))).data:
            await self._bucket.put(self._name(path), None)

    async def _exchange(self, path: Path, token: Any, packed: Any, life: int | None) -> bool:
        life = None if packed is None else _checked(life)
        return await self._bucket.put(self._name(path), packed, life=life, over=token)

    async def _scan(self, prefix: Path) -> AsyncGenerator[Entry, None]:
        paths = await self._paths(prefix)
        for start in range(0, len(paths), _PAGE):
            page = paths[start : start + _PAGE]
            for path, message in zip(page, await self._last_of(page), strict=True):
                if message.data:  # else gone since they were listed
                    yield path, load_value(message.data)

    async def _last_of(self, page: list[Path]) -> list[Message]:
        """The last messages of keys; an empty one for a key that has no live entry."""
        names = [self._name(path) for path in page]
        found = await asyncio.gather(*map(self._bucket.last, names))
        if all(message.deadline is None for message in found):
            return found
        # What is over by then may have been overwritten before it was; see `_look`.
        now = await self._bucket.now()
        over = [number for number, one in enumerate(found) if one.data and not one.is_live(now)]
        again = await asyncio.gather(*(self._bucket.last(names[number]) for number in over))
        for number, message in zip(over, again, strict=True):
            found[number] = message if message.is_live(now) else Message()
        return found

    async def _paths(self, prefix: Path) -> list[Path]:
        """The keys at and below `prefix`, live or not, in order."""
        below = await self._bucket.keys(self._name(prefix))
        at = [prefix] if prefix else []
        return at + sorted(prefix + path_of(subject) for subject in below)

    async def _clear(self) -> None:
        await self._bucket.purge(self._name(()))

    async def _release(self) -> None:
        await self._bucket.close()

    def _name(self, path: Path) -> str:
        return subject_of(self._root + path)


def _checked(life: int | None) -> int | None:
    if life is not None and life > _LONGEST:
        raise InvalidTtl(f"a ttl of {life} nanoseconds; the most here is {_LONGEST}")
    return life
