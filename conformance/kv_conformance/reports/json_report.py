"""The JSON report, `format: 1`: for machines, and the base of the matrix.

The same events give the same bytes: fixed keys in a fixed order, clauses in the order of SPEC.md,
ASCII only. Times are in the fields `seconds` and nowhere else; `strip_times` takes them out.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from kv_conformance.events import ClauseResult, Json
from kv_conformance.reports.record import Record, explanation
from kv_conformance.reports.text import scalar_clean

FORMAT: Final = 1
_DEEPEST: Final = 200  # json gives up near 1,000 levels, less where the stack is already deep


def render(record: Record) -> str:
    """The report as JSON text, with a line end at its end."""
    return json.dumps(_plain(report(record)), ensure_ascii=True, indent=2, allow_nan=False) + "\n"


def report(record: Record) -> dict[str, Json]:
    """The report as data; what is not known is null."""
    started, clock, stopped = record.started, record.clock, record.stopped
    outcome = record.outcome()
    return {
        "format": FORMAT,
        "verdict": outcome.verdict,
        "exit_code": outcome.exit_code,
        "reasons": list(outcome.reasons),
        "stopped": stopped
        and {"kind": stopped.kind, "message": stopped.message, "program": stopped.program},
        "spec": started and started.spec,
        "harness": started and started.harness,
        "store": _store(record),
        "clock": clock
        and {
            "kind": clock.kind,
            "why": clock.why,
            "granularity": clock.granularity,
            "ttl_unit": clock.ttl_unit,
        },
        "seed": started and started.seed,
        "seconds": outcome.seconds,
        "phases": [
            {
                "name": phase.name,
                "programs": phase.programs,
                "operations": phase.operations,
                "seconds": phase.seconds,
            }
            for phase in record.phases
        ],
        "notes": list(record.notes),
        "clauses": [_clause(result) for result in outcome.results],
    }


def _store(record: Record) -> dict[str, Json]:
    opened = record.opened
    return {
        "target": record.started and record.started.target,
        "name": opened and opened.name,
        "version": opened and opened.version,
        "profile": opened
        and {"name": opened.profile, "declared": dict(sorted(opened.declared.items()))},
        "capabilities": record.capabilities,
        "not_offered": record.not_offered,
    }


def _clause(result: ClauseResult) -> dict[str, Json]:
    finding = result.finding
    return {
        "id": result.id,
        "capability": result.capability,
        "status": result.status,
        "checks": result.checks,
        "message": explanation(result) or None,
        "program": finding and finding.program,
        "replay": finding and finding.replay,
    }


def strip_times(report: dict[str, Json]) -> dict[str, Json]:
    """A copy of a report without its times, so that two runs can be compared.

    Programs are left alone: the `seconds` of their `advance` are what is asked for, not measured.
    """
    kept = {key: value for key, value in report.items() if key != "seconds"}
    kept["phases"] = [
        {key: value for key, value in phase.items() if key != "seconds"}
        for phase in report["phases"]
    ]
    return kept


def _plain(value: Any, depth: int = 0) -> Json:
    """What strict readers of JSON accept: no lone surrogates, no NaN, no endless depth."""
    if depth > _DEEPEST:
        return "(nested too deeply to be shown)"
    match value:
        case str():
            return scalar_clean(value)
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case dict():
            return {scalar_clean(str(key)): _plain(item, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, depth + 1) for item in value]
        case _:
            return scalar_clean(repr(value))
