"""Options that are none: one line that says what is wrong, exit 2, and nothing was run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from kv_conformance import cli

OPTIONS = {
    "--stroe memory": "there is no option '--stroe'; did you mean --store?",
    "claues": "there is no command 'claues'; did you mean clauses?",
    "memory": "a store is named by --store",
    "": "--store is needed",
    "--store s:S --phase machine": "not 'machine'; did you mean machines?",
    "--store s:S --budget quik": "not 'quik'; did you mean quick?",
    "--store s:S --clock virtual": "--clock is one of auto, injected, patched, server, real",
    "--store s:S --clause TLL-3": "did you mean TTL-3",
    "--store s:S --clause FOO": "there is no such clause or family",
    "--store s:S --clause=": "there is no such clause or family",
    "--store s:S --examples 0": "--examples is a number of programs",
    "--store s:S --jobs 0": "--jobs is a number of processes",
    "--store s:S --jobs 1000": "--jobs is a number of processes",
    "--store s:S --time 0": "--time is in seconds",
    "--store s:S --time nan": "--time is in seconds",
    "--store s:S --examples many": "invalid int value",
    "--store s:S --operation-timeout 0": "--operation-timeout is in seconds",
    "--store s:S --operation-timeout nan": "--operation-timeout is in seconds",
    "--store s:S --operation-timeout inf": "--operation-timeout is in seconds",
    "--store s:S --option host": "--option takes NAME=VALUE, not 'host'",
    "--store s:S --option 2=x": "--option takes NAME=VALUE",
    "--store s:S --profile nosuch": "there is no preset 'nosuch'",
    "--store s:S --profile nul=value": "there is no declaration 'nul'; did you mean null?",
    "--store s:S --profile null=values": "it can be delete, value, reject",
    "--store s:S --report jsn=x": "there is no format 'jsn'; did you mean json?",
    "--store s:S --report json": "no path",
    "--store s:S --report json=.": "is a folder",
    "--store s:S --report json=nowhere/r.json": "there is no folder",
    "--store s:S --report json=/proc/r.json": "can not be written",
    "--store s:S --report json=r --report junit=r": "two reports go to r",
    "--store s:S --expected-failures no.toml": "--expected-failures no.toml: No such file",
    "explain TLL-3": "TTL-3",
    "explain": "explain takes a clause",
    "clauses all": "clauses takes no argument",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says before it exits with 2, having run nothing."""
    try:
        code: object = cli.main(arguments)
    except SystemExit as exit:
        code = exit.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("kv-conformance: ")
    return str(err)


@pytest.mark.parametrize("line", OPTIONS)
def test_an_option_that_is_none(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "/proc" in line and not Path("/proc").is_dir():
        pytest.skip("there is no /proc here")
    assert OPTIONS[line] in refused(capsys, *line.split())


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write anywhere")
def test_a_report_that_is_read_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "r.json").touch(0o400)
    assert "read-only" in refused(capsys, "--store", "s:S", "--report", "json=r.json")


TABLES = {
    "[tool.kv-conformance\n": "can not be read",
    "tool = 5": "--store is needed",
    "[tool]\nkv-conformance = 5": "tool.kv-conformance is a table, not 5",
    "[tool.kv-conformance]\nstroe = 'x'": "has no option 'stroe'; did you mean store?",
    "[tool.kv-conformance]\nstore = 5": "store is a text, not 5",
    "[tool.kv-conformance]\nphase = 'machines'": "phase is a list of texts, not 'machines'",
    "[tool.kv-conformance]\nreport = [1]": "report is a list of texts, not [1]",
    "[tool.kv-conformance]\nclause = [1]": "clause is a list of texts, not [1]",
    "[tool.kv-conformance]\nseed = true": "seed is a whole number, not True",
    "[tool.kv-conformance]\nexamples = 1.5": "examples is a whole number, not 1.5",
    "[tool.kv-conformance]\nstore = 's:S'\nclock = 'sundial'": "--clock is one of auto",
    "[tool.kv-conformance]\nstore = 's:S'\nbudget = 'large'": "--budget is one of quick",
    "[tool.kv-conformance]\nstore = 's:S'\nphase = []": "no phase is selected",
    "[tool.kv-conformance]\nstore = 's:S'\nprofile = 'x'": "there is no preset 'x'",
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_the_project_that_is_wrong(
    table: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "pyproject.toml").write_text(table)
    assert TABLES[table] in refused(capsys)


EXPECTED = {
    "[[expected]": "not TOML",
    "": "holds no table [[expected]]",
    "[expected]\nclause = 'TTL-3'": "the file holds tables [[expected]] and nothing else",
    "other = 1": "the file holds tables [[expected]] and nothing else",
    "[[expected]]\nclause = 'TTL-3'": "number 1: needs clause and reason",
    "[[expected]]\nclause = 'TTL-3'\nreason = ' '": "reason is a text",
    "[[expected]]\nclause = 3\nreason = 'r'": "clause is a text, not 3",
    "[[expected]]\nclause = 'TTL-3'\nreason = 'r'\nlink = 7": "link is a text, not 7",
    "[[expected]]\nclause = 'TLL-3'\nreason = 'r'": "TTL-3",
    "[[expected]]\nclause = 'TTL-3'\nreason = 'r'\nuntil = 1": "unknown field 'until'",
    "[[expected]]\nclause = 'TTL-3'\nreason = 'r'\nexpires = 'soon'": "expires is a date like",
    "[[expected]]\nclause = 'TTL-3'\nreason = 'r'\nexpires = 2030": "expires is a date like",
    "[[expected]]\nclause='TTL-3'\nreason='r'\n" * 2: "TTL-3 is expected twice",
}


@pytest.mark.parametrize("text", EXPECTED)
def test_a_file_of_expected_failures_that_is_wrong(
    text: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "known.toml").write_text(text)
    said = refused(capsys, "--store", "s:S", "--expected-failures", "known.toml")
    assert EXPECTED[text] in said
    assert "known.toml" in said


def token(content: bytes) -> str:
    return "p1." + urlsafe_b64encode(zlib.compress(content)).decode().rstrip("=")


WHOLE = token(b'[{"op":"get","key":["a"]}]')
TOKENS = {
    "a truncated token": WHOLE[:-6],
    "a token with a letter changed": WHOLE[:12] + ("A" if WHOLE[12] != "A" else "B") + WHOLE[13:],
    "a token with a blank in it": WHOLE[:12] + " " + WHOLE[12:],
    "garbage": "p1.garbage",
    "no token": "hello",
    "another version": "p9." + WHOLE[3:],
    "a small token that holds much": token(b"[" + b" " * 50_000_000 + b"]"),
    "nested too deeply": "[" * 100_000,
    "no program": token(b'{"op":"get"}'),
    "an empty program": "[]",
    "an operation that is none": '[{"op":"gett","key":["a"]}]',
    "a field too many": '[{"op":"get","key":["a"],"ttl":1}]',
    "a field too few": '[{"op":"set"}]',
    "a file that is not there": "@program.json",
}


@pytest.mark.parametrize("case", TOKENS)
def test_a_replay_that_is_damaged(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--replay" in refused(capsys, "--store", "s:S", "--replay", TOKENS[case])


LIGHT = (
    ["--help"], ["--version"], ["clauses"], ["explain", "TTL-3"], ["--nonsense"],
    ["--store", "s:S", "--phase", "x"], ["--store", "s:S", "--report", "json=."],
)  # fmt: skip


def test_what_runs_no_store_imports_nothing_heavy(folder: Path) -> None:
    script = f"""
import contextlib, io, json, sys
from kv_conformance import cli
for line in {LIGHT!r}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        with contextlib.suppress(SystemExit):
            cli.main(line)
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "kv_conformance.cli" in loaded
    heavy = {"hypothesis", "pytest", "rich", "time_machine", "multiprocessing", "asyncio"}
    assert not loaded & heavy
