"""Every mutant is caught, under its own clause, by the shortest program that shows it.

The programs are the demonstrations of the clauses: each passes on the reference, its last
operation counts there as a check of the clause, and on the mutant it breaks that clause.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kv_conformance.self_test.catching import close
from kv_conformance.trial import trial_of
from kv_reference.mutants import MUTANTS, Mutant
from kv_spec.operations import (
    Advance,
    Cas,
    Close,
    Delete,
    Fill,
    Get,
    Has,
    Increment,
    Iterate,
    List,
    Open,
    Operation,
    Prune,
    Race,
    Scan,
    Set,
    Unoffered,
)
from kv_spec.store import ABSENT
from kv_spec.values import CHANGED_AFTER_GET, Outside

K, A, B, C = ("k",), ("a",), ("b",), ("c",)
AB = ("a", "b")
DAYS = 86_400.0
TICK = 1 / 64
NAN, INFINITY = Outside("nan"), Outside("infinity")
LONG_TEXT = "x" * 120_000

DEMONSTRATIONS: dict[str, list[Operation]] = {
    # OPEN
    "one-space-for-all": [Set(K, 1), Open("b"), Get(K)],
    "spaces-fold-case": [Set(K, 1), Open("A"), Get(K)],
    "starts-with-entry": [List()],
    "data-per-handle": [Set(K, 1), Open("a"), Get(K)],
    "deletes-own-copy": [Set(K, 1), Delete(K), Open("a"), Get(K)],
    # GET
    "miss-raises": [Get(K)],
    "miss-answers-empty": [Get(K)],
    "writes-behind": [Set(K, 1), Get(K)],
    "get-refreshes": [Set(K, 1, 2.0), Advance(1.0), Get(K), Advance(1.0), Get(K)],
    "get-pops": [Set(K, 1), Get(K), Get(K)],
    "miss-is-cached": [Get(K), Has(K)],
    "falsy-is-miss": [Set(K, 0), Get(K)],
    "empty-is-miss": [Set(K, []), Get(K)],
    "deleted-raises": [Delete(K), Get(K)],
    "expired-answers-false": [Set(K, 1, 1.0), Advance(1.0), Get(K)],
    # SET
    "merges-mappings": [Set(K, {"a": 1}), Set(K, {"b": 1}), Get(K)],
    "keeps-first": [Set(K, 1), Set(K, 2), Get(K)],
    "appends-to-lists": [Set(K, [1]), Set(K, [2]), Get(K)],
    "keeps-old-deadline": [Set(K, 1, 1.0), Set(K, 2), Advance(1.0), Get(K)],
    "first-deadline-wins": [Set(K, 1, 1.0), Set(K, 2, 2.0), Advance(1.0), Get(K)],
    "longer-deadline-wins": [Set(K, 1, 2.0), Set(K, 2, 1.0), Advance(1.0), Get(K)],
    "permanent-stays": [Set(K, 1), Set(K, 2, 1.0), Advance(1.0), Get(K)],
    "ttl-adds-up": [Set(K, 1, 1.0), Set(K, 2, 1.0), Advance(1.0), Get(K)],
    "stale-timer-fires": [Set(K, 1, 1.0), Set(K, 2), Advance(1.0), Get(K)],
    "evicts-oldest": [Set(A, 1), Set(B, 1), Set(C, 1), Get(A)],
    "one-deadline-for-all": [Set(A, 1, 1.0), Set(B, 1), Advance(1.0), Get(A)],
    "appends-rows": [Set(K, 1), Set(K, 2), List()],
    "drops-quietly": [Set(K, "\0"), Get(K)],
    "drops-large-quietly": [Set(K, LONG_TEXT), Get(K)],
    "refusal-removes": [Set(K, 1), Set(K, NAN), Get(K)],
    "refusal-persists": [Set(K, 1, 1.0), Set(K, NAN), Advance(1.0), Get(K)],
    "refusal-truncates": [Set(K, 1), Set(K, NAN), Get(K)],
    # DEL
    "delete-does-nothing": [Set(K, 1), Delete(K), Get(K)],
    "has-sees-deleted": [Set(K, 1), Delete(K), Has(K)],
    "list-sees-deleted": [Set(K, 1), Delete(K), List()],
    "cas-sees-deleted": [Set(K, 1), Delete(K), Cas(K, ABSENT, 2)],
    "delete-miss-raises": [Delete(K)],
    "second-delete-raises": [Set(K, 1), Delete(K), Delete(K)],
    "delete-takes-subtree": [Set(AB, 1), Delete(A), Get(AB)],
    "delete-folds-case": [Set(("A",), 1), Delete(A), Get(("A",))],
    "delete-by-text-prefix": [Set(("ab",), 1), Delete(A), Get(("ab",))],
    "delete-counts-expired": [Set(K, 1, 1.0), Advance(1.0), Delete(K)],
    "delete-answers-true": [Delete(K)],
    "delete-answers-by-truth": [Set(K, 0), Delete(K)],
    # HAS
    "has-by-truth": [Set(K, 0), Has(K)],
    "has-counts": [Has(K)],
    "has-finds-below": [Set(AB, 1), Has(A)],
    "has-refreshes": [Set(K, 1, 2.0), Advance(1.0), Has(K), Advance(1.0), Get(K)],
    "has-pops": [Set(K, 1), Has(K), Get(K)],
    # NULL
    "null-deletes": [Set(K, None), Has(K)],
    "has-misses-null": [Set(K, None), Has(K)],
    "list-skips-null": [Set(K, None), List()],
    "null-ignored": [Set(K, 1), Set(K, None), Get(K)],
    "null-stored": [Set(K, None), Has(K)],
    "null-with-ttl-stored": [Set(K, None, 1.0), Has(K)],
    "null-taken": [Set(K, None)],
    "null-refusal-swallowed": [Set(K, None)],
    "drops-nested-nulls": [Set(K, [None]), Get(K)],
    "drops-null-members": [Set(K, {"a": None}), Get(K)],
    "refuses-nested-nulls": [Set(K, [None])],
    # TTL
    "timer-survives-delete": [Set(K, 1, 1.0), Delete(K), Set(K, 2), Advance(1.0), Get(K)],
    "default-of-a-day": [Set(K, 1), Advance(DAYS), Get(K)],
    "cuts-to-seconds": [Set(K, 1, 1.5), Advance(1.0), Get(K)],
    "ends-early": [Set(K, 1, 1.0), Advance(1 - TICK), Get(K)],
    "ttl-in-milliseconds": [Set(K, 1, 1.0), Advance(0.5), Get(K)],
    "has-ends-early": [Set(K, 1, 1.0), Advance(1 - TICK), Has(K)],
    "lives-at-deadline": [Set(K, 1, 1.0), Advance(1.0), Get(K)],
    "get-sees-expired": [Set(K, 1, 1.0), Advance(1.0), Get(K)],
    "has-sees-expired": [Set(K, 1, 1.0), Advance(1.0), Has(K)],
    "list-sees-expired": [Set(K, 1, 1.0), Advance(1.0), List()],
    "keys-see-expired": [Set(K, 1, 1.0), Advance(1.0), Scan("keys")],
    "values-see-expired": [Set(K, 1, 1.0), Advance(1.0), Scan("values")],
    "entries-see-expired": [Set(K, 1, 1.0), Advance(1.0), Scan("entries")],
    "create-sees-expired": [Set(K, 1, 1.0), Advance(1.0), Cas(K, ABSENT, 2)],
    "swap-sees-expired": [Set(K, 1, 1.0), Advance(1.0), Cas(K, 1, 2)],
    "has-rounds-time": [Set(K, 1, 1.0), Advance(1.0), Get(K), Has(K)],
    "list-rounds-time": [Set(K, 1, 1.0), Advance(1.0), Get(K), List()],
    "rounds-fractions": [Set(K, 1, 1.25), Advance(1.0), Get(K)],
    "refuses-fractions": [Set(K, 1, 1.5)],
    "fractions-never-end": [Set(K, 1, 1.5), Advance(3.0), Get(K)],
    "zero-is-never": [Set(K, 1, 0.0), Get(K)],
    "cas-zero-is-never": [Cas(K, ABSENT, 1, 0.0), Get(K)],
    "zero-keeps-old": [Set(K, 1), Set(K, 2, 0.0), Get(K)],
    "zero-refused": [Set(K, 1, 0.0)],
    "zero-expires": [Set(K, 1, 0.0), Get(K)],
    "zero-taken": [Set(K, 1, 0.0)],
    "negative-is-never": [Set(K, 1, -1.0), Get(K)],
    "negative-is-absolute": [Set(K, 1, -1.0), Get(K)],
    "negative-keeps-old": [Set(K, 1), Set(K, 2, -1.0), Get(K)],
    "negative-expires": [Set(K, 1, -1.0), Get(K)],
    "nan-is-never": [Set(K, 1, NAN)],
    "infinity-is-never": [Set(K, 1, INFINITY)],
    "text-is-ignored": [Set(K, 1, Outside("text"))],
    "cas-takes-nan": [Cas(K, ABSENT, 1, NAN)],
    "infinity-refused": [Set(K, 1, INFINITY)],
    "default-caps": [Set(K, 1, 100.0), Advance(60.0), Get(K)],
    "default-extends": [Set(K, 1, 1.0), Advance(1.0), Get(K)],
    "marker-gets-default": [Set(K, 1, 0.0), Advance(60.0), Get(K)],
    "get-clears-late": [Set(K, 1, 1.0), Advance(1.0), Race((Get(K), Set(K, 2))), Get(K)],
    "has-clears-late": [Set(K, 1, 1.0), Advance(1.0), Race((Has(K), Set(K, 2))), Get(K)],
    "async-get-clears-late": [Set(K, 1, 1.0), Advance(1.0), Race((Get(K), Set(K, 2))), Get(K)],
    "prune-drops-bounded": [Set(K, 1, 1.0), Prune(), Get(K)],
    "prune-persists": [Set(K, 1, 1.0), Prune(), Advance(1.0), Get(K)],
    "prune-raises": [Prune()],
    "long-ttl-is-date": [Set(K, 1, 31 * DAYS), Get(K)],
    "long-ttl-wraps": [Set(K, 1, 31 * DAYS), Get(K)],
    "long-ttl-is-never": [Set(K, 1, 31 * DAYS), Advance(31 * DAYS), Get(K)],
    "expiry-flushes": [Set(A, 1), Set(B, 1, 1.0), Advance(1.0), Get(A)],
    "expiry-stops-timers": [Set(A, 1, 2.0), Set(B, 1, 1.0), Advance(2.0), Get(A)],
    # LIST
    "empty-prefix-finds-nothing": [Set(K, 1), List()],
    "first-level-only": [Set(AB, 1), List()],
    "hides-underscores": [Set(("_a",), 1), List()],
    "matches-text": [Set(("ab",), 1), List(A)],
    "direct-children-only": [Set(("a", "b", "c"), 1), List(A)],
    "matches-anywhere": [Set(("b", "a"), 1), List(A)],
    "lists-parents": [Set(A, 1), List(AB)],
    "excludes-prefix-itself": [Set(A, 1), List(A)],
    "prefix-itself-twice": [Set(A, 1), List(A)],
    "prefix-is-like": [Set(("ab",), 1), List(("a%",))],
    "prefix-is-glob": [Set(("ab",), 1), List(("a*",))],
    "prefix-is-regex": [Set(("ab",), 1), List(("a.",))],
    "prefix-must-compile": [Set(("[", "a"), 1), List(("[",))],
    "quote-breaks-query": [Set(("'", "a"), 1), List(("'",))],
    "backslash-escapes": [Set(("\\", "a"), 1), List(("\\",))],
    "separator-in-prefix": [Set(AB, 1), List(("a:b",))],
    "prefix-folds-case": [Set(("A",), 1), List(A)],
    "prefix-folds-accents": [Set(("á",), 1), List(A)],
    "prefix-is-stripped": [Set(A, 1), List(("a ",))],
    "repeats-last": [Set(A, 1), Set(B, 1), List()],
    "pages-overlap": [Fill(101), List()],
    "splits-at-separator": [Set(("a:b",), 1), List()],
    "keys-are-lists": [Set(K, 1), List()],
    "list-shows-first-value": [Set(K, 1), Set(K, 2), List()],
    "strips-prefix": [Set(AB, 1), List(A)],
    "first-page-only": [Fill(101), List()],
    "thousand-at-most": [Fill(1001), List()],
    "insertion-order": [Set(B, 1), Set(A, 1), List()],
    "utf16-order": [Set(("\uffff",), 1), Set(("\U00010000",), 1), List()],
    "joined-order": [Set(("a!",), 1), Set(AB, 1), List()],
    "caseless-order": [Set(A, 1), Set(("B",), 1), List()],
    "sorted-order": [Set(B, 1), Set(A, 1), List()],
    "abandoned-blocks": [Iterate((), "abandon", 0), Set(A, 1)],
    "abandoned-loses": [Set(A, 1), Iterate((), "abandon", 0), Get(A)],
    # ITER
    "walk-by-index": [Set(A, 1), Set(B, 1), Iterate((), "delete-current", 1)],
    "walk-must-not-shrink": [Set(A, 1), Set(B, 1), Iterate((), "delete-current", 1)],
    "walk-by-offset": [Set(("t",), 1), Iterate((), "write-new", 1)],
    "overwrite-ends-walk": [Set(A, 1), Set(B, 1), Iterate((), "overwrite", 1)],
    "added-drops-last": [Set(A, 1), Set(B, 1), Iterate((), "write-new", 1)],
    "walk-follows-log": [Set(A, 1), Iterate((), "write-new", 1)],
    "walk-restarts": [Set(A, 1), Iterate((), "write-new", 1)],
    "listing-drains": [Set(A, 1), List(), Get(A)],
    "listing-clears-bounded": [Set(A, 1, 1.0), List(), Get(A)],
    "keys-by-truth": [Set(K, 0), Scan("keys")],
    "values-are-unique": [Set(A, 1), Set(B, 1), Scan("values")],
    "entries-hide-underscores": [Set(("_a",), 1), Scan("entries")],
    "keys-show-parents": [Set(AB, 1), Scan("keys")],
    # CAS
    "cas-ignores-expected": [Set(K, 1), Cas(K, 2, 3)],
    "cas-reports-false": [Set(K, 1), Cas(K, 1, 2)],
    "cas-does-not-install": [Set(K, 1), Cas(K, 1, 2), Get(K)],
    "cas-answers-nothing": [Cas(K, ABSENT, 1)],
    "mismatch-raises": [Cas(K, 1, 2)],
    "repeat-counts-as-win": [Set(K, 2), Cas(K, 1, 2)],
    "failed-cas-writes": [Set(K, 1), Cas(K, 2, 3), Get(K)],
    "failed-cas-creates": [Cas(K, 1, 2), Get(K)],
    "failed-cas-removes": [Set(K, 1), Cas(K, 2, 3), Get(K)],
    "failed-cas-persists": [Set(K, 1, 1.0), Cas(K, 2, 3), Advance(1.0), Get(K)],
    "failed-cas-sets-ttl": [Set(K, 1), Cas(K, 2, 3, 1.0), Advance(1.0), Get(K)],
    "create-overwrites": [Set(K, 1), Cas(K, ABSENT, 2)],
    "create-over-falsy": [Set(K, 0), Cas(K, ABSENT, 1)],
    "create-needs-record": [Cas(K, ABSENT, 1)],
    "swap-to-null": [Set(K, 1), Cas(K, 1, ABSENT), Has(K)],
    "swap-deletes-nothing": [Set(K, 1), Cas(K, 1, ABSENT), Get(K)],
    "swap-delete-raises": [Set(K, 1), Cas(K, 1, ABSENT)],
    "nothing-creates": [Cas(K, ABSENT, ABSENT), Has(K)],
    "nothing-is-failure": [Cas(K, ABSENT, ABSENT)],
    "nothing-always-succeeds": [Set(K, 1), Cas(K, ABSENT, ABSENT)],
    "swap-keeps-deadline": [Set(K, 1, 1.0), Cas(K, 1, 2), Advance(1.0), Get(K)],
    "swap-ignores-ttl": [Set(K, 1), Cas(K, 1, 2, 1.0), Advance(1.0), Get(K)],
    "create-ignores-ttl": [Cas(K, ABSENT, 1, 1.0), Advance(1.0), Get(K)],
    "create-inherits-expired": [Set(K, 1, 1.0), Advance(1.0), Cas(K, ABSENT, 2), Get(K)],
    "compares-identity": [Set(K, [1]), Cas(K, [1], 2)],
    "compares-text": [Set(K, {"a": 1, "b": 1}), Cas(K, {"b": 1, "a": 1}, 2)],
    "compares-like-python": [Set(K, True), Cas(K, 1, 2)],
    "compares-types": [Set(K, 1), Cas(K, 1.0, 2)],
    "compares-as-sets": [Set(K, [1, 2]), Cas(K, [2, 1], 3)],
    "cas-without-lock": [Race((Cas(K, ABSENT, 1), Cas(K, ABSENT, 2)))],
    "create-without-lock": [Race((Cas(K, ABSENT, 1), Cas(K, ABSENT, 2)))],
    "lock-per-handle": [Race((Cas(K, ABSENT, 1), Cas(K, ABSENT, 2)))],
    "cas-awaits-before-writing": [Race((Cas(K, ABSENT, 1), Cas(K, ABSENT, 2)))],
    "contention-raises": [Race((Cas(K, ABSENT, 1), Cas(K, ABSENT, 2)))],
    "stale-cas-succeeds": [Set(K, [1]), Get(K, change=True), Cas(K, [1, CHANGED_AFTER_GET], 2)],
    "swap-without-lock": [Set(K, 0), Race((Increment(K), Increment(K)))],
    "old-token-releases": [
        Cas(K, ABSENT, "s", 1.0), Advance(1.0), Cas(K, ABSENT, "t"), Cas(K, "s", ABSENT),
    ],
    # KEY
    "hash-collides": [Set(("ab",), 1), Get(("ba",))],
    "decodes-percent": [Set(A, 1), Get(("%61",))],
    "safe-file-names": [Set(("_",), 1), Get(("*",))],
    "joins-by-colon": [Set(AB, 1), Get(("a:b",))],
    "joins-by-nothing": [Set(AB, 1), Get(("ab",))],
    "answers-from-below": [Set(AB, 1), Get(A)],
    "folds-case": [Set(A, 1), Get(("A",))],
    "strips-blanks": [Set(A, 1), Get(("a ",))],
    "normalises-unicode": [Set(("é",), 1), Get(("e\u0301",))],
    "cuts-at-nul": [Set(A, 1), Get(("a\0",))],
    "replaces-surrogates": [Set(("?",), 1), Get(("\ud800",))],
    "astral-alike": [Set(("\U0001f600",), 1), Get(("\U0001f601",))],
    "half-supports-nul": [Set(("\0",), 1), Get(("\0",))],
    "drops-empty-components": [Set(A, 1), Get(("a", ""))],
    "empty-component-is-miss": [Set(("",), 1), Get(("",))],
    "empty-key-is-miss": [Set("", 1), Get("")],
    "loses-members": [Set(("__proto__",), 1), Get(("__proto__",))],
    "answers-members": [Get(("constructor",))],
    "has-finds-members": [Has(("toString",))],
    "cuts-declared-keys": [Set(("x" * 251,), 1)],
    "cuts-long-keys": [Set(("x" * 255,), 1), Get(("x" * 256,))],
    "half-supports-long": [Set(("x" * 256,), 1), Get(("x" * 256,))],
    # VAL
    "unwraps-envelope": [Set(K, {"value": 1}), Get(K)],
    "loses-proto": [Set(K, {"__proto__": 1}), Get(K)],
    "single-precision": [Set(K, 0.1), Get(K)],
    "booleans-are-numbers": [Set(K, True), Get(K)],
    "integers-wrap": [Set(K, 2**31), Get(K)],
    "refuses-depth": [Set(K, [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]])],
    "keeps-object": [Set(K, [1], change=True), Get(K)],
    "copies-shallow-in": [Set(K, [[1]], change=True), Get(K)],
    "hands-out-object": [Set(K, [1]), Get(K, change=True), Get(K)],
    "copies-shallow-out": [Set(K, [[1]]), Get(K, change=True), Get(K)],
    "list-hands-out": [Set(K, [1]), List(change=True), Get(K)],
    "nan-is-text": [Set(K, NAN)],
    "nan-is-null": [Set(K, NAN)],
    "keys-become-text": [Set(K, Outside("integer-keys"))],
    "sets-become-lists": [Set(K, Outside("set"))],
    "objects-become-text": [Set(K, Outside("object"))],
    "parses-text": [Set(K, "1"), Get(K)],
    "drops-colon": [Set(K, ":a"), Get(K)],
    "doubles-quotes": [Set(K, "'"), Get(K)],
    "cuts-text-at-nul": [Set(K, "a\0"), Get(K)],
    "makes-line-ends-alike": [Set(K, "\r\n"), Get(K)],
    "get-can-not-decode": [Set(K, "€"), Get(K)],
    "list-can-not-decode": [Set(K, 0.5), List()],
    "cuts-large-values": [Set(K, LONG_TEXT), Get(K)],
    "takes-too-large": [Set(K, LONG_TEXT)],
    "refuses-large": [Set(K, LONG_TEXT[:90_000])],
    "bytes-are-text": [Set(K, Outside("bytes")), Get(K)],
    "big-integers-are-floats": [Set(K, Outside("bigint")), Get(K)],
    "dates-become-text": [Set(K, Outside("datetime")), Get(K)],
    "dates-lose-zone": [Set(K, Outside("datetime")), Get(K)],
    # CLOSE, ERR
    "second-close-raises": [Close(), Close()],
    "closed-works": [Close(), Get(K)],
    "closed-misses": [Close(), Get(K)],
    "closed-lists-nothing": [Close(), List()],
    "stores-then-refuses": [Set(K, NAN), Get(K)],
    "refusal-flushes": [Set(A, 1), Set(B, NAN), Get(A)],
    "bad-key-flushes": [Set(K, 1), Set(Outside("list"), 1), Get(K)],
    "raises-early": [Set(K, NAN)],
    "ignores-ttl": [Unoffered("ttl")],
    "cas-answers-false": [Unoffered("cas")],
    "list-answers-nothing": [Unoffered("list")],
}  # fmt: skip


def run(mutant: Mutant, *, minimal: bool) -> tuple[str | None, bool]:
    """The clause that the mutant is found to break, and whether the blame is sure."""
    trial = trial_of(mutant.store, mutant.profile)
    try:
        violation = trial.run(DEMONSTRATIONS[mutant.name], minimal=minimal).violation
    finally:
        close(trial)
    return (None, True) if violation is None else (violation.clause, violation.sure)


def test_there_is_a_demonstration_for_each_mutant() -> None:
    assert set(DEMONSTRATIONS) == set(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_the_mutant_is_caught_under_its_clause(mutant: Mutant) -> None:
    assert run(mutant, minimal=True) == (mutant.clause, True)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_the_blame_misleads_in_no_longer_program_either(mutant: Mutant) -> None:
    clause, sure = run(mutant, minimal=False)
    assert clause in mutant.also | {mutant.clause} or (clause is not None and not sure)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_the_reference_passes_and_counts_the_last_operation_as_a_check(mutant: Mutant) -> None:
    session = trial_of(profile=mutant.profile).run(DEMONSTRATIONS[mutant.name], minimal=True)
    assert session.violation is None
    # The reference refuses what is undeclared, so that the refusal is the check.
    checking = session.steps[0 if mutant.name == "dates-become-text" else -1]
    assert mutant.clause in checking.at_stake


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_no_operation_of_a_demonstration_can_be_left_out(mutant: Mutant) -> None:
    program = DEMONSTRATIONS[mutant.name]
    trial = trial_of(mutant.store, mutant.profile)
    try:
        for shorter in _shorter(program):
            assert trial.run(shorter, minimal=True).violation is None
    finally:
        close(trial)


def _shorter(program: list[Operation]) -> Iterator[list[Operation]]:
    for number in range(len(program)):
        yield program[:number] + program[number + 1 :]
