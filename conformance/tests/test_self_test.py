"""The harness catches every mutant, soon and by a short program, and `self-test` says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import median

import pytest
from kv_conformance import command as command_of_a_run
from kv_conformance.cli import main
from kv_conformance.cli import parser as run_parser
from kv_conformance.self_test import command
from kv_conformance.self_test.catching import LONGEST, Result, caught_by, reference_of
from kv_conformance.self_test.options import parser
from kv_conformance.self_test.scoreboard import as_json, row, summary
from kv_conformance.settings import PHASES
from kv_reference.mutants import MUTANTS, Mutant
from kv_spec.clauses import clauses
from kv_spec.operations import Get, Race, Set
from kv_spec.outcomes import Raised

MEDIAN_LENGTH = 4
SWEEP = ("sweep",)


@cache
def swept(name: str, seed: int = 0) -> Result:
    """What the sweep alone makes of a mutant; several tests look at it."""
    return caught_by(MUTANTS[name], SWEEP, seed)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_sweep_alone_catches_the_mutant_under_its_clause(name: str) -> None:
    result = swept(name)
    assert result.wrong is None, result
    fails_by_a_check(MUTANTS[name], result)


@pytest.mark.parametrize(
    "name",
    [
        "cuts-to-seconds", "ends-early", "default-of-a-day", "timer-survives-delete",
        "stale-timer-fires", "expiry-flushes", "expiry-stops-timers", "separator-in-prefix",
        "failed-cas-writes", "stores-then-refuses",
    ],
)  # fmt: skip
def test_a_fault_with_near_neighbours_is_told_from_them_at_once(name: str) -> None:
    assert swept(name).others == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", MUTANTS)
def test_so_it_does_from_other_seeds(name: str, seed: int) -> None:
    assert swept(name, seed).wrong is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", MUTANTS)
def test_a_default_run_catches_the_mutant_from_every_seed(name: str, seed: int) -> None:
    result = caught_by(MUTANTS[name], PHASES, seed)
    assert result.wrong is None, result


def test_the_programs_are_short() -> None:
    lengths = [len(program) for name in MUTANTS if (program := swept(name).program)]
    assert median(lengths) <= MEDIAN_LENGTH
    assert max(lengths) <= LONGEST


def test_every_clause_that_is_checked_has_a_mutant() -> None:
    checked = {one.id for one in clauses().values() if not one.not_yet_checked}
    assert {mutant.clause for mutant in MUTANTS.values()} == checked


def fails_by_a_check(mutant: Mutant, result: Result) -> None:
    """On the reference the program passes, and its last operation counts as a check.

    Where the reference refuses what the mutant takes, the refusal does; and a race that a right
    store may win either way is judged by what is read after it.
    """
    assert result.program is not None
    session = reference_of(mutant).run(result.program, minimal=True)
    assert session.violation is None
    refused = [step for step in session.steps if isinstance(step.outcome, Raised)]
    last = session.steps[-1]
    checks = [clause for step in (*refused, last) for clause in step.at_stake]
    assert mutant.clause in checks or isinstance(last.operation, Race)


def self_test(*options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-m", "kv_conformance.cli", "self-test", *options],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_scoreboard_has_a_row_for_each_clause_and_the_sums() -> None:
    done = self_test("--clause", "GET", "--seeds", "2")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("GET-")]
    assert [(words[0], words[1]) for words in rows] == [
        ("GET-1", "4/4"), ("GET-2", "2/2"), ("GET-3", "6/6"), ("GET-4", "4/4"), ("GET-5", "4/4"),
    ]  # fmt: skip
    assert "20 of 20 caught (10 mutants, 2 seeds" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_in_other_processes_it_comes_to_the_same(tmp_path: Path) -> None:
    reports = []
    for jobs in ("1", "2"):
        path = tmp_path / f"{jobs}.json"
        done = self_test("--clause", "HAS", "--seed", "5", "--jobs", jobs, "--json", str(path))
        assert done.returncode == 0, done.stderr
        report = json.loads(path.read_text())
        for result in report["results"]:
            assert result.pop("seconds") > 0
        reports.append(report)
    assert reports[0] == reports[1]
    assert (reports[0]["caught"], reports[0]["all"], reports[0]["seeds"]) == (5, 5, [5])


def test_each_phase_can_be_tried_alone() -> None:
    done = self_test("--phase", "vectors", "--phase", "machines", "--clause", "NULL-1", "--json=-")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["phases"] == ["vectors", "machines"]
    assert {result["phase"] for result in report["results"]} == {"vectors"}
    assert "NULL-1" in done.stderr


@pytest.mark.parametrize(
    ("given", "programs"),
    [
        ([], 80),
        (["--phase", "machines"], 240),
        (["--phase", "machines", "--phase", "vectors", "--budget", "quick"], 60),
        (["--phase", "machines", "--phase", "sweep"], 80),
        (["--phase", "machines", "--examples", "10"], 10),
    ],
)
def test_without_the_sweep_the_machines_run_more_unless_told_how_many(
    given: list[str], programs: int
) -> None:
    settings = command_of_a_run.settings_of(run_parser().parse(["--store", "memory", *given]), {})
    assert settings.examples == programs


def test_the_machines_are_not_asked_for_what_shows_in_a_large_store_only() -> None:
    done = self_test("--phase", "machines", "--clause", "LIST-8", "--json=-")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [result["mutant"] for result in report["results"]] == ["first-page-only"]
    assert report["not_asked"] == {"thousand-at-most": "needs more than 1,000 entries"}
    assert "not asked: thousand-at-most, which needs more than 1,000 entries" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--phase", "swep"], "did you mean sweep?"),
        (["--clause", "GETT"], "there is no such clause or family; did you mean GET"),
        (["--clause", "ADD"], "not yet checked"),
        (["--seed", "1", "--seeds", "3"], "give one of them"),
        (["--seeds", "0"], "from 1 to 1,000"),
        (["--jobs", "0"], "from 1 to 256"),
        (["--json", "no/such/folder/x.json"], "there is no folder"),
        (["--seed", "x"], "invalid int value"),
        (["--sed", "1"], "did you mean --seed?"),
        (["GET"], "there is no argument 'GET'"),
    ],
)
def test_a_slip_is_named(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(["self-test", *options])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


NAME, CLAUSE = "falsy-is-miss", "GET-4"


def result(*, trouble: str = "", steady: bool = True, length: int = 2, **given: int) -> Result:
    program = tuple(Set(("k",), 0) if n < length - 1 else Get(("k",)) for n in range(length))
    return Result(
        mutant=NAME, clause=CLAUSE, seed=given.get("seed", 0), operations=10, seconds=0.5,
        phase="sweep", program=program or None, steady=steady, trouble=trouble,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (result(), None),
        (result(length=LONGEST), None),
        (result(length=0), "missed"),
        (result(length=LONGEST + 1), "caught by 9 operations, more than 8"),
        (result(steady=False), "seen, and not seen again when the program was repeated"),
        (result(trouble="HarnessFault: the reference"), "HarnessFault: the reference"),
    ],
)
def test_what_is_not_caught_as_it_should_be_is_told(one: Result, why: str | None) -> None:
    assert one.wrong == why
    scored = row(CLAUSE, [one, result(seed=1)]) + summary([one, result(seed=1)], 1.0)
    assert max(map(len, scored.splitlines())) <= 80
    if why is None:
        assert "2/2" in scored
        assert "!" not in scored
    else:
        assert "1/2" in scored
        assert f"! {CLAUSE}  {NAME}, seed 0" in scored
        assert MUTANTS[NAME].summary in scored
        assert why in scored
        assert json.loads(as_json([one], SWEEP))["results"][0]["wrong"] == why


def test_a_clause_of_which_nothing_was_caught_has_its_row_too() -> None:
    missed = [result(length=0)]
    assert row(CLAUSE, missed).split() == [CLAUSE, "0/1", "-", "-", "-", "!"]
    assert "0 of 1 caught" in summary(missed, 1.0)


def test_a_missed_mutant_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(mutant: Mutant, phases: Sequence[str], seed: int) -> Result:
        return Result(mutant=mutant.name, clause=mutant.clause, seed=seed, operations=9, seconds=1)

    monkeypatch.setattr(command, "caught_by", missing)
    assert command.run(parser().parse(["--clause", "GET-4"])) == 1
    assert "0 of 2 caught" in capsys.readouterr().out
