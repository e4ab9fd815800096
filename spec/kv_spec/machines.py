"""The executable specification: a state machine over the operations of a store.

Each rule is a way to use a store that some clause speaks of. What an answer must be is not said
here but by the oracle, which the machine is given together with the subject, as a session. Run
under pytest, `machine(...).TestCase` fails on the first violation and Hypothesis shrinks it; the
harness runs the same machine with a session that collects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from kv_spec import generate as gen
from kv_spec import switches
from kv_spec.operations import (
    Advance,
    Cas,
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
from kv_spec.profile import Profile
from kv_spec.store import ABSENT
from kv_spec.values import CHANGED_AFTER_GET, Outside

KEYS_A_PROGRAM: Final = 5


class LiveSession(Protocol):
    """One program on a store, judged as it goes."""

    def do(self, operation: Operation) -> Any:
        """Performs an operation, judges the outcome and returns it.

        Raises or records a violation as it sees fit.
        """

    @property
    def over(self) -> bool:
        """True when the program is to end early."""

    def may_race(self, kind: str) -> bool:
        """True if a race of this kind is worth its time in this program."""

    def close(self) -> None:
        """Gives the store back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a machine needs to know of a store: its profile, what it offers, what to try."""

    profile: Profile
    offers: frozenset[str]
    not_offered: tuple[str, ...] = ()
    """Names to call in vain (ERR-2)."""
    races: bool = False
    spaces: bool = True
    time: bool = True
    """False where waiting is real, and programs with waits are run another way."""
    pools: gen.Pools = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.pools is None:
            object.__setattr__(self, "pools", gen.pools(self.profile))


def offers(*names: str) -> Callable[[Any], Any]:
    """A rule for stores that offer all of `names`."""
    return precondition(lambda self: self.plan.offers.issuperset(names))


_INDEX: Final = st.integers(0, KEYS_A_PROGRAM - 1)
_ANY: Final = st.integers(0, 10_000)
_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_TEXT: Final = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6
)


class StoreMachine(RuleBasedStateMachine):
    """The rules; `machine` binds them to a store."""

    plan: Plan
    open_session: Callable[[], LiveSession]

    def __init__(self) -> None:
        super().__init__()
        self.session = self.open_session()
        self.keys: list[Any] = []
        self.theme = gen.THEMES[0]
        self.deadlines: list[float] = []
        self.now = 0.0
        self.races = 0

    def teardown(self) -> None:
        self.session.close()

    @initialize(theme=st.sampled_from(gen.THEMES), start=_ANY, fraction=st.booleans())
    def choose_keys(self, theme: str, start: int, fraction: bool) -> None:
        """A program keeps to a few keys that are easily taken for one another.

        It starts on a whole second as often as on a fraction: each hides a kind of truncation.
        """
        pool = self.plan.pools.themes[theme]
        self.theme = theme
        self.keys = [pool[(start + step) % len(pool)] for step in range(KEYS_A_PROGRAM)]
        if fraction and self.plan.time and "ttl" in self.plan.offers:
            self.do(Advance(37 * gen.TICK))

    def do(self, operation: Operation) -> Any:
        """Performs an operation, unless the program is over."""
        # What rules may be drawn must follow from what was drawn, never from what a store did.
        if isinstance(operation, Advance):
            self.now += operation.seconds
        ttl = getattr(operation, "ttl", None)
        if isinstance(ttl, int | float) and 0 < ttl < gen.DAY:
            self.deadlines.append(self.now + ttl)
        return None if self.session.over else self.session.do(operation)

    def value(self, number: int) -> Any:
        """A value by number: mostly the plain ones with their twins, at times the hard ones."""
        pools = self.plan.pools
        if number % 4:
            return pools.values[number // 4 % len(pools.values)]
        return pools.hard_values[number // 4 % len(pools.hard_values)]

    def plain(self, number: int) -> Any:
        """A value of the plain ones, never null."""
        values = [value for value in self.plan.pools.values if value is not None]
        return values[number % len(values)]

    def ttl(self, number: int) -> float:
        """A ttl by number: mostly one that the clock's steps meet, at times an odd one."""
        pools = self.plan.pools
        if number % 5:
            return pools.ttls[number // 5 % len(pools.ttls)]
        return pools.odd_ttls[number // 5 % len(pools.odd_ttls)]

    # Reading and writing.

    @rule(key=_INDEX, change=st.booleans())
    def get(self, key: int, change: bool) -> None:
        """A key answers its live value or ABSENT; what came out is the caller's own (GET, VAL-3)."""
        self.do(Get(self.keys[key], change))

    @rule(key=_INDEX, value=_ANY, change=st.booleans())
    def set(self, key: int, value: int, change: bool) -> None:
        """A set replaces the whole entry; what was passed in stays the caller's own (SET, VAL-2)."""
        self.do(Set(self.keys[key], self.value(value), change=change))

    @rule(key=_INDEX, value=_ANY)
    def set_and_get(self, key: int, value: int) -> None:
        """What was set is read, whatever was there before (GET-2, VAL-1)."""
        self.do(Set(self.keys[key], self.value(value), change=value % 2 == 0))
        self.do(Get(self.keys[key]))

    @rule(key=_INDEX, value=_JSON)
    def set_any_json(self, key: int, value: Any) -> None:
        """Every JSON value comes back equal (VAL-1)."""
        self.do(Set(self.keys[key], value))
        self.do(Get(self.keys[key]))

    @rule(text=_TEXT, value=_ANY)
    def set_any_key(self, text: str, value: int) -> None:
        """Every text is a key (KEY-1, KEY-3)."""
        key = text if self.plan.profile.flat else (text,)
        self.do(Set(key, self.plain(value)))
        self.do(Get(key))

    @rule(key=_INDEX, again=st.booleans())
    def delete(self, key: int, again: bool) -> None:
        """A delete removes just that key; again it is no error (DEL)."""
        self.do(Delete(self.keys[key]))
        if again:
            self.do(Delete(self.keys[key]))
        self.read(self.keys[key], key)

    @rule(key=_INDEX, ttl=st.booleans())
    def set_null(self, key: int, ttl: bool) -> None:
        """Null deletes, is stored, or is refused, with a ttl or without (NULL)."""
        seconds = self.plan.pools.ttls[0] if ttl and "ttl" in self.plan.offers else None
        self.do(Set(self.keys[key], None, seconds))
        self.read(self.keys[key], key)

    @rule(left=_INDEX, right=_INDEX, value=_ANY)
    def twins_stay_apart(self, left: int, right: int, value: int) -> None:
        """Two keys share neither value nor fate (KEY, SET-3, DEL-3)."""
        one, other = self.keys[left], self.keys[right]
        self.do(Set(one, self.plain(value)))
        self.do(Get(one))
        self.do(Get(other))
        self.do(Set(other, f"of {right}"))
        self.do(Get(one))
        self.do(Delete(other))
        self.do(Get(one))

    def read(self, key: Any, way: int) -> None:
        """Reads a key in one of the ways the store offers (TTL-3, TTL-4)."""
        ways: list[Operation] = [Get(key)]
        if "has" in self.plan.offers:
            ways.append(Has(key))
        if "list" in self.plan.offers:
            ways += [List(key), List(self.plan.pools.everything)]
        if "cas-create" in self.plan.offers:
            ways.append(Cas(key, ABSENT, "created"))
        if "cas-swap" in self.plan.offers:
            ways.append(Cas(key, 1, "swapped"))
        if "cas-delete" in self.plan.offers:
            ways.append(Cas(key, ABSENT, ABSENT))
        ways += [Scan(name) for name in ("keys", "values", "entries") if name in self.plan.offers]
        self.do(ways[way % len(ways)])

    @rule(key=_INDEX, way=_ANY)
    def read_somehow(self, key: int, way: int) -> None:
        """All ways to read agree (HAS-1, LIST-7, ITER-5)."""
        self.read(self.keys[key], way)
        self.read(self.keys[key], way + 1)

    @offers("has")
    @rule(key=_INDEX)
    def has(self, key: int) -> None:
        """has is get without the value, and changes nothing (HAS)."""
        self.do(Has(self.keys[key]))

    # Time.

    @offers("ttl")
    @rule(key=_INDEX, value=_ANY, ttl=_ANY)
    def set_with_ttl(self, key: int, value: int, ttl: int) -> None:
        """An entry lives for its ttl, counted from this call (TTL-2, SET-2)."""
        self.do(Set(self.keys[key], self.plain(value), self.ttl(ttl)))

    @offers("ttl")
    @rule(key=_INDEX, first=st.integers(0, 5), second=st.integers(-1, 5), way=_ANY)
    def overwrite_the_deadline(self, key: int, first: int, second: int, way: int) -> None:
        """The second set decides how long: its ttl, or none (SET-2, TTL-1)."""
        ttls = self.plan.pools.ttls
        self.do(Set(self.keys[key], 1, ttls[first]))
        self.do(Set(self.keys[key], 2, None if second < 0 else ttls[second]))
        if self.plan.time:
            shorter = ttls[first] if second < 0 else min(ttls[first], ttls[second])
            self.do(Advance(shorter + self.plan.profile.ttl_resolution + gen.TICK))
            self.read(self.keys[key], way)

    @offers("ttl")
    @rule(key=_INDEX, negative=st.booleans(), was=st.booleans(), way=_ANY)
    def set_already_expired(self, key: int, negative: bool, was: bool, way: int) -> None:
        """A ttl of 0 or below leaves neither the entry nor an older one (TTL-6, TTL-7)."""
        if was:
            self.do(Set(self.keys[key], "older"))
        self.do(Set(self.keys[key], 1, -5.0 if negative else 0.0))
        self.read(self.keys[key], way)

    @offers("ttl")
    @precondition(lambda self: self.plan.time)
    @rule(step=st.integers(0, 6))
    def advance(self, step: int) -> None:
        """Time passes."""
        self.do(Advance(self.plan.pools.steps[step]))

    @offers("ttl")
    @precondition(lambda self: self.plan.time and any(d > self.now for d in self.deadlines))
    @rule(side=st.integers(-1, 2), key=_INDEX, way=_ANY)
    def advance_to_a_deadline(self, side: int, key: int, way: int) -> None:
        """Just before a deadline the entry is live, from it (and r) on it is gone (TTL-2, TTL-3)."""
        r = self.plan.profile.ttl_resolution
        margin = (-gen.TICK, 0.0, r, r + gen.TICK)[side + 1]
        due = min(d for d in self.deadlines if d > self.now) + margin - self.now
        if due > 0:
            self.do(Advance(due))
        self.read(self.keys[key], way)
        self.read(self.keys[key], way + 1)

    @offers("ttl")
    @precondition(lambda self: self.plan.time)
    @rule(key=_INDEX, ttl=_ANY, way=_ANY, between=_ANY, value=_ANY)
    def outlive(self, key: int, ttl: int, way: int, between: int, value: int) -> None:
        """No read sees an entry past its deadline, whatever happened to it before (TTL-3)."""
        name = self.keys[key]
        self.do(Set(name, self.plain(value), self.ttl(ttl)))
        self.disturb(name, between)
        resolution = self.plan.profile.ttl_resolution
        self.do(Advance(self.ttl(ttl) + resolution + gen.TICK))
        self.read(name, way)
        self.read(name, way + 1)

    def disturb(self, key: Any, number: int) -> None:
        """Something that must not move a deadline (GET-3, HAS-2, CAS-2, SET-6)."""
        ways: list[Operation | None] = [None, Get(key), Set(self.keys[0], "other", 64.0)]
        if "has" in self.plan.offers:
            ways.append(Has(key))
        if "cas-swap" in self.plan.offers:
            ways.append(Cas(key, "not this", 2, 64.0))
        ways.append(Set(key, Outside("nan")))
        if "list" in self.plan.offers:
            ways.append(List(self.plan.pools.everything))
        if (chosen := ways[number % len(ways)]) is not None:
            self.do(Advance(gen.TICK))
            self.do(chosen)

    @offers("prune")
    @rule(key=_INDEX, way=_ANY)
    def prune(self, key: int, way: int) -> None:
        """Pruning changes nothing that can be seen (TTL-11)."""
        self.do(Prune())
        self.read(self.keys[key], way)

    # Listing.

    @offers("list")
    @rule(number=_ANY, change=st.booleans())
    def list_by_prefix(self, number: int, change: bool) -> None:
        """A listing holds the live entries below its prefix, taken literally (LIST)."""
        prefixes = self.plan.pools.prefixes[self.theme]
        self.do(List(prefixes[number % len(prefixes)], change))

    @offers("list")
    @rule(theme=st.sampled_from(gen.PREFIX_THEMES), start=_ANY)
    def a_prefix_is_literal(self, theme: str, start: int) -> None:
        """Wildcards, separators, case and blanks mean themselves (LIST-2 to LIST-5)."""
        pools = self.plan.pools
        keys, prefixes = pools.themes[theme], pools.prefixes[theme]
        for step in range(len(keys)):
            self.do(Set(keys[step], step))
        for step in range(4):
            self.do(List(prefixes[(start + step) % len(prefixes)]))

    @offers("list")
    @rule(change=st.booleans())
    def list_everything(self, change: bool) -> None:
        """The listing of the empty prefix is the store (LIST-1)."""
        self.do(List(self.plan.pools.everything, change))

    @offers("list")
    @precondition(lambda self: not self.deadlines)
    @rule(n=st.sampled_from((3, 12, 120)))
    def fill(self, n: int) -> None:
        """A listing is complete beyond a page (LIST-8)."""
        prefix = "fill" if self.plan.profile.flat else ("fill",)
        self.do(Fill(n, prefix))
        self.do(List(prefix))

    @offers("list", "iterate")
    @rule(
        script=st.sampled_from(
            ("read", "delete-current", "delete-yielded", "write-new", "overwrite", "abandon")
        ),
        limit=st.integers(1, 4),
        key=_INDEX,
    )
    def walk(self, script: Any, limit: int, key: int) -> None:
        """A listing stands the writes of the one who walks it (ITER, LIST-10)."""
        for index in range(3):
            self.do(Set(self.keys[index], index))
        self.do(Iterate(self.plan.pools.everything, script, limit))
        self.do(Set(self.keys[key], "after"))
        self.do(Get(self.keys[key]))
        self.do(List(self.plan.pools.everything))

    # Compare-and-swap.

    @offers("cas-create")
    @rule(key=_INDEX, value=_ANY, ttl=st.integers(-2, 5))
    def create(self, key: int, value: int, ttl: int) -> None:
        """Only an absent key can be created (CAS-3, CAS-6)."""
        self.do(Cas(self.keys[key], ABSENT, self.plain(value), self.cas_ttl(ttl)))
        self.do(Get(self.keys[key]))

    @offers("cas-swap")
    @rule(key=_INDEX, was=_ANY, expected=_ANY, new=_ANY, ttl=st.integers(-2, 5), time=st.booleans())
    def swap(self, key: int, was: int, expected: int, new: int, ttl: int, time: bool) -> None:
        """A swap goes through exactly where the values are equal, type by type (CAS-1, CAS-7)."""
        name, lived = self.keys[key], self.plan.pools.ttls[was % 3]
        timed = time and "ttl" in self.plan.offers
        self.do(Set(name, self.plain(was), lived if timed else None))
        twin = self.plain(was) if expected % 3 == 0 else self.plain(was + expected % 5 - 2)
        self.do(Cas(name, twin, self.plain(new), self.cas_ttl(ttl)))
        self.do(Get(name))
        if timed and self.plan.time:
            self.do(Advance(lived + self.plan.profile.ttl_resolution + gen.TICK))
            self.do(Get(name))

    def cas_ttl(self, number: int) -> float | None:
        """None, or a ttl for a swap."""
        if number < 0 or "ttl" not in self.plan.offers:
            return None
        return self.plan.pools.ttls[number]

    @offers("cas-delete")
    @rule(key=_INDEX, value=_ANY, matches=st.booleans(), way=_ANY)
    def swap_for_nothing(self, key: int, value: int, matches: bool, way: int) -> None:
        """Swapping for ABSENT deletes; ABSENT for ABSENT creates nothing (CAS-4, CAS-5)."""
        name = self.keys[key]
        if value % 3:
            self.do(Set(name, self.plain(value)))
        expected = self.plain(value) if value % 3 else ABSENT
        self.do(Cas(name, expected if matches else "not this", ABSENT))
        self.read(name, way)

    @offers("cas-swap")
    @precondition(lambda self: self.plan.profile.isolation == "copy")
    @rule(key=_INDEX)
    def swap_a_changed_copy(self, key: int) -> None:
        """Changing what get gave does not make a stale swap succeed (CAS-10)."""
        name = self.keys[key]
        self.do(Set(name, [1]))
        self.do(Get(name, change=True))
        self.do(Cas(name, [1, CHANGED_AFTER_GET], "stale"))
        self.do(Get(name))

    @offers("cas-create", "cas-delete", "ttl")
    @precondition(lambda self: self.plan.time)
    @rule(key=_INDEX, ttl=st.integers(0, 5))
    def lose_a_lock(self, key: int, ttl: int) -> None:
        """Who held a lock that expired and was taken again can not release it (CAS-11)."""
        name, seconds = self.keys[key], self.plan.pools.ttls[ttl]
        self.do(Delete(name))
        self.do(Cas(name, ABSENT, "first holder", seconds))
        self.do(Advance(seconds + self.plan.profile.ttl_resolution + gen.TICK))
        self.do(Cas(name, ABSENT, "second holder", seconds))
        self.do(Cas(name, "first holder", ABSENT))
        self.do(Get(name))

    # What is refused, what is not offered, and other spaces.

    @rule(key=_INDEX, number=_ANY, was=st.booleans())
    def refuse_a_value(self, key: int, number: int, was: bool) -> None:
        """A value outside the domain is refused and the old entry stays (VAL-4, SET-6, ERR-1)."""
        name = self.keys[key]
        self.do(Set(name, "old") if was else Delete(name))
        bad = gen.REFUSED_VALUES[number % len(gen.REFUSED_VALUES)]
        self.do(Set(name, bad))
        self.do(Get(name))

    @offers("ttl")
    @rule(key=_INDEX, number=_ANY, was=st.booleans())
    def refuse_a_ttl(self, key: int, number: int, was: bool) -> None:
        """A ttl that means nothing is refused and the old entry stays (TTL-8, SET-6)."""
        name = self.keys[key]
        self.do(Set(name, "old") if was else Delete(name))
        bad = gen.REFUSED_TTLS[number % len(gen.REFUSED_TTLS)]
        self.do(Set(name, "new", bad))
        self.do(Get(name))

    @rule(key=_INDEX, number=_ANY, write=st.booleans())
    def confuse(self, key: int, number: int, write: bool) -> None:
        """Input of the wrong type leaves other keys alone (KEY, ERR-1)."""
        self.do(Set(self.keys[key], "kept"))
        wrong = gen.WRONG_KEYS[number % len(gen.WRONG_KEYS)]
        self.do(Set(wrong, 1) if write else Delete(wrong))
        self.do(Get(self.keys[key]))

    @precondition(lambda self: bool(self.plan.not_offered))
    @rule(number=_ANY)
    def ask_for_what_is_not_offered(self, number: int) -> None:
        """What a store does not offer it does not silently ignore (ERR-2)."""
        names = self.plan.not_offered
        self.do(Unoffered(names[number % len(names)]))

    @precondition(lambda self: self.plan.spaces)
    @rule(key=_INDEX, space=st.sampled_from("ab"), value=_ANY)
    def visit_another_space(self, key: int, space: str, value: int) -> None:
        """A new space is empty, and what happens in it stays in it (OPEN-1, OPEN-2)."""
        self.do(Set(self.keys[key], self.plain(value)))
        self.do(Open(space))
        self.do(Get(self.keys[key]))
        if "list" in self.plan.offers:
            self.do(List(self.plan.pools.everything))
        self.do(Set(self.keys[key], f"in {space}"))
        self.do(Open("a"))
        self.do(Get(self.keys[key]))

    # Races.

    @precondition(lambda self: self.plan.races and self.races < 1)
    @offers("cas-swap")
    @rule(kind=st.sampled_from(("swap", "count", "create")))
    def race(self, kind: str) -> None:
        """Of several that swap at once one wins; counting by swaps loses nothing (CAS-8, CAS-10)."""
        self.races += 1
        if not self.session.may_race(kind):
            return
        places = switches.places()
        place = next(places)
        while not self.session.over:
            key = self.race_key(f"{self.races}-{place}")
            branches: tuple[Operation, ...] = (Cas(key, 0, 1), Cas(key, 0, 2))
            if kind == "count":
                branches = (Increment(key), Increment(key))
            if kind == "create":
                branches = (Cas(key, ABSENT, 1), Cas(key, ABSENT, 2))
            else:
                self.do(Set(key, 0))
            raced = self.do(Race(branches, place))
            self.do(Get(key))
            try:
                place = places.send((raced.steps, raced.blocked))
            except StopIteration:
                return

    def race_key(self, name: str) -> Any:
        """A key that no other race has."""
        return f"race{name}" if self.plan.profile.flat else ("race", name)


def machine(plan: Plan, open_session: Callable[[], LiveSession]) -> type[StoreMachine]:
    """The machine for one store; `open_session` opens it fresh for each program."""
    return type(
        "StoreMachine",
        (StoreMachine,),
        {"plan": plan, "open_session": staticmethod(open_session)},
    )
