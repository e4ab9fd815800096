"""The clocks: virtual time reaches the store wherever it reads it, and nobody else."""

import asyncio
import calendar
import copy
import datetime as dt
import importlib
import multiprocessing
import pickle
import queue
import socket
import subprocess
import sys
import textwrap
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from time import time as bound_before
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from kv_conformance import real_time
from kv_conformance.clocks import Clock, InjectedClock, PatchedClock, RealClock
from kv_conformance.clocks.patched import MONOTONIC_START, SEES_REAL_TIME
from kv_conformance.clocks.virtual import END_OF_TIME, EPOCH

Read = Callable[[], float]


@pytest.fixture
def clock() -> Iterator[PatchedClock]:
    with PatchedClock() as clock:
        yield clock


class TtlStore:
    """A store of one key that expires by the clock it is given."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.deadline = 0.0

    def set(self, ttl: float) -> None:
        self.deadline = self.read() + ttl

    def alive(self) -> bool:
        return self.read() < self.deadline


class ClassAttribute:
    clock: Any = time.time

    def read(self) -> float:
        return float(self.clock())


def by_default_argument(clock: Read = time.time) -> float:
    return clock()


def monotonic() -> float:
    """Look the function up at each call, as `time.monotonic` in the table below would not."""
    return time.monotonic()


def utcnow() -> float:
    """Seconds by `datetime.utcnow`, which newer Pythons warn of but many stores still call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return calendar.timegm(dt.datetime.utcnow().timetuple())


READERS: dict[str, Read] = {
    "time.time": time.time,
    "time.time_ns": lambda: time.time_ns() / 10**9,
    "from time import time": bound_before,
    "default argument": by_default_argument,
    "class attribute": ClassAttribute().read,
    "gmtime": lambda: calendar.timegm(time.gmtime()),
    "localtime": lambda: time.mktime(time.localtime()),
    "strftime": lambda: calendar.timegm(
        time.strptime(time.strftime("%Y %j %H %M %S", time.gmtime()), "%Y %j %H %M %S")
    ),
    "datetime.now": lambda: dt.datetime.now().timestamp(),
    "datetime.now(tz)": lambda: dt.datetime.now(dt.UTC).timestamp(),
    "datetime.today": lambda: dt.datetime.today().timestamp(),
    "datetime.utcnow": utcnow,
    "monotonic": monotonic,
    "monotonic_ns": lambda: time.monotonic_ns() / 10**9,
}
if hasattr(time, "clock_gettime"):
    READERS["clock_gettime"] = lambda: time.clock_gettime(time.CLOCK_REALTIME)


def directly(call: Callable[[], Any]) -> Any:
    return call()


def five_deep(call: Callable[[], Any]) -> Any:
    def descend(depth: int) -> Any:
        return descend(depth - 1) if depth else call()

    return descend(5)


def in_thread(call: Callable[[], Any]) -> Any:
    answer: Future[Any] = Future()
    threading.Thread(target=lambda: answer.set_result(call()), daemon=True).start()
    return answer.result(10)


def in_pool(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result(10)


def in_task(call: Callable[[], Any]) -> Any:
    async def task() -> Any:
        return call()

    return asyncio.run(task())


PLACES = [directly, five_deep, in_thread, in_pool, in_task]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("reader", READERS)
def test_a_store_expires_wherever_it_reads_the_time(
    clock: PatchedClock, reader: str, place: Callable[[Callable[[], Any]], Any]
) -> None:
    store = TtlStore(READERS[reader])
    place(lambda: store.set(60))
    clock.advance(59)
    assert place(store.alive)
    clock.advance(1)
    assert not place(store.alive)


@pytest.mark.parametrize("reader", READERS)
def test_time_stands_still_between_advances(clock: PatchedClock, reader: str) -> None:
    first = READERS[reader]()
    began = real_time.perf_counter()
    while real_time.perf_counter() - began < 0.002:
        assert READERS[reader]() == first


def test_time_starts_where_it_is_told() -> None:
    with PatchedClock(epoch=1_234_567_890.015625, monotonic_start=77.5) as clock:
        assert clock.now() == time.time() == 1_234_567_890.015625
        assert time.time_ns() == 1_234_567_890_015_625_000
        assert time.monotonic() == 77.5
        assert time.monotonic_ns() == 77_500_000_000
        assert dt.datetime.now(dt.UTC).microsecond == 15625
    with PatchedClock():
        assert time.time() == EPOCH
        assert time.monotonic() == MONOTONIC_START


def test_local_time_keeps_the_zone_of_the_process(clock: PatchedClock) -> None:
    there = dt.datetime.now()
    clock.uninstall()
    assert there == dt.datetime.fromtimestamp(EPOCH)
    clock.install()


class Expiry(RuleBasedStateMachine):
    """A store whose time moves by months in rules that take no time."""

    reader = "time.time"

    def __init__(self) -> None:
        super().__init__()
        self.clock = PatchedClock()
        self.clock.install()
        self.store = TtlStore(READERS[self.reader])

    def teardown(self) -> None:
        self.clock.uninstall()

    @rule(ttl=st.integers(1, 10_000_000), early=st.integers(1, 1000))
    def set_and_wait(self, ttl: int, early: int) -> None:
        self.store.set(ttl)
        self.clock.advance(max(ttl - early, 0))
        assert self.store.alive()
        self.clock.advance(early)
        assert not self.store.alive()


class NeverExpires(Expiry):
    """The same with a bug that Hypothesis must shrink, under time that runs away."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = 0

    @rule(months=st.integers(1, 100))
    def linger(self, months: int) -> None:
        self.clock.advance(months * 2_592_000)
        self.runs += 1
        assert self.runs < 3, "planted"


# Deadline and health checks as they are by default; a machine has no deadline of its own accord.
STATEFUL = settings(max_examples=30, stateful_step_count=10, deadline=200, database=None)


@pytest.mark.parametrize("reader", ["time.time", "datetime.now", "monotonic", "default argument"])
def test_within_a_hypothesis_rule(reader: str) -> None:
    run_state_machine_as_test(type("Machine", (Expiry,), {"reader": reader}), settings=STATEFUL)


def test_hypothesis_shrinks_in_its_own_time(capsys: pytest.CaptureFixture[str]) -> None:
    """No false deadline, no flakiness, no "five minutes shrinking", and the shortest program."""
    with pytest.raises(AssertionError, match="planted") as failure:
        run_state_machine_as_test(NeverExpires, settings=STATEFUL)
    told = capsys.readouterr().out + "\n".join(failure.value.__notes__)
    assert "minutes" not in told
    assert told.count("state.linger(months=1)") == 3
    assert "set_and_wait" not in told


def test_hypothesis_with_the_clock_installed_around_it(clock: PatchedClock) -> None:
    @settings(max_examples=30, database=None, deadline=200)
    @given(st.integers(1, 10**6))
    def check(seconds: int) -> None:
        store = TtlStore(READERS["monotonic"])
        store.set(seconds)
        clock.advance(seconds)
        assert not store.alive()

    check()


TARGET = """
    import time
    from time import monotonic, monotonic_ns, time as wall

    class Holder:
        clock = time.monotonic

    class Default:
        def __init__(self, clock=time.monotonic):
            self.clock = clock

    def readers():
        return [monotonic, Holder().clock, Default().clock, lambda: monotonic_ns() / 10**9, wall]
"""


@pytest.fixture
def target(
    clock: PatchedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    """A module that binds the monotonic clock when imported, under the virtual clock."""
    (tmp_path / "bound_target.py").write_text(textwrap.dedent(TARGET))
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("bound_target")
    del sys.modules["bound_target"]


def call_in_target(target: ModuleType, read: Read) -> float:
    """Call `read` from the module of the store, as a store does."""
    return float(eval("read()", vars(target), {"read": read}))


def test_monotonic_bound_at_import(clock: PatchedClock, target: ModuleType) -> None:
    reads: list[Read] = target.readers()
    before = [call_in_target(target, read) for read in reads]
    clock.advance(1000)
    assert [call_in_target(target, read) for read in reads] == [t + 1000 for t in before]


def test_a_store_that_holds_monotonic_can_be_copied(
    clock: PatchedClock, target: ModuleType
) -> None:
    store = target.Default()
    for copied in (copy.copy(store), copy.deepcopy(store), pickle.loads(pickle.dumps(store))):
        clock.advance(5)
        assert copied.clock() == store.clock() == clock.monotonic()


def test_monotonic_kept_after_the_clock_is_gone_is_real(target: ModuleType) -> None:
    kept: Read = target.monotonic
    assert kept() == MONOTONIC_START
    clock = PatchedClock._installed
    assert clock is not None
    clock.uninstall()
    try:
        assert abs(kept() - time.monotonic()) < 10
    finally:
        clock.install()


def run_fresh(tmp_path: Path, program: str) -> None:
    """Run `program` in a process of its own, where nothing has been imported before."""
    path = tmp_path / "fresh.py"
    folders = [folder for folder in sys.path if folder]
    path.write_text(f"import sys\nsys.path[:0] = {folders!r}\n" + textwrap.dedent(program))
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_cachetools_by_its_default_timer(tmp_path: Path) -> None:
    """`cachetools.TTLCache` binds `time.monotonic` as a default argument when it is imported."""
    pytest.importorskip("cachetools")
    run_fresh(
        tmp_path,
        """
        from kv_conformance.clocks import PatchedClock

        with PatchedClock() as clock:
            from cachetools import TTLCache

            cache = TTLCache(maxsize=9, ttl=60)
            cache["key"] = 1
            clock.advance(59)
            assert "key" in cache
            clock.advance(1)
            assert "key" not in cache
        """,
    )


def test_stdlib_imported_after_the_clock_waits_in_real_time(tmp_path: Path) -> None:
    """Their `from time import monotonic` then binds the replacement, which must know them."""
    run_fresh(
        tmp_path,
        """
        import faulthandler
        from kv_conformance import real_time
        from kv_conformance.clocks import PatchedClock

        for name in ("queue", "sched"):
            sys.modules.pop(name, None)
        faulthandler.dump_traceback_later(30, exit=True)
        with PatchedClock() as clock:
            import queue, sched
            from time import monotonic

            assert queue.time is sched._time is monotonic is not real_time.monotonic
            try:
                queue.Queue().get(timeout=0.01)
            except queue.Empty:
                pass
            timetable = sched.scheduler()
            timetable.enter(0.01, 1, lambda: None)
            timetable.run()
            assert monotonic() == clock.monotonic()
        """,
    )


def in_real_time(call: Callable[[], Any]) -> Any:
    """The answer of `call`, which would hang if it waited by virtual time."""
    answer: Future[Any] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result(20)


def wait_for_event() -> bool:
    return not threading.Event().wait(0.01)


def wait_for_queue() -> bool:
    with pytest.raises(queue.Empty):
        queue.Queue[int]().get(timeout=0.01)
    return True


def wait_for_condition() -> bool:
    condition = threading.Condition()
    with condition:
        return not condition.wait_for(lambda: False, timeout=0.01)


def wait_for_future() -> bool:
    return not wait([Future()], timeout=0.01).done


def wait_for_pipe() -> bool:
    reader, writer = multiprocessing.Pipe(duplex=False)
    with reader, writer:
        return not reader.poll(0.01)


def wait_for_socket() -> bool:
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(0.01)
        with pytest.raises(TimeoutError):
            here.recv(1)
    return True


def wait_for_loop() -> bool:
    async def main() -> bool:
        await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.01)
        # A jump of the store's clock must not end a wait of the harness.
        return await asyncio.wait_for(asyncio.sleep(0.01, True), 10)

    return asyncio.run(main())


WAITS = [
    wait_for_event,
    wait_for_queue,
    wait_for_condition,
    wait_for_future,
    wait_for_pipe,
    wait_for_socket,
    wait_for_loop,
]


@pytest.mark.parametrize("jump", [0, 1e6])
@pytest.mark.parametrize("waits", WAITS)
def test_waits_end_in_real_time(
    clock: PatchedClock, waits: Callable[[], bool], jump: float
) -> None:
    clock.advance(jump)
    began = real_time.perf_counter()
    assert in_real_time(waits)
    assert 0.005 < real_time.perf_counter() - began < 10


def test_a_jump_does_not_end_a_wait_under_way(clock: PatchedClock) -> None:
    async def main() -> bool:
        loop = asyncio.get_running_loop()
        began = loop.time()
        sleeping = asyncio.ensure_future(asyncio.sleep(0.05))
        await asyncio.sleep(0)
        clock.advance(1e6)
        await asyncio.sleep(0)
        early = sleeping.done()
        await sleeping
        return not early and 0.04 < loop.time() - began < 10

    assert in_real_time(lambda: asyncio.run(main()))


def monotonic_for(module: str | None) -> float:
    """What `time.monotonic()` answers to code of that module."""
    return float(eval("time.monotonic()", {"time": time, "__name__": module}))


@pytest.mark.parametrize("package", sorted(SEES_REAL_TIME))
def test_who_sees_real_time(clock: PatchedClock, package: str) -> None:
    clock.advance(1e9)
    for module in (package, f"{package}.deep.inside"):
        assert abs(monotonic_for(module) - real_time.monotonic()) < 10
    assert monotonic_for(f"{package}_like") == clock.monotonic()


@pytest.mark.parametrize("module", ["mystore", "kv_adapters.memory", "cachetools", "", None])
def test_who_sees_virtual_time(clock: PatchedClock, module: str | None) -> None:
    clock.advance(1e9)
    assert monotonic_for(module) == clock.monotonic() == MONOTONIC_START + 1e9


def test_perf_counter_and_the_harness_see_real_time() -> None:
    counter, wall, monotonic = time.perf_counter, time.time(), time.monotonic()
    with PatchedClock() as clock:
        assert time.perf_counter is counter
        began = time.perf_counter()
        clock.advance(1e9)
        assert 0 < time.perf_counter() - began < 10
        assert abs(real_time.time() - wall) < 3600
        assert abs(real_time.monotonic() - monotonic) < 10
        assert abs(RealClock().now() - monotonic) < 10


Virtual = InjectedClock | PatchedClock
EACH_VIRTUAL = pytest.mark.parametrize("make", [InjectedClock, PatchedClock])


@given(steps=st.lists(st.integers(0, 64 * 10**7), max_size=20), start=st.integers(0, 64 * 2**31))
def test_sums_of_64ths_are_exact(steps: list[int], start: int) -> None:
    injected = InjectedClock(epoch=start / 64)
    with PatchedClock(epoch=start / 64, monotonic_start=0) as patched:
        total = start
        for step in steps:
            for clock in (injected, patched):
                clock.advance(step / 64)
            total += step
            assert injected() == injected.now() == patched.now() == time.time() == total / 64
            assert time.time_ns() == total * 15_625_000
            assert time.monotonic() == (total - start) / 64
            assert dt.datetime.now(dt.UTC).microsecond == total % 64 * 15_625


@given(steps=st.lists(st.integers(0, 10**7), max_size=20))
def test_sums_of_microseconds_are_exact(steps: list[int]) -> None:
    with PatchedClock() as clock:
        for step in steps:
            clock.advance(step / 10**6)
        total = int(EPOCH) * 10**6 + sum(steps)
        assert time.time_ns() == total * 1000
        assert clock.now() == time.time() == total / 10**6
        assert dt.datetime.now(dt.UTC) == dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(
            microseconds=total
        )


def test_nanoseconds_add_up(clock: PatchedClock) -> None:
    for _ in range(1001):
        clock.advance(1e-9)
    assert time.time_ns() - int(EPOCH) * 10**9 == 1001
    assert time.monotonic_ns() - int(MONOTONIC_START) * 10**9 == 1001


def test_a_hundred_thousand_advances_do_not_drift(clock: PatchedClock) -> None:
    for _ in range(100_000):
        clock.advance(0.1)
    assert time.time() == clock.now() == EPOCH + 10_000
    assert time.time_ns() == int(EPOCH + 10_000) * 10**9
    assert time.monotonic() == MONOTONIC_START + 10_000


@EACH_VIRTUAL
@pytest.mark.parametrize("seconds", [-1, -1e-12, float("nan"), float("inf"), float(END_OF_TIME)])
def test_steps_that_no_clock_can_make(make: type[Virtual], seconds: float) -> None:
    clock = make()
    with pytest.raises(ValueError, match=r"not advanced|clock moves"):
        clock.advance(seconds)
    assert clock.now() == EPOCH


def test_the_end_of_time_can_be_told(clock: PatchedClock) -> None:
    clock.advance(END_OF_TIME - EPOCH)
    assert dt.datetime.now(dt.UTC) == dt.datetime(3000, 1, 1, tzinfo=dt.UTC)
    assert dt.datetime.now().timestamp() == time.mktime(time.localtime()) == END_OF_TIME


def test_installing_twice_is_refused(clock: PatchedClock) -> None:
    with pytest.raises(RuntimeError, match="this PatchedClock is already installed"):
        clock.install()
    with pytest.raises(RuntimeError, match="another PatchedClock is already installed"):
        PatchedClock().install()
    clock.advance(1)
    assert time.time() == EPOCH + 1


def test_uninstalling_what_is_not_installed_is_refused() -> None:
    with pytest.raises(RuntimeError, match="not installed"):
        PatchedClock().uninstall()


def test_time_replaced_by_another_tool_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    time_machine = pytest.importorskip("time_machine")
    with time_machine.travel(0), pytest.raises(RuntimeError, match="another tool"):
        PatchedClock().install()
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    with pytest.raises(RuntimeError, match="another tool"):
        PatchedClock().install()


def test_uninstall_restores_every_function() -> None:
    def functions() -> list[object]:
        return [*vars(time).values(), uuid.uuid1, dt.datetime, dt.date]

    before = functions()
    clock = PatchedClock()
    try:
        with clock:
            assert time.monotonic is not real_time.monotonic
            raise KeyError
    except KeyError:
        pass
    after = functions()
    assert len(before) == len(after)
    assert all(old is new for old, new in zip(before, after, strict=True))
    assert abs(time.time() - real_time.time()) < 3600
    assert time.monotonic() > 0


def test_a_clock_keeps_its_time_between_installs() -> None:
    clock = PatchedClock()
    for day in range(3):
        with clock:
            assert time.time() == clock.now() == EPOCH + 2 * day
            clock.advance(1)
        clock.advance(1)


def test_uuid1_stays_unique_while_time_crawls(clock: PatchedClock) -> None:
    seen: set[uuid.UUID] = set()
    for _ in range(100):
        seen.update(uuid.uuid1(node=1, clock_seq=1) for _ in range(20))
        clock.advance(1e-6)
    assert len(seen) == 2000


def test_real_clock_never_sleeps_less_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a sleep that wakes early and a clock that ticks coarsely."""
    true = 0.0

    def sleep(seconds: float) -> None:
        nonlocal true
        true += seconds * 0.9 + 0.0001

    monkeypatch.setattr(real_time, "sleep", sleep)
    monkeypatch.setattr(real_time, "monotonic", lambda: true // 0.015625 * 0.015625)
    clock = RealClock()
    for seconds in (0, 0.001, 0.02, 1):
        began = clock.now()
        clock.advance(seconds)
        assert clock.now() - began >= seconds
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="clock moves"):
            clock.advance(wrong)


def test_kinds() -> None:
    clocks: list[Clock] = [InjectedClock(), PatchedClock(), RealClock()]
    assert [(clock.kind, clock.exact) for clock in clocks] == [
        ("virtual (injected)", True),
        ("virtual (patched)", True),
        ("real", False),
    ]
