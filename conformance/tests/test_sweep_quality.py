"""What a sweep promises beyond catching one fault: it tells two faults in one store apart, the
same seed comes to the same report, and its parts come to the whole.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from kv_conformance.hunt import Caught
from kv_conformance.phases import sweep
from kv_conformance.phases.course import PART, Course
from kv_conformance.reports.json_report import strip_times
from kv_conformance.self_test.catching import (
    LONGEST,
    Enough,
    Seeker,
    close,
    plan_of,
    reference_of,
    run_phase,
)
from kv_conformance.trial import trial_of
from kv_reference.mutants import MUTANTS, Mutant
from kv_spec.machines import Plan

PAIRS = (
    ("falsy-is-miss", "list-sees-expired"),
    ("delete-takes-subtree", "keeps-object"),
    ("prefix-is-like", "cas-ignores-expected"),
    ("keeps-old-deadline", "hands-out-object"),
    ("folds-case", "closed-works"),
    ("has-by-truth", "insertion-order"),
    ("null-ignored", "integers-wrap"),
    ("zero-is-never", "excludes-prefix-itself"),
    ("delete-answers-true", "nan-is-text"),
    ("one-space-for-all", "single-precision"),
    ("get-refreshes", "cas-does-not-install"),
    ("second-close-raises", "ends-early"),
    ("merges-mappings", "prefix-folds-case"),
    ("refusal-flushes", "delete-miss-raises"),
    ("cuts-to-seconds", "drops-nested-nulls"),
    ("joins-by-colon", "get-pops"),
)
"""Mutants of different families that do not touch the same methods, or pass on to each other."""


def compose(one: Mutant, other: Mutant) -> type[Any]:
    """A store with the faults of both."""
    assert one.profile == other.profile
    return type("Composed", (one.store, other.store), {})


def found_in(store: type[Any], one: Mutant, other: Mutant) -> dict[str, Caught]:
    """What one sweep finds in a store until it has named the clauses of both mutants."""
    trial = trial_of(store, one.profile)
    seeker = Seeker(trial, reference_of(one), frozenset({one.clause, other.clause}))
    try:
        run_phase("sweep", seeker, plan_of(trial), 0)
    except Enough:
        pass
    finally:
        close(trial)
    return seeker.caught


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_of_two_faults_in_one_store_both_are_named(first: str, second: str) -> None:
    one, other = MUTANTS[first], MUTANTS[second]
    assert one.clause.split("-")[0] != other.clause.split("-")[0]
    caught = found_in(compose(one, other), one, other)
    for mutant in (one, other):
        assert mutant.clause in caught, sorted(caught)
        program = caught[mutant.clause].program
        assert len(program) <= LONGEST
        # Each program shows its own fault, not the other one.
        alone = trial_of(mutant.store, mutant.profile).run(program, minimal=True).violation
        assert alone is not None
        assert alone.clause == mutant.clause


BAD = """
import time


class Store:
    profile = {"concurrent": False}

    def __init__(self):
        self.data = {}

    def get(self, key):
        value, deadline = self.data.get(key, (None, None))
        return value if deadline is None or time.time() < deadline else None

    def set(self, key, value, *, ttl=None):
        if value is None:
            self.data.pop(key, None)
        else:
            self.data[key] = (value, None if ttl is None else time.time() + ttl)

    def delete(self, key):
        self.data.pop(key, None)

    def list(self, prefix=()):
        for key, (value, _) in list(self.data.items()):
            if key[: len(prefix)] == prefix:
                yield key, value
"""
"""A store that lists what has expired, keeps the objects it is given, and takes what is invalid."""
BROKEN = "TTL-3 TTL-4 TTL-6 TTL-7 TTL-8 VAL-2 VAL-3 VAL-4 ERR-1".split()

SWEEP = ("--phase", "sweep")
DEFAULT: tuple[str, ...] = ()


@pytest.fixture
def bad(tmp_path: Path) -> str:
    """The target of a store with several faults."""
    path = tmp_path / "bad.py"
    path.write_text(BAD, encoding="utf-8")
    return f"{path}:Store"


def report_of(store: str, *options: str, hash_seed: str = "0") -> dict[str, Any]:
    """The JSON report of a run, without its times."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONHASHSEED": hash_seed,
    }
    done = subprocess.run(
        [sys.executable, "-m", "kv_conformance.cli", "--store", store, "--report=json=-", *options],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return strip_times(json.loads(done.stdout))


def broken(report: dict[str, Any]) -> list[str]:
    return [one["id"] for one in report["clauses"] if one["status"] == "fail"]


def checks(*reports: dict[str, Any]) -> Counter[str]:
    """How often each clause was put to the test, in all of the reports together."""
    return Counter({
        one["id"]: sum(report["clauses"][number]["checks"] for report in reports)
        for number, one in enumerate(reports[0]["clauses"])
    })  # fmt: skip


def performed(report: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """The programs and operations of each phase."""
    return {one["name"]: (one["programs"], one["operations"]) for one in report["phases"]}


def test_the_same_seed_gives_the_same_report_of_a_sweep(bad: str) -> None:
    for store in (bad, "memory"):
        reports = [
            json.dumps(report_of(store, *SWEEP, "--examples=3", hash_seed=hash_seed))
            for hash_seed in "001122"
        ]
        assert len(set(reports)) == 1


def test_the_same_seed_gives_the_same_report_of_a_default_run(bad: str) -> None:
    for store in (bad, "memory"):
        reports = [
            json.dumps(report_of(store, "--examples=3", hash_seed=hash_seed)) for hash_seed in "012"
        ]
        assert len(set(reports)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("options", [SWEEP, DEFAULT])
@pytest.mark.parametrize("named", ["bad", "memory"])
def test_twenty_runs_give_the_same_report(named: str, options: tuple[str, ...], bad: str) -> None:
    store = bad if named == "bad" else named
    reports = {
        json.dumps(report_of(store, *options, hash_seed=str(number % 4))) for number in range(20)
    }
    assert len(reports) == 1


def test_another_seed_is_another_run() -> None:
    one, other = (report_of("memory", *SWEEP, "--examples=3", f"--seed={seed}") for seed in "01")
    assert performed(one) != performed(other)


def test_several_processes_find_the_same_clauses(bad: str) -> None:
    alone, together = (report_of(bad, *SWEEP, "--examples=20", f"--jobs={jobs}") for jobs in "12")
    assert broken(alone) == broken(together)
    assert set(broken(alone)) == set(BROKEN)


def test_several_processes_check_the_same() -> None:
    alone, together = (
        report_of("memory", *SWEEP, "--examples=16", f"--jobs={jobs}") for jobs in "12"
    )
    assert checks(alone) == checks(together)
    assert performed(alone) == performed(together)


def test_the_shards_of_a_run_come_to_the_whole() -> None:
    options = ("--phase=vectors", "--phase=sweep", "--examples=16")
    whole = report_of("memory", *options)
    parts = [report_of("memory", *options, f"--shard={number}/3") for number in (1, 2, 3)]
    assert checks(*parts) == checks(whole)
    for phase, (programs, operations) in performed(whole).items():
        shares = [performed(part)[phase] for part in parts]
        assert sum(share[0] for share in shares) == programs
        assert sum(share[1] for share in shares) == operations
        assert min(share[0] for share in shares) > programs / 4


@pytest.mark.parametrize("programs", [0, 1, 7, 250, 251, 300, 1000])
@pytest.mark.parametrize("shards", [1, 2, 3, 7])
def test_every_program_is_counted_by_one_shard(programs: int, shards: int) -> None:
    counted: Counter[int] = Counter()
    for shard in range(shards):
        course = Course(0, programs, shard, shards)
        pilot, *rest = course.parts()
        assert (pilot.numbers, pilot.pilot) == (course.pilot, True)
        counted.update(number for number in course.pilot if course.owns(number))
        for part in rest:
            assert len(part.numbers) <= PART
            assert all((number >= course.turn) == part.thin for number in part.numbers)
            counted.update(part.numbers)
    assert counted == Counter(range(programs))


def test_beyond_the_course_the_shards_share_the_numbers_as_well() -> None:
    further: Counter[int] = Counter()
    for shard in range(3):
        course = Course(0, 10, shard, 3)
        for _, part in zip(range(2), course.more(5), strict=False):
            assert all(course.owns(number) for number in part.numbers)
            further.update(part.numbers)
    assert further == Counter(range(10, 40))


def test_a_program_is_the_same_in_whatever_shard_it_runs() -> None:
    """Nothing that a store or a run does tells on the programs: the shards need no word with
    each other."""
    plan = Plan(reference_of(MUTANTS["miss-raises"]).profile, frozenset({"core", "ttl"}))
    trial = trial_of()
    seen = []
    for shards in (1, 2):
        hunt = Seeker(trial, trial_of(), frozenset({"none"}))
        tallies = [sweep.run(hunt, plan, Course(3, 300, shard, shards)) for shard in range(shards)]
        seen.append(sum((tally.checks for tally in tallies), Counter()))
    assert seen[0] == seen[1]
