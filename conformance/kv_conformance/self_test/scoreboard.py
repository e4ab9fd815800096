"""The scoreboard: a row a clause, what was missed, and all of it as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, Final

from kv_reference.mutants import MUTANTS, Mutant
from kv_spec.json_form import to_json

from kv_conformance.self_test.catching import LONGEST, Result

HEAD: Final = (
    "clause    caught    operations   seconds   longest\n"
    "                      (median)  (median)   program\n"
)
_WIDTH: Final = 80
_FORMAT: Final = 1


def row(clause: str, results: Sequence[Result]) -> str:
    """A line: how many mutants of a clause were caught, how soon, and by how long a program."""
    good = [one for one in results if one.wrong is None]
    score = f"{len(good)}/{len(results)}"
    mark = "" if len(good) == len(results) else "  !"
    if not any(one.program for one in results):
        return f"{clause:<10}{score:<7}{'-':>13}{'-':>10}{'-':>10}{mark}\n"
    operations, seconds, lengths = _measures(results)
    return (
        f"{clause:<10}{score:<7}{median(operations):>13,.0f}{median(seconds):>10.3f}"
        f"{max(lengths):>10}{mark}\n"
    )


def summary(results: Sequence[Result], seconds: float, large: Sequence[Mutant] = ()) -> str:
    """The last lines: the sums, and whatever went wrong; `large` are mutants that were not asked.

    They need more entries than any program of the phases that were run.
    """
    wrong = [one for one in results if one.wrong is not None]
    seeds = len({one.seed for one in results})
    mutants = len({one.mutant for one in results})
    lines = ["\n", *(_told(one) for one in wrong)]
    caught = len(results) - len(wrong)
    share = f"{mutants} mutants, {seeds} seed{'s' * (seeds > 1)}"
    lines.append(f"{caught:,} of {len(results):,} caught ({share}, {seconds:,.1f} s)\n")
    if any(one.program for one in results):
        _, times, lengths = _measures(results)
        lines.append(
            f"  seconds to the shrunk program: median {median(times):.3f}, worst {max(times):.2f}\n"
            f"  operations of it: median {median(lengths):g}, worst {max(lengths)} "
            f"(of {LONGEST} allowed)\n"
        )
    lines += [f"  not asked: {one.name}, which needs {one.needs_size}\n" for one in large]
    return "".join(lines)


def as_json(results: Sequence[Result], phases: Sequence[str], large: Sequence[Mutant] = ()) -> str:
    """All results as JSON; times are in the fields `seconds` and nowhere else."""
    form = {
        "format": _FORMAT,
        "phases": list(phases),
        "seeds": list(dict.fromkeys(one.seed for one in results)),
        "all": len(results),
        "caught": sum(one.wrong is None for one in results),
        "not_asked": {one.name: f"needs {one.needs_size}" for one in large},
        "results": [_result(one) for one in results],
    }
    return json.dumps(form, ensure_ascii=True, indent=2, allow_nan=False) + "\n"


def _result(one: Result) -> dict[str, Any]:
    return {
        "mutant": one.mutant,
        "clause": one.clause,
        "seed": one.seed,
        "wrong": one.wrong,
        "others": list(one.others),
        "phase": one.phase or None,
        "operations": one.operations,
        "seconds": round(one.seconds, 6),
        "program": None if one.program is None else to_json(one.program),
    }


def _measures(results: Sequence[Result]) -> tuple[list[int], list[float], list[int]]:
    """Operations, seconds and lengths of those that were reported."""
    found = [(one, one.program) for one in results if one.program is not None]
    operations = [one.operations for one, _ in found]
    seconds = [one.seconds for one, _ in found]
    return operations, seconds, [len(program) for _, program in found]


def _told(one: Result) -> str:
    return "".join(_lines(one))


def _lines(one: Result) -> Iterator[str]:
    yield f"! {one.clause}  {one.mutant}, seed {one.seed}\n"
    for text in (MUTANTS[one.mutant].summary, str(one.wrong)):
        yield textwrap.fill(text, _WIDTH, initial_indent="    ", subsequent_indent="    ") + "\n"
    if one.program is not None:
        for operation in to_json(one.program):
            yield f"      {textwrap.shorten(json.dumps(operation), _WIDTH - 6)}\n"
