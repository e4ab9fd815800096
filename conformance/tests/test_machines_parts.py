"""Many programs of the machines are run in parts, of which Hypothesis forgets the last one."""

from typing import Any

import pytest
from kv_conformance.hunt import Hunt
from kv_conformance.phases import machines
from kv_conformance.phases.tally import Tally
from kv_conformance.self_test.catching import plan_of
from kv_conformance.trial import trial_of


def programs(monkeypatch: pytest.MonkeyPatch, *, examples: int, part: int) -> list[Any]:
    """The programs of a run, in their order."""
    found: list[Any] = []
    add = Tally.add

    def noted(tally: Tally, session: Any) -> None:
        found.append(session.program)
        add(tally, session)

    with monkeypatch.context() as patch:
        patch.setattr(Tally, "add", noted)
        patch.setattr(machines, "PART", part)
        trial = trial_of()
        hunt = Hunt(trial, trial_of(), lambda _: None)
        machines.run(hunt, plan_of(trial), seed=1, examples=examples)
    return [program for program in found if program]


def test_every_part_has_programs_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = programs(monkeypatch, examples=12, part=5)
    assert len(found) >= 12
    least = 2  # which each of the three parts begins with
    assert len({repr(program) for program in found}) >= len(found) - least


def test_the_same_seed_runs_the_same_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    first = programs(monkeypatch, examples=7, part=3)
    assert repr(programs(monkeypatch, examples=7, part=3)) == repr(first)
