"""The commands that only read the specification: `clauses` and `explain`."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence

from kv_spec.clauses import Clause, UnknownClause, clause, clauses, families

_WIDTH = 88


def main(arguments: Sequence[str]) -> int:
    """Runs `clauses` or `explain CLAUSE…`; returns the exit code."""
    command, *names = arguments
    if names in (["-h"], ["--help"]):
        sys.stdout.write("kv-conformance clauses\nkv-conformance explain CLAUSE...\n")
        return 0
    if command == "clauses":
        if names:
            return refuse("clauses takes no argument")
        sys.stdout.write("".join(_line(one) for one in clauses().values()))
        return 0
    if not names:
        return refuse("explain takes a clause, for instance TTL-3, or a family, for instance TTL")
    for name in names:
        wanted = name.upper()
        try:
            found = families()[wanted] if wanted in families() else (clause(wanted),)
        except UnknownClause as error:
            return refuse(str(error))
        sys.stdout.write("\n".join(_explained(one) for one in found))
    return 0


def refuse(message: str) -> int:
    """Says what is wrong with the arguments; returns the exit code."""
    sys.stderr.write(f"kv-conformance: {message}\n")
    return 2


def _line(one: Clause) -> str:
    mark = " (not yet checked)" if one.not_yet_checked else ""
    rule = textwrap.shorten(one.rule, _WIDTH, placeholder=" …")
    return f"{one.id:<9}{one.level:<7}{one.capability:<28}{rule}{mark}\n"


def _explained(one: Clause) -> str:
    parts = [f"{one.id}  {one.level}, for stores with: {one.capability}", one.rule]
    parts.append(f"Why: {one.rationale}")
    if one.not_yet_checked:
        parts.append(f"Not yet checked: {one.not_yet_checked}")
    head, *rest = parts
    body = (
        textwrap.fill(part, _WIDTH, initial_indent="  ", subsequent_indent="  ") for part in rest
    )
    return "\n".join([head, *body, ""]) + _examples(one)


def _examples(one: Clause) -> str:
    from kv_spec.render import lines
    from kv_spec.vector_files import vectors

    about = [vector for vector in vectors() if one.id in vector.clauses]
    # A vector of the clause's own family shows it with less around it.
    shown = next((v for v in about if v.family == one.family), next(iter(about), None))
    if shown is None:
        return ""
    program = [f"      {line}" for op in shown.program for line in lines(op)]
    return "\n".join([f"  For instance ({shown.name}):", *program, ""])
