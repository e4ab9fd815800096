"""The executable specification alone catches a mutant of every clause, in a short program.

Marked slow: `pytest -m slow conformance`. `kv-conformance self-test --phase machines --seeds 3`
does the same with all mutants, which takes longer still.
"""

import pytest
from kv_conformance.self_test.catching import caught_by
from kv_reference.mutants import MUTANTS

SEEDS = (1, 2, 3)

ONE_A_CLAUSE = {m.clause: m.name for m in reversed(MUTANTS.values()) if not m.needs_size}


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_A_CLAUSE.values())
def test_a_mutant_is_caught_under_its_clause_by_every_seed(name: str) -> None:
    for seed in SEEDS:
        result = caught_by(MUTANTS[name], ("machines",), seed)
        assert result.wrong is None, result
