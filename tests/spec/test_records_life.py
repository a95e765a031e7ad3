"""The life of a record: from unknown, to ours, to somebody's, to somebody else's."""

import json
from dataclasses import replace
from typing import Any

import pytest
from memory_engine import START_MS, MemoryEngine, real_step, record_id
from records_alone import IDENTITY_ONLY, LETTER, RECORD, SLICES, A, B, C, Records, ends, on, told_to
from small_world import (
    ANN,
    BEA,
    COUNCIL,
    EVE,
    FAY,
    GP,
    NOBODY,
    TRUST,
    at_source,
    attended,
    day,
    message_from,
    referral,
    weight,
    without_number,
)  # fmt: skip

from schemas import topics
from schemas.elements import fact_names
from schemas.facts import Death
from schemas.identity import Address, LocalId, Postcode
from schemas.source_message import SourceFact
from schemas.topics import DAY_MS, DISPOSITIONS, EVENTS, IDENTITY, LINK_MAP, PATHWAY_IN, partition_of
from streams.steps.outcome import Emit, Message
from streams.steps.records import GRACE_MS


def test_a_record_that_named_no_service_is_ignored_and_nothing_of_it_leaves() -> None:
    emits = Records().hear(IDENTITY_ONLY)
    assert ends(emits) == ["ignored"]
    assert {emit.topic for emit in emits} == {DISPOSITIONS}


def test_neither_sex_nor_birth_year_nor_death_makes_a_patient_of_the_hospital_ours() -> None:
    death = SourceFact(Death(on=day(2)), "death")
    emits = Records().hear(
        IDENTITY_ONLY, message_from(TRUST, "t1", at_source(ANN, "T1"), SLICES, death, at=2, ours=False)
    )
    assert ends(emits) == ["ignored", "ignored"]
    assert on(IDENTITY, emits) == []


def test_a_first_fact_makes_the_record_ours_and_turns_ignored_into_linked() -> None:
    records = Records()
    assert ends(records.hear(IDENTITY_ONLY)) == ["ignored"]
    emits = records.hear(LETTER)
    assert ends(emits) == []
    assert len(on(IDENTITY, emits)) >= 1
    assert ends(records.link(A, 0)) == ["linked", "linked"]


def test_a_service_named_without_any_fact_makes_the_record_ours_too() -> None:
    emits = Records().hear(message_from(TRUST, "t0", at_source(ANN, "T1"), at=1))
    assert len(on(IDENTITY, emits)) == 1


def test_after_thirty_days_without_a_fact_its_elements_are_removed() -> None:
    records = Records()
    records.hear(IDENTITY_ONLY)
    records.hear(message_from(TRUST, "t1", at_source(ANN, "T1"), SLICES, at=2, ours=False))
    written = records.written
    records.now_ms += GRACE_MS - 2 * 60_000
    assert records.give(b"x", None) == []
    records.now_ms += 2 * 60_000
    emits = records.give(b"x", None)
    assert {(emit.topic, emit.value) for emit in emits} == {(EVENTS, None)}
    assert {emit.key for emit in emits} == written
    assert sorted(key.split(b"/")[1] for key in written) == [b"i", b"k", b"n", b"n"]
    assert all(emit.partition == partition_of(RECORD) for emit in emits)
    assert records.changelog == {}
    assert [records.give(emit.key, None, headers=emit.headers) for emit in emits] == [[]] * 4


def test_a_record_that_became_ours_in_time_stays() -> None:
    records = Records()
    records.hear(IDENTITY_ONLY, LETTER)
    records.now_ms += 2 * GRACE_MS
    assert records.give(b"x", None) == []


def test_the_thirty_days_pass_over_a_restart() -> None:
    records = Records()
    records.hear(IDENTITY_ONLY)
    records.restart()
    records.now_ms += GRACE_MS
    assert records.give(b"x", None) != []


def test_what_is_told_anew_while_it_is_being_removed_is_written_again() -> None:
    """Ingress may write the same element between the removal and its reading back: the last arrival would be
    the removal, and the system of record would have lost what the state still holds."""
    records = Records()
    records.hear(IDENTITY_ONLY)
    records.now_ms += GRACE_MS
    removals = records.give(b"x", None)
    records.hear(IDENTITY_ONLY)
    again = [emit for removal in removals for emit in records.give(removal.key, None, headers=removal.headers)]
    assert {emit.key for emit in again} == {removal.key for removal in removals}
    assert all(emit.value for emit in again)
    assert [records.give(emit.key, emit.value) for emit in again] == [[], [], []]


def test_a_removal_by_another_hand_is_left_alone() -> None:
    """So that a drill that deletes a message is seen by the ledger, not healed behind its back."""
    records = Records()
    records.hear(IDENTITY_ONLY)
    for key in list(records.changelog):
        assert records.give(key, None) == []


def test_facts_are_pending_until_the_linker_has_answered() -> None:
    records = Records()
    emits = records.hear(LETTER)
    assert on(PATHWAY_IN, emits) == []
    assert ends(emits) == []
    emits = records.link(A, 4)
    assert told_to(emits) == [("entry", A, 4)]
    assert ends(emits) == ["linked"]


def test_later_facts_go_straight_to_the_person() -> None:
    records = Records()
    records.hear(LETTER)
    records.link(A, 4)
    emits = records.hear(message_from(TRUST, "t2", at_source(ANN, "T1"), weight("w", 4, "99"), at=4))
    assert ("entry", A, 4) in told_to(emits)
    assert ends(emits) == ["linked"]
    assert on(IDENTITY, emits) == []


def test_a_record_that_moves_is_withdrawn_from_every_former_person() -> None:
    records = Records()
    records.hear(LETTER)
    records.link(A, 1)
    emits = records.link(C, 9, A, B)
    assert told_to(emits) == [("withdrawal", A, 9), ("withdrawal", B, 9), ("entry", C, 9)]


def test_a_record_that_comes_back_is_told_again_under_a_higher_revision() -> None:
    records = Records()
    records.hear(LETTER)
    records.link(A, 1)
    records.link(B, 2, A)
    assert told_to(records.link(A, 3, B)) == [("withdrawal", B, 3), ("entry", A, 3)]


def test_an_answer_in_between_that_was_compacted_away_still_leads_to_its_withdrawal() -> None:
    records = Records()
    records.hear(LETTER)
    records.link(A, 1)
    assert told_to(records.link(A, 3, B)) == [("withdrawal", B, 3), ("entry", A, 3)]


def test_an_older_answer_that_comes_again_changes_nothing() -> None:
    records = Records()
    records.hear(LETTER)
    records.link(B, 5, A)
    assert records.link(A, 4) == []
    assert records.link(B, 5, A) == []


def test_new_evidence_for_the_same_person_moves_nothing_but_a_doubt_is_told() -> None:
    records = Records()
    records.hear(LETTER)
    records.link(A, 1)
    emits = records.link(A, 2, status="held")
    assert on(PATHWAY_IN, emits) == []
    assert ends(emits) == ["held"]
    assert ends(records.link(A, 3)) == ["linked"]


def test_the_revision_of_a_disposition_only_grows() -> None:
    records = Records()
    revisions = []
    topic = DISPOSITIONS
    for emits in (records.hear(IDENTITY_ONLY), records.hear(LETTER), records.link(A, 0),
                  records.link(A, 1, status="held"), records.link(B, 2, A)):  # fmt: skip
        by_entry = {emit.key: json.loads(emit.value or b"")["revision"] for emit in emits if emit.topic == topic}
        revisions += [by_entry[key] for key in sorted(by_entry)][:1]
    assert revisions == sorted(set(revisions))
    assert len(revisions) == 4


def test_every_version_of_a_fact_goes_to_the_person_and_which_one_wins_is_not_for_records_to_say() -> None:
    """Records opens no body: it cannot know, and need not."""
    records = Records()
    records.hear(LETTER)
    records.link(A, 1)
    person = at_source(ANN, "T1")
    newer = message_from(TRUST, "t3", person, attended("a1", 4, "3"), at=9)
    older = message_from(TRUST, "t2", person, attended("a1", 4, "2"), at=8)
    assert told_to(records.hear(newer)) == told_to(records.hear(older)) == [("entry", A, 1)]


def test_a_fact_taken_back_travels_as_taken_back() -> None:
    records = Records()
    records.hear(LETTER)
    records.link(A, 1)
    emits = records.hear(message_from(TRUST, "t2", at_source(ANN, "T1"), attended("a1", 3, retracted=True), at=9))
    (sent,) = [value for value in on(PATHWAY_IN, emits) if value["kind"] == "entry"]
    assert [name.retracted for name in fact_names(sent["entry"])] == [True]


def test_the_winning_identity_is_the_newest_told_whatever_came_last() -> None:
    new = message_from(TRUST, "t2", at_source(ANN, "T1"), at=9)
    old = message_from(TRUST, "t1", without_number(at_source(ANN, "T1")), at=8)
    (first,) = on(IDENTITY, Records().hear(new))
    records = Records()
    (other,) = on(IDENTITY, records.hear(old))
    (second,) = on(IDENTITY, records.hear(new))
    assert first == second != other
    records = Records()
    records.hear(new)
    assert on(IDENTITY, records.hear(old)) == []


def test_a_merge_is_told_to_the_linker_also_when_the_retired_record_comes_later() -> None:
    merge = message_from(TRUST, "t9", replace(at_source(ANN, "T1"), retired_local_ids=(LocalId("T2"),)), at=9)
    retired = message_from(TRUST, "t1", at_source(ANN, "T2"), attended("a2", 2), at=2)
    for order in ([merge, retired], [retired, merge]):
        emits = Records().hear(*order)
        last = [emit for emit in emits if emit.topic == IDENTITY and emit.key.decode() == record_id(TRUST, "T2")]
        assert json.loads(last[-1].value or b"")["merged_into"] == record_id(TRUST, "T1")


def test_an_entry_told_again_is_not_answered_again() -> None:
    records = Records()
    records.hear(LETTER)
    records.link(A, 1)
    assert records.hear(LETTER) == []
    records.restart()
    assert records.hear(LETTER) == []


@pytest.mark.parametrize(
    ("topic", "key", "value"),
    [(EVENTS, b"", b"{}"), (EVENTS, b"\xff/e/f", b"{}"), (EVENTS, RECORD.encode() + b"/n/e/h", b'{"v":1}'),
     (EVENTS, RECORD.encode() + b"/q/f", b'{"v":1}'), (LINK_MAP, b"\xff", b"{}"), (LINK_MAP, b"r", b"\xff"),
     (LINK_MAP, b"r", b'{"v":1,"status":"linked"}')],
)  # fmt: skip
def test_poison_is_rejected_and_what_follows_is_not_disturbed(topic: str, key: bytes, value: bytes) -> None:
    records = Records()
    message = Message(topic, 0, 0, key, value, (), START_MS)
    records.state, outcomes = real_step("records").advance(records.state, message)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Reject"]
    records.hear(LETTER)
    assert ends(records.link(A, 1)) == ["linked"]


# ------------------------------------------------------------ all stages together


def run(*entries: Any) -> MemoryEngine:
    engine = MemoryEngine(seed=3)
    for slug, entry in entries:
        engine.take(slug, entry)
    return engine.run()


def test_every_disposition_there_is() -> None:
    twin = replace(at_source(without_number(BEA), "C2"), names=())
    engine = run(
        message_from(GP, "linked", at_source(ANN, "G1"), referral("R", 0), at=0),
        message_from(COUNCIL, "held", at_source(NOBODY, "C9"), attended("a", 3), at=3),
        message_from(TRUST, "ignored", at_source(EVE, "T1"), at=3, ours=False),
        message_from(COUNCIL, "rejected", at_source(NOBODY, None), attended("b", 3), at=3),
        message_from(COUNCIL, "alone", twin, attended("c", 3), at=3),
    )
    answers = [engine.dispositions()[sent.entry_id] for sent in engine.journal]
    found = dict(zip(engine.message_ids, answers, strict=True))
    assert found == {"linked": "linked", "held": "held", "ignored": "ignored", "rejected": "rejected",
                     "alone": "linked"}  # fmt: skip


def test_an_identity_put_right_splits_the_person_and_takes_the_facts_along() -> None:
    wrong = replace(at_source(FAY, "T4"), nhs_number=EVE.nhs_number)
    before = [
        message_from(GP, "g5", at_source(EVE, "G4"), referral("UB5", 2, to="tier3"), at=2),
        message_from(GP, "g6", at_source(FAY, "G5"), referral("UB6", 2, to="tier3"), at=2),
        message_from(TRUST, "t8", at_source(EVE, "T4"), attended("ta3", 20), at=20),
    ]
    joined = run(*before)
    assert {record_id(GP, "G4"), record_id(TRUST, "T4")} in joined.clusters()
    put_right = run(
        *before,
        message_from(TRUST, "t9", wrong, at=30),
        message_from(TRUST, "t10", at_source(FAY, "T4"), at=50),
    )
    assert {record_id(GP, "G5"), record_id(TRUST, "T4")} in put_right.clusters()
    attended_by = [
        value["person"] for value in put_right.latest("pathway.events.demo.v1").values()
        if value["event"] == "attended" and value.get("status") != "retracted"
    ]  # fmt: skip
    assert len(attended_by) == 1


def test_elements_of_the_ignored_are_gone_for_good_when_their_time_has_come() -> None:
    engine = run(message_from(TRUST, "t1", at_source(EVE, "T1"), at=3, ours=False))
    assert engine.latest(EVENTS) != {}
    engine.now_ms += 31 * DAY_MS
    partition = partition_of(record_id(TRUST, "T1"))
    engine.put(Emit(EVENTS, partition, b"other/x", None))
    engine.run()
    assert engine.latest(EVENTS) == {}
    assert engine.latest(topics.RECORDS_STATE) == {}
    assert set(engine.dispositions().values()) == {"ignored"}


def test_a_moved_person_keeps_one_address_each_way() -> None:
    """A later address wins for linking; the older identity stays in the record's history."""
    moved = replace(at_source(ANN, "G1"), addresses=(Address("1 New Road", Postcode("YO11AA")),))
    engine = run(message_from(GP, "1", at_source(ANN, "G1"), at=1), message_from(GP, "2", moved, at=2))
    assert sum(key.split("/")[1] == "i" for key in engine.latest(EVENTS)) == 2
    assert len(engine.latest(IDENTITY)) == 1
