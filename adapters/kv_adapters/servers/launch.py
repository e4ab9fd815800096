"""How a server is started, and what is known of it then."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kv_adapters.base import MovableTime

LAST_OF_31_BITS: Final = 2_145_916_800.0
"""2038-01-01, in seconds since 1970: a while before servers with 31 bits end theirs."""


class ServerMissing(RuntimeError):
    """No program for this server is installed; the message says how to get one."""


class ServerFailed(RuntimeError):
    """The program was started and did not become ready; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: where it listens, what it is, and its process id.

    `time` moves its clock; where it is None, `real_time` says why.
    """

    url: str
    version: str
    program: str
    pid: int
    time: MovableTime | None = None
    real_time: str = ""

    @property
    def note(self) -> str:
        """One line for a report."""
        return f"started {self.version} ({self.program}) for this run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start a server once.

    `ready` is called with the process id; it answers the server's version as soon as that process
    serves, and raises OSError until then.
    `user` is whom the server runs as if this process is root; `stop` ends it without loss of
    what other processes would have to clean up.

    `clocks` says by which of its clocks entries expire, "realtime", "monotonic" or both; while it
    is empty the server's time is never moved. `settle` is called after each move with the time that
    the server has reached, in seconds since 1970; it returns as soon as its clients see what has
    expired by then, and raises OSError if the server is gone or does not come to that.
    `settle_back` is called after the server was taken back to the present, with a time between the
    two, and returns as soon as its clients see an earlier one. `release` gives back what these
    hold. `empty` drops all that the server holds, where its work grows with that: between two
    programs nobody reads it any more.
    `mechanisms` are the ways to move its time that serve it, the best one first, and `latest` is
    how far it can be moved, in seconds since 1970. `environment` is added to that of this process.
    """

    argv: Sequence[str]
    url: str
    ready: Callable[[int], str]
    user: str | None = "nobody"
    stop: signal.Signals = signal.SIGTERM
    patience: float = 20.0
    clocks: frozenset[str] = frozenset()
    settle: Callable[[float], None] | None = None
    settle_back: Callable[[float], None] | None = None
    release: Callable[[], None] | None = None
    empty: Callable[[], None] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    mechanisms: Sequence[str] = ("vdso", "preload")
    latest: float = LAST_OF_31_BITS
