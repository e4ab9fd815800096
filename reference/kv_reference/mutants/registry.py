"""What a mutant is, and how one is declared."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from kv_spec.profile import Profile

from kv_reference.store import REFERENCE_PROFILE

_Store = TypeVar("_Store", bound=type[Any])


@dataclass(frozen=True, slots=True)
class Mutant:
    """The reference with one clause broken.

    `also` names the clauses that the fault breaks by implication: a harness that blames one of
    them is not wrong. `needs_size` says what it takes to show a fault, where that is more than
    the machines come to: their programs fill a store with a hundred entries.
    """

    name: str
    clause: str
    summary: str
    store: type[Any]
    profile: Profile
    needs_size: str = ""
    also: frozenset[str] = frozenset()


MUTANTS: Final[dict[str, Mutant]] = {}
"""Every mutant by its name, in the order of declaration."""


def mutant(
    clause: str,
    summary: str,
    *,
    profile: Profile = REFERENCE_PROFILE,
    needs_size: str = "",
    also: str = "",
) -> Callable[[_Store], _Store]:
    """Registers a store class as a mutant; it is named after the class, in kebab case.

    `also` is a list of clauses separated by blanks. Raises ValueError for a name taken.
    """

    def register(store: _Store) -> _Store:
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", store.__name__).lower()
        if name in MUTANTS:
            raise ValueError(f"there are two mutants named {name}")
        store.profile = profile
        MUTANTS[name] = Mutant(
            name, clause, summary, store, profile, needs_size, frozenset(also.split())
        )
        return store

    return register
