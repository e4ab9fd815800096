"""What a run is asked to do, as data that another process can be given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

PHASES: Final = ("vectors", "machines", "sweep")
CLOCKS: Final = ("auto", "injected", "patched", "server", "real")
BUDGETS: Final[Mapping[str, int]] = {"quick": 20, "standard": 80, "thorough": 1_000}
"""Programs that the machines run, by the name of the budget."""
MACHINES_ALONE: Final = 3
"""Times as many programs are run by the machines of a budget where no sweep comes after them."""
SWEPT: Final = 30
"""Programs of the sweep for each one of the machines, where time is virtual."""
SWEPT_IN_REAL_TIME: Final = 5
"""The same where the store is reached over a network: what has a clock of its own, most likely."""


def programs_of(budget: str, phases: Collection[str]) -> int:
    """How many programs the machines run in a run of these phases."""
    return BUDGETS[budget] * (1 if "sweep" in phases else MACHINES_ALONE)


class UsageError(Exception):
    """The command line, the configuration or the target is at fault (exit 2)."""


def harness_version() -> str:
    """The version of this distribution."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("kv-conformance")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A run. `timeout` is the limit of one operation in seconds; `replay` a program as JSON."""

    store: str
    profile: str | None = None
    clock: str = "auto"
    phases: tuple[str, ...] = PHASES
    clauses: tuple[str, ...] = ()
    seed: int = 0
    examples: int = BUDGETS["standard"]
    options: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 10.0
    replay: Any = None
    hostile_keys: bool = False
    jobs: int = 1
    """Processes for the sweep; 0: as many as there are cores, where the store allows it."""
    shard: tuple[int, int] = (0, 1)
    """Which part of the run this is, counted from 0, and of how many."""
    time: float | None = None
    """Seconds from the start of the run for which the sweep goes on, if not done by then."""
    folder: str = ""
    """A temporary folder of the run's own, removed afterwards by who made it."""
