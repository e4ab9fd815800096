"""Deadlines as bytes and as text: nothing is lost, and no entry ends early."""

from typing import Any

import pytest
from kv_adapters.envelope import Record, instant, record, seal, unseal
from kv_adapters.records import dump_record, load_record
from kv_spec.errors import InvalidTtl

RECORDS = [
    Record(b"1"), Record(b"1", 0), Record(b"{}", -5), Record(b'"\x00\xff"', 2**62), Record(b"", 1),
]  # fmt: skip


@pytest.mark.parametrize("one", RECORDS, ids=repr)
def test_an_envelope_gives_back_what_was_put_in(one: Record) -> None:
    assert unseal(seal(one)) == one


def test_what_is_no_envelope_is_refused() -> None:
    with pytest.raises(ValueError, match="no envelope"):
        unseal(b"\x00" * 7)


@pytest.mark.parametrize("now", [0.0, 1.1, 1_800_000_000.123456, 1_800_000_000.9999999])
@pytest.mark.parametrize("life", [1, 999, 1000, 1001, 10**9])
def test_no_entry_ends_early_nor_two_microseconds_late(now: float, life: int) -> None:
    one = record(b"1", life, lambda: now)
    assert one.deadline is not None
    late = one.deadline * 1000 - life - now * 1e9
    assert -200 <= late <= 2200  # a float of this size tells 240 nanoseconds apart
    assert one.live(instant(lambda: now))
    assert not one.live(one.deadline)


def test_without_a_ttl_there_is_no_deadline() -> None:
    assert record(b"1", None, lambda: 5.0) == Record(b"1")
    assert Record(b"1").live(2**63)


def test_a_deadline_that_does_not_fit_is_refused() -> None:
    most = (2**63 - 2) * 1000
    assert unseal(seal(record(b"1", most, lambda: 0.0))).deadline == 2**63 - 2
    with pytest.raises(InvalidTtl):
        record(b"1", most + 1, lambda: 0.0)


def test_a_record_is_a_line_of_json() -> None:
    assert dump_record(("a", "\n"), Record(b'{"b":[1]}', 7)) == b'[["a","\\n"],7,{"b":[1]}]'
    for key in (("",), ("a", "b"), ("\ud800", "\udc00"), ("é\x00\x01",)):
        for one in (Record(b"[1,-0.0]"), Record(b'"\xed\xa0\x80\xed\xb0\x80"', 2**70)):
            assert load_record(dump_record(key, one)) == (key, one)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"7", b"[[],null,1]", b'["a",null,1]', b'[["a"],true,1]', b'[["a"],1.5,1]',
             b'[["a"],null,null]', b'[["a",1],null,1]', b'[["a"],null]', b'[["a"],null,1', b"\xff"],
)  # fmt: skip
def test_what_is_no_record_is_refused(text: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the texts of json's own errors vary
        load_record(text)
