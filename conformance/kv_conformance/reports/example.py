"""Made-up runs, as events: to look at a report, and to test one, without running anything."""

from __future__ import annotations

from collections.abc import Iterator

from kv_spec.clauses import Clause, Level, clauses
from kv_spec.profile import CAS_PARTS

from kv_conformance.events import (
    ClauseResult,
    ClockChosen,
    Event,
    Finding,
    Found,
    Note,
    PhaseEnded,
    PhaseStarted,
    Progress,
    RunEnded,
    RunStarted,
    Stopped,
    StoreOpened,
)

_OFFERED = ("core", "ttl", "list", "iterate", "has", "cas", "keys", "values", "entries", "close")
_LACKS = ("clear", "prune", "batch", "add", "ns", "shared", "durable", "loader", "tiered", "layer")
_DIALECT = ("null=delete", "key_model=path", "isolation=copy", "cas_equality=structural",
            "consistency=linearizable")  # fmt: skip
_HOLDS = frozenset({*_OFFERED, *CAS_PARTS, "concurrent", *_DIALECT})

_TTL = Finding(
    clause="TTL-3",
    expected="no entry, since the ttl ended 0.5 s ago",
    actual="[(('a',), 'v1')]",
    program=[
        {"op": "set", "key": ["a"], "value": "v1", "ttl": 1.0},
        {"op": "advance", "seconds": 1.5},
        {"op": "list"},
    ],
    python="from mymodule import Store\n\nstore = open_store()\n"
    "store.set(('a',), 'v1', ttl=1.0)\nadvance(1.5)\nprint(list(store.list(())))",
    replay="kv1.eJyLrlYqSy0qzszPU7JSUEpKLFKqBQA8Ogae",
    phase="sweep",
    operations=1_204,
)
_LIST = Finding(
    clause="LIST-4",
    expected="[(('a_',), 1)]",
    actual="[(('a_',), 1), (('ab',), 2)]",
    program=[
        {"op": "set", "key": ["a_"], "value": 1},
        {"op": "set", "key": ["ab"], "value": 2},
        {"op": "list", "prefix": ["a_"]},
    ],
    python="store.set(('a_',), 1)\nstore.set(('ab',), 2)\nprint(list(store.list(('a_',))))",
    replay="kv1.eJyLrlbKTFGyUlBKSixSqgUAHdIECg",
    phase="machines",
    operations=88_120,
)
_CLOSE = Finding(
    clause="CLOSE-1",
    expected="nothing",
    actual="ValueError: already closed",
    program=[{"op": "close"}, {"op": "close"}],
    python="store.close()\nstore.close()",
    replay="kv1.eJyLVlBKTFGyUlA",
    phase="vectors",
    operations=41,
)


def passing() -> Iterator[Event]:
    """A store without a fault."""
    return _run({})


def failing() -> Iterator[Event]:
    """A store with two broken clauses and a warning."""
    return _run({finding.clause: finding for finding in (_TTL, _LIST, _CLOSE)})


def stopped() -> Iterator[Event]:
    """A run that a call without an end cut short, after one clause was found broken."""
    yield from _begin()
    yield PhaseStarted("sweep", planned=2_000)
    yield Found(_TTL)
    yield Progress("sweep", programs=310, operations=14_000)
    yield Stopped(
        "hang",
        "store.cas did not return within 10 s",
        program=[{"op": "cas", "key": ["a"], "expected": 1, "new": 2}],
        python="store.cas(('a',), 1, 2)",
    )


def _begin() -> Iterator[Event]:
    ids = tuple(clauses())
    phases = ("vectors", "machines", "sweep")
    yield RunStarted("mymodule:Store", 42, "1.0", "0.1.0", phases, ids, narrowed=False)
    yield StoreOpened("Store", "1.4.2", "base", {"ttl_zero": "never"}, _OFFERED, _LACKS)
    yield ClockChosen("virtual", "the store follows it in this process", exact=True)


def _run(findings: dict[str, Finding]) -> Iterator[Event]:
    yield from _begin()
    yield Note("keys() is offered, and so are values() and entries(); all three are compared")
    results = [_result(clause, findings) for clause in clauses().values()]
    checks = {result.id: result.checks for result in results if result.checks}
    for name, programs, operations, seconds in (
        ("vectors", 120, 900, 0.4),
        ("machines", 400, 96_000, 11.2),
        ("sweep", 2_000, 480_000, 2.6),
    ):
        yield PhaseStarted(name, planned=programs)
        yield Progress(name, programs // 2, operations // 2)
        yield from (Found(found) for found in findings.values() if found.phase == name)
        yield PhaseEnded(name, programs, operations, seconds, checks if name == "sweep" else {})
    broken = [result.id for result in results if result.status == "fail"]
    yield RunEnded(
        verdict="violations" if broken else "conformant",
        exit_code=1 if broken else 0,
        reasons=tuple(f"{id} is broken" for id in broken),
        results=tuple(results),
        seconds=14.3,
    )


def _result(clause: Clause, findings: dict[str, Finding]) -> ClauseResult:
    number = list(clauses()).index(clause.id) + 1
    checks, message = 37 * number**2 + 11, ""
    finding = findings.get(clause.id)
    lacking = [item for item in clause.requires if item not in _HOLDS]
    if clause.not_yet_checked:
        status, checks, message = "untested", 0, clause.not_yet_checked
    elif lacking:
        offered = "declared" if "=" in lacking[0] else "offered"
        status, checks, message = "not-applicable", 0, f"{lacking[0]} is not {offered}"
    elif finding:
        status = "fail" if clause.level is Level.MUST else "warning"
    else:
        status = "pass"
    return ClauseResult(
        clause.id, clause.capability, clause.level, status, checks, message, finding
    )
