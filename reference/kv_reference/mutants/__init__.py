"""The reference with one clause broken at a time: what a harness has to catch.

A module a clause family; importing this package registers them all.
"""

from kv_reference.mutants import (
    cas,
    concurrency,
    core,
    deleting,
    iterating,
    keys,
    lifecycle,
    listing,
    null,
    ttl,
    ttl_input,
    values,
)
from kv_reference.mutants.registry import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant"]

FAMILIES = (
    core, deleting, null, ttl, ttl_input, listing, iterating, cas, concurrency, keys, values,
    lifecycle,
)  # fmt: skip
"""The modules in the order of the specification."""
