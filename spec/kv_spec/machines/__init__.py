"""The executable specification: a state machine over the operations of a store.

Each rule is a way to use a store that some clause speaks of. What an answer must be is not said
here but by the oracle, which the machine is given together with the subject, as a session. Run
under pytest, `machine(...).TestCase` fails on the first violation and Hypothesis shrinks it; the
harness runs the same machine with a session that collects.
"""

from __future__ import annotations

from collections.abc import Callable

from kv_spec.machines.base import LiveSession, Plan
from kv_spec.machines.edges import Edges
from kv_spec.machines.listing import Listing
from kv_spec.machines.races import Races
from kv_spec.machines.reading import Reading
from kv_spec.machines.swaps import Swaps
from kv_spec.machines.time import Time


class StoreMachine(Reading, Time, Listing, Swaps, Edges, Races):
    """All rules; `machine` binds them to a store."""


def machine(plan: Plan, open_session: Callable[[], LiveSession]) -> type[StoreMachine]:
    """The machine for one store; `open_session` opens it fresh for each program."""
    return type(
        "StoreMachine",
        (StoreMachine,),
        {"plan": plan, "open_session": staticmethod(open_session)},
    )


__all__ = ["LiveSession", "Plan", "StoreMachine", "machine"]
