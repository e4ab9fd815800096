"""The reference with one clause broken at a time: what a harness has to catch.

Importing this package registers the mutants of all its modules, one or two a clause family.
"""

from kv_reference.mutants import (
    cas,
    concurrency,
    deadlines,
    deleting,
    expiry,
    iterating,
    keys,
    lifecycle,
    listing,
    null,
    odd_keys,
    prefixes,
    reading,
    swapping,
    ttl_input,
    value_domain,
    values,
    writing,
)
from kv_reference.mutants.registry import MUTANTS, Mutant

__all__ = ["FAMILIES", "MUTANTS", "Mutant"]

FAMILIES = (
    reading, writing, deleting, null, deadlines, expiry, ttl_input, listing, prefixes, iterating,
    cas, swapping, concurrency, keys, odd_keys, values, value_domain, lifecycle,
)  # fmt: skip
"""The modules with mutants, in the order of the specification."""
