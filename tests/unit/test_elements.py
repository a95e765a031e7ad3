"""The elements of the system of record: named by what they hold, so that no two arrivals can disagree."""

from datetime import UTC, date, datetime, timedelta

import pytest

from schemas import canonical, elements
from schemas.elements import (
    Manifest,
    entry_of,
    fact_element,
    identity_element,
    manifest_element,
    merge_element,
)
from schemas.errors import Unreadable
from schemas.facts import Death, StoredFact

RECORD, FACT = "a" * 32, "f" * 32
TOLD_AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
MANIFEST = Manifest(RECORD, "e1", "gp-hub", "primary_care", TOLD_AT, "id", True, [(FACT, "h")])


def fact(source_version_at: datetime = TOLD_AT) -> StoredFact:
    return StoredFact(
        record_id=RECORD,
        fact_id=FACT,
        source="gp-hub",
        tier="primary_care",
        source_version_at=source_version_at,
        body=Death(on=date(2026, 1, 1)),
    )


ELEMENTS = {
    "e": fact_element(fact())[:2],
    "i": identity_element(RECORD, "id", sealed_tokens=b"sealed", usable=True),
    "n": manifest_element(MANIFEST),
    "m": merge_element(RECORD, "b", TOLD_AT),
}


@pytest.mark.parametrize("kind", ELEMENTS)
def test_every_element_reads_back_under_its_record_and_kind(kind: str) -> None:
    key, value = ELEMENTS[kind]
    element = elements.parse(key.encode(), value)
    assert (element.record_id, element.kind) == (RECORD, kind)
    assert canonical.dump(dict(element.value)) == value


def test_versions_of_a_fact_stand_beside_each_other() -> None:
    first, second = fact_element(fact()), fact_element(fact(TOLD_AT + timedelta(seconds=1)))
    assert first[0] != second[0]
    assert first[0].rpartition("/")[0] == second[0].rpartition("/")[0] == f"{RECORD}/e/{FACT}"


def test_an_entry_sent_again_with_other_content_has_two_manifests() -> None:
    """Compaction keeps the last arrival of a key: under one key the order of arrival would decide."""
    other = Manifest(RECORD, "e1", "gp-hub", "primary_care", TOLD_AT, "other", True, [(FACT, "h")])
    first, second = manifest_element(MANIFEST)[0], manifest_element(other)[0]
    assert first != second
    assert {entry_of(key.split("/", 2)[2]) for key in (first, second)} == {"e1"}


def test_the_same_content_told_twice_is_one_element() -> None:
    assert fact_element(fact()) == fact_element(fact(TOLD_AT.astimezone(UTC)))
    assert manifest_element(MANIFEST) == manifest_element(MANIFEST)


NAMELESS = canonical.dump({**canonical.load(ELEMENTS["n"][1]), "facts": [["f"]]})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"", b"{}"),
        (b"a/e", b'{"v":1}'),
        (b"a/z/x", b'{"v":1}'),
        (b"a/\xff/x", b'{"v":1}'),
        (b"a/e/f/h", b""),
        (b"a/e/f/h", b"[]"),
        (b"a/e/f/h", b'{"v":2}'),
        (b"a/e/f/h", b'{"v":1}'),
        (b"a/e/f/h", b'{"v":1,"record_id":"r","fact_id":"f","source_version_at":5,"body":{}}'),
        (b"a/i/h", b'{"v":1,"tokens":null,"usable":true}'),
        (b"a/n/e/h", b'{"v":1,"source":"s","tier":"tier2","source_version_at":"t","identity":"i"}'),
        (b"a/m/h", b'{"v":1,"into":"x"}'),
        (b"a/n/e/h", NAMELESS),
    ],
)
def test_what_this_version_does_not_write_is_unreadable_and_nothing_worse(key: bytes, value: bytes) -> None:
    with pytest.raises(Unreadable):
        elements.parse(key, value)
