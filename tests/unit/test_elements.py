"""The elements of the system of record: named by what they hold, so that no two arrivals can disagree."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from ops.lab.known_keys import known_bucket_keys, known_keys
from schemas import canonical, elements
from schemas.data_keys import Family
from schemas.elements import (
    EntryContent,
    body_form,
    entry_element,
    entry_of,
    erased_element,
    fact_names,
    identity_element,
    keys_element,
    merge_element,
    stored_facts,
)
from schemas.errors import Unreadable
from schemas.facts import Death, FactBody, Measurement, StoredFact
from schemas.record_keys import WrappedKeys

RECORD, FACT = "a" * 32, "f" * 32
TOLD_AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
KEYS, HELD = known_keys("elements", recipients=()), known_bucket_keys("elements")
DATA_KEY = HELD.made(Family.BODY, RECORD, 1)
WRAPPED = WrappedKeys.of(RECORD, {family: HELD.made(family, RECORD, 1) for family in Family}, 1, HELD)
DEATH = Death(on=date(2026, 1, 1))


def fact(body: FactBody = DEATH, source_version_at: datetime = TOLD_AT) -> StoredFact:
    return StoredFact(
        record_id=RECORD,
        fact_id=FACT,
        source="gp-hub",
        tier="primary_care",
        source_version_at=source_version_at,
        body=body,
    )


def entry(*facts: StoredFact, identity: str = "id") -> tuple[str, bytes]:
    content = EntryContent(RECORD, "e1", "gp-hub", "primary_care", TOLD_AT, identity, True, facts)
    return entry_element(content, KEYS, DATA_KEY)


def weight(kg: str) -> Measurement:
    value = Decimal(kg)
    return Measurement(on=date(2026, 1, 1), quantity="weight", value=value, value_given=value, unit_given="kg")


ELEMENTS = {
    "i": identity_element(RECORD, "id", sealed_tokens=b"sealed", usable=True),
    "n": entry(fact()),
    "m": merge_element(RECORD, "b", TOLD_AT, KEYS),
    "k": keys_element(RECORD, WRAPPED),
    "x": erased_element(RECORD),
}


@pytest.mark.parametrize("kind", ELEMENTS)
def test_every_element_reads_back_under_its_record_and_kind(kind: str) -> None:
    key, value = ELEMENTS[kind]
    element = elements.parse(key.encode(), value)
    assert (element.record_id, element.kind) == (RECORD, kind)
    assert canonical.dump(dict(element.value)) == value


def names(element: tuple[str, bytes]) -> list[str]:
    return [name.version for name in fact_names(canonical.read(element[1]))]


def test_what_an_entry_says_is_read_back_whole_and_in_its_order() -> None:
    facts = (fact(), replace(fact(weight("82.5")), fact_id="b" * 32, retracted=True))
    key, text = entry(*facts)
    value = canonical.read(text)
    assert stored_facts(RECORD, key.split("/", 2)[2], value, DATA_KEY) == facts
    assert [(name.of_care, name.retracted) for name in fact_names(value)] == [(False, False), (True, True)]


@pytest.mark.parametrize(
    "other",
    [
        replace(fact(), source_version_at=TOLD_AT + timedelta(seconds=1)),
        replace(fact(), retracted=True),
        replace(fact(), record_id="b" * 32),
        replace(fact(), fact_id="b" * 32),
        replace(fact(), source="other"),
        fact(Death(on=date(2026, 1, 2))),
    ],
)
def test_a_fact_that_says_anything_else_has_another_version(other: StoredFact) -> None:
    assert names(entry(fact())) != names(entry(other))


@pytest.mark.parametrize("written", ["82", "82.0", "82.0000", "8.2E+1"])
def test_one_quantity_is_one_content_however_it_was_written(written: str) -> None:
    assert entry(fact(weight(written))) == entry(fact(weight("82.00")))
    assert body_form(weight(written))["value"] == "82.0000"


def test_what_is_not_said_is_not_written_so_that_a_field_added_later_changes_no_hash() -> None:
    assert body_form(DEATH) == {"type": "death", "on": "2026-01-01"}


def test_a_moment_is_written_in_utc_with_six_places_so_that_text_order_is_time_order() -> None:
    at = datetime(2026, 7, 1, 10, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert body_form(Death(on=date(2026, 7, 1), at=at))["at"] == "2026-07-01T09:00:05.000000Z"


def test_nobody_without_the_key_can_try_out_what_a_content_is() -> None:
    content = EntryContent(RECORD, "e1", "gp-hub", "primary_care", TOLD_AT, "id", True, [fact()])
    others = known_keys("another", recipients=())
    assert entry_element(content, KEYS, DATA_KEY)[0] != entry_element(content, others, DATA_KEY)[0]
    assert merge_element(RECORD, "b", TOLD_AT, KEYS)[0] != merge_element(RECORD, "b", TOLD_AT, others)[0]


@pytest.mark.parametrize("change", ["record", "name", "key", "body"])
def test_a_body_opens_in_its_place_under_its_records_key_and_nowhere_else(change: str) -> None:
    key, text = entry(fact())
    name, value, record = key.split("/", 2)[2], dict(canonical.read(text)), RECORD
    data_key = HELD.made(Family.BODY, "b" * 32, 1) if change == "key" else DATA_KEY
    if change == "record":
        record = "b" * 32
    if change == "name":
        name = f"e1/{'0' * 32}"
    if change == "body":
        value["body"] = canonical.read(entry(fact(), identity="other")[1])["body"]
    with pytest.raises(Unreadable):
        stored_facts(record, name, value, data_key)


def test_what_a_fact_says_is_nowhere_in_the_clear() -> None:
    _, text = entry(fact(weight("82.5")))
    assert not [word for word in (b"82.5", b"weight", b"measurement", b"2026-01-01") if word in text]


def test_an_entry_sent_again_with_other_content_has_two_elements() -> None:
    """Compaction keeps the last arrival of a key: under one key the order of arrival would decide."""
    first, second = entry(fact())[0], entry(fact(), identity="other")[0]
    assert first != second
    assert {entry_of(key.split("/", 2)[2]) for key in (first, second)} == {"e1"}


def test_the_same_content_told_twice_is_one_element() -> None:
    assert entry(fact()) == entry(replace(fact(), source_version_at=TOLD_AT.astimezone(timezone(timedelta(hours=1)))))


NAMELESS = canonical.dump({**canonical.load(ELEMENTS["n"][1]), "facts": [["f"]]})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"", b"{}"),
        (b"a/n", b'{"v":1}'),
        (b"a/e/f/h", b'{"v":1}'),
        (b"a/z/x", b'{"v":1}'),
        (b"a/\xff/x", b'{"v":1}'),
        (b"a/n/e/h", b""),
        (b"a/n/e/h", b"[]"),
        (b"a/n/e/h", b'{"v":2}'),
        (b"a/n/e1", ELEMENTS["n"][1]),
        (b"a/n/e2/h", ELEMENTS["n"][1]),
        (b"a/i/h", b'{"v":1,"tokens":null,"usable":true}'),
        (b"a/n/e/h", b'{"v":1,"source":"s","tier":"tier2","source_version_at":"t","identity":"i"}'),
        (b"a/m/h", b'{"v":1,"into":"x"}'),
        (b"a/n/e1/h", NAMELESS),
        (RECORD.encode() + b"/k/2", ELEMENTS["k"][1]),
        (RECORD.encode() + b"/k/1", WRAPPED.value()),
        (RECORD.encode() + b"/k/1", b'{"epoch":1,"v":1,"wrapped":{"body":"AA==","tokens":1}}'),
        (RECORD.encode() + b"/k/0", b'{"epoch":0,"v":1,"wrapped":{"body":"AA==","tokens":"AA=="}}'),
    ],
)
def test_what_this_version_does_not_write_is_unreadable_and_nothing_worse(key: bytes, value: bytes) -> None:
    with pytest.raises(Unreadable):
        elements.parse(key, value)
