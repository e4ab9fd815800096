"""Stores that fail in the middle of a sweep, in this process's child or in one of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.bad.conftest import Run

SWEEP = ("--phase", "sweep", "--examples", "20", "--operation-timeout", "1")

AFTER_A_WHILE = """
class Store(Right):
    deleted = 0

    def delete(self, key):
        Store.deleted += 1
        if Store.deleted > 500:
            {ends}
        return super().delete(key)
"""

JOBS = pytest.mark.parametrize("jobs", ["1", "2"])


@JOBS
@pytest.mark.parametrize(
    ("ends", "kind", "reason"),
    [
        ("import os; os._exit(5)", "crash", "ended with exit code 5 during"),
        ("import signal, os; os.kill(os.getpid(), 9)", "crash", "ended by signal 9 (SIGKILL)"),
        ("while True: pass", "hang", "did not end within 1 s"),
        ("import re; re.match('(a+)+$', 'a' * 40 + 'b')", "hang", "It holds the interpreter"),
    ],
)
def test_a_store_that_ends_its_process_or_never_answers(
    run: Run, ends: str, kind: str, reason: str, jobs: str
) -> None:
    result = run(AFTER_A_WHILE.format(ends=ends), *SWEEP, "--jobs", jobs, quick=False)
    assert (result.code, result.report["stopped"]["kind"]) == (3, kind)
    assert reason in result.reasons
    # The program under way is written again from its number, up to the call that did not return.
    assert result.report["stopped"]["program"][-1]["op"] in ("delete", "set")
    assert "from store import Store" in result.out
    assert not result.err


@JOBS
def test_a_fault_of_the_sweep_is_told_and_replayed_as_one_of_the_machines(
    run: Run, jobs: str
) -> None:
    body = """
    class Store(Right):
        def delete(self, key):
            if not key[0].startswith("a"):
                super().delete(key)
    """
    result = run(body, *SWEEP, "--jobs", jobs, quick=False)
    assert result.code == 1
    assert result.clauses("fail") == ["DEL-1", "NULL-2"]
    failed = next(one for one in result.report["clauses"] if one["id"] == "DEL-1")
    assert [operation["op"] for operation in failed["program"]] == ["set", "delete", "get"]
    again = run(body, "--replay", failed["replay"], quick=False)
    assert again.code == 1
    assert again.clauses("fail") == ["DEL-1"]


@JOBS
def test_a_store_that_answers_at_random_never_passes_a_sweep(run: Run, jobs: str) -> None:
    result = run(
        """
        import random
        dice = random.Random(1)

        class Store(Right):
            def get(self, key):
                return dice.choice([None, Right.get(self, key)])
        """,
        *SWEEP,
        "--jobs",
        jobs,
        quick=False,
    )
    assert result.code in (1, 3)


def test_a_shard_that_is_none(run: Run) -> None:
    for wrong in ("0/3", "4/3", "1", "a/b", "1/0", "-1/2"):
        result = run.command("--store", "memory", f"--shard={wrong}")
        assert result.code == 2
        assert "--shard is I/N" in result.err
