"""A key-value bucket of NATS JetStream, by what a store needs that nats-py's own class lacks.

That is headers beside a value, the time of a message, the time of the server, and the keys below a
prefix.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kv_spec.errors import InvalidValue, Unavailable

try:
    import nats
    from nats.errors import Error, MaxPayloadError
    from nats.js.errors import APIError, BucketNotFoundError, NotFoundError, ServiceUnavailableError
except ImportError as error:
    raise ImportError("this adapter needs nats-py: pip install kv-conformance[nats]") from error

_TIMEOUT: Final = 10.0
_CLOCK: Final = "=clock"
"""The name of a key that is written to learn the time; none of `kv_adapters.subjects` is."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_LIFE: Final = "Kv-Life"
_OPERATION: Final = "KV-Operation"
_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
_ANOTHER_LAST_SEQUENCE: Final = frozenset({10071, 10164})


@dataclass(frozen=True, slots=True)
class Message:
    """The last message of a key: its entry, or the mark that it was removed, which has no data.

    `deadline` is in nanoseconds since the epoch by the server's clock; None without ttl.
    """

    revision: int = 0
    data: bytes = b""
    deadline: int | None = None

    def is_live(self, now: int) -> bool:
        """Whether there is an entry, and it is not over at `now`."""
        return bool(self.data) and (self.deadline is None or now < self.deadline)


class Bucket:
    """A bucket that is connected to, and made if it is not there, when it is first used.

    Instead of a `url` there may be a `client` that is connected. Raises Unavailable where the
    server does not answer; the next call then connects anew.
    """

    def __init__(self, name: str, *, url: str | None, client: Any) -> None:
        self._name, self._stream = name, f"KV_{name}"
        self._url = url
        self._client = client
        self._made = False
        self._context: Any = None
        self._connecting = asyncio.Lock()
        self._questions: set[asyncio.Timeout] = set()

    @property
    def version(self) -> str:
        """The version of the server, once there is a connection."""
        if self._client is None:
            return ""
        version = self._client.connected_server_version
        return f"{version.major}.{version.minor}.{version.patch}"

    async def last(self, key: str) -> Message:
        """The last message of a key; one of revision 0 where there is none."""
        async with self._asking() as context:
            try:
                found = await context.get_last_msg(self._stream, self._subject(key))
            except NotFoundError:
                return Message()
        life = (found.headers or {}).get(_LIFE)
        # The time is told to the microsecond, cut off: the deadline is not to be early (TTL-2).
        deadline = None if life is None else _nanoseconds(found.time) + 1000 + int(life)
        return Message(found.seq, found.data or b"", deadline)

    async def put(
        self, key: str, data: bytes | None, *, life: int | None = None, over: int | None = None
    ) -> bool:
        """Writes a value, or the mark of a removal (None); False if it was not done.

        `life` is in nanoseconds. With `over` it is done only if that is the revision of the last
        message of `key` (0: there is none).
        """
        headers = {_OPERATION: "DEL"} if data is None else {}
        if life is not None:
            headers[_LIFE] = str(life)
        if over is not None:
            headers[_EXPECTED] = str(over)
        async with self._asking() as context:
            try:
                await context.publish(
                    self._subject(key), data or b"", headers=headers, stream=self._stream
                )
            except APIError as error:
                if error.err_code in _ANOTHER_LAST_SEQUENCE:
                    return False
                raise
        return True

    async def now(self) -> int:
        """The server's time, in nanoseconds since the epoch, at an instant during the call.

        JetStream tells the time of messages only, and so one is written and read.
        """
        await self.put(_CLOCK, b"0")
        async with self._asking() as context:
            found = await context.get_last_msg(self._stream, self._subject(_CLOCK))
        return _nanoseconds(found.time)

    async def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix, without it, of all that has a message."""
        below = f"{self._subject(prefix)}."
        subjects: list[str] = []
        while True:
            request = {"subjects_filter": f"{below}>", "offset": len(subjects)}
            async with self._asking():
                reply = await self._client.request(
                    f"$JS.API.STREAM.INFO.{self._stream}",
                    json.dumps(request).encode(),
                    timeout=_TIMEOUT,
                )
            answer = json.loads(reply.data)
            page = answer.get("state", {}).get("subjects") or {}
            subjects += page
            if not page or len(subjects) >= answer.get("total", 0):
                return [subject[len(below) :] for subject in subjects]

    async def purge(self, key: str, *, up_to: int | None = None) -> None:
        """Takes messages away: of `key` those up to a revision, or else all that are below it."""
        async with self._asking() as context:
            if up_to is None:
                await context.purge_stream(self._stream, subject=f"{self._subject(key)}.>")
            else:
                await context.purge_stream(self._stream, subject=self._subject(key), seq=up_to + 1)

    async def close(self) -> None:
        """Ends the connection, unless it is the caller's."""
        if self._url is not None and self._client is not None:
            with _errors():
                await self._client.close()

    def _subject(self, key: str) -> str:
        return f"$KV.{self._name}.{key}"

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Any]:
        """What JetStream is asked by; at the end of the connection a question is given up."""
        with _errors():
            if not self._made or self._is_lost:
                async with self._connecting:
                    await self._connect()
            async with asyncio.timeout(_TIMEOUT) as question:
                self._questions.add(question)
                try:
                    yield self._context
                finally:
                    self._questions.remove(question)

    @property
    def _is_lost(self) -> bool:
        return self._url is not None and (self._client is None or self._client.is_closed)

    async def _connect(self) -> None:
        if self._url is not None and self._is_lost:
            # Without a second try by the client: it would keep questions for the next connection,
            # and so one that was given up could yet be sent.
            self._client = await nats.connect(
                self._url,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=5,
                error_cb=_ignore,
                closed_cb=self._give_up,
            )
        self._context = self._client.jetstream(timeout=_TIMEOUT)
        try:
            await self._context.key_value(self._name)
        except BucketNotFoundError:
            await self._context.create_key_value(bucket=self._name)
        self._made = True

    async def _give_up(self) -> None:
        for question in self._questions:
            question.reschedule(0)


async def _ignore(_: Exception) -> None:
    """Not to the log: the call that it happened to tells of it."""


def _nanoseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND * 1000


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except MaxPayloadError as error:
        raise InvalidValue("a value that is larger than the server takes") from error
    except APIError as error:
        if isinstance(error, ServiceUnavailableError):
            raise Unavailable(f"NATS: {error}") from error
        raise
    except (TimeoutError, Error, OSError) as error:
        raise Unavailable(f"NATS: {error!r}") from error
