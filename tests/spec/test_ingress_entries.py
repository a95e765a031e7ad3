"""What ingress makes of one entry: facts, an identity that only the linker can compare, one manifest; or a
receipt that says why not.
"""

import json
import re
from dataclasses import replace
from typing import Any

from memory_engine import (
    START_MS,
    IntakeMessage,
    all_bucket_keys,
    intake_message,
    published,
    real_step,
    record_id,
    sealed_entry,
    sources,
)
from small_world import (
    ANN,
    COUNCIL,
    GP,
    TRUST,
    at_source,
    attended,
    message_from,
    referral,
    weight,
    without_number,
)

from connectors.entry import SourceEntry
from schemas import topics
from schemas.data_keys import Family
from schemas.disposition import Checked, Verdict
from schemas.elements import FactName, fact_names, stored_facts
from schemas.envelope import entry_id
from schemas.errors import error
from schemas.facts import Referral, StoredFact
from schemas.identity import LocalId, Person
from schemas.source_message import SourceMessage
from streams.steps.outcome import Claim, Emit, Message, Outcome, Reject
from streams.steps.vault import VaultState

RECORD = record_id(GP, "G1")


def message(slug: str, intake: IntakeMessage) -> Message:
    emit = published(slug, intake)
    return Message(emit.topic, emit.partition, 7, emit.key, emit.value, emit.headers, START_MS)


def taken(slug: str, intake: IntakeMessage) -> tuple[Outcome, ...]:
    return real_step("ingress").advance(VaultState(), message(slug, intake))[1]


def answer(slug: str, entry: SourceMessage) -> tuple[Outcome, ...]:
    return taken(slug, intake_message(slug, entry))


def elements(slug: str, entry: SourceMessage) -> dict[str, Any]:
    """Key -> JSON of what goes to events.v1; beside it only the receipt may be sent, last."""
    *emits, receipt = [outcome for outcome in answer(slug, entry) if not isinstance(outcome, Claim)]
    assert isinstance(receipt, Emit)
    assert receipt.topic == sources()[slug].receipts_topic
    assert all(isinstance(outcome, Emit) and outcome.topic == topics.EVENTS for outcome in emits), emits
    return {outcome.key.decode(): json.loads(outcome.value or b"") for outcome in emits if isinstance(outcome, Emit)}


def kinds(found: dict[str, Any]) -> str:
    return "".join(key.split("/")[1] for key in found)


def facts_of(key: str, value: dict[str, Any]) -> tuple[StoredFact, ...]:
    record, _, name = key.split("/", 2)
    return stored_facts(record, name, value, all_bucket_keys().made(Family.BODY, record, 1))


def one_fact(slug: str, entry: SourceMessage, kind: str) -> tuple[FactName, StoredFact]:
    """The one fact of that type in the entry: what stands beside its body, and all it says."""
    found = elements(slug, entry)
    (key,) = [key for key in found if key.split("/")[1] == "n"]
    facts = zip(fact_names(found[key]), facts_of(key, found[key]), strict=True)
    (fact,) = [(name, fact) for name, fact in facts if fact.body.type == kind]
    return fact


def test_an_entry_becomes_its_identity_and_last_one_element_with_all_its_facts() -> None:
    entry = message_from(GP, "m1", at_source(ANN, "G1"), weight("w1", 0, "120"), referral("R", 0), at=0)
    found = elements(*entry)
    assert kinds(found) == "kin"
    assert {key.split("/")[0] for key in found} == {RECORD}
    key, last = list(found.items())[-1]
    assert last["service_named"] is True
    assert {fact.body.type for fact in facts_of(key, last)} == {"measurement", "referral"}


def test_everything_about_one_record_goes_to_one_partition() -> None:
    outcomes = answer(*message_from(GP, "m1", at_source(ANN, "G1"), weight("w1", 0, "120"), at=0))
    places = {outcome.partition for outcome in outcomes if isinstance(outcome, Emit) and outcome.topic == topics.EVENTS}
    assert places == {topics.partition_of(RECORD)}


def test_the_same_entry_gives_the_same_bytes_whenever_it_comes() -> None:
    first = answer(*message_from(GP, "m1", at_source(ANN, "G1"), weight("w1", 0, "120"), at=0))
    again = answer(*message_from(GP, "m1", at_source(ANN, "G1"), weight("w1", 0, "120"), at=0))
    assert first == again


def test_a_correction_under_a_new_message_id_is_a_new_version_of_the_same_fact() -> None:
    first = one_fact(*message_from(GP, "m1", at_source(ANN, "G1"), weight("w1", 0, "120"), at=0), "measurement")
    second = one_fact(*message_from(GP, "m2", at_source(ANN, "G1"), weight("w1", 0, "119"), at=1), "measurement")
    assert first[0].fact_id == second[0].fact_id
    assert first[0].version != second[0].version


def test_without_a_business_id_the_entry_stands_in() -> None:
    person = at_source(ANN, "G1")
    first = one_fact(*message_from(GP, "m1", person, weight(None, 0, "120"), at=0), "measurement")
    again = one_fact(*message_from(GP, "m1", person, weight(None, 0, "120"), at=0), "measurement")
    other = one_fact(*message_from(GP, "m2", person, weight(None, 0, "120"), at=0), "measurement")
    assert first[0].fact_id == again[0].fact_id != other[0].fact_id


def test_the_same_ubrn_from_two_sources_is_the_same_keyed_reference() -> None:
    sent = one_fact(
        *message_from(GP, "m1", at_source(ANN, "G1"), referral("A", 0, ubrn="000000000001"), at=0), "referral"
    )
    received = one_fact(
        *message_from(COUNCIL, "c1", at_source(ANN, "C1"), referral("B", 3, sent=False, ubrn="000000000001"), at=3),
        "referral",
    )
    ubrns = [fact.body.ubrn or "" for _, fact in (sent, received) if isinstance(fact.body, Referral)]
    assert ubrns[0] == ubrns[1]
    assert re.fullmatch("[0-9a-f]{32}", ubrns[0]), "no version: the key is never rotated"
    assert sent[0].fact_id != received[0].fact_id


def test_two_sources_with_the_same_business_id_mean_two_things() -> None:
    fact = one_fact(*message_from(TRUST, "m", at_source(ANN, "1"), attended("A1", 3), at=3), "attendance")
    other = one_fact(*message_from(COUNCIL, "m", at_source(ANN, "1"), attended("A1", 3), at=3), "attendance")
    assert fact[0].fact_id != other[0].fact_id
    assert fact[1].record_id != other[1].record_id


def record_of(person: Person, message_id: str = "m") -> str:
    found = elements(*message_from(COUNCIL, message_id, person, attended("A1", 3), at=3))
    (record,) = {key.split("/")[0] for key in found}
    return record


def test_a_record_without_a_local_id_is_named_by_who_it_is_about() -> None:
    nameless = at_source(ANN, None)
    assert record_of(nameless, "m1") == record_of(nameless, "m2")
    shouted = replace(nameless, names=tuple(replace(n, family=n.family.upper()) for n in nameless.names))
    assert record_of(shouted) == record_of(nameless)
    assert record_of(without_number(nameless)) != record_of(nameless)
    assert record_of(at_source(ANN, "C1")) == record_id(COUNCIL, "C1") != record_of(nameless)


def test_an_identity_told_twice_is_one_element_and_a_changed_one_another() -> None:
    def identity(entry: tuple[str, SourceMessage]) -> str:
        (found,) = [key for key in elements(*entry) if key.split("/")[1] == "i"]
        return found

    person = at_source(ANN, "G1")
    assert identity(message_from(GP, "m1", person, at=0)) == identity(message_from(GP, "m2", person, at=9))
    assert identity(message_from(GP, "m1", person, at=0)) != identity(
        message_from(GP, "m1", without_number(person), at=0)
    )


def test_the_identities_of_two_records_cannot_be_told_to_be_equal() -> None:
    def sealed_tokens(local: str) -> tuple[str, str]:
        found = elements(*message_from(GP, "m1", at_source(ANN, local), at=0))
        (items,) = [(key.split("/")[2], v["tokens"]) for key, v in found.items() if key.split("/")[1] == "i"]
        return items

    (name, tokens), (other_name, other_tokens) = sealed_tokens("G1"), sealed_tokens("G2")
    assert name != other_name
    assert tokens != other_tokens


def test_a_merge_names_the_record_that_is_retired() -> None:
    person = replace(at_source(ANN, "T1"), retired_local_ids=(LocalId("T9"), LocalId("T1")))
    found = elements(*message_from(TRUST, "m1", person, at=0, ours=False))
    merges = {key.split("/")[0]: value["into"] for key, value in found.items() if key.split("/")[1] == "m"}
    assert merges == {record_id(TRUST, "T9"): record_id(TRUST, "T1")}


def test_an_identity_that_names_no_service_says_so() -> None:
    found = elements(*message_from(TRUST, "m1", at_source(ANN, "T1"), at=0, ours=False))
    assert list(found.values())[-1]["service_named"] is False


def refusal(outcomes: tuple[Outcome, ...]) -> tuple[str, str, dict[str, Any]]:
    """(code of the dead letter, entry, receipt), after looking that the disposition is `rejected`."""
    reject, disposition, receipt = outcomes
    assert isinstance(reject, Reject)
    assert isinstance(disposition, Emit)
    assert isinstance(receipt, Emit)
    assert (disposition.topic, json.loads(disposition.value or b"")["disposition"]) == (topics.DISPOSITIONS, "rejected")
    return reject.code, receipt.key.decode(), json.loads(receipt.value or b"")


def test_what_was_not_sealed_for_us_is_set_apart_and_no_source_is_told_of_it() -> None:
    """Anybody who reaches the topic can write the header of another source's entry."""
    good = intake_message(*message_from(GP, "m1", at_source(ANN, "G1"), at=0))
    for poison in (b"", b"\x01", good.value[:-1], b"\x02" + good.value[1:], b"{}"):
        assert taken(GP, good._replace(value=poison)) == (Reject("unreadable"),)


def test_what_a_provider_can_compute_stands_in_its_receipts_and_nowhere_else_beyond_the_intake() -> None:
    for entry in (
        message_from(GP, "m1", at_source(ANN, "G1"), weight(None, 0, "120"), at=0),
        message_from(COUNCIL, "m2", at_source(ANN, None), attended("A", 3), at=3),
        message_from(COUNCIL, "m3", Person(), attended("A", 3), at=3),
    ):
        (sent,) = [entry_id(entry[0], entry[1].message_id)]
        emits = [outcome for outcome in answer(*entry) if isinstance(outcome, Emit)]
        named = [emit.topic for emit in emits if sent.encode() in emit.key + (emit.value or b"")]
        assert named == [sources()[entry[0]].receipts_topic]


def test_a_source_learns_of_an_accepted_entry_nothing_but_that() -> None:
    *_, receipt = answer(*message_from(GP, "m1", at_source(ANN, "G1"), weight("w1", 0, "120"), at=0))
    assert isinstance(receipt, Emit)
    assert (receipt.topic, json.loads(receipt.value or b"")) == (
        sources()[GP].receipts_topic,
        {"v": 1, "receipt": "accepted", "reasons": []},
    )


def test_poison_without_an_entry_id_is_still_only_rejected() -> None:
    bare = Message(sources()[GP].intake_topic, 0, 7, None, None, (), 0)
    assert real_step("ingress").advance(VaultState(), bare)[1] == (Reject("unreadable"),)


def test_an_original_the_door_could_not_read_is_rejected_with_the_doors_reasons() -> None:
    reason = error("row 4, column dob", "must be a date", code="value")
    row = SourceEntry("m1", 4, "csv", b"row", None, None, Checked(Verdict.REJECTED, (reason,), ()))
    code, entry, receipt = refusal(taken(COUNCIL, sealed_entry(COUNCIL, row)))
    assert (code, entry) == ("rejected", entry_id(COUNCIL, "m1", 4))
    assert receipt["reasons"] == [reason.as_json()]


def test_what_the_check_refuses_at_the_door_is_rejected_by_field_and_rule() -> None:
    nobody = message_from(COUNCIL, "m1", Person(), attended("A", 3), at=3)
    code, entry, receipt = refusal(answer(*nobody))
    assert (code, entry) == ("rejected", entry_id(COUNCIL, "m1"))
    assert [reason["location"] for reason in receipt["reasons"]] == ["Bundle.entry[1].resource.identifier"]
