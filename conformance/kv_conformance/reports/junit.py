"""The JUnit report: what CI services show. A testsuite a family, a testcase a clause.

The suite `run` comes first. Its one case, `verdict`, is red when the run as a whole is, so that a
service that reads only this file never shows green for a run that exits with another code than 0.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import groupby

from kv_spec.clauses import clauses

from kv_conformance.events import ClauseResult, RunEnded
from kv_conformance.reports.base import ReplayCommand
from kv_conformance.reports.record import BROKEN, Record, explanation, family_of, title_of
from kv_conformance.reports.text import clean, clean_program, counted, xml_clean


def render(record: Record, replay_command: ReplayCommand) -> str:
    """The report as XML text in ASCII, well-formed whatever the store said."""
    outcome = record.outcome()
    suites = [_run(record, outcome)]
    for family, results in groupby(outcome.results, key=lambda one: family_of(one.id)):
        members = list(results)
        cases = [_case(result, replay_command) for result in members]
        suites.append(_suite(f"{family}: {title_of(members[0].id)}", cases))
    root = ET.Element("testsuites", _counts(suites))
    root.set("name", "kv-conformance")
    root.set("time", f"{outcome.seconds:.3f}")
    root.extend(suites)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return document.decode("ascii") + "\n"


def _suite(name: str, cases: Sequence[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite", {"name": _line(name)})
    suite.extend(cases)
    count = {kind: sum(case.find(tag) is not None for case in cases) for kind, tag in _TAGS.items()}
    suite.set("tests", str(len(cases)))
    for kind, number in count.items():
        suite.set(kind, str(number))
    return suite


_TAGS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def _counts(suites: Sequence[ET.Element]) -> dict[str, str]:
    return {
        kind: str(sum(int(suite.get(kind, "0")) for suite in suites)) for kind in ("tests", *_TAGS)
    }


def _run(record: Record, outcome: RunEnded) -> ET.Element:
    """The suite of the run itself: its properties and its verdict."""
    case = ET.Element("testcase", {"classname": "run", "name": "verdict"})
    stopped = record.stopped
    reasons = "\n".join(clean(reason, limit=None, lines=True) for reason in outcome.reasons)
    if stopped is not None:
        body = (
            f"{clean(stopped.message, limit=None, lines=True)}\n\n{clean_program(stopped.python)}"
        )
        _add(case, "error", stopped.message, body.rstrip(), type=stopped.kind)
    elif outcome.verdict == "inconclusive":
        _add(case, "error", record.verdict(), reasons, type="inconclusive")
    elif outcome.exit_code and not any(result.status in BROKEN for result in outcome.results):
        _add(case, "failure", record.verdict(), reasons, type=outcome.verdict)
    else:
        _output(case, record.verdict() + (f"\n{reasons}" if reasons else ""))
    suite = _suite("run", [case])
    properties = ET.Element("properties")
    for name, value in _properties(record):
        ET.SubElement(properties, "property", {"name": name, "value": _line(value)})
    suite.insert(0, properties)
    return suite


def _properties(record: Record) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    if record.started:
        started = record.started
        pairs += [("harness", started.harness), ("spec", started.spec), ("target", started.target)]
        pairs += [("seed", str(started.seed))]
    if record.opened:
        opened = record.opened
        pairs += [("store", f"{opened.name} {opened.version or ''}".rstrip())]
        pairs += [("profile", opened.profile)]
        pairs += [(f"profile.{key}", repr(value)) for key, value in sorted(opened.declared.items())]
        pairs += [("capabilities", ", ".join(record.capabilities))]
        pairs += [("not_offered", ", ".join(record.not_offered))]
    if record.clock:
        pairs += [("clock", f"{record.clock.kind}: {record.clock.why}")]
    pairs += [("note", note) for note in record.notes]
    return [(_line(name), value) for name, value in pairs]


def _case(result: ClauseResult, replay_command: ReplayCommand) -> ET.Element:
    case = ET.Element(
        "testcase", {"classname": _line(family_of(result.id)), "name": _line(result.id)}
    )
    reason = explanation(result)
    match result.status:
        case "fail" | "unexpected-pass":
            _add(case, "failure", reason, _body(result, replay_command), type=result.status)
        case "inconclusive":
            _add(case, "error", reason, _body(result, replay_command), type=result.status)
        case "untested" | "not-applicable" | "expected-failure":
            ET.SubElement(case, "skipped", {"message": _line(f"{result.status}: {reason}")})
        case "warning":
            _output(case, f"warning: {clean(reason)}\n\n{_body(result, replay_command)}")
        case _:
            _output(case, counted(result.checks, "check"))
    return case


def _body(result: ClauseResult, replay_command: ReplayCommand) -> str:
    clause, finding = clauses().get(result.id), result.finding
    parts = [f"{result.id}: {clause.rule}"] if clause else []
    if result.message:
        parts.append(clean(result.message, lines=True))
    if finding is not None:
        parts += [
            clean_program(finding.python),
            f"expected: {clean(finding.expected)}\nactual:   {clean(finding.actual)}",
            f"replay:   {clean(replay_command(finding.replay), limit=None)}",
        ]
    return "\n\n".join(parts)


def _add(case: ET.Element, tag: str, message: str, body: str, *, type: str) -> None:
    element = ET.SubElement(case, tag, {"message": _line(message), "type": type})
    element.text = xml_clean(f"\n{body}\n") if body else None


def _output(case: ET.Element, text: str) -> None:
    ET.SubElement(case, "system-out").text = xml_clean(text)


def _line(text: str) -> str:
    return xml_clean(clean(text))
