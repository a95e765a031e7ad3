"""A whole hospital's feed, 1,013 public messages: what a test feed and what a weight service keep of it."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hl7_messages import OPEN, RECEIVED_AT, TRUST, entry_of, message_of

from connectors.entry import SourceEntry
from connectors.sources.tier3_hl7v2 import split
from schemas.check import check
from schemas.errors import InvalidField
from schemas.identity import NHSNumber, Person

HOSPITAL_NUMBER = re.compile(rb"\d{10}(?=\^\^\^SIMULATOR MRN)")


@pytest.fixture(scope="module")
def feed() -> list[bytes]:
    root = os.environ.get("TIERLINK_SHARED_DATA", "")
    path = Path(root) / "simhospital/messages.out"
    if not root or not path.is_file():
        pytest.skip("TIERLINK_SHARED_DATA names no folder with simhospital/messages.out")
    return split(path.read_bytes())


@pytest.fixture(scope="module")
def kept(feed: Sequence[bytes]) -> list[SourceEntry]:
    return [entry_of(raw, source=OPEN) for raw in feed]


def person(entry: SourceEntry) -> Person:
    assert entry.bundle is not None
    _, message = check(entry.bundle, source=OPEN, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    return message.person


def test_every_message_of_the_hospital_is_read_and_every_one_is_another(kept: Sequence[SourceEntry]):
    assert len(kept) == 1013
    assert {entry.checked.verdict.value for entry in kept} == {"accepted", "accepted_with_warnings"}
    assert len({entry.message_id for entry in kept}) == 1013


def test_403_patients_have_an_nhs_number_and_no_hospital_number_is_taken_for_one(
    feed: Sequence[bytes], kept: Sequence[SourceEntry]
):
    numbers = {person(entry).nhs_number for entry in kept}
    assert None not in numbers
    assert len(numbers) == 403
    hospital_numbers = {found.decode() for raw in feed for found in HOSPITAL_NUMBER.findall(raw)}
    passing = {text for text in hospital_numbers if _passes(text)}
    assert len(passing) == 25, "the trap is there: these pass the check digit and are no NHS numbers"
    assert not passing & {number.digits for number in numbers if number}


def test_the_merge_retires_one_hospital_number(feed: Sequence[bytes]):
    merges = [message_of(raw, source=OPEN) for raw in feed if b"|ADT^A34|" in raw]
    assert [len(merge.person.retired_local_ids) for merge in merges] == [1]


def test_five_results_given_a_weight_give_five_measurements(feed: Sequence[bytes]):
    results = [raw for raw in feed if b"|ORU^R01|" in raw][:5]
    weighed = [raw + b"OBX|99|NM|29463-7^Body weight^LN||101.5|kg|||||F\r" for raw in results]
    facts = [fact for raw in weighed for fact in message_of(raw, source=OPEN).facts if fact.body.type == "measurement"]
    assert len(facts) == 5
    assert len({fact.business_id for fact in facts}) == 5
    assert sum(fact.body.type == "measurement" for raw in results for fact in message_of(raw, source=OPEN).facts) == 0


def test_a_weight_management_source_ignores_all_but_the_merge_that_names_no_service(feed: Sequence[bytes]):
    entries = [entry_of(raw, source=TRUST) for raw in feed]
    assert Counter(entry.checked.verdict.value == "ignored" for entry in entries) == {True: 1012, False: 1}
    assert all(entry.bundle is None and entry.message is None for entry in entries if _ignored(entry))
    (merge,) = [raw for raw, entry in zip(feed, entries, strict=True) if not _ignored(entry)]
    assert b"|ADT^A34|" in merge
    assert not message_of(merge).service_named


def _ignored(entry: SourceEntry) -> bool:
    return entry.checked.verdict.value == "ignored"


def _passes(text: str) -> bool:
    try:
        NHSNumber.parse(text, test_mode=True)
    except InvalidField:
        return False
    return True
