"""What a call must pass before it may change anything: is the store open, is the input valid."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from kv_spec.errors import (
    InvalidInput,
    InvalidKey,
    InvalidTtl,
    InvalidValue,
    StoreClosed,
    Unsupported,
)
from kv_spec.profile import Profile
from kv_spec.values import Outside, check_json

from kv_reference.rulings import Domain, Effect, Ruling, rule_key, rule_write


class Gate:
    """Refuses what a store with `profile` refuses, each by its error (ERR-1, CLOSE-2)."""

    profile: Profile
    closed: bool

    def refusal(self, name: str) -> Callable[..., Any]:
        """What stands for a method that the profile excludes (ERR-2)."""

        def refuse(*_: Any, **__: Any) -> Any:
            raise Unsupported(f"this store does not offer {name}")

        return refuse

    def enter(self, key: Any) -> None:
        """Refuses a closed store and a key outside the domain, before anything changes."""
        self.check_open()
        self.check_key(key)

    def check_open(self) -> None:
        """Raises StoreClosed after close (CLOSE-2)."""
        if self.closed:
            raise StoreClosed("this store was closed")

    def check_key(self, key: Any) -> None:
        """Raises InvalidKey for what is no key (KEY-3, KEY-4, KEY-7)."""
        good = isinstance(key, str) if self.profile.flat else isinstance(key, tuple) and bool(key)
        if not good or not all(isinstance(part, str) for part in key):
            raise InvalidKey(f"a key is a {'str' if self.profile.flat else 'tuple of str'}")
        if rule_key(self.profile, key)[0] is Domain.OUTSIDE:
            raise InvalidKey(f"a key has at most {self.profile.max_key_bytes} bytes")

    def check_prefix(self, prefix: Any) -> Any:
        """The prefix to list by; raises InvalidKey for what is none."""
        self.check_open()
        if prefix is None or prefix in ((), ""):
            return "" if self.profile.flat else ()
        self.check_key(prefix)
        return prefix

    def check(self, value: Any, ttl: Any) -> Ruling:
        """The ruling on a write; raises InvalidValue or InvalidTtl before anything changes."""
        if ttl is not None and "ttl" in self.profile.without:
            raise Unsupported("this store has no ttl")
        if isinstance(ttl, timedelta):
            ttl = ttl.total_seconds()
        if ttl is not None and not self.is_number(ttl):
            if self.profile.ttl_nonfinite == "reject":
                raise InvalidTtl("a ttl is a number of seconds")
            ttl = Outside("text")
        if isinstance(ttl, float) and not math.isfinite(ttl):
            ttl = Outside("infinity" if ttl == math.inf else "nan")
        check_json(value, extra=self.profile.extra_types)
        ruling = rule_write(self.profile, value, ttl)
        if ruling.effect is Effect.REFUSE:
            refused: type[InvalidInput] = (
                InvalidTtl if ruling.clause.startswith("TTL") else InvalidValue
            )
            raise refused(f"refused by {ruling.clause}")
        return ruling

    def is_number(self, ttl: Any) -> bool:
        """True for what can be a ttl."""
        return isinstance(ttl, int | float) and not isinstance(ttl, bool)
