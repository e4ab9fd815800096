"""A server's clock as the harness sees it: real time that jumps, within what a server can bear."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from kv_conformance import real_time
from kv_conformance.clocks import InjectedClock, PatchedClock, RealClock, ServerClock
from kv_conformance.clocks.choose import ClockError, choose
from kv_conformance.snippet import Opening
from kv_conformance.subject.factory import Factory
from kv_conformance.subject.silence import Unreachable
from kv_conformance.subject.world import Subject
from kv_conformance.watch import Watch
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore
from kv_spec.operations import Advance, Get, Set

YEAR = 365 * 86_400.0


@dataclass
class Server:
    """A server's time by the book: it moves by what it is told, up to an end."""

    room: float = 12 * YEAR
    mechanism: str = "told"
    why: str = "it is one of a test"
    moves: list[float] = field(default_factory=list)
    renewals: int = 0
    quick: bool = False
    gone: bool = False

    @property
    def left(self) -> float:
        """Less at every look, as time passes by itself."""
        self.room -= 0.1
        return max(0.0, self.room)

    def move(self, seconds: float) -> None:
        if self.gone:
            raise ConnectionError("the server has ended")
        assert 0 <= seconds <= self.left
        self.room -= seconds
        self.moves.append(seconds)

    def renew(self) -> None:
        if self.gone:
            raise ConnectionError("the server has ended")
        self.room = 12 * YEAR
        self.renewals += 1
        self.moves.clear()

    def __call__(self) -> float:
        return real_time.time() + sum(self.moves)


def test_time_passes_by_itself_and_jumps_when_told() -> None:
    clock = ServerClock(Server())
    real, began = real_time.monotonic(), clock.now()
    clock.advance(YEAR)
    passed, took = clock.now() - began, real_time.monotonic() - real
    assert YEAR <= passed <= YEAR + took + 1e-6
    assert (clock.kind, clock.exact, clock.jumps) == ("server (told)", False, True)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_a_step_that_is_none_is_refused(wrong: float) -> None:
    server = Server()
    with pytest.raises(ValueError, match="finite"):
        ServerClock(server).advance(wrong)
    assert server.moves == []


def test_a_program_begins_with_a_second_of_the_servers_clock() -> None:
    server = Server()
    clock = ServerClock(server)
    for step in (0.3, 17.77, 0.0):
        clock.advance(step)
        clock.restart()
        assert server() % 1 < 0.5  # what this line itself takes
        assert server.moves[-1] <= 1


def test_a_step_beyond_the_end_is_cut_short_and_told_as_it_was() -> None:
    server = Server()
    clock = ServerClock(server)
    began = clock.now()
    clock.advance(20 * YEAR)
    assert sum(server.moves) == pytest.approx(12 * YEAR)
    assert clock.now() - began == pytest.approx(12 * YEAR, abs=120)


def test_a_server_is_renewed_between_programs_and_the_clock_goes_on() -> None:
    server = Server()
    clock = ServerClock(server)
    for _ in range(100):
        before = clock.now()
        clock.restart()
        assert server.left >= clock.longest - 1
        clock.advance(clock.longest - 1)
        assert clock.now() >= before + clock.longest - 1
    assert server.renewals == 99


def test_a_server_that_is_quickly_renewed_is_so_at_times_whatever_was_waited() -> None:
    server = Server(quick=True)
    clock = ServerClock(server)
    for _ in range(500):
        clock.restart()
    assert server.renewals == 10


def test_a_server_that_is_gone_ends_the_run() -> None:
    server = Server()
    clock = ServerClock(server)
    server.gone = True
    with pytest.raises(Unreachable, match="started for this run is gone"):
        clock.advance(1)
    with pytest.raises(Unreachable, match="started for this run is gone"):
        clock.restart()


class Hanging(Server):
    """A server that answers no more, until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = threading.Event()

    def move(self, seconds: float) -> None:
        assert self.answers.wait(60)

    def renew(self) -> None:
        assert self.answers.wait(60)


@pytest.mark.parametrize("whole_years", [0, 11])
def test_a_server_that_hangs_while_it_is_moved_is_seen(whole_years: int) -> None:
    server = Hanging()
    clock = ServerClock(server)
    server.room -= whole_years * YEAR  # so little is left in the end that it is to be renewed
    seen: list[tuple[str, object]] = []

    def stuck(what: str, world: object) -> None:
        seen.append((what, world))
        server.answers.set()

    watch = Watch(0.1, lambda: None, stuck)
    watch.subject = Subject(factory(wall_clock), REFERENCE_PROFILE, clock)
    clock.restart()
    watch.end()
    assert seen == [("moving the server's clock", None)]


def test_moves_that_end_are_not_taken_for_one_that_does_not() -> None:
    class Slow(Server):
        def move(self, seconds: float) -> None:
            real_time.sleep(0.02)

    seen: list[str] = []
    clock = ServerClock(Slow())
    watch = Watch(0.2, lambda: None, lambda what, _: seen.append(what))
    watch.subject = Subject(factory(wall_clock), REFERENCE_PROFILE, clock)
    for _ in range(20):
        clock.advance(1)
    watch.end()
    assert seen == []


def factory(clock: Any) -> Factory:
    """Stores that go by `clock`, and do not say so."""
    world: dict[str, Any] = {}
    return Factory.of(lambda space: ReferenceStore(space=space, clock=clock, world=world))


def wall_clock() -> float:
    return time.time()


def chosen(wanted: str, clock: Any, server: Server | None, unmoved: str = "") -> tuple[Any, str]:
    patched = PatchedClock() if wanted in ("auto", "patched") else None
    if patched is not None:
        patched.install()
    try:
        choice = choose(
            wanted, factory(clock), REFERENCE_PROFILE,
            ttl=True, patched=patched, server=server, unmoved=unmoved,
        )  # fmt: skip
        return choice.clock, choice.why
    finally:
        if patched is not None and PatchedClock._installed is patched:
            patched.uninstall()


@pytest.mark.parametrize("wanted", ["auto", "server"])
def test_a_store_that_follows_its_server_is_tested_by_its_clock(wanted: str) -> None:
    server = Server()
    clock, why = chosen(wanted, server, server)
    assert isinstance(clock, ServerClock)
    assert why == server.why


def test_a_store_that_goes_by_the_time_of_its_client_is_tested_by_that() -> None:
    clock, _ = chosen("auto", wall_clock, Server())
    assert isinstance(clock, PatchedClock)


def test_where_a_server_can_not_be_moved_the_report_says_why() -> None:
    clock, why = chosen("auto", real_time.time, None, "vdso: this is no Linux")
    assert isinstance(clock, RealClock)
    assert "vdso: this is no Linux" in why


@pytest.mark.parametrize(
    ("server", "unmoved", "why"),
    [
        (None, "", "name the store without a URL"),
        (None, "preload: no C compiler", "no C compiler"),
        (Server(), "", "does not follow its server's clock"),
    ],
)
def test_a_servers_clock_that_can_not_be_had_is_refused(
    server: Server | None, unmoved: str, why: str
) -> None:
    with pytest.raises(ClockError, match=f"--clock server: .*{why}"):
        chosen("server", real_time.time, server, unmoved)


def test_who_asks_for_real_time_gets_it() -> None:
    clock, _ = chosen("real", Server(), Server())
    assert isinstance(clock, RealClock)


def test_every_clock_says_how_long_a_program_may_wait() -> None:
    server = Server()
    assert ServerClock(server).longest == pytest.approx(8 * YEAR)
    assert RealClock().longest == 0
    assert InjectedClock().longest > 1000 * YEAR


def test_a_program_is_told_as_a_script_that_starts_its_own_server() -> None:
    opening = Opening(("from shop import Store",), "Store", {}, True, "server")
    program = (Set(("a",), 1, 2.0), Advance(3.0), Get(("a",)))
    assert opening.python(program, "None", "1") == (
        "from shop import Store\n"
        "\n"
        "with Store.for_run() as run:\n"
        "    store = Store(**run.options, space='a')\n"
        "    store.set(('a',), 1, ttl=2.0)\n"
        "    run.time.move(3.0)\n"
        "    print(store.get(('a',)))\n"
        "    # due:  None\n"
        "    # came: 1\n"
    )
