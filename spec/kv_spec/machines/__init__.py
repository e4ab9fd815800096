"""The executable specification: a state machine over the operations of a store.

Each rule is a way to use a store that some clause speaks of. What an answer must be is not said
here but by the oracle, which the machine is given together with the subject, as a session. Run
under pytest, `machine(...).TestCase` fails on the first violation and Hypothesis shrinks it; the
harness runs the same machine with a session that collects.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis.stateful import RuleBasedStateMachine, initialize

from kv_spec.machines.base import LiveSession, Plan
from kv_spec.machines.drawing import ANY, FLAG
from kv_spec.machines.edges import Edges
from kv_spec.machines.listing import Listing
from kv_spec.machines.races import Races
from kv_spec.machines.reading import Reading
from kv_spec.machines.swaps import Swaps
from kv_spec.machines.time import Time


class Rules(Reading, Time, Listing, Swaps, Edges, Races):
    """All rules."""


class StoreMachine(Rules, RuleBasedStateMachine):
    """All rules as Hypothesis runs them; `machine` binds them to a store."""

    @initialize(theme=ANY.strategy, start=ANY.strategy, fraction=FLAG.strategy)
    def begin(self, theme: int, start: int, fraction: bool) -> None:
        """A program keeps to a few keys that are easily taken for one another."""
        self.choose_keys(theme, start, fraction)

    def teardown(self) -> None:
        self.session.close()


def machine(plan: Plan, open_session: Callable[[], LiveSession]) -> type[StoreMachine]:
    """The machine for one store; `open_session` opens it fresh for each program."""
    return type(
        "StoreMachine",
        (StoreMachine,),
        {"plan": plan, "open_session": staticmethod(open_session)},
    )


__all__ = ["LiveSession", "Plan", "Rules", "StoreMachine", "machine"]
