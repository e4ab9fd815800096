"""Connections lent, shared and given up; statements sent again: with a driver that is told what
happens."""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from kv_adapters.sql_database import Answer, Database, Driver, Fault
from kv_adapters.sql_pool import Pool
from kv_spec.errors import StoreClosed, Unavailable


class Failure(Exception):
    """An error of the driver, with what it means."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.fault = fault


@dataclass
class Script(Driver):
    """Answers each statement with the next of its lines: an error to raise, or an answer."""

    lines: list[Fault | BaseException | Answer]
    said: list[str] = field(default_factory=list)
    open: int = 0
    connections: int = 0
    name = "Script"
    errors = (Failure,)

    def connect(self) -> int:
        self.open += 1
        self.connections += 1
        return self.connections

    def execute(self, connection: Any, statement: str, values: Sequence[Any]) -> Answer:
        self.said.append(statement)
        line = self.lines.pop(0)
        if isinstance(line, BaseException):
            raise line
        if isinstance(line, Fault):
            raise Failure(line)
        return line

    def fault(self, error: Exception) -> Fault:
        assert isinstance(error, Failure)
        return error.fault

    def version(self, connection: Any) -> str:
        return f"Script {connection}"

    def close(self, connection: Any) -> None:
        self.open -= 1


DONE = Answer((), 1)


def database(*lines: Fault | BaseException | Answer) -> tuple[Database, Script]:
    script = Script(list(lines))
    return Database(script, probe="probe", create="create"), script


def test_a_statement_that_lost_a_deadlock_is_sent_again() -> None:
    data, script = database(*[Fault.DEADLOCK] * 10, DONE)
    assert data.execute("s") == DONE
    assert len(script.said) == 11
    assert script.connections == 1


def test_a_statement_that_waited_for_a_lock_waits_again_but_not_for_ever() -> None:
    data, _ = database(Fault.LOCKED, Fault.DEADLOCK, Fault.LOCKED, DONE)
    assert data.execute("s") == DONE
    data, script = database(*[Fault.LOCKED] * 10)
    with pytest.raises(Unavailable, match="in the way 3 times"):
        data.execute("s")
    assert len(script.said) == 3


def test_deadlocks_without_end_are_unavailable() -> None:
    data, _ = database(*[Fault.DEADLOCK] * 1001)
    with pytest.raises(Unavailable):
        data.execute("s")


def test_a_key_that_is_taken_is_nothing_changed() -> None:
    data, script = database(Fault.TAKEN)
    assert data.execute("s") == Answer((), 0)
    assert script.open == 1


def test_a_lost_connection_is_unavailable_and_replaced() -> None:
    data, script = database(DONE, Fault.LOST, DONE)
    data.execute("s")
    with pytest.raises(Unavailable, match="LOST"):
        data.execute("s")
    assert script.open == 0
    assert data.execute("s") == DONE
    assert script.connections == 2


@pytest.mark.parametrize("error", [Failure(Fault.WRONG), KeyboardInterrupt()])
def test_other_errors_come_out_and_the_connection_is_given_up(error: BaseException) -> None:
    data, script = database(error)
    with pytest.raises(type(error)):
        data.execute("s")
    assert script.open == 0


def test_the_table_is_made_once_and_only_if_it_is_missing() -> None:
    data, script = database(DONE)
    data.prepare()
    data.prepare()
    assert script.said == ["probe"]
    data, script = database(Fault.WRONG, DONE)
    data.prepare()
    data.prepare()
    assert script.said == ["probe", "create"]


def test_a_table_that_another_makes_at_the_same_time_will_do() -> None:
    data, script = database(Fault.WRONG, Fault.WRONG, DONE)
    data.prepare()
    assert script.said == ["probe", "create", "probe"]


def test_a_table_that_can_not_be_made_says_why() -> None:
    why = Failure(Fault.WRONG)
    data, _ = database(Fault.WRONG, why, Fault.WRONG)
    with pytest.raises(Failure) as raised:
        data.prepare()
    assert raised.value is why


class Connection:
    """Knows whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


def test_a_pool_has_a_connection_for_each_who_holds_one() -> None:
    pool = Pool(Connection, Connection.close)
    one, other = pool.take(), pool.take()
    assert one is not other
    pool.give_back(one)
    assert pool.take() is one


def test_what_is_lent_when_the_pool_closes_is_closed_as_it_comes_back() -> None:
    pool = Pool(Connection, Connection.close)
    lent, idle = pool.take(), pool.take()
    pool.give_back(idle)
    pool.close()
    assert (lent.closed, idle.closed) == (False, True)
    pool.give_back(lent)
    assert lent.closed
    with pytest.raises(StoreClosed):
        pool.take()


def test_where_one_connection_is_lost_the_idle_ones_are() -> None:
    pool = Pool(Connection, Connection.close)
    lost, idle = pool.take(), pool.take()
    pool.give_back(idle)
    pool.give_up(lost)
    assert lost.closed
    assert idle.closed
    assert not pool.take().closed


@pytest.mark.parametrize("is_the_data", [False, True])
def test_another_process_has_connections_of_its_own(
    monkeypatch: pytest.MonkeyPatch, is_the_data: bool
) -> None:
    pool = Pool(Connection, Connection.close, is_the_data=is_the_data)
    parents = pool.take()
    pool.give_back(parents)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert (pool.take() is parents) is is_the_data
    pool.close()
    assert not parents.closed


def test_threads_do_not_share_a_connection() -> None:
    pool = Pool(Connection, Connection.close)
    taken: list[Connection] = []
    both = threading.Barrier(2)

    def use() -> None:
        connection = pool.take()
        both.wait(10)
        taken.append(connection)
        pool.give_back(connection)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken[0] is not taken[1]
