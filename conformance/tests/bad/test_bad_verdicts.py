"""What a run may claim: narrowed and whole runs, expected failures, the same seed twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from kv_conformance.reports.json_report import strip_times

if TYPE_CHECKING:
    from tests.bad.conftest import Run

RIGHT = "Store = Right"
FORGETS_NULL = """
    class Store(Right):
        def set(self, key, value, *, ttl=None):
            if value is not None:
                Right.set(self, key, value, ttl=ttl)
"""


def test_a_run_that_was_narrowed_says_nothing_of_the_rest(run: Run) -> None:
    by_phase = run(RIGHT)
    assert by_phase.code == 0
    assert by_phase.clauses("untested")
    by_clause = run(RIGHT, "--clause", "GET", "--clause", "set-1")
    assert by_clause.code == 0
    assert [one["id"] for one in by_clause.report["clauses"]] == [
        *("GET-1", "GET-2", "GET-3", "GET-4", "GET-5", "SET-1"),
    ]


def test_a_fault_that_was_not_asked_for_is_no_violation_but_is_not_hidden(run: Run) -> None:
    result = run(FORGETS_NULL, "--phase", "vectors", "--clause", "GET-1")
    assert result.code == 0
    assert "NULL-2 is broken as well, and was not asked for" in result.notes


def test_nothing_tested_is_no_pass(run: Run) -> None:
    result = run(RIGHT, "--clause", "HAS")
    assert (result.code, result.report["verdict"]) == (3, "inconclusive")
    assert "nothing was tested" in result.reasons


def test_a_whole_run_of_a_right_store_passes(run: Run) -> None:
    result = run(RIGHT, quick=False)
    assert result.code == 0, result.reasons


def test_a_run_leaves_nothing_behind(run: Run) -> None:
    before = {path.name for path in run.folder.iterdir()} | {"store.py", "report.json"}
    run(RIGHT)
    after = {path.name for path in run.folder.iterdir()} - {"report.xml", "__pycache__"}
    assert after == before


def test_a_must_that_a_whole_run_left_untested_is_no_pass(run: Run) -> None:
    result = run(
        """
        class Store(Right):
            def set(self, key, value, *, ttl=None):
                if value is None: raise TimeoutError
                Right.set(self, key, value, ttl=ttl)
        """,
        quick=False,
    )
    assert (result.code, result.report["verdict"]) == (3, "inconclusive")
    assert "applicable, and not tested" in result.reasons
    assert "NULL-2" in result.reasons


EXPECTATIONS = {
    "that fails": ("NULL-2", "", 0, "expected-failure"),
    "that fails, until it is due": ("NULL-2", "expires = 2999-12-31", 0, "expected-failure"),
    "that passes": ("GET-1", "", 1, "unexpected-pass"),
    "that fails, and is overdue": ("NULL-2", "expires = 2001-01-01", 1, "fail"),
}


@pytest.mark.parametrize("case", EXPECTATIONS)
def test_an_expected_failure(run: Run, case: str) -> None:
    clause, expires, code, status = EXPECTATIONS[case]
    run.write("known.toml", f"[[expected]]\nclause='{clause}'\nreason='we know'\n{expires}\n")
    result = run(
        FORGETS_NULL if clause == "NULL-2" else RIGHT,
        *("--phase", "vectors", "--clause", clause, "--expected-failures", "known.toml"),
    )
    assert result.code == code, result.reasons
    assert result.clauses(status) == [clause]


def test_the_file_of_expected_failures_is_beside_the_project(run: Run) -> None:
    run.write("pyproject.toml", "[tool.kv-conformance]\nexpected-failures = 'known.toml'\n")
    run.write("known.toml", "[[expected]]\nclause='NULL-2'\nreason='we know'\n")
    run.write("store.py", "from right import Right\n")
    folder, run.folder = run.folder, run.folder / "deeper"
    run.folder.mkdir()
    run.write("right.py", (folder / "right.py").read_text())
    result = run(FORGETS_NULL, "--phase", "vectors", "--clause", "NULL")
    assert result.clauses("expected-failure") == ["NULL-2"]
    assert result.code == 0


def replayed(run: Run, body: str, program: list[dict[str, Any]]) -> Any:
    return run(body, "--replay", json.dumps(program), quick=False)


def test_a_fault_is_replayed_by_its_token(run: Run) -> None:
    found = run(FORGETS_NULL, "--phase", "vectors", "--clause", "NULL-2")
    token = next(one["replay"] for one in found.report["clauses"] if one["status"] == "fail")
    again = run(FORGETS_NULL, "--replay", token)
    assert (again.code, again.clauses("fail")) == (1, ["NULL-2"])
    assert run(RIGHT, "--replay", token).code == 0


REPLAYS: dict[str, list[dict[str, Any]]] = {
    "needs has, which": [{"op": "has", "key": ["a"]}],
    "needs cas-create, which": [{"op": "cas", "key": ["a"], "new": 1}],
    "not those of the model 'path'": [{"op": "get", "key": "a"}],
    "no program that can be run": [{"op": "advance", "seconds": -1}],
}


@pytest.mark.parametrize("said", REPLAYS)
def test_a_replay_of_another_store_is_no_violation(run: Run, said: str) -> None:
    result = replayed(run, RIGHT, REPLAYS[said])
    assert (result.code, result.report["stopped"]["kind"]) == (2, "usage")
    assert said in result.reasons


def test_the_same_seed_gives_the_same_report(run: Run) -> None:
    run.write("store.py", "from right import Right\n" + "class Store(Right):\n    "
              "def get(self, key): return Right.get(self, key) or None\n")  # fmt: skip
    reports = []
    for hashing in ("1", "2", "random"):
        options = ("--phase", "machines", "--examples", "10", "--seed", "5")
        result = run.command("--store", "store:Store", *options, env={"PYTHONHASHSEED": hashing})
        assert result.clauses("fail") == ["GET-4"]
        reports.append(strip_times(dict(result.report)))
    assert reports[0] == reports[1] == reports[2]
