"""From the options of the command line and the configuration to a run and its reports."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final

from kv_spec.clauses import clauses, families
from kv_spec.dialects import parse
from kv_spec.json_form import to_json
from kv_spec.profile import ProfileError

from kv_conformance import config, expectations
from kv_conformance.replay import ReplayError, program_of
from kv_conformance.reports.base import ReportError, Together, open_reports
from kv_conformance.settings import BUDGETS, CLOCKS, PHASES, Settings, UsageError, programs_of
from kv_conformance.verdict import INCONCLUSIVE, USAGE, Verdict

_Given = Callable[..., Any]
_LONGEST_TIMEOUT: Final = 86_400
_LONGEST_RUN: Final = 30 * 86_400
_MOST_JOBS: Final = 256


def main(options: argparse.Namespace) -> int:
    """Runs a store as the options and the configuration say; returns the exit code."""
    try:
        table = config.read(_here())
        settings = settings_of(options, table)
        expected = _expected(options, table)
        narrowed = _is_narrowed(settings)
        verdict = Verdict(settings.clauses, expected, narrowed=narrowed)
        wanted = options.report if options.report is not None else table.get("report", [])
        reports = open_reports(wanted, lambda token: replay_command(settings, token))
    except (UsageError, ReplayError, ReportError) as error:
        sys.stderr.write(f"kv-conformance: {error}\n")
        return USAGE
    return _run(settings, verdict, reports, to_stdout=any(w.endswith("=-") for w in wanted))


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(f"the current folder is gone: {error.strerror}") from None


def _run(settings: Settings, verdict: Verdict, reports: list[Any], *, to_stdout: bool) -> int:
    from kv_conformance.reports.terminal import TerminalReport
    from kv_conformance.run import run
    from kv_conformance.signals import interruptible

    stream = sys.stderr if to_stdout else sys.stdout
    terminal = TerminalReport(stream, replay_command=lambda token: replay_command(settings, token))
    together = Together([*reports, terminal])
    code = INCONCLUSIVE
    try:
        with interruptible():
            try:
                code = run(settings, verdict, [together]).exit_code
            finally:
                together.close()
    except KeyboardInterrupt as stop:
        sys.stderr.write(f"kv-conformance: {str(stop) or 'interrupted'}\n")
    except ReportError as error:
        sys.stderr.write(f"kv-conformance: {error}\n")
        code = code or USAGE
    except BrokenPipeError:
        # Who read the terminal report has seen enough. What is buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError as error:
        sys.stderr.write(f"kv-conformance: {error}; is there room for temporary files?\n")
        code = code or USAGE
    return code


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
    timeout = given("operation-timeout", 10.0)
    if not 0 < timeout <= _LONGEST_TIMEOUT:
        raise UsageError(f"--operation-timeout is in seconds, above 0 and up to {_LONGEST_TIMEOUT}")
    profile, clock = given("profile"), given("clock", "auto")
    _one_of("--clock", clock, CLOCKS)
    if profile is not None:
        try:
            parse(profile)
        except ProfileError as error:
            raise UsageError(f"--profile {profile}: {error}") from None
    phases = phases_of(given("phase", list(PHASES)))
    return Settings(
        store=store,
        profile=profile,
        clock=clock,
        phases=phases,
        clauses=clauses_of(given("clause", [])),
        seed=given("seed", 0),
        examples=_examples(options, given, phases),
        options={**table.get("options", {}), **_pairs(options.option or [])},
        timeout=float(timeout),
        replay=to_json(program_of(options.replay)) if options.replay else None,
        hostile_keys=options.hostile_keys,
        jobs=jobs_of(jobs) if (jobs := given("jobs")) is not None else 0,
        shard=_shard(options.shard),
        time=_time(options.time),
    )


def _is_narrowed(settings: Settings) -> bool:
    """True where what is left untested was left out by the command line."""
    whole = settings.phases == PHASES and settings.shard[1] == 1
    return bool(settings.clauses) or bool(settings.replay) or not whole


def jobs_of(number: int) -> int:
    """What --jobs says. Raises UsageError."""
    if not 1 <= number <= _MOST_JOBS:
        raise UsageError(f"--jobs is a number of processes, from 1 to {_MOST_JOBS}")
    return number


def _shard(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 1
    part, slash, whole = text.partition("/")
    if slash and part.isdecimal() and whole.isdecimal() and 1 <= int(part) <= int(whole):
        return int(part) - 1, int(whole)
    raise UsageError(f"--shard is I/N, such as 1/4, 2/4, 3/4 and 4/4 for four parts, not {text!r}")


def _time(seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds <= _LONGEST_RUN:
        raise UsageError(f"--time is in seconds, above 0 and up to {_LONGEST_RUN}")
    return seconds


def _examples(options: argparse.Namespace, given: _Given, phases: Collection[str]) -> int:
    """How many programs to run; a --budget of the command line beats a number of the table."""
    budget = given("budget", "standard")
    _one_of("--budget", budget, BUDGETS)
    asked = options.examples if options.budget else given("examples")
    examples: int = programs_of(budget, phases) if asked is None else asked
    if examples < 1:
        raise UsageError("--examples is a number of programs, 1 or more")
    return examples


def _one_of(option: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        near = difflib.get_close_matches(value, known, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"{option} is one of {', '.join(known)}, not {value!r}{hint}")


def phases_of(names: Sequence[str]) -> tuple[str, ...]:
    """The phases named, in their order. Raises UsageError."""
    for name in names:
        _one_of("--phase", name, PHASES)
    if not names:
        raise UsageError(f"--phase: no phase is selected; there are {', '.join(PHASES)}")
    return tuple(name for name in PHASES if name in names)


def clauses_of(names: Sequence[str]) -> tuple[str, ...]:
    """The clauses of the IDs and families named, in the order of SPEC.md. Raises UsageError."""
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
