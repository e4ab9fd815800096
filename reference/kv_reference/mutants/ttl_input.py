"""Mutants of how a ttl is read: TTL-5 to TTL-8 and TTL-12."""

from __future__ import annotations

import math
from typing import Any

from kv_spec.errors import InvalidTtl

from kv_reference.mutants.bases import WHOLE_SECONDS
from kv_reference.mutants.registry import mutant
from kv_reference.rulings import INT32_MILLISECONDS, THIRTY_DAYS, Ruling
from kv_reference.store import REFERENCE_PROFILE, ReferenceStore

ZERO_NEVER = REFERENCE_PROFILE.replace(ttl_zero="never", ttl_negative="never")
ZERO_REJECT = REFERENCE_PROFILE.replace(ttl_zero="reject", ttl_negative="reject")
NONFINITE_NEVER = REFERENCE_PROFILE.replace(ttl_nonfinite="never")


@mutant("TTL-5", "a fraction of a second is rounded to the nearest", profile=WHOLE_SECONDS)
class RoundsFractions(ReferenceStore):
    """round(ttl)."""

    def deadline(self, ruling: Ruling) -> float:
        lifetime = ruling.lifetime
        return self.clock() + (lifetime if lifetime == math.inf else round(lifetime))


@mutant("TTL-5", "a fraction of a second is refused", profile=WHOLE_SECONDS)
class RefusesFractions(ReferenceStore):
    """SETEX takes whole seconds only."""

    def check(self, value: Any, ttl: Any) -> Ruling:
        if isinstance(ttl, float) and ttl != int(ttl):
            raise InvalidTtl("value is not an integer or out of range")
        return super().check(value, ttl)


@mutant("TTL-5", "a fraction of a second means never", profile=WHOLE_SECONDS)
class FractionsNeverEnd(ReferenceStore):
    """A ttl that the backend can not parse is left out of the command."""

    def deadline(self, ruling: Ruling) -> float:
        whole = ruling.lifetime == math.inf or ruling.lifetime == int(ruling.lifetime)
        return super().deadline(ruling) if whole else math.inf


class _ReadsTtl(ReferenceStore):
    """Changes a ttl before it is ruled on."""

    def read_ttl(self, ttl: Any) -> Any:
        return ttl

    def check(self, value: Any, ttl: Any) -> Ruling:
        return super().check(value, self.read_ttl(ttl))


@mutant("TTL-6", "ttl 0 means never", also="DEL-4")
class ZeroIsNever(_ReadsTtl):
    """`if ttl:`."""

    def read_ttl(self, ttl: Any) -> Any:
        return ttl or None


@mutant("TTL-6", "cas with ttl 0 creates an entry that never ends")
class CasZeroIsNever(ReferenceStore):
    """set has the rule for ttl 0, cas was written later."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        return super().cas(key, expected, new, ttl=ttl or None)


@mutant("TTL-6", "ttl 0 leaves the older value in place")
class ZeroKeepsOld(ReferenceStore):
    """`if ttl == 0: return`."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        old = self.records.get(key)
        super().set(key, value, ttl=ttl)
        if ttl == 0 and old is not None:
            self.records[key] = old


@mutant("TTL-6", "ttl 0 is refused, though it is declared to expire")
class ZeroRefused(_ReadsTtl):
    """ERR invalid expire time."""

    def read_ttl(self, ttl: Any) -> Any:
        if ttl == 0 and ttl is not None:
            raise InvalidTtl("invalid expire time")
        return ttl


@mutant("TTL-6", "ttl 0 expires at once, though it is declared never to", profile=ZERO_NEVER)
class ZeroExpires(ReferenceStore):
    """now + 0 is in the past."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(key, value, ttl=ttl)
        if ttl == 0:
            self.remove(key)


@mutant("TTL-6", "ttl 0 is taken, though it is declared to be refused", profile=ZERO_REJECT)
class ZeroTaken(_ReadsTtl):
    """The check reads `ttl < 0`."""

    def read_ttl(self, ttl: Any) -> Any:
        return ttl or None


@mutant("TTL-7", "a negative ttl means never")
class NegativeIsNever(_ReadsTtl):
    """`if ttl > 0:`, and nothing otherwise."""

    def read_ttl(self, ttl: Any) -> Any:
        return None if self.is_number(ttl) and ttl < 0 else ttl


@mutant("TTL-7", "a negative ttl counts as a positive one")
class NegativeIsAbsolute(_ReadsTtl):
    """abs(ttl), or a minus lost in parsing."""

    def read_ttl(self, ttl: Any) -> Any:
        return abs(ttl) if self.is_number(ttl) else ttl


@mutant("TTL-7", "a negative ttl leaves the older value in place")
class NegativeKeepsOld(ReferenceStore):
    """The write is skipped as pointless."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        old = self.records.get(key)
        super().set(key, value, ttl=ttl)
        if self.is_number(ttl) and ttl < 0 and old is not None:
            self.records[key] = old


@mutant("TTL-7", "a negative ttl expires, though it is declared never to", profile=ZERO_NEVER)
class NegativeExpires(ReferenceStore):
    """The deadline lies in the past."""

    def set(self, key: Any, value: Any, *, ttl: Any = None) -> None:
        super().set(key, value, ttl=ttl)
        if self.is_number(ttl) and ttl < 0:
            self.remove(key)


@mutant("TTL-8", "a ttl of NaN means never")
class NanIsNever(_ReadsTtl):
    """NaN compares False with everything."""

    def read_ttl(self, ttl: Any) -> Any:
        return None if isinstance(ttl, float) and math.isnan(ttl) else ttl


@mutant("TTL-8", "an infinite ttl means never, undeclared")
class InfinityIsNever(_ReadsTtl):
    """now + inf."""

    def read_ttl(self, ttl: Any) -> Any:
        return None if ttl == math.inf else ttl


@mutant("TTL-8", "a ttl that is text is ignored")
class TextIsIgnored(_ReadsTtl):
    """A parser that answers nothing for what it can not read."""

    def read_ttl(self, ttl: Any) -> Any:
        return None if isinstance(ttl, str) else ttl


@mutant("TTL-8", "cas takes a ttl of NaN")
class CasTakesNan(ReferenceStore):
    """set checks its ttl, cas does not."""

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: Any = None) -> bool:
        nan = isinstance(ttl, float) and math.isnan(ttl)
        return super().cas(key, expected, new, ttl=None if nan else ttl)


@mutant("TTL-8", "an infinite ttl is refused, though declared never", profile=NONFINITE_NEVER)
class InfinityRefused(_ReadsTtl):
    """OverflowError from the conversion to an integer."""

    def read_ttl(self, ttl: Any) -> Any:
        if ttl == math.inf:
            raise OverflowError("cannot convert float infinity to integer")
        return ttl


@mutant("TTL-12", "a ttl of more than 30 days is read as a date")
class LongTtlIsDate(ReferenceStore):
    """Memcached's rule, not undone by the client."""

    def deadline(self, ruling: Ruling) -> float:
        if THIRTY_DAYS < ruling.lifetime < math.inf:
            return ruling.lifetime
        return super().deadline(ruling)


@mutant("TTL-12", "a ttl of more than 2^31 milliseconds ends at once")
class LongTtlWraps(ReferenceStore):
    """setTimeout takes 31 bits and fires at once beyond them."""

    def deadline(self, ruling: Ruling) -> float:
        wraps = INT32_MILLISECONDS < ruling.lifetime < math.inf
        return self.clock() if wraps else super().deadline(ruling)


@mutant("TTL-12", "a ttl of more than 30 days never ends")
class LongTtlIsNever(ReferenceStore):
    """A ttl above the backend's maximum is left out."""

    def deadline(self, ruling: Ruling) -> float:
        return math.inf if ruling.lifetime > THIRTY_DAYS else super().deadline(ruling)
