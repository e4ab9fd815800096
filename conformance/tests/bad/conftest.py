"""Runs of the command on stores that are written for one test, each in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

RIGHT = '''
    """A right store, to be spoilt: tuples of str as keys, JSON as values, ttl in seconds."""
    import json
    import time


    class Right:
        profile = {"concurrent": False}

        def __init__(self):
            self.entries_ = {}

        def _key(self, key):
            if not isinstance(key, tuple) or not key or not all(isinstance(p, str) for p in key):
                raise ValueError(f"no key: {key!r}")
            return key

        def _text(self, key):
            text, deadline = self.entries_.get(key, (None, None))
            return None if deadline is not None and time.time() >= deadline else text

        def get(self, key):
            text = self._text(self._key(key))
            return None if text is None else json.loads(text)

        def set(self, key, value, *, ttl=None):
            if ttl is not None and not abs(ttl) < float("inf"):
                raise ValueError(f"no ttl: {ttl!r}")
            _check(value)
            if value is None:
                self.delete(key)
            else:
                deadline = None if ttl is None else time.time() + ttl
                self.entries_[self._key(key)] = json.dumps(value, allow_nan=False), deadline

        def delete(self, key):
            self.entries_.pop(self._key(key), None)

        def list(self, prefix=()):
            for key in tuple(self.entries_):
                if key[: len(prefix)] == prefix and (text := self._text(key)) is not None:
                    yield key, json.loads(text)


    def _check(value):
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise TypeError("no JSON")
        elif not (value is None or isinstance(value, bool | int | float | str | list)):
            raise TypeError("no JSON")
        inner = value.values() if isinstance(value, dict) else value
        for item in inner if isinstance(value, dict | list) else ():
            _check(item)
'''

QUICK = ("--phase", "machines", "--examples", "3")
"""Options of a run that takes about a second."""


@dataclass(frozen=True)
class Result:
    """What a run came to; `report` is its JSON report, `junit` the text of the other one."""

    code: int
    out: str
    err: str
    report: Mapping[str, Any] = field(default_factory=dict)
    junit: str = ""

    @property
    def reasons(self) -> str:
        return "\n".join(self.report["reasons"])

    @property
    def notes(self) -> str:
        return "\n".join(self.report["notes"])

    def clauses(self, status: str) -> list[str]:
        """The clauses with a status, in the order of the document."""
        return [one["id"] for one in self.report["clauses"] if one["status"] == status]


class Run:
    """Writes a module and runs the command on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("right.py", RIGHT)

    def write(self, name: str, text: str) -> Path:
        """Writes a file into the folder of the run."""
        path = self.folder / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def start(
        self, *options: str, env: Mapping[str, str] | None = None, **more: Any
    ) -> subprocess.Popen[str]:
        """Starts the command in the folder."""
        paths = {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            # One for all runs: Hypothesis takes a second for its table of characters.
            "XDG_CACHE_HOME": str(self.folder.parent / "cache"),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "kv_conformance.cli", *options],
            cwd=self.folder,
            env={**os.environ, **paths, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            **more,
        )

    def command(self, *options: str, env: Mapping[str, str] | None = None) -> Result:
        """Runs the command to its end, with a JSON and a JUnit report."""
        reports = ("--report", "json=report.json", "--report", "junit=report.xml")
        return self.end(self.start(*options, *reports, env=env))

    def end(self, process: subprocess.Popen[str]) -> Result:
        """Waits for the end of the command, and reads what it wrote."""
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err, err
        report, junit = self.folder / "report.json", self.folder / "report.xml"
        if not report.exists():
            return Result(process.returncode, out, err)
        document = junit.read_text(encoding="utf-8")
        ET.fromstring(document)
        found = json.loads(report.read_text(encoding="utf-8"))
        assert found["exit_code"] == process.returncode
        return Result(process.returncode, out, err, found, document)

    def __call__(
        self, body: str, *options: str, store: str = "store:Store", quick: bool = True
    ) -> Result:
        """Writes `store.py` and runs the command on it: a few programs, unless not `quick`."""
        self.write("store.py", "from right import Right\n" + textwrap.dedent(body))
        return self.command("--store", store, *(QUICK if quick else ()), *options)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command, in a folder with `right.py` in it."""
    return Run(tmp_path)
