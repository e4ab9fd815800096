"""The outcomes that a vector lists, and whether an answer agrees with one.

Each is an object with one field, or None for an operation whose answer is not judged but which
must not fail; `vectors/README.md` describes the forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from kv_spec.outcomes import Malformed, Outcome, Raced, Raised
from kv_spec.store import ABSENT
from kv_spec.values import Outside, equal

Expected: TypeAlias = "Mapping[str, Any] | None"


def conforms(expected: Expected, outcome: Outcome, earlier: Sequence[Outcome] = ()) -> bool:
    """Whether an outcome is the one that a vector lists for it.

    `earlier` are the outcomes of the operations before it. Where a store may refuse
    (`may_raise`) and has refused, the rest of the vector is owed by nobody: see `ends`.
    """
    if expected is None:
        return not isinstance(outcome, Raised | Malformed)
    ((form, due),) = expected.items()
    if form == "agrees":
        return _seen_live(outcome) is _seen_live(earlier[due])
    return _FORMS[form](due, outcome)


def ends(expected: Expected, outcome: Outcome) -> bool:
    """True where the store made use of its right to refuse, which ends the vector."""
    return expected is not None and "may_raise" in expected and isinstance(outcome, Raised)


def _entries(due: Any, outcome: Outcome) -> bool:
    return _paired(due, outcome) and len(due) == len(outcome)


def _paired(due: Any, outcome: Outcome) -> bool:
    """Every entry that is due occurs, each in a place of its own."""
    if not isinstance(outcome, list):
        return False
    rest = list(outcome)
    for key, value in due:
        place = next((i for i, entry in enumerate(rest) if _entry(key, value, entry)), None)
        if place is None:
            return False
        rest.pop(place)
    return True


def _entry(key: Any, value: Any, entry: Any) -> bool:
    if not isinstance(entry, tuple) or len(entry) != 2:
        return False
    due = tuple(key) if isinstance(key, list) else key
    return type(entry[0]) is type(due) and entry[0] == due and equal(value, entry[1])


def _sequence(due: Any, outcome: Outcome) -> bool:
    return (
        isinstance(outcome, list)
        and len(due) == len(outcome)
        and all(_entry(k, v, entry) for (k, v), entry in zip(due, outcome, strict=True))
    )


def _keys(due: Any, outcome: Outcome) -> bool:
    if not isinstance(outcome, list):
        return False
    return _entries([(key, None) for key in due], [(key, None) for key in outcome])


def _items(due: Any, outcome: Outcome) -> bool:
    if not isinstance(outcome, list):
        return False
    return _entries([("", item) for item in due], [("", item) for item in outcome])


def _winners(due: int, outcome: Outcome) -> bool:
    return isinstance(outcome, Raced) and due == sum(one is True for one in outcome.outcomes)


def _seen_live(outcome: Outcome) -> bool:
    return outcome not in (ABSENT, False, None, [])


_FORMS: Final[dict[str, Callable[[Any, Outcome], bool]]] = {
    "value": lambda due, outcome: outcome is not ABSENT and equal(due, outcome),
    "outside": lambda due, outcome: equal(Outside(due).make(), outcome),
    # Where null is a value and there is no other ABSENT, a miss is read as None.
    "absent": lambda due, outcome: outcome is ABSENT or outcome is None,
    "entries": _entries,
    "includes": _paired,
    "sequence": _sequence,
    "keys": _keys,
    "items": _items,
    "count": lambda due, outcome: isinstance(outcome, list) and len(outcome) == due,
    "raises": lambda due, outcome: isinstance(outcome, Raised),
    "may_raise": lambda due, outcome: not isinstance(outcome, Malformed),
    "any": lambda due, outcome: True,
    "winners": _winners,
    "one_of": lambda due, outcome: any(conforms(one, outcome) for one in due),
}

FORMS: Final = frozenset(_FORMS) | {"agrees"}
"""The fields that an outcome can have."""


def with_flat_keys(expected: Expected) -> Expected:
    """The same outcome with keys that are plain strings."""
    if expected is None:
        return None
    ((form, due),) = expected.items()
    if form in ("entries", "includes", "sequence"):
        return {form: [["".join(key), value] for key, value in due]}
    if form == "keys":
        return {form: ["".join(key) for key in due]}
    if form == "one_of":
        return {form: [with_flat_keys(one) for one in due]}
    return expected
