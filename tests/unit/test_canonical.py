"""JSON read strictly and written in one way."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_data import shared_folder

from schemas.canonical import DEPTH_MAX, dump, instant, load, load_object, moment, read
from schemas.errors import Unreadable


def nested(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )


WHOLE = st.none() | st.booleans() | st.integers() | st.text()
values = nested(WHOLE | st.floats(allow_nan=False, allow_infinity=False))


@given(values.filter(lambda value: "\\u" not in ascii(value) or _encodable(value)))
def test_what_is_written_reads_back_and_is_written_the_same(value: object) -> None:
    assert load(dump(value)) == value
    assert dump(load(dump(value))) == dump(value)


def _encodable(value: object) -> bool:
    try:
        dump(value)
    except UnicodeEncodeError:
        return False
    return True


@given(
    st.binary(max_size=40)
    | st.text('[]{}":,\\0123eE+-.ntfaulrse \u00e9\ud800', max_size=40).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )
)
def test_no_bytes_at_all_do_worse_than_being_unreadable(text: bytes) -> None:
    try:
        value = load(text)
    except Unreadable:
        return
    dump(value)


def test_the_order_of_keys_makes_no_difference() -> None:
    assert dump({"b": 1, "a": 2}) == dump({"a": 2, "b": 1}) == b'{"a":2,"b":1}'


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b'{"nhs":1,"nhs":2}', "repeats a key"),
        (b'{"a":{"b":1,"\\u0062":2}}', "repeats a key"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'"\xff"', "UTF-8"),
        ("{}".encode("utf-16"), "UTF-8"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "out of range"),
        (b"[-1e999]", "out of range"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\uDC00":1}', "surrogate"),
        (b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), "nested deeper"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 100_000, "nested deeper"),
        (b"[" + b"9" * 5000 + b"]", "well formed"),
        (b"", "well formed"),
        (b"{}{}", "well formed"),
        (b"[1,]", "well formed"),
        (b'["Ngozi', "well formed"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(text: bytes, rule: str) -> None:
    with pytest.raises(Unreadable, match=rule) as raised:
        load(text)
    assert "Ngozi" not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * DEPTH_MAX + b"]" * DEPTH_MAX,
        b'["' + b"[" * 1000 + b'"]',
        b'["\\"' + b"[{" * 1000 + b'\\\\"]',
        b"[" + b"[]," * 5000 + b"{}]",
        b'["\\ud83d\\ude00"]',
        b'["\\\\ud800"]',
    ],
)
def test_legal_text_is_not_refused_for_its_prose(text: bytes) -> None:
    assert load(text) == json.loads(text)


def test_depth_is_counted_outside_strings_only() -> None:
    deep = b'["\\\\",' * DEPTH_MAX + b"1" + b"]" * DEPTH_MAX
    assert load(deep) == json.loads(deep)
    with pytest.raises(Unreadable, match="nested deeper"):
        load(b"[" + deep + b"]")
    assert load(b"[" + deep + b"]", depth_max=DEPTH_MAX + 1) == [json.loads(deep)]


@pytest.mark.parametrize(
    "text",
    [b'["' + b"a " * 2_500_000 + b'"]', b'"\\"' * 1_600_000, b"[" * 70 + b'"' + b'\\"' * 2_400_000,
     b"[" + b'"[[[[ ",' * 600_000 + b"1]", b"[" + b'{"a":[]},' * 500_000 + b"1]"],
    ids=["one long string", "only quotes", "a string never closed", "brackets in strings", "many brackets"],
)  # fmt: skip
def test_five_megabytes_of_anything_are_answered(text: bytes) -> None:
    """A scan that goes back on itself takes hours here, and runs into the limit of the test."""
    assert len(text) > 4_500_000
    with suppress(Unreadable):
        load(text)


def test_an_object_is_an_object() -> None:
    assert load_object(b'{"a":1}') == {"a": 1}
    for text in (b"[]", b"1", b"null", b'"{}"'):
        with pytest.raises(Unreadable, match="not an object"):
            load_object(text)


def test_a_number_that_json_has_no_word_for_is_nothing_and_cannot_be_read_at_a_door() -> None:
    """So no float may ever be hashed: quantities are texts (`elements.body_form`)."""
    assert dump(float("nan")) == b"null"
    with pytest.raises(Unreadable, match="NaN"):
        load(b"[NaN]")


@given(nested(WHOLE))
def test_the_fast_form_is_the_slow_one(value: object) -> None:
    """RFC 8785 (canonical JSON) but for numbers, of which only whole ones are hashed."""
    slow = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert dump(value) == slow
    if not re.search(rb"[0-9]{19}", slow):  # a number over 64 bits may lose digits: we write none
        assert read(slow) == value


@pytest.mark.parametrize("text", [b"", b"{", b"[NaN]", b"\xff", b'"\\ud800"', b"[" * 5_000])
def test_what_is_no_json_is_unreadable_to_the_fast_reader_too(text: bytes) -> None:
    with pytest.raises(Unreadable):
        read(text)


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05Z", "2026-01-02", "2026-01-02T03:04:05.000000", ""])
def test_a_moment_in_another_form_is_none_of_ours(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of datetime, or ours
        moment(text)


@given(st.datetimes(), st.datetimes(), st.integers(-14, 14))
def test_instants_sort_as_text_in_the_order_of_time(left: datetime, right: datetime, hours: int) -> None:
    first, second = left.replace(tzinfo=UTC), right.replace(tzinfo=UTC)
    assert (instant(first) < instant(second)) == (first < second)
    assert len(instant(first)) == len("2026-01-02T03:04:05.000000Z")
    if 1 < first.year < 9999:
        assert instant(first.astimezone(timezone(timedelta(hours=hours)))) == instant(first)


def test_json_test_suite() -> None:
    """JSONTestSuite by Nicolas Seriot: n_ must be refused, y_ read; of y_ we refuse only repeated keys."""
    judged = 0
    for file in sorted((shared_folder("jsontestsuite") / "test_parsing").iterdir()):
        try:
            load(file.read_bytes())
            readable = True
        except Unreadable:
            readable = False
        if file.name.startswith("y_"):
            assert readable == ("duplicated_key" not in file.name), file.name
        if file.name.startswith("n_"):
            assert not readable, file.name
        judged += 1
    assert judged > 300
