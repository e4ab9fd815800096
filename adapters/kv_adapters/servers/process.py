"""Starting a server for one run, and making sure that it ends with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from kv_adapters.base import MovableTime

_POLL: Final = 0.002
_TRIES: Final = 3
_LOG_TAIL: Final = 2000

# Reads until its input ends, which it does when the run that holds the other end is gone, by
# whatever death; then ends the server and removes the folder.
_WATCH: Final = 'read -r _; kill -9 "$1" 2>/dev/null; rm -rf -- "$2"'


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
    expired by then. `environment` is added to that of this process. `mechanisms` are the ways to
    move its time that serve it, the best one first.
    """

    argv: Sequence[str]
    url: str
    ready: Callable[[int], str]
    user: str | None = None
    stop: signal.Signals = signal.SIGTERM
    patience: float = 20.0
    clocks: frozenset[str] = frozenset()
    settle: Callable[[float], None] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    mechanisms: Sequence[str] = ("vdso", "preload")


@contextmanager
def running(name: str, launch: Callable[[Path], Launch]) -> Iterator[Server]:
    """Runs a server in a temporary folder and ends it when the block ends.

    `launch` is called with the folder; again, with another one, if the server ends at once, as it
    does when somebody else takes its port between the choice and the start. Raises ServerFailed.
    """
    for last in [False] * (_TRIES - 1) + [True]:
        with contextlib.ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix=f"kv-{name}-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            plan = launch(folder)
            process = stack.enter_context(_process(plan, folder))
            version = _wait_until_ready(plan, process, folder, last=last)
            if version is not None:
                yield Server(plan.url, version, plan.argv[0], process.pid)
                return


@contextmanager
def _process(plan: Launch, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open(folder / "log", "wb"))
        process = subprocess.Popen(
            plan.argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the run, which still writes its reports
            env={**os.environ, **plan.environment},
            **_identity(plan.user, folder),
        )
        stack.callback(_end, process, plan.stop)
        stack.enter_context(_watched(process.pid, folder))
        yield process


@contextmanager
def _watched(pid: int, folder: Path) -> Iterator[None]:
    """Ends the server if this process dies without doing so.

    Linux's parent-death signal would not do: it comes when the *thread* that started the server
    ends, it has to be asked for between fork and exec, where a process with threads may hang, and
    it leaves the folder behind. A pipe works on every POSIX system.
    """
    watcher = subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "kv-watch", str(pid), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        watcher.kill()  # before the pipe closes, and before the server's id can be another's
        watcher.wait()
        _close(watcher.stdin)


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _identity(user: str | None, folder: Path) -> dict[str, Any]:
    """The arguments by which Popen drops root for `user`, who gets the folder."""
    if user is None or os.geteuid() != 0:
        return {}
    import pwd

    entry = pwd.getpwnam(user)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _wait_until_ready(
    plan: Launch, process: subprocess.Popen[bytes], folder: Path, *, last: bool
) -> str | None:
    """The version of the server; None if it ended by itself and there is another try."""
    error: Exception | None = None
    for _ in range(round(plan.patience / _POLL)):
        if process.poll() is not None:
            if not last:
                return None
            break
        try:
            return plan.ready(process.pid)
        except OSError as failure:
            error = failure
        time.sleep(_POLL)
    state = f"ended with {process.returncode}" if process.returncode is not None else f"{error}"
    log = (folder / "log").read_text(errors="replace")[-_LOG_TAIL:]
    raise ServerFailed(f"{' '.join(plan.argv)}: not ready ({state})\n{log}")


def find_program(*names: str) -> str | None:
    """The path of the first of `names` that is installed."""
    return next((path for name in names if (path := shutil.which(name))), None)


def free_port() -> int:
    """A TCP port on the loopback address that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def ask(address: str | tuple[str, int], request: bytes, end: bytes, timeout: float = 2.0) -> bytes:
    """Sends `request` to a TCP address or a Unix socket and reads up to `end`.

    Raises OSError if the server is not there or ends the connection.
    """
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as connection:
        connection.settimeout(timeout)
        connection.connect(address)
        connection.sendall(request)
        answer = b""
        while end not in answer:
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionError(f"the server ended the connection after {answer[-200:]!r}")
            answer += piece
        return answer


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        stream.close()
