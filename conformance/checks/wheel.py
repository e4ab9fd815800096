"""Looks at an installed wheel from outside: is everything in it, and is the report what it says?

Run with the path of a JSON report as the only argument; exits with 1 and a reason if not.
"""

import importlib.metadata
import json
import sys
from pathlib import Path

from kv_spec.clauses import clauses
from kv_spec.vector_files import vectors


def main(path: str) -> str | None:
    """Returns what is wrong, or None."""
    report = json.loads(Path(path).read_text(encoding="utf-8"))
    if report["format"] != 1 or report["verdict"] != "conformant":
        return f"the report says {report['verdict']}"
    if [one["id"] for one in report["clauses"]] != list(clauses()):
        return "the report does not hold every clause in the order of the specification"
    covered = {clause for vector in vectors() for clause in vector.clauses}
    if not covered or not covered <= set(clauses()):
        return "the vectors are missing, or name clauses that do not exist"
    files = {str(file) for file in importlib.metadata.files("kv-conformance") or ()}
    missing = [
        name
        for name in ("kv_spec/SPEC.md", "kv_spec/py.typed", "kv_conformance/py.typed")
        if name not in files
    ]
    return f"the wheel lacks {', '.join(missing)}" if missing else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
