"""From the options of the command line and the configuration to a run and its reports."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kv_spec.clauses import clauses, families
from kv_spec.json_form import to_json

from kv_conformance import config, expectations
from kv_conformance.replay import ReplayError, program_of
from kv_conformance.reports.base import ReportError, Together, open_reports
from kv_conformance.settings import BUDGETS, PHASES, Settings, UsageError
from kv_conformance.verdict import USAGE, Verdict

_Given = Callable[[str], Any]


def main(options: argparse.Namespace) -> int:
    """Runs a store as the options and the configuration say; returns the exit code."""
    try:
        table = config.read(Path.cwd())
        settings = settings_of(options, table)
        expected = _expected(options, table)
        narrowed = bool(settings.clauses) or settings.phases != PHASES or bool(settings.replay)
        verdict = Verdict(settings.clauses, expected, narrowed=narrowed)
        wanted = options.report if options.report is not None else table.get("report", [])
        reports = open_reports(wanted, lambda token: replay_command(settings, token))
    except (UsageError, ReplayError, ReportError) as error:
        sys.stderr.write(f"kv-conformance: {error}\n")
        return USAGE
    return _run(settings, verdict, reports, to_stdout=any(w.endswith("=-") for w in wanted))


def _run(settings: Settings, verdict: Verdict, reports: list[Any], *, to_stdout: bool) -> int:
    from kv_conformance.reports.terminal import TerminalReport
    from kv_conformance.run import run

    stream = sys.stderr if to_stdout else sys.stdout
    terminal = TerminalReport(stream, replay_command=lambda token: replay_command(settings, token))
    together = Together([*reports, terminal])
    try:
        ended = run(settings, verdict, [together])
    finally:
        try:
            together.close()
        except ReportError as error:
            sys.stderr.write(f"kv-conformance: {error}\n")
            return USAGE
    return ended.exit_code


def settings_of(options: argparse.Namespace, table: dict[str, Any]) -> Settings:
    """The settings; what the command line does not give comes from `table`. Raises UsageError."""

    def given(name: str, default: Any = None) -> Any:
        value = getattr(options, name.replace("-", "_"), None)
        return table.get(name, default) if value is None else value

    store = given("store")
    if not store:
        raise UsageError(
            "--store is needed: module:attribute, path/file.py:attribute, or an installed name "
            "such as memory or sqlite"
        )
    examples = given("examples")
    if examples is None:
        budget = given("budget", "standard")
        if budget not in BUDGETS:
            raise UsageError(f"--budget is one of {', '.join(BUDGETS)}, not {budget!r}")
        examples = BUDGETS[budget]
    if examples < 1:
        raise UsageError("--examples is a number of programs, 1 or more")
    timeout = given("operation-timeout", 10.0)
    if not timeout > 0:
        raise UsageError("--operation-timeout is a number of seconds above 0")
    return Settings(
        store=store,
        profile=given("profile"),
        clock=given("clock", "auto"),
        phases=_phases(given("phase", list(PHASES))),
        clauses=_clauses(given("clause", [])),
        seed=given("seed", 0),
        examples=examples,
        options={**table.get("options", {}), **_pairs(options.option or [])},
        timeout=float(timeout),
        replay=to_json(program_of(options.replay)) if options.replay else None,
        hostile_keys=options.hostile_keys,
    )


def _phases(names: list[str]) -> tuple[str, ...]:
    for name in names:
        if name not in PHASES:
            raise UsageError(f"--phase is one of {', '.join(PHASES)}, not {name!r}")
    return tuple(name for name in PHASES if name in names)


def _clauses(names: list[str]) -> tuple[str, ...]:
    """The clauses of the IDs and families named, in the order of SPEC.md."""
    chosen: set[str] = set()
    for name in names:
        wanted = name.strip().upper()
        if wanted in families():
            chosen.update(one.id for one in families()[wanted])
        elif wanted in clauses():
            chosen.add(wanted)
        else:
            near = difflib.get_close_matches(wanted, [*clauses(), *families()], 3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise UsageError(f"--clause {name}: there is no such clause or family{hint}")
    if names and not chosen:
        raise UsageError("--clause: no clause is selected")
    return tuple(name for name in clauses() if name in chosen)


def _pairs(pairs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--option takes NAME=VALUE, not {pair!r}")
        found[name] = value
    return found


def _expected(
    options: argparse.Namespace, table: dict[str, Any]
) -> dict[str, expectations.Expectation]:
    path = options.expected_failures or table.get("expected-failures")
    return dict(expectations.read(Path(path))) if path else {}


def replay_command(settings: Settings, token: str) -> str:
    """The command that runs one program again on the same store."""
    import shlex

    words = ["kv-conformance", "--store", settings.store]
    if settings.profile:
        words += ["--profile", settings.profile]
    if settings.clock != "auto":
        words += ["--clock", settings.clock]
    for name, value in settings.options.items():
        words += ["--option", f"{name}={value}"]
    return shlex.join([*words, "--replay", token])
