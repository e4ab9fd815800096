"""No false alarm: stores that are odd but right pass.

Here each store is tried with a part of the vectors and a few programs of the machines;
`conformance/checks/odd_but_right.py` gives each whole runs from many seeds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kv_spec.profile import Profile

from .odd_stores import STORES
from .odd_stores.base import QUIET
from .odd_stores.trying import run

HERE = Path(__file__).resolve().parent
BY_COMMAND = (
    "clocks.RememberedMonotonic",
    "clocks.GivenBoth",
    "asynchronous.connect",
)
"""Some of which the way through the command line asks more than the way in this process."""

REAL_CLOCK = ("clocks.RealTimeOnly", "clocks.RememberedMonotonic")
"""In this process, which bound the one's clock before it could be moved."""


@pytest.mark.parametrize("name", STORES)
def test_it_passes(name: str) -> None:
    # Races and real waits take their time.
    profile = getattr(STORES[name], "profile", QUIET)
    slow = name in REAL_CLOCK or (isinstance(profile, Profile) and profile.concurrent is not False)
    for seed in range(1 if slow else 2):
        result = run(name, STORES[name], seed=seed, examples=4, share=24)
        assert result.alarms == {}
        assert (result.exit_code, result.reasons) == (0, ())
        assert result.operations > 200


def test_there_are_many_and_each_says_what_is_odd_about_it() -> None:
    assert len(STORES) > 80
    for make in STORES.values():
        assert make.__doc__


@pytest.mark.parametrize("name", BY_COMMAND)
def test_it_passes_by_the_command_line(name: str, tmp_path: Path) -> None:
    module, _, attribute = name.partition(".")
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "kv_conformance.cli", "--report", f"json={report}"]
    store = ["--store", f"odd_stores.{module}:{attribute}"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [*command, *store], cwd=HERE, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(report.read_text())["verdict"] == "conformant"
