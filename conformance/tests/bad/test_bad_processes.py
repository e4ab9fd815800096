"""Stores that end, block or outlive their process, and runs that are broken off."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.bad.conftest import Run

ENDINGS = {
    "exits": ("os._exit(0)", "with exit code 0"),
    "touches memory that is not its own": ("ctypes.string_at(0)", "SIGSEGV"),
}
LATER = "        if Right.get(self, ('full', 'stop')) or len(self.entries_) > 2: "
"""Not at the first look: in the middle of a program."""


@pytest.mark.parametrize("case", ENDINGS)
def test_a_store_that_ends_its_process(run: Run, case: str) -> None:
    deed, how = ENDINGS[case]
    result = run(
        f"import ctypes, os\nclass Store(Right):\n    def list(self, prefix=()):\n{LATER}{deed}\n"
        "        return Right.list(self, prefix)\n"
    )
    stopped = result.report["stopped"]
    assert (result.code, stopped["kind"]) == (3, "crash")
    assert how in result.reasons
    assert "during " in result.reasons
    assert stopped["program"][-1]["op"] in ("list", "iterate")
    assert "from store import Store" in result.out


HANGS = {
    "sleeps": "time.sleep(100_000)",
    "spins": "exec('while True: pass')",
    "holds the interpreter": "re.match('(a+)+$', 'a' * 40 + '!')",
}


@pytest.mark.parametrize("case", HANGS)
def test_an_operation_that_does_not_end(run: Run, case: str) -> None:
    result = run(
        f"import re, time\nclass Store(Right):\n    def list(self, prefix=()):\n{LATER}"
        f"{HANGS[case]}\n        return Right.list(self, prefix)\n",
        "--operation-timeout",
        "1",
    )
    stopped = result.report["stopped"]
    assert (result.code, stopped["kind"]) == (3, "hang")
    assert "did not end within 1 s" in result.reasons
    assert stopped["program"][-1]["op"] in ("list", "iterate")
    assert "from store import Store" in result.out
    assert [phase["name"] for phase in result.report["phases"]] == ["machines"]


def test_a_long_fill_is_no_hang(run: Run) -> None:
    fill = json.dumps([{"op": "fill", "n": 30}, {"op": "get", "key": ["n00000"]}])
    result = run(
        """
        from kv_conformance.real_time import sleep

        class Store(Right):
            def set(self, key, value, *, ttl=None):
                sleep(0.05)
                Right.set(self, key, value, ttl=ttl)
        """,
        *("--operation-timeout", "1", "--replay", fill),
    )
    assert result.code == 0, result.reasons


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_what_a_store_leaves_running_does_not_keep_the_run(run: Run, kind: str) -> None:
    leave = {
        "thread": "threading.Thread(target=time.sleep, args=(100_000,)).start()",
        "process": "os.fork() or (time.sleep(2), os._exit(0))",
    }[kind]
    result = run(
        f"import os, threading, time\nclass Store(Right):\n    def __init__(self):\n"
        f"        super().__init__()\n        if not left: left.append({leave})\nleft = []\n"
    )
    assert result.code == 0, result.reasons


BOTH = {case: HANGS[case] for case in ("sleeps", "holds the interpreter")}
"""What a thread of the same process can end, and what only another process can."""

WAITING = """
    import os, re, subprocess, sys, tempfile, time
    from right import Right

    tempfile.mkdtemp()
    subprocess.run([sys.executable, "-c", "import tempfile; tempfile.mkstemp()"], check=True)

    class Store(Right):
        def list(self, prefix=()):
            if len(self.entries_) > 2:
                with open("PIPE", "w") as pipe:
                    pipe.write(str(os.getpid()))
                WAIT
            return Right.list(self, prefix)
"""


def _heed_signals() -> None:
    """Who runs the tests may ignore them, as nohup and a shell's & do; children inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Waiting:
    """A run whose store waits in the middle of a program, and says its process.

    The store, and a process that it has started, have made temporary files.
    """

    def __init__(self, run: Run, temporary: Path, how: str) -> None:
        self.run, self.temporary = run, temporary
        pipe = run.folder / "pipe"
        os.mkfifo(pipe)
        run.write("store.py", WAITING.replace("PIPE", str(pipe)).replace("WAIT", how))
        self.process = run.start(
            *("--store", "store:Store", "--phase", "machines", "--examples", "3"),
            *("--report", "json=report.json", "--report", "junit=report.xml"),
            *("--operation-timeout", "3"),
            env={"TMPDIR": str(temporary)},
            start_new_session=True,
            preexec_fn=_heed_signals,
        )
        self.child = int(pipe.read_text())  # waits until it is written

    def child_is_gone(self) -> bool:
        try:
            return "State:\tZ" in Path(f"/proc/{self.child}/status").read_text()
        except FileNotFoundError:
            return True

    def left(self) -> list[str]:
        """What lies in the folder for temporary files."""
        return sorted(path.name for path in self.temporary.iterdir())


@pytest.fixture
def temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # short: see `own_folder`
        yield Path(folder)


@pytest.fixture
def waiting(run: Run, temporary: Path, request: pytest.FixtureRequest) -> Waiting:
    """Sleeps, unless the test says by a parameter how it waits."""
    if not sys.platform.startswith("linux"):
        pytest.skip("asks /proc")
    return Waiting(run, temporary, getattr(request, "param", HANGS["sleeps"]))


@pytest.mark.parametrize(
    ("send", "number"),
    [
        (os.kill, signal.SIGINT),
        (os.killpg, signal.SIGINT),  # as the terminal does
        (os.kill, signal.SIGTERM),
        (os.kill, signal.SIGHUP),
    ],
)
def test_an_interrupted_run_writes_its_reports(
    waiting: Waiting, send: Callable[[int, int], None], number: signal.Signals
) -> None:
    send(waiting.process.pid, number)
    result = waiting.run.end(waiting.process)
    assert (result.code, result.report["stopped"]["kind"]) == (3, "interrupted")
    assert "interrupted" in result.reasons
    assert waiting.child_is_gone()
    assert waiting.left() == []


def test_a_child_that_is_killed(waiting: Waiting) -> None:
    os.kill(waiting.child, signal.SIGKILL)
    result = waiting.run.end(waiting.process)
    assert (result.code, result.report["stopped"]["kind"]) == (3, "crash")
    assert "by signal 9 (SIGKILL) during " in result.reasons
    assert result.report["stopped"]["program"][-1]["op"] in ("list", "iterate")
    assert waiting.left() == []


@pytest.mark.parametrize("waiting", BOTH.values(), ids=BOTH, indirect=True)
def test_a_call_that_is_broken_off_leaves_nothing(waiting: Waiting) -> None:
    result = waiting.run.end(waiting.process)
    assert (result.code, result.report["stopped"]["kind"]) == (3, "hang")
    assert waiting.child_is_gone()
    assert waiting.left() == []


@pytest.mark.parametrize("waiting", BOTH.values(), ids=BOTH, indirect=True)
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_a_command_that_is_killed_takes_its_child_along_and_leaves_nothing(
    waiting: Waiting, send: Callable[[int, int], None]
) -> None:
    child = os.pidfd_open(waiting.child)
    before = waiting.left()
    send(waiting.process.pid, signal.SIGKILL)
    waiting.process.communicate()
    ended = select.select([child], [], [], 2)[0]
    if not ended:
        signal.pidfd_send_signal(child, signal.SIGKILL)
    os.close(child)
    assert ended, "the child goes on without anybody to listen"
    until = time.monotonic() + 20
    while waiting.left() and time.monotonic() < until:
        time.sleep(0.01)
    assert before
    assert waiting.left() == []


def test_a_reader_of_the_report_who_has_seen_enough(run: Run) -> None:
    run.write("store.py", "from right import Right as Store")
    process = run.start("--store", "store:Store", "--phase", "machines", "--examples", "3")
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


def test_the_process_of_the_store_takes_no_input(run: Run) -> None:
    result = run("class Store(Right):\n    def __init__(self):\n        input()")
    assert "raised EOFError" in result.reasons
