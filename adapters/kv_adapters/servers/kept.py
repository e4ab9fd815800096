"""A process that a keeper looks after, as the run sees it; see `keeper.main`."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

_PATIENCE: Final = 30.0
"""Seconds in which a keeper must answer."""
_GRACE: Final = 5.0
"""Seconds after which what does not end by its signal is killed."""

# The keeper needs nothing that is installed, and as little as possible of what is not: the packages
# it lies in are named to it and not run.
_BEGIN: Final = """
import sys, types
for name, folder in zip(("kv_adapters", "kv_adapters.servers"), sys.argv[1:]):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
from kv_adapters.servers.keeper.main import main
main()
"""
_SERVERS: Final = Path(__file__).resolve().parent


class Refused(Exception):
    """The time of this process can not be moved this way; the message says why."""


class Identity(NamedTuple):
    """Whom a process runs as."""

    user: int
    group: int


class Kept:
    """A program that runs in `folder`, and is ended when `close` is called or this process ends.

    `pid` is its process id and `address` where the slots of its clock are, until `again`. What it
    prints goes to the file `log`. With `moves` its
    clock can be moved; raises Refused where not, and OSError where there is no such program.
    """

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        *,
        identity: Identity | None = None,
        stop: signal.Signals = signal.SIGTERM,
        environment: Mapping[str, str] | None = None,
        moves: bool = False,
        log: str = "log",
    ) -> None:
        order = {
            "argv": list(argv),
            "folder": str(folder),
            "ids": None if identity is None else list(identity),
            "stop": int(stop),
            "grace": _GRACE,
            "moves": moves,
            "run": os.getpid(),
        }
        with open(folder / log, "wb") as stream:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BEGIN, str(_SERVERS.parent), str(_SERVERS)],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                start_new_session=True,  # Ctrl-C is for the run, which still writes its reports
                env={**os.environ, **(environment or {})},
            )
        try:
            self._take(self._ask(json.dumps(order)))
        except BaseException:
            self.close()
            raise

    def move(self, realtime: int, monotonic: int) -> None:
        """Sets how far its clocks are ahead, in nanoseconds. Raises OSError if it is gone."""
        self._ask(f"move {realtime} {monotonic}")

    def again(self) -> None:
        """Ends the program and starts it anew, its clocks unmoved. Raises OSError."""
        self._take(self._ask("again"))

    def poll(self) -> int | None:
        """Its exit code (128 and more for a signal), or None while it runs."""
        return self._keeper.poll()

    def wait(self) -> int:
        """Waits for its end; returns its exit code."""
        return self._keeper.wait()

    def close(self) -> None:
        """Ends it, and waits for its end."""
        for stream in _streams(self._keeper):
            with suppress(BrokenPipeError):
                stream.close()
        try:
            self._keeper.wait(2 * _GRACE)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()

    def _take(self, answer: dict[str, Any]) -> None:
        self.pid, self.address = int(answer["pid"]), int(answer["address"])

    def _ask(self, order: str) -> dict[str, Any]:
        given, answers = _streams(self._keeper)
        given.write(order.encode() + b"\n")
        given.flush()
        if not select.select([answers], [], [], _PATIENCE)[0]:
            raise TimeoutError(f"the keeper of the server did not answer for {_PATIENCE:g} s")
        line = answers.readline()
        if not line:
            raise ConnectionError("the server has ended")
        answer: dict[str, Any] = json.loads(line)
        if answer.get("refused"):
            raise Refused(answer["error"])
        if "error" in answer:
            raise OSError(answer["error"])
        return answer


def _streams(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:  # never: they were asked for
        raise ValueError("a keeper without pipes")
    return process.stdin, process.stdout
