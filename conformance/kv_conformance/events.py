"""What happened in a run, as data: every report is a reader of one stream of these.

Events are frozen, can be pickled, and speak JSON-ready data only, since the engine sits in the
process of the store and the reports in another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Json: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Finding:
    """A violated clause with its shortest program.

    `program` is its JSON form, `python` the same as Python that runs, `replay` the token for
    `--replay`. `expected` and `actual` are of the last operation.
    """

    clause: str
    expected: str
    actual: str
    program: Json
    python: str
    replay: str
    phase: str
    operations: int = 0
    seconds: float = 0.0
    """How many operations, and how many seconds, the phase ran before it saw this."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins, as the command line asked for it."""

    target: str
    seed: int
    spec: str
    harness: str
    phases: tuple[str, ...]
    clauses: tuple[str, ...]
    """The clauses selected; all of them unless the command line narrowed the run."""
    narrowed: bool


@dataclass(frozen=True, slots=True)
class StoreOpened:
    """The store was opened and looked at."""

    name: str
    version: str | None
    profile: str
    declared: dict[str, Json]
    """Declarations that differ from the base dialect."""
    capabilities: tuple[str, ...]
    not_offered: tuple[str, ...]
    is_async: bool = False
    missing: dict[str, str] = field(default_factory=dict)
    """Capabilities declared and not shown, each with the reason."""
    excused: dict[str, str] = field(default_factory=dict)
    """Clauses that can not be tested on this store, each with the reason."""


@dataclass(frozen=True, slots=True)
class ClockChosen:
    """The clock that the run moves, and why it was this one."""

    kind: str
    why: str
    exact: bool
    granularity: float | None = None
    """On a real clock: how coarse the store's expiry was measured to be, in seconds."""
    ttl_unit: float = 1.0
    """The ttl that programs take for one unit, in seconds."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader should know that no clause speaks of."""

    text: str


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase begins; `planned` is the number of programs, where it is known."""

    name: str
    planned: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """A phase is under way; `checks` are those so far, which is all there is if it is cut short."""

    name: str
    programs: int
    operations: int
    checks: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A clause was found broken, and its program was shrunk."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    """A phase is over; `checks` counts how often each clause was put to the test in it."""

    name: str
    programs: int
    operations: int
    seconds: float
    checks: dict[str, int]


StopKind = Literal["usage", "unreachable", "erratic", "hang", "crash", "interrupted", "harness"]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run ended before its time.

    "usage": the target or its configuration is at fault (exit 2); "unreachable", "erratic",
    "hang", "crash", "interrupted": no verdict can be had (exit 3); "harness": a fault of ours
    (exit 4). `program` is what ran last, where that helps.
    """

    kind: StopKind
    message: str
    program: Json = None
    python: str = ""


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """What a run says of one clause; `status` is one of the words of the JSON report."""

    id: str
    capability: str
    level: str
    status: str
    checks: int = 0
    message: str = ""
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over: a result a clause, the verdict and the exit code."""

    verdict: Literal["conformant", "violations", "inconclusive"]
    exit_code: int
    reasons: tuple[str, ...]
    """Why the verdict is not "conformant", a line each."""
    results: tuple[ClauseResult, ...]
    seconds: float


Event: TypeAlias = (
    RunStarted | StoreOpened | ClockChosen | Note | PhaseStarted | Progress | Found | PhaseEnded
    | Stopped | RunEnded
)  # fmt: skip
