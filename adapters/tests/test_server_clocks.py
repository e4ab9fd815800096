"""The time of a real server moves when it is told, forward only, and its clients see it at once."""

import math
import os
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("the clocks of other processes are moved on Linux only", allow_module_level=True)

from kv_adapters.base import TimeLimit
from kv_adapters.servers import (
    Server,
    ServerMissing,
    memcached_server,
    preload,
    redis_server,
    valkey_server,
)
from kv_adapters.servers.keeper import machine_code, vdso
from kv_adapters.servers.keeper.slots import Slots
from kv_adapters.servers.kept import Kept, Refused
from kv_adapters.servers.preload import Preload
from kv_adapters.servers.process import Launch, running
from kv_adapters.servers.travel import Patched, Preloaded, ServerTime

from .conftest import load, unavailable

X86 = platform.machine() == "x86_64"
HOUR = 3600 * 10**9
NEAR = 5.0
"""Seconds that a busy machine may take between two looks at the time."""

# Tells the time in every way that Python knows (5 is CLOCK_REALTIME_COARSE), once for each line.
TELLER = """
import datetime, os, select, sys, time
for line in sys.stdin:
    told = [time.time(), time.clock_gettime(5),
            datetime.datetime.now().timestamp(), time.monotonic(),
            time.clock_gettime(time.CLOCK_BOOTTIME), time.process_time()]
    if "fork" in line:
        child = os.fork()
        if child == 0:
            while not os.path.exists("go"):
                select.select([], [], [], 0.01)
            print(time.time(), time.monotonic(), file=open("child", "w"))
            os._exit(0)
    print(*told, file=open("told.new", "w"))
    os.rename("told.new", "told")
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


class Teller:
    """A process that tells the time, and how it is moved."""

    def __init__(self, folder: Path, way: str) -> None:
        self.folder, self.pipe = folder, folder / "ask"
        os.mkfifo(self.pipe)
        self.preload = Preload(folder) if way == "preload" else None
        self.kept = Kept(
            [sys.executable, "-S", "-c", f"import sys; sys.stdin = open('ask')\n{TELLER}"],
            folder,
            moves=self.preload is None,
            environment=None if self.preload is None else self.preload.environment,
        )
        self.ask = self.pipe.open("w")
        if self.preload is None:
            self.setter: Any = Patched(self.kept, directly=way == "vdso")
        else:
            self.setter = Preloaded(self.preload, self.kept)

    def told(self, question: str = "now") -> list[float]:
        answer = self.folder / "told"
        answer.unlink(missing_ok=True)
        print(question, file=self.ask, flush=True)
        for _ in range(5000):
            if answer.exists():
                return [float(word) for word in answer.read_text().split()]
            time.sleep(0.002)
        pytest.fail(f"no time is told: {(self.folder / 'log').read_text()}")

    def close(self) -> None:
        self.ask.close()
        self.kept.close()


@pytest.fixture(params=["vdso", "vdso by the keeper", "preload"])
def teller(request: pytest.FixtureRequest, folder: Path) -> Iterator[Teller]:
    if "vdso" in request.param and not X86:
        unavailable("the machine code is for x86-64")
    try:
        teller = Teller(folder, request.param)
    except Refused as error:
        unavailable(str(error))
    yield teller
    teller.close()


def test_a_process_sees_the_time_that_it_is_told(teller: Teller) -> None:
    for real, monotonic in ((0, 0), (HOUR, 0), (24 * HOUR, 48 * HOUR), (10**6 * HOUR, 3 * HOUR)):
        teller.setter.set(real, monotonic)
        wall, coarse, date, mono, boot, cpu = teller.told()
        for told in (wall, coarse, date):
            assert told == pytest.approx(time.time() + real / 1e9, abs=NEAR)
        assert mono == pytest.approx(time.monotonic() + monotonic / 1e9, abs=NEAR)
        assert boot == pytest.approx(
            time.clock_gettime(time.CLOCK_BOOTTIME) + monotonic / 1e9, abs=NEAR
        )
        assert cpu < NEAR  # the time of a processor is nobody's to move


def test_realtime_can_be_taken_back(teller: Teller) -> None:
    teller.setter.set(10 * HOUR, HOUR)
    teller.setter.set(-1, HOUR)
    assert teller.told()[0] == pytest.approx(time.time(), abs=NEAR)


def test_what_was_forked_before_moves_as_well(teller: Teller) -> None:
    teller.setter.set(HOUR, 0)
    teller.told("fork")
    teller.setter.set(5 * HOUR, 7 * HOUR)
    (teller.folder / "go").touch()
    child = teller.folder / "child"
    for _ in range(5000):
        if child.exists() and len(child.read_text().split()) == 2:
            break
        time.sleep(0.002)
    wall, monotonic = map(float, child.read_text().split())
    assert wall == pytest.approx(time.time() + 5 * 3600, abs=NEAR)
    assert monotonic == pytest.approx(time.monotonic() + 7 * 3600, abs=NEAR)


def test_a_process_that_has_ended_can_not_be_moved(teller: Teller) -> None:
    os.kill(teller.kept.pid, 9)
    teller.kept.wait()
    with pytest.raises(OSError, match=r"."):
        teller.setter.set(HOUR, 0)


def test_a_process_that_lets_go_of_its_memory_has_ended() -> None:
    # It runs on for a while without its memory, and is neither a zombie nor writable.
    code = "import os\nwhile True:\n    os.fork() or os._exit(0)\n    os.wait()"
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        refused = [
            vdso._ended(pid)
            for _ in range(20_000)
            for pid in children(parent.pid)
            if not writable(pid)
        ]
    finally:
        parent.kill()
        parent.wait()
    assert refused
    assert all(refused)
    assert not vdso._ended(os.getpid())


def children(pid: int) -> list[int]:
    """The processes that a process of one thread started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def writable(pid: int) -> bool:
    """Whether the memory of a process can be opened."""
    try:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))
    except OSError:
        return False
    return True


def test_the_machine_code_is_its_source(folder: Path) -> None:
    if not (X86 and shutil.which("as") and shutil.which("objcopy")):
        unavailable("no assembler for x86-64")
    source = Path(machine_code.__file__).with_name("clock.S")
    subprocess.run(["as", source, "-o", "clock.o"], cwd=folder, check=True)
    subprocess.run(
        ["objcopy", "-O", "binary", "-j", ".text", "clock.o", "clock.bin"], cwd=folder, check=True
    )
    assert (folder / "clock.bin").read_bytes() == machine_code.CODE
    symbols = subprocess.run(
        ["nm", "clock.o"], cwd=folder, check=True, capture_output=True, text=True
    )
    places = {name: int(at, 16) for at, _, name in map(str.split, symbols.stdout.splitlines())}
    assert places["gettimeofday"] == machine_code.GETTIMEOFDAY
    assert places["time"] == machine_code.TIME
    assert places["mark"] == machine_code.MARK
    assert places["current"] == machine_code.MARK + 8


def own_vdso() -> bytes:
    if not X86:
        unavailable("the machine code is for x86-64")
    start, end = vdso._mapping(os.getpid())
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        memory.seek(start)
        return memory.read(end - start)


def test_a_vdso_is_patched_once_and_only_where_there_is_room() -> None:
    image = bytearray(own_vdso())
    made, slots = vdso.patches(bytes(image))
    functions = vdso.functions(bytes(image))
    names = ("clock_gettime", "gettimeofday", "time")
    assert [at for at, _ in made] == [functions[f"__vdso_{name}"][0] for name in names]
    for at, code in made:
        image[at : at + len(code)] = code
    assert image[slots - 8 : slots] == b"kvclock1"
    with pytest.raises(Refused_by_vdso, match="before"):
        vdso.patches(bytes(image))


def renamed(image: bytes) -> bytes:
    return image.replace(b"__vdso_gettimeofday", b"__vdso_somethingels")


def shrunk(image: bytes) -> bytes:
    """The same with a body of 100 bytes."""
    start, size = vdso.functions(image)["__vdso_clock_gettime"]
    entry = start.to_bytes(8, "little") + size.to_bytes(8, "little")
    assert entry in image
    return image.replace(entry, entry[:8] + (100).to_bytes(8, "little"))


Refused_by_vdso = vdso.Refused


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (renamed, "has no __vdso_gettimeofday"),
        (shrunk, "has 100 bytes"),
        (lambda image: image[:2000], "can not be read|has no"),
        (lambda image: b"\x7fELF\x01" + image[5:], "no 64-bit ELF"),
        (lambda _: b"", "no 64-bit ELF"),
    ],
)
def test_a_vdso_that_is_not_known_is_refused(change: Callable[[bytes], bytes], why: str) -> None:
    with pytest.raises(Refused_by_vdso, match=why):
        vdso.patches(change(own_vdso()))


SERVERS = {"redis": redis_server, "memcached": memcached_server, "valkey": valkey_server}
PROGRAMS = {"redis": "redis-server", "memcached": "memcached", "valkey": "valkey-server"}
Start = Callable[[], AbstractContextManager[Server]]


@pytest.fixture(params=list(SERVERS))
def own(request: pytest.FixtureRequest) -> Iterator[tuple[Callable[[], Any], ServerTime]]:
    """Opens stores on a server of their own, whose time is the other half."""
    kind = load(request.param)
    try:
        with kind.for_run() as run:
            if run.time is None:
                unavailable(run.real_time)
            opened: list[Any] = []

            def open_store() -> Any:
                opened.append(kind(**run.options))
                return opened[-1]

            yield open_store, run.time
            for store in opened:
                store.close()
    except ServerMissing as error:
        unavailable(str(error))


@pytest.fixture
def moved(own: tuple[Callable[[], Any], ServerTime]) -> tuple[Any, ServerTime]:
    """A store on a server of its own, and the server's time."""
    return own[0](), own[1]


def test_1000_random_jumps_give_no_wrong_answer(moved: tuple[Any, ServerTime]) -> None:
    """An entry is there before its deadline, and gone right after it and the resolution."""
    store, clock = moved
    late = store.profile.ttl_resolution
    random_ = random.Random(1)
    took = []
    for number in range(1000):
        ttl = random_.choice((4, 10, 100, 10_000)) * random_.uniform(1.0, 3.0)
        began = time.monotonic()
        store.set(("k",), number, ttl=ttl)
        clock.move(0.6 * ttl)
        answer = store.get(("k",))
        if time.monotonic() - began < 0.3 * ttl:
            assert answer == number
        rest = 0.4 * ttl + late
        before = time.perf_counter()
        clock.move(rest)
        assert store.get(("k",)) is None
        took.append(time.perf_counter() - before)
    assert sorted(took)[500] < 0.02  # on an idle machine, a tenth of a millisecond to one


def test_a_server_is_waited_for_in_no_real_time(moved: tuple[Any, ServerTime]) -> None:
    """Also not where less than a second passes, and a clock of whole seconds is not yet due."""
    _, clock = moved
    took = []
    for step in [0.25, 0.7, 0.05, 3.3] * 10:
        began = time.perf_counter()
        clock.move(step)
        took.append(time.perf_counter() - began)
    assert sorted(took)[36] < 0.1  # one in ten may wait for a busy machine


def test_time_is_never_moved_back(moved: tuple[Any, ServerTime]) -> None:
    store, clock = moved
    store.set(("k",), 1, ttl=100)
    for wrong in (-1.0, -1e-9, math.nan, math.inf):
        with pytest.raises(ValueError, match="forward"):
            clock.move(wrong)
    assert store.get(("k",)) == 1


def test_a_server_is_not_moved_beyond_the_end_of_its_dates(moved: tuple[Any, ServerTime]) -> None:
    _, clock = moved
    before = clock.left
    assert before > 500 * 86_400  # more than any entry of a program lives
    with pytest.raises(TimeLimit):
        clock.move(before + 10)
    clock.move(before - 10)
    assert clock.left < 11
    clock.renew()
    assert clock.left == pytest.approx(before, abs=60)


def test_what_is_written_after_a_renewal_lives_as_long_as_it_was_told(
    own: tuple[Callable[[], Any], ServerTime],
) -> None:
    open_store, clock = own
    for days in (1, 400, 1, 3 * 365):
        clock.move(days * 86_400)
        clock.renew()
        store = open_store()  # the server may have been started anew
        store.set(("k",), 1, ttl=100)
        clock.move(90)
        assert store.get(("k",)) == 1
        clock.move(10 + store.profile.ttl_resolution)
        assert store.get(("k",)) is None


def test_root_without_the_right_to_trace_moves_the_server_of_another_user() -> None:
    """memcached runs as nobody there; its keeper does so as well, and may."""
    if os.geteuid() != 0 or not X86:
        pytest.skip("root starts servers as another user; there is no root here")
    if not (shutil.which("capsh") and shutil.which("memcached")):
        unavailable("capsh (apt install libcap2-bin) or memcached is not installed")
    program = (
        "from kv_adapters.servers import memcached_server\n"
        "with memcached_server() as server:\n"
        "    server.time.move(1e6)\n"
        "    print(server.time.mechanism, server.time.setter.directly)\n"
    )
    without = ["capsh", "--drop=cap_sys_ptrace", "--", "-c", 'exec "$0" -c "$1"']
    done = subprocess.run(
        [*without, sys.executable, program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "vdso False\n", done.stderr


def test_a_program_that_only_starts_another_is_taken_for_none(folder: Path) -> None:
    """Its own vDSO is patched, and gone with it; then the next way is taken, or none."""
    script = folder / "wrapped"
    script.write_text("#!/bin/sh\nexec sleep 30\n")
    script.chmod(0o755)
    marks = iter("x" * 10)

    def launch(_: Path) -> Launch:
        def ready(_: int) -> str:
            time.sleep(0.3)
            return f"sleep {next(marks)}"

        return Launch(
            argv=[str(script)], url="", ready=ready,
            clocks=frozenset({"realtime"}), mechanisms=("vdso",),
        )  # fmt: skip

    with running("wrapped", launch) as server:
        assert server.time is None
        assert "another program" in server.real_time


def test_without_a_compiler_the_next_way_is_taken_and_why_is_told(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(preload, "_COMPILERS", ("no-such-compiler",))
    if preload._BUILT.exists():
        pytest.skip("the library was built beforehand")

    def launch(_: Path) -> Launch:
        return Launch(
            argv=["sleep", "30"], url="", ready=lambda _: "sleep",
            clocks=frozenset({"realtime"}), mechanisms=("preload",),
        )  # fmt: skip

    with running("sleep", launch) as server:
        assert server.time is None
        assert "preload: no C compiler" in server.real_time


def test_slots_are_filled_before_they_are_put_in_force() -> None:
    written: list[tuple[int, bytes]] = []
    slots = Slots()
    for offset in (1, 2):
        slots.set(offset, -offset)
        slots.put(lambda at, data: written.append((at, data)))
    places = [at for at, _ in written]
    assert places == [24, 0, 8, 0]
    assert [data for at, data in written if at == 0] == [b"\x10", b"\x00"]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_killed_in_a_run_makes_it_inconclusive_and_leaves_nothing(
    name: str, end: signal.Signals, folder: Path
) -> None:
    """One that is stopped does not answer, be it a call or a move of its clock."""
    try:
        with load(name).for_run():
            pass
    except ServerMissing as error:
        unavailable(str(error))
    command = ["--store", name, "--clock", "server", "--phase", "sweep", "--examples", "400"]
    command += ["--operation-timeout", "2"] if end == signal.SIGSTOP else []
    run = subprocess.Popen(
        [sys.executable, "-m", "kv_conformance.cli", *command],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with run:
        assert run.stdout is not None
        told = run.stdout.readline()
        time.sleep(3.0)  # it is under way then, or starts: either may be cut off
        for pid in processes_in(folder, PROGRAMS[name]):
            os.kill(pid, end)
        rest, _ = run.communicate(timeout=90)
    assert run.returncode == 3, told + rest
    assert re.search("gone|could not be reached|did not end within 2 s", rest)
    for _ in range(2000):
        if not list(folder.iterdir()) and not processes_in(folder, ""):
            return
        time.sleep(0.005)
    pytest.fail(f"left behind: {list(folder.iterdir())}, {processes_in(folder, '')}")


def processes_in(folder: Path, program: str) -> list[int]:
    """The processes of this program whose working folder is below `folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            where = os.readlink(entry / "cwd") if entry.name.isdecimal() else ""
            name = (entry / "cmdline").read_bytes().split(b"\0")[0].decode() if where else ""
        except OSError:
            continue
        if where.startswith(str(folder)) and program in name:
            found.append(int(entry.name))
    return found
