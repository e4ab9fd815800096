"""Starting a server for one run, and making sure that it ends with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kv_adapters.servers.keeper.slots import Slots
from kv_adapters.servers.kept import Identity, Kept, Refused
from kv_adapters.servers.launch import Launch, Server, ServerFailed, ServerMissing
from kv_adapters.servers.preload import Preload
from kv_adapters.servers.travel import Mechanism, Patched, Preloaded, ServerTime
from kv_adapters.servers.wheels import program_within_reach

__all__ = [
    "Launch",
    "Server",
    "ServerFailed",
    "ServerMissing",
    "ask",
    "find_program",
    "free_port",
    "prepare",
    "running",
]

_POLL: Final = 0.002
_TRIES: Final = 3
_LOG_TAIL: Final = 2000


@contextmanager
def running(name: str, launch: Callable[[Path], Launch]) -> Iterator[Server]:
    """Runs a server in a temporary folder and ends it when the block ends.

    `launch` is called with the folder; again, with another one, if the server ends at once, as it
    does when somebody else takes its port between the choice and the start, and if its time can
    not be moved in one way and the next is taken. Raises ServerFailed.
    """
    refusals: dict[str, str] = {}
    tries = _TRIES
    while True:
        with contextlib.ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix=f"kv-{name}-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            plan = launch(folder)
            way = next((way for way in _ways(plan) if way not in refusals), "")
            try:
                started = _Started(plan, folder, way, stack)
                version = started.wait_until_ready(last=tries == 1)
                travel = None if version is None else started.travel(refusals)
            except Refused as refusal:
                refusals[way] = str(refusal)
                continue
            if version is not None:
                why = _listed(refusals)
                yield Server(plan.url, version, plan.argv[0], started.process.pid, travel, why)
                return
            tries -= 1


def prepare(argv: Sequence[str], folder: Path, *, user: str | None = None) -> None:
    """Runs a program that makes `folder` ready for a server, as the user of that server.

    Raises ServerFailed with what the program said.
    """
    try:
        process = Kept(argv, folder, identity=_identity(user, folder), log="prepare.log")
    except OSError as error:
        raise ServerFailed(f"{' '.join(argv)}: {error}") from error
    try:
        code = process.wait()
    finally:
        process.close()
    if code:
        said = (folder / "prepare.log").read_text(errors="replace")[-_LOG_TAIL:]
        raise ServerFailed(f"{' '.join(argv)}: ended with {code}\n{said}")


class _Started:
    """A server that was started, by one of the ways to move its time; "" for none."""

    def __init__(self, plan: Launch, folder: Path, way: str, stack: contextlib.ExitStack) -> None:
        """Raises Refused where this way is none, ServerFailed where there is no such program."""
        self.plan, self.folder, self.way = plan, folder, way
        self.preload = Preload(folder) if way == "preload" else None
        own = {} if self.preload is None else self.preload.environment
        try:
            identity = _identity(plan.user, folder)
            program = plan.argv[0]
            if identity is not None:
                program = program_within_reach(program, folder)
            self.process = Kept(
                [program, *plan.argv[1:]],
                folder,
                identity=identity,
                stop=plan.stop,
                environment={**plan.environment, **own},
                moves=way == "vdso",
            )
        except OSError as error:
            raise ServerFailed(f"{' '.join(plan.argv)}: {error}") from error
        stack.callback(self.process.close)
        if plan.release is not None:
            stack.callback(plan.release)

    def wait_until_ready(self, *, last: bool) -> str | None:
        """The version of the server; None if it ended by itself and there is another try."""
        return _wait_until_ready(self.plan, self.process, self.folder, last=last)

    def travel(self, refusals: Mapping[str, str]) -> ServerTime | None:
        """What moves its time. Raises Refused where it turns out that nothing does."""
        if not self.way:
            return None
        setter: Mechanism
        try:
            if self.preload is None:
                setter, why = Patched(self.process), "the server's own vDSO is patched"
            else:
                setter, why = Preloaded(self.preload, self.process), "a library is loaded into it"
        except OSError as error:
            raise Refused(str(error)) from error
        return ServerTime(
            mechanism=self.way,
            why="; ".join(filter(None, (why, _listed(refusals)))),
            clocks=self.plan.clocks,
            latest=self.plan.latest,
            setter=setter,
            settle=self.plan.settle,
            settle_back=self.plan.settle_back,
            empty=self.plan.empty,
            again=self._again,
        )

    def _again(self) -> None:
        if self.preload is not None:
            self.preload.write(Slots())
        self.process.again()
        try:
            self.wait_until_ready(last=True)
        except ServerFailed as error:
            raise ConnectionError(str(error)) from error


def _ways(plan: Launch) -> Sequence[str]:
    return plan.mechanisms if plan.clocks else ()


def _listed(refusals: Mapping[str, str]) -> str:
    return "; ".join(f"{way}: {why}" for way, why in refusals.items())


def _identity(user: str | None, folder: Path) -> Identity | None:
    """Whom to run as instead of root; the folder is that user's then."""
    if user is None or os.geteuid() != 0:
        return None
    import pwd

    entry = pwd.getpwnam(user)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return Identity(entry.pw_uid, entry.pw_gid)


def _wait_until_ready(plan: Launch, process: Kept, folder: Path, *, last: bool) -> str | None:
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
    code = process.poll()
    state = f"ended with {code}" if code is not None else f"{error}"
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
