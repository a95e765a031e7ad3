"""What one sender may cost the others: bounds on one message, and on the answer about one record."""

import json
from datetime import UTC, date, datetime
from typing import Any

from memory_engine import MemoryEngine, all_keys, sealed_entry, sources

from connectors.entry import SourceEntry
from connectors.sources import primary_care_fhir
from linkage.cluster import EVIDENCE_MAX
from schemas.check import check
from schemas.disposition import Checked, Verdict
from schemas.envelope import entry_id, entry_name
from schemas.facts import Referral
from schemas.fhir.read import FACTS_MAX
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode
from schemas.source_message import SourceFact, SourceMessage
from schemas.topics import DISPOSITIONS, LINK_MAP, MESSAGE_BYTES_MAX

GP, COUNCIL = "gp-hub", "council-east"
RECEIVED_AT = datetime(2026, 6, 2, tzinfo=UTC)
PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765919"}],
}


def bundle_of(weights: int, **patient: Any) -> dict[str, Any]:
    """A message that tells so many weights."""
    items = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "27113001"}]},
        "subject": {"reference": "urn:uuid:p"},
        "effectiveDateTime": "2026-05-03",
        "valueQuantity": {"value": 95.4, "code": "kg", "system": "http://unitsofmeasure.org"},
    }
    entries = [
        {"fullUrl": "urn:uuid:p", "resource": {**PATIENT, **patient}},
        *[{"resource": items}] * weights,
    ]
    return {"resourceType": "Bundle", "type": "message", "id": "m1", "entry": entries}


def errors(document: dict[str, Any]) -> list[str]:
    """The codes of what refuses it."""
    checked, _ = check(document, source=sources()[GP], test_mode=True, received_at=RECEIVED_AT)
    return [issue.code for issue in checked.issues if issue.severity == "error"]


def test_a_message_of_more_facts_than_anybody_has_is_refused_whole() -> None:
    assert errors(bundle_of(FACTS_MAX)) == []
    assert errors(bundle_of(FACTS_MAX + 1)) == ["too-costly"]


def test_a_message_of_a_million_elements_is_refused_before_it_is_looked_at() -> None:
    deep = [{"url": "x", "extension": [{"url": "y"}] * 100}] * 100
    assert errors(bundle_of(1, extension=deep)) == ["too-costly"]


def test_what_the_door_takes_fits_one_kafka_request_with_its_original() -> None:
    for megabytes, taken in ((5, True), (7, False), (8, False)):
        dumps = json.dumps(bundle_of(1, text={"status": "generated", "div": "x" * (megabytes * 2**20 - 4096)}))
        (entry,) = primary_care_fhir.read(dumps.encode(), source=sources()[GP], test_mode=True, received_at=RECEIVED_AT)
        assert (entry.checked.verdict is not Verdict.REJECTED) is taken
        if not taken:
            assert [issue.code for issue in entry.checked.issues] == ["too-long"]
            continue
        assert len(sealed_entry(GP, entry).value) + 1024 < MESSAGE_BYTES_MAX


def client(number: int) -> SourceMessage:
    """One of many clients whom a council has filed under one person's number and name."""
    person = Person(
        local_id=LocalId(f"C{number}"),
        nhs_number=NHSNumber("9434765919"),
        names=(PersonName("SMITH", ("JOHN",)),),
        birth_date=date(1950, 4, 12),
        sex="male",
        addresses=(Address("1 High Street", Postcode("LS14HR")),),
    )
    received = Referral(on=date(2026, 5, 1), direction="received", to_tier="tier2")
    return SourceMessage(f"m{number}", RECEIVED_AT, person, (SourceFact(received, business_id=f"R{number}"),))


def test_a_number_that_many_records_share_does_not_make_every_answer_as_long_as_the_list_of_them() -> None:
    engine = MemoryEngine(seed=1)
    for number in range(EVIDENCE_MAX + 14):
        engine.take(COUNCIL, client(number))
    answers = engine.run().latest(LINK_MAP)
    assert len(answers) == EVIDENCE_MAX + 14
    assert {len(answer["evidence"]) for answer in answers.values()} == {EVIDENCE_MAX}
    assert len(engine.clusters()) == 1


def test_the_end_of_an_accepted_resend_outranks_the_rejection_before_it() -> None:
    engine = MemoryEngine(seed=1)
    for number in range(40):  # offsets of the intake grow, revisions of links do not
        refused = Checked(Verdict.REJECTED, (), ())
        bad = SourceEntry(f"m{number}", 0, "csv", b"bad", None, None, refused)
        engine.take_sealed(COUNCIL, sealed_entry(COUNCIL, bad))
    identifier = entry_id(COUNCIL, "m39")
    engine.run().take(COUNCIL, client(39))
    engine.run()
    messages = [
        json.loads(message.value or b"")
        for message in engine.read([DISPOSITIONS])
        if message.key == entry_name(all_keys(), COUNCIL, identifier).encode()
    ]
    assert [item["disposition"] for item in messages] == ["rejected", "linked"]
    assert messages[1]["revision"] > messages[0]["revision"]
