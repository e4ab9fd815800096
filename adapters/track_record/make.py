"""Runs the harness on the libraries, and writes the page of what it found.

`python adapters/track_record/make.py` runs every installed library and writes TRACK_RECORD.md;
`--only NAME` renews one library on the page. Every statement on the page comes from the reports of
these runs; the remarks on a library's documentation come from its file in `expected/`.
`--check` writes nothing: it runs with those files and exits with 1 where they and a run disagree.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from collections import Counter
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from kv_spec.clauses import clauses

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = HERE / "TRACK_RECORD.md"
COLUMNS: Final = {
    "passed": "pass",
    "failed": "fail",
    "warnings": "warning",
    "untested": "untested",
    "not yet checked": "not yet checked",
    "not applicable": "not-applicable",
}
"""The columns of the table: clauses by their status."""
_BODY: Final = re.compile(
    r"(?P<python>.*)\n\nexpected: (?P<expected>.*)\nactual: +(?P<actual>.*)\n\n"
    r"replay: +(?P<replay>[^\n]*)$",
    re.DOTALL,
)

# The programs stay as the reports have them: the formatter is told to leave them alone.
INTRO: Final = """\
<!-- fmt: off -->

# Track record

What kv-conformance found in libraries of the Python ecosystem, each behind an adapter that only
translates names (`kv_adapters.libraries`). `make.py` wrote this page from the reports of the runs,
with the default seed. A profile holds the ways of a library that are its own; where it departs from
what it declares, the clause is listed, with the shortest program. A clause of this project is no
promise of the library: what its documentation says is noted under each.

To see a run for yourself: `pip install 'kv-conformance[NAME]' && kv-conformance --store NAME`.
"""
HEAD: Final = (
    f"| library | release | clock | verdict | {' | '.join(COLUMNS)} |\n"
    f"|---|---|---|---|{'---:|' * len(COLUMNS)}"
)


def libraries() -> list[str]:
    """The names under which the adapters of libraries are installed."""
    points = entry_points(group="kv_conformance.stores")
    return sorted(p.name for p in points if p.value.startswith("kv_adapters.libraries."))


def expected_file(name: str) -> Path:
    """The expected-failures file of a library."""
    return HERE / "expected" / f"{name}.toml"


def expected(name: str) -> dict[str, dict[str, str]]:
    """The entries of a library's expected-failures file, by clause."""
    data = tomllib.loads(expected_file(name).read_text(encoding="utf-8"))
    return {entry["clause"]: entry for entry in data["expected"]}


def run(name: str, folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """One run of the harness, its reports in `folder`; the exit code and the JSON report."""
    json_path, junit_path = folder / f"{name}.json", folder / f"{name}.xml"
    reports = ["--report", f"json={json_path}", "--report", f"junit={junit_path}"]
    command = [sys.executable, "-m", "kv_conformance.cli", "--store", name, *reports, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if not json_path.exists():
        raise SystemExit(f"{name}: no report\n{done.stdout}{done.stderr}")
    report = json.loads(json_path.read_text(encoding="utf-8"))
    if not report["store"]["name"]:
        raise SystemExit(f"{name}: {'; '.join(report['reasons'])}")
    return done.returncode, report


def findings(junit: Path) -> dict[str, dict[str, str]]:
    """By clause what a JUnit report tells of a failure: python, expected, actual, replay."""
    found = {}
    for case in ET.parse(junit).getroot().iter("testcase"):
        bodies = [one.text or "" for tag in ("failure", "system-out") for one in case.iter(tag)]
        for body in bodies:
            # The first paragraph is the clause itself.
            if match := _BODY.search(body.strip().partition("\n\n")[2]):
                found[case.get("name", "")] = match.groupdict()
    return found


def section(name: str, report: dict[str, Any], found: dict[str, dict[str, str]]) -> str:
    """All that the page says of one library."""
    store, clock = report["store"], report["clock"] or {}
    declared = ", ".join(f"{key}={_shown(value)}" for key, value in _declared(store).items())
    parts = [
        f"## {name}",
        f"Release: {store['version']}. Verdict: {report['verdict']}"
        + (f" ({'; '.join(report['reasons'])})" if report["reasons"] else "")
        + ".",
        f"Clock: {clock.get('kind')}: {clock.get('why')}.",
        f"Offered: {', '.join(store['capabilities'])}. Declared: {declared or 'nothing'}.",
        f"```\nkv-conformance --store {name}\n```",
    ]
    remarks = expected(name)
    for clause in report["clauses"]:
        if clause["status"] in ("fail", "warning"):
            finding = found.get(clause["id"])
            parts += list(_failure(clause, finding, remarks.get(clause["id"])))
    return "\n\n".join(parts)


def _declared(store: dict[str, Any]) -> dict[str, Any]:
    declared: dict[str, Any] = store["profile"]["declared"]
    return declared


def _shown(value: Any) -> str:
    return "+".join(value) if isinstance(value, list) else str(value)


def _failure(
    clause: dict[str, Any], finding: dict[str, str] | None, remark: dict[str, str] | None
) -> list[str]:
    parts = [f"### {clause['id']} ({clause['status']})", clauses()[clause["id"]].rule]
    if finding is None:
        parts.append(str(clause["message"]))
    else:
        parts += [
            f"```python\n{finding['python']}\n```",
            f"Expected: `{finding['expected']}`. Actual: `{finding['actual']}`. To repeat:",
            f"```\n{finding['replay']}\n```",
        ]
    if remark is not None:
        parts.append(f"{documented(remark)} ([where]({remark['link']}))")
    return parts


def documented(entry: dict[str, str]) -> str:
    """What an expected failure says about the library's documentation."""
    _, mark, text = entry["reason"].partition("Documentation:")
    return " ".join((mark + text).split())


def row(name: str, report: dict[str, Any]) -> str:
    """The line of one library in the table."""
    count = Counter(map(_column, report["clauses"]))
    numbers = " | ".join(str(count[status]) for status in COLUMNS.values())
    release, clock = report["store"]["version"], (report["clock"] or {}).get("kind")
    return f"| [{name}](#{name}) | {release} | {clock} | {report['verdict']} | {numbers} |"


def _column(clause: dict[str, Any]) -> str:
    """The status of a clause, with the untested ones apart that this version checks in no store."""
    later = clause["status"] == "untested" and str(clause["message"]).startswith("not yet checked")
    return "not yet checked" if later else str(clause["status"])


def page(rows: dict[str, str], sections: dict[str, str]) -> str:
    """The whole page; the libraries in the order of their names."""
    table = "\n".join([HEAD, *(rows[name] for name in sorted(rows))])
    return "\n\n".join([INTRO.strip(), table, *(sections[n] for n in sorted(sections))]) + "\n"


def read_page() -> tuple[dict[str, str], dict[str, str]]:
    """The rows and sections of the page as it is."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    rows = {match[1]: match[0] for match in re.finditer(r"^\| \[([\w-]+)\].*$", text, re.MULTILINE)}
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return rows, {part.partition("\n")[0]: f"## {part.strip()}" for part in parts}


def write(names: list[str], folder: Path) -> None:
    """Runs the libraries and renews their parts of the page."""
    rows, sections = read_page()
    for name in names:
        _, report = run(name, folder)
        rows[name] = row(name, report)
        sections[name] = section(name, report, findings(folder / f"{name}.xml"))
        sys.stdout.write(f"{name}: {report['verdict']}; {', '.join(report['reasons'])}\n")
    here = set(libraries())
    PAGE.write_text(
        page(
            {name: rows[name] for name in rows.keys() & here},
            {name: sections[name] for name in sections.keys() & here},
        ),
        encoding="utf-8",
    )
    sys.stdout.write(f"the reports are in {folder}\n")


def check(names: list[str], folder: Path) -> bool:
    """Whether every run agrees with its expected-failures file; says where not."""
    agreed = True
    for name in names:
        code, report = run(name, folder, "--expected-failures", str(expected_file(name)))
        agreed = agreed and code == 0
        verdict = "agrees" if code == 0 else f"exit {code}: {'; '.join(report['reasons'])}"
        sys.stdout.write(f"{name}: {verdict}\n")
    return agreed


def main() -> int:
    """Reads the command line; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", metavar="NAME", choices=libraries(), help="one library")
    parser.add_argument(
        "--check", action="store_true", help="compare the runs with expected/, and write nothing"
    )
    arguments = parser.parse_args()
    names = [arguments.only] if arguments.only else libraries()
    if arguments.check:
        with tempfile.TemporaryDirectory() as folder:
            return 0 if check(names, Path(folder)) else 1
    write(names, Path(tempfile.mkdtemp(prefix="track-record-")))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
