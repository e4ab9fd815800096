"""The command `self-test`: runs the mutants and prints how many the harness catches."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from itertools import groupby
from typing import Final, TextIO

from kv_reference.mutants import MUTANTS, Mutant
from kv_spec.clauses import clauses

from kv_conformance import broom, real_time
from kv_conformance.command import clauses_of, jobs_of, phases_of
from kv_conformance.processes import Lost, Processes
from kv_conformance.reports.base import STDOUT, ReportError, check_writable, write_text
from kv_conformance.self_test.catching import Result, caught_by
from kv_conformance.self_test.scoreboard import HEAD, as_json, row, summary
from kv_conformance.settings import UsageError
from kv_conformance.surroundings import preload
from kv_conformance.verdict import INCONCLUSIVE, USAGE

_PATIENCE: Final = 600.0
"""Seconds that one mutant may take in another process."""
_SMALL: Final = ("machines",)
"""The phases of a self-test in which no store grows large."""
_MOST_SEEDS: Final = 1_000


def run(options: argparse.Namespace) -> int:
    """Runs the mutants that the options ask for; returns the exit code."""
    try:
        phases = phases_of(options.phase or ["sweep"])
        seeds = _seeds(options)
        mutants = _mutants(options.clause or [])
        jobs = jobs_of(options.jobs)
        if options.json is not None:
            check_writable(options.json)
    except (UsageError, ReportError) as error:
        sys.stderr.write(f"kv-conformance: {error}\n")
        return USAGE
    stream = sys.stderr if options.json == STDOUT else sys.stdout
    large = [one for one in mutants if one.needs_size and phases == _SMALL]
    asked = [one for one in mutants if one not in large]
    try:
        with _folder() as folder:
            results = _scored(_results(asked, phases, seeds, jobs, folder), large, stream)
        if options.json is not None:
            write_text(options.json, as_json(results, phases, large))
    except BrokenPipeError:
        # Who read the scoreboard has seen enough. What is buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return INCONCLUSIVE
    except ReportError as error:
        sys.stderr.write(f"kv-conformance: {error}\n")
        return USAGE
    return 1 if any(one.wrong for one in results) else 0


@contextmanager
def _folder() -> Iterator[str]:
    """A temporary folder. Until it is removed, Ctrl-C ends the process, and removes it too.

    An exception would be taken for an answer of the mutant that is being called.
    """

    def end(*_: object) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        sys.stderr.write("kv-conformance: interrupted from the keyboard\n")
        os._exit(INCONCLUSIVE)

    with broom.folder() as folder:
        before = signal.signal(signal.SIGINT, end)
        try:
            yield folder
        finally:
            signal.signal(signal.SIGINT, before)


def _seeds(options: argparse.Namespace) -> tuple[int, ...]:
    if options.seed and options.seeds is not None:
        raise UsageError("--seed names seeds and --seeds counts them: give one of them")
    if options.seeds is None:
        return tuple(dict.fromkeys(options.seed or [0]))
    if not 1 <= options.seeds <= _MOST_SEEDS:
        raise UsageError(f"--seeds is a number of seeds, from 1 to {_MOST_SEEDS:,}")
    return tuple(range(options.seeds))


def _mutants(names: Sequence[str]) -> list[Mutant]:
    """The mutants of the clauses and families named, of all if none is, clause by clause."""
    wanted = clauses_of(names) or tuple(clauses())
    chosen = [one for clause in wanted for one in MUTANTS.values() if one.clause == clause]
    if not chosen:
        raise UsageError(
            f"--clause {' '.join(names)}: not yet checked, so that no mutant breaks it"
        )
    return chosen


def _scored(results: Iterator[Result], large: Sequence[Mutant], stream: TextIO) -> list[Result]:
    """Writes a row for each clause as soon as its mutants are through, and the sums."""
    began = real_time.perf_counter()
    everything: list[Result] = []
    stream.write(HEAD)
    for clause, of_clause in groupby(results, lambda one: one.clause):
        done = list(of_clause)
        everything += done
        stream.write(row(clause, done))
        stream.flush()
    stream.write(summary(everything, real_time.perf_counter() - began, large))
    stream.flush()
    return everything


def _results(
    mutants: Sequence[Mutant],
    phases: Sequence[str],
    seeds: Sequence[int],
    jobs: int,
    folder: str,
) -> Iterator[Result]:
    """The results in the order of the mutants, each as soon as it and those before it are there."""
    asked = [(mutant.name, tuple(phases), seed) for mutant in mutants for seed in seeds]
    if jobs == 1:
        preload(folder)
        yield from (catch(*one) for one in asked)
        return
    with Processes(jobs, patience=_PATIENCE, folder=folder) as pool:
        yield from _pooled(pool, folder, asked)


def _pooled(
    pool: Executor, folder: str, asked: Sequence[tuple[str, tuple[str, ...], int]]
) -> Iterator[Result]:
    futures = [(one, pool.submit(catch_there, folder, *one)) for one in asked]
    for (name, _, seed), future in futures:
        try:
            yield future.result()
        except Lost as error:
            clause = MUTANTS[name].clause
            yield Result(
                mutant=name, clause=clause, seed=seed, operations=0, seconds=0.0,
                trouble=str(error),
            )  # fmt: skip


def catch(name: str, phases: tuple[str, ...], seed: int) -> Result:
    """Hunts the mutant of this name."""
    return caught_by(MUTANTS[name], phases, seed)


def catch_there(folder: str, name: str, phases: tuple[str, ...], seed: int) -> Result:
    """The same in a process of the pool, which is prepared for it first."""
    preload(folder)
    return catch(name, phases, seed)
