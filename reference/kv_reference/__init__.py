"""Correct behaviour in pure Python: the store, the oracle, the mutants."""
