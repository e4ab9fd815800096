"""Starts a server as whom it is to run, moves its clock, and ends it with the run.

It reads orders, a line each, and answers each with a line of JSON. The first is a JSON object: how
to start (`Order`). Then:

    move R M    the offsets of realtime and monotonic time, in nanoseconds
    again       end the server, and start it anew, with its clocks unmoved
    end         end it: so does the end of the input, which comes when the run dies

When the server ends, so does this process, with its exit code (128 and the number for a signal).

That a process of its own does this has four reasons. It has one thread, so it may do between fork
and exec what a process with threads must not. It is the parent and the tracer of the server, and
drops its rights before it starts it: who is root without CAP_SYS_PTRACE may trace no process of
another user, and a system may let nobody trace what is not its child. It sees the end of the run
by the end of its input, whatever death the run dies. And it has the server's id as long as that is
not another's.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from kv_adapters.servers.keeper import vdso
from kv_adapters.servers.keeper.slots import Slots

_PDEATHSIG: Final = 1
_NO_PROGRAM: Final = 127
_POLL: Final = 0.005


@dataclass(frozen=True, slots=True)
class Order:
    """How to start: the command, its folder, who runs it, how it ends, and whether time moves.

    `stop` is the signal that ends the server, and after `grace` seconds it is killed. `run` is the
    id of the process that wants it.
    """

    argv: list[str]
    folder: str
    ids: list[int] | None
    stop: int
    grace: float
    moves: bool
    run: int


def main() -> None:
    """Forks once: one process keeps the server, the other keeps the right to remove its folder."""
    reader = _Reader()
    order = Order(**json.loads(reader.line() or sys.exit(0)))
    child = os.fork()
    if child == 0:
        _Keeper(order, reader).run()
    os.close(0)
    os.close(1)
    _, status = os.waitpid(child, 0)
    if os.getppid() != order.run:  # nobody else is left to do it
        shutil.rmtree(order.folder, ignore_errors=True)
    os._exit(_exit_code(status))


class _Reader:
    """Lines of the standard input, read so that `select` knows what is left."""

    def __init__(self) -> None:
        self._read = b""

    def line(self) -> str:
        """The next line, or the empty text at the end."""
        while b"\n" not in self._read:
            piece = os.read(0, 65536)
            if not piece:
                return ""
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()


class _Keeper:
    """The server, its process id, and the address of its slots if its time moves."""

    def __init__(self, order: Order, reader: _Reader) -> None:
        self.order, self.reader = order, reader
        self.pid = self.address = 0
        self.slots = Slots()
        self.ended: int | None = None
        # A signal that comes while `select` waits is told through this pipe.
        self.wake, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> NoReturn:
        """Starts the server, and follows orders until it has ended."""
        try:
            self._drop()
        except OSError as error:
            _answer({"error": str(error)})
            os._exit(_NO_PROGRAM)
        self._begin()
        while True:
            ready, _, _ = select.select([0, self.wake], [], [])
            if self.wake in ready:
                os.read(self.wake, 512)
                if self._has_ended():
                    os._exit(_exit_code(self.ended or 0))
            if 0 in ready:
                self._obey(self.reader.line().split())

    def _begin(self) -> None:
        try:
            _answer(self._start())
        except (OSError, vdso.Refused) as error:
            _answer({"error": str(error), "refused": isinstance(error, vdso.Refused)})
            os._exit(_NO_PROGRAM)

    def _obey(self, order: list[str]) -> None:
        if order[:1] == ["move"]:
            try:
                self.slots.set(int(order[1]), int(order[2]))
                vdso.move(self.pid, self.address, self.slots)
                _answer({})
            except OSError as error:
                _answer({"error": str(error)})
        elif order == ["again"]:
            self._end()
            self.slots = Slots()
            self._begin()
        else:
            self._end()
            os._exit(_exit_code(self.ended or 0))

    def _drop(self) -> None:
        if self.order.ids is not None:
            user, group = self.order.ids
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)

    def _start(self) -> dict[str, Any]:
        """Starts the server; raises OSError, and Refused if its time can not be moved."""
        if self.order.moves:
            vdso.check_platform()
        self.ended = None
        failure, failed = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self._become(failed)
        os.close(failed)
        try:
            if self.order.moves and self._is_stopped():
                self._patch()
            said = os.read(failure, 4096).decode()  # nothing, once the program runs
            if said:
                raise (vdso.Refused if said.startswith("ptrace") else OSError)(said)
        except BaseException:
            self._kill()
            raise
        finally:
            os.close(failure)
        return {"pid": self.pid, "address": self.address}

    def _become(self, failed: int) -> NoReturn:
        """The server, from here on; what prevents it is written to `failed`."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 0)
            os.dup2(2, 1)
            if sys.platform.startswith("linux"):  # where this process is killed by force
                _LIBC.prctl(_PDEATHSIG, int(signal.SIGKILL))
            if self.order.moves:
                vdso.trace_me()
            os.execvp(self.order.argv[0], self.order.argv)
        except BaseException as error:
            os.write(failed, str(error).encode())
        os._exit(_NO_PROGRAM)

    def _is_stopped(self) -> bool:
        """Waits until the program is loaded, and stopped before its first instruction."""
        _, status = os.waitpid(self.pid, 0)
        if not os.WIFSTOPPED(status):
            self.ended = status
        return self.ended is None

    def _patch(self) -> None:
        self.address = vdso.patch(self.pid)
        vdso.detach(self.pid)
        # A system may let the tracer write, and nobody afterwards.
        try:
            vdso.move(self.pid, self.address, self.slots)
        except OSError as error:
            raise vdso.Refused(f"a process that runs can not be written to: {error}") from error

    def _has_ended(self) -> bool:
        if self.ended is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.ended = status
        return self.ended is not None

    def _end(self) -> None:
        """Ends the server; by force if it does not heed its signal."""
        if self._has_ended():
            return
        os.kill(self.pid, self.order.stop)
        until = time.monotonic() + self.order.grace
        while not self._has_ended():
            if time.monotonic() > until:
                self._kill()
            elif select.select([self.wake], [], [], _POLL)[0]:
                os.read(self.wake, 512)

    def _kill(self) -> None:
        if self.ended is None:
            os.kill(self.pid, signal.SIGKILL)
            _, self.ended = os.waitpid(self.pid, 0)


def _answer(answer: dict[str, Any]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


_LIBC: Final = ctypes.CDLL(None)
