"""Where a worker of a race is held, and how it is seen that others wait for it."""

from __future__ import annotations

import dis
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from kv_conformance.subject.racing import Worker
from kv_conformance.subject.standstill import give_time
from kv_conformance.subject.steps import is_stepped, places


class Cell:
    """What two workers could share."""

    held: Any = None


CELL = Cell()
TABLE: dict[str, int] = {}


def keeps_to_itself(first: int | None, second: int) -> tuple[int, int | None] | None:
    swapped = (second, first)
    kept = swapped
    return None if first is None else kept


def touches_an_attribute(cell: Cell) -> None:
    cell.held = 1


def asks_whether_a_table_is_empty(table: dict[str, int]) -> int:
    return 1 if table else 0


def reads_a_global_that_can_be_bound_anew() -> Any:
    return TABLE


def names_a_class() -> Any:
    return Cell


def noticed(function: Callable[..., Any], *arguments: Any) -> list[str]:
    """The names of the instructions of a function before which a worker would be held."""
    seen: list[FrameType] = []

    def keep(frame: FrameType, event: str, _: Any) -> None:
        if frame.f_code is function.__code__:
            seen.append(frame)

    before = sys.gettrace()
    sys.settrace(keep)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    offsets = places(seen[0])
    return [one.opname for one in dis.get_instructions(function) if one.offset in offsets]


@pytest.mark.parametrize(
    ("function", "arguments", "names"),
    [
        (keeps_to_itself, (1, 2), []),
        (touches_an_attribute, (CELL,), ["STORE_ATTR"]),
        (reads_a_global_that_can_be_bound_anew, (), ["LOAD_GLOBAL"]),
        (names_a_class, (), []),
    ],
)
def test_only_what_others_may_notice_is_a_place(
    function: Callable[..., Any], arguments: tuple[Any, ...], names: list[str]
) -> None:
    assert noticed(function, *arguments) == names


def test_asking_a_container_whether_it_is_empty_is_a_place() -> None:
    assert noticed(asks_whether_a_table_is_empty, TABLE)


LIBRARY = """
def ask(sock, table, key):
    if key in table:
        del table[key]
    sock.sendall(key)
    return sock.recv(8)
"""


class Socket:
    def sendall(self, data: bytes) -> None:
        """Sends nothing."""

    def recv(self, size: int) -> bytes:
        return bytes(size)


@pytest.mark.parametrize(
    ("where", "calls"),
    [
        ("/lib/site-packages/redis/connection.py", ["sendall", "recv"]),
        (r"C:\lib\site-packages\redis\connection.py", ["sendall", "recv"]),
        ("/lib/site-packages/redis_store/store.py", None),
        ("/home/me/redis/store.py", None),
    ],
)
def test_of_a_client_of_a_server_only_what_it_sends_and_receives_is_a_place(
    where: str, calls: list[str] | None
) -> None:
    """What it keeps is about its own connection; a store's own files are stepped in full."""
    names: dict[str, Any] = {}
    exec(compile(LIBRARY, where, "exec"), names)
    found = noticed(names["ask"], Socket(), {}, b"k")
    assert is_stepped(where)
    if calls is not None:
        assert found == ["LOAD_METHOD" if METHODS else "LOAD_ATTR"] * len(calls)
    else:
        assert {"CONTAINS_OP", "DELETE_SUBSCR"} <= set(found)


METHODS = "LOAD_METHOD" in dis.opmap and sys.version_info < (3, 12)
"""Until 3.12 a method was loaded by an instruction of its own."""


def test_neither_the_harness_nor_what_it_runs_on_is_stepped() -> None:
    import hypothesis
    import kv_spec

    assert is_stepped(__file__)
    for module in (hypothesis, kv_spec, threading):
        assert not is_stepped(str(module.__file__))


@pytest.mark.parametrize("hurried", [True, False])
def test_who_sleeps_in_a_lock_is_not_waited_for(hurried: bool) -> None:
    lock = threading.Lock()
    with lock:
        worker = Worker(lambda: lock.acquire(timeout=60) if not hurried else lock.acquire())
        give_time([worker], hurried=hurried)
        assert worker.is_alive()
    worker.join(60)
    assert worker.outcome is True


def test_who_works_is_waited_for() -> None:
    worker = Worker(lambda: sum(range(200_000)))
    give_time([worker], hurried=True)
    assert worker.ended(60)
    assert worker.outcome == 19_999_900_000


def test_what_a_worker_raises_is_its_outcome() -> None:
    def fail() -> None:
        raise KeyError("gone")

    worker = Worker(fail)
    worker.join(60)
    assert worker.outcome.name == "KeyError"
