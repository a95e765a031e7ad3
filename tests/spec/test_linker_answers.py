"""What the linker answers, record by record: who is one person, what is held and why, what a steward sees."""

import json
from dataclasses import replace
from typing import Any

import pytest
from memory_engine import MemoryEngine, all_keys, real_step, record_id
from small_world import (
    ANN,
    BEA,
    CAT,
    COUNCIL,
    EVE,
    GP,
    NOBODY,
    TRUST,
    at_source,
    attended,
    message_from,
    without_number,
)

from schemas.identity import NHSNumber, Person, PersonName
from schemas.keyring import Purpose
from schemas.linking import PairDecision
from schemas.topics import IDENTITY, LINK_MAP, PERSON_CHANGES, REVIEW
from streams.steps.outcome import Change, Emit, Message, Reject

SLUGS = {"G": GP, "C": COUNCIL, "T": TRUST}


class Linker:
    """The linker step alone, told identities as records tells them."""

    def __init__(self) -> None:
        self.state = real_step("linker").restore([])
        self.offset = 0
        self.answers: dict[str, Any] = {}
        self.reviews: dict[str, Any] = {}
        self.changes: dict[str, Any] = {}
        self.changelog: dict[bytes, bytes] = {}

    def put(self, local: str, person: Person) -> list[str]:
        """The record as it now is. Returns the local ids that got an answer."""
        engine = MemoryEngine()
        engine.take(*message_from(SLUGS[local[0]], f"m{self.offset}", at_source(person, local), attended("a", 3), at=3))
        engine.run()
        ((key, value),) = [(message.key, message.value) for message in engine.read([IDENTITY])]
        return self.give(key or b"", value)

    def give(self, key: bytes, value: bytes | None, at_ms: int = 0) -> list[str]:
        message = Message(IDENTITY, 0, self.offset, key, value, (), at_ms)
        self.offset += 1
        self.state, outcomes = real_step("linker").advance(self.state, message)
        answered = []
        for outcome in outcomes:
            if isinstance(outcome, Change):
                self.changelog[outcome.key] = outcome.value or b""
                continue
            assert isinstance(outcome, Emit), outcome
            kept = {LINK_MAP: self.answers, REVIEW: self.reviews, PERSON_CHANGES: self.changes}[outcome.topic]
            kept.pop(outcome.key.decode(), None)
            if outcome.value is not None:
                kept[outcome.key.decode()] = json.loads(outcome.value)
            if outcome.topic == LINK_MAP:
                answered.append(outcome.key.decode())
        return answered

    def of(self, local: str) -> Any:
        return self.answers[record_id(SLUGS[local[0]], local)]

    def together(self, *locals_: str) -> bool:
        return len({self.of(local)["person_id"] for local in locals_}) == 1


def test_every_record_gets_an_answer_and_the_person_is_named_by_the_anchor() -> None:
    linker = Linker()
    assert linker.put("G1", ANN) == [record_id(GP, "G1")]
    assert linker.of("G1") == {
        "v": 1, "person_id": all_keys().mac(Purpose.PERSON_ID, record_id(GP, "G1")), "status": "linked",
        "reasons": [], "evidence": [], "formerly": [], "revision": 0,
    }  # fmt: skip


def test_a_record_without_a_usable_identity_is_held_under_a_person_of_its_own() -> None:
    linker = Linker()
    linker.put("G1", ANN)
    linker.put("C1", NOBODY)
    assert linker.of("C1")["status"] == "held"
    assert linker.of("C1")["reasons"] == ["no-usable-identity"]
    assert not linker.together("G1", "C1")


def test_two_nobodies_are_not_one_person() -> None:
    linker = Linker()
    linker.put("C1", NOBODY)
    linker.put("C2", NOBODY)
    assert not linker.together("C1", "C2")


def test_two_valid_numbers_that_differ_keep_two_records_apart_whatever_else_agrees() -> None:
    linker = Linker()
    linker.put("G1", ANN)
    linker.put("T1", replace(ANN, nhs_number=EVE.nhs_number))
    assert not linker.together("G1", "T1")
    (review,) = linker.reviews.values()
    assert review["rules"] == ["possible-duplicate-number"], "one of the numbers may be wrong"


def test_who_is_joined_is_explained_without_a_clear_value() -> None:
    linker = Linker()
    linker.put("G1", ANN)
    linker.put("C1", without_number(ANN))
    assert linker.together("G1", "C1")
    (evidence,) = linker.of("C1")["evidence"]
    assert evidence["other"] == record_id(GP, "G1")
    assert {"field": "nhs_number", "level": "missing", "bits": 0.0} in evidence["fields"]
    assert evidence["bits"] == pytest.approx(sum(field["bits"] for field in evidence["fields"]))
    shown = json.dumps([linker.answers, linker.reviews])
    for secret in ("Okafor", "Ann", "1971", "LS1", "Mill"):
        assert secret not in shown


def test_joining_moves_the_lesser_record_under_the_anchor_and_remembers_where_it_was() -> None:
    linker = Linker()
    linker.put("T1", ANN)
    alone = linker.of("T1")["person_id"]
    assert sorted(linker.put("G1", ANN)) == sorted([record_id(GP, "G1"), record_id(TRUST, "T1")])
    assert linker.of("T1")["formerly"] == [alone]
    assert linker.of("T1")["revision"] == 1
    assert linker.together("T1", "G1")


def test_everywhere_a_record_has_been_is_remembered() -> None:
    linker = Linker()
    linker.put("T1", ANN)
    first = linker.of("T1")["person_id"]
    linker.put("C1", without_number(ANN))
    second = linker.of("T1")["person_id"]
    linker.put("G1", ANN)
    assert linker.of("T1")["formerly"] == sorted({first, second} - {linker.of("T1")["person_id"]})
    assert len({first, second, linker.of("T1")["person_id"]}) == 3


def test_a_twin_without_a_number_and_a_forename_opens_a_review_of_both_pairs() -> None:
    linker = Linker()
    linker.put("G1", BEA)
    linker.put("G2", CAT)
    assert linker.reviews == {}
    linker.put("C1", replace(without_number(BEA), names=(PersonName("Hall", ("Bernadette",)),)))
    touched = {record for pair in linker.reviews for record in pair.split("|")}
    assert record_id(COUNCIL, "C1") in touched
    assert linker.of("C1")["status"] == "held"


def test_a_review_closes_when_the_doubt_is_gone() -> None:
    linker = Linker()
    linker.put("G1", BEA)
    linker.put("G2", CAT)
    linker.put("C1", replace(without_number(BEA), names=(PersonName("Hall", ("Bernadette",)),)))
    assert linker.reviews != {}
    linker.put("C1", BEA)
    assert linker.reviews == {}
    assert linker.together("G1", "C1")
    assert {linker.of(local)["status"] for local in ("G1", "G2", "C1")} == {"linked"}


def test_a_number_that_comes_late_joins_what_could_not_be_joined() -> None:
    linker = Linker()
    linker.put("G1", ANN)
    linker.put("C1", Person(names=(PersonName("Smith", ("Mary",)),), birth_date=ANN.birth_date))
    assert not linker.together("G1", "C1")
    linker.put("C1", Person(nhs_number=ANN.nhs_number, names=ANN.names, birth_date=ANN.birth_date))
    assert linker.together("G1", "C1")


def test_an_identity_told_again_is_not_answered_again() -> None:
    linker = Linker()
    linker.put("G1", ANN)
    assert linker.put("G1", ANN) == []


def test_a_record_that_is_gone_leaves_no_answer_and_no_review() -> None:
    linker = Linker()
    linker.put("G1", BEA)
    linker.put("C1", replace(without_number(BEA), names=(PersonName("Hall", ("Bernadette",)),)))
    assert linker.reviews != {}
    linker.give(record_id(COUNCIL, "C1").encode(), None)
    assert list(linker.answers) == [record_id(GP, "G1")]
    assert linker.reviews == {}
    assert linker.of("G1")["status"] == "linked"


@pytest.mark.parametrize(
    "value",
    [b"", b"{}", b'{"v":1,"tier":"tier9"}', b'{"v":1,"tier":"tier2","tokens":"AAAA","merged_into":null}',
     b'{"v":1,"tier":"tier2","tokens":"!","merged_into":null}'],
)  # fmt: skip
def test_poison_is_rejected_and_what_follows_is_not_disturbed(value: bytes) -> None:
    linker = Linker()
    linker.put("G1", ANN)
    state, outcomes = real_step("linker").advance(linker.state, Message(IDENTITY, 0, 9, b"r", value, (), 0))
    assert [type(outcome).__name__ for outcome in outcomes] == ["Reject"]
    linker.state = state
    linker.put("T1", ANN)
    assert linker.together("G1", "T1")


def test_a_sealed_identity_moved_to_another_record_is_not_believed() -> None:
    engine = MemoryEngine()
    engine.take(*message_from(GP, "m", at_source(ANN, "G1"), attended("a", 3), at=3))
    engine.run()
    ((_, value),) = [(message.key, message.value) for message in engine.read([IDENTITY])]
    moved = Message(IDENTITY, 0, 0, record_id(GP, "G2").encode(), value, (), 0)
    _, outcomes = real_step("linker").advance(real_step("linker").restore([]), moved)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Reject"]


def test_the_state_read_back_answers_as_the_one_that_was_lost() -> None:
    people = [("G1", BEA), ("G2", CAT), ("C1", replace(without_number(BEA), names=())), ("T1", NOBODY),
              ("T2", replace(BEA, nhs_number=NHSNumber("9990000018")))]  # fmt: skip
    linker, restarted = Linker(), Linker()
    for local, person in people:
        linker.put(local, person)
        restarted.put(local, person)
        kept = {key: value for key, value in restarted.changelog.items() if value}
        restarted.state = real_step("linker").restore(kept.items())
    assert restarted.answers == linker.answers
    assert restarted.reviews == linker.reviews


def decision(linker: Linker, a: str, b: str, kind: str, at: str, decision_id: str = "d1") -> tuple[bytes, bytes]:
    first, second = sorted(record_id(SLUGS[local[0]], local) for local in (a, b))
    taken = PairDecision((first, second), kind, at, decision_id)  # type: ignore[arg-type]
    return taken.key(), taken.value()


def decide(linker: Linker, *arguments: str) -> list[str]:
    return linker.give(*decision(linker, *arguments), at_ms=TODAY_MS)


TODAY, YESTERDAY, NEXT_YEAR = "2026-09-01T08:00:00Z", "2026-08-31T08:00:00Z", "2027-09-01T08:00:00Z"
TODAY_MS = 1_788_249_600_000


def test_a_steward_parts_two_records_and_joins_them_again_and_the_last_word_by_time_stands() -> None:
    linker = Linker()
    linker.put("G1", ANN)
    linker.put("C1", ANN)
    assert linker.together("G1", "C1")
    assert set(decide(linker, "G1", "C1", "apart", TODAY)) == {record_id(GP, "G1"), record_id(COUNCIL, "C1")}
    assert not linker.together("G1", "C1")
    assert decide(linker, "G1", "C1", "link", YESTERDAY, "d2") == [], "older, though it came later"
    decide(linker, "G1", "C1", "none", TODAY, "d3")
    assert linker.together("G1", "C1")


def test_a_decision_is_read_back_after_a_restart() -> None:
    linker = Linker()
    linker.put("G1", ANN)
    linker.put("C1", EVE)
    decide(linker, "G1", "C1", "link", TODAY)
    assert linker.together("G1", "C1")
    elements = [(key, value) for key, value in linker.changelog.items() if value]
    linker.state = real_step("linker").restore(elements)
    linker.put("C1", BEA)
    assert linker.together("G1", "C1")


def test_a_decision_about_a_record_that_is_not_there_waits_for_it() -> None:
    linker = Linker()
    linker.put("G1", ANN)
    decide(linker, "G1", "C1", "link", TODAY)
    assert [evidence["rules"] for evidence in linker.of("G1")["evidence"]] == [["V5-waiting"]]
    linker.put("C1", EVE)
    assert linker.together("G1", "C1")


@pytest.mark.parametrize("at", [NEXT_YEAR, "2026-02-30T08:00:00Z"])
def test_a_decision_of_a_time_that_cannot_be_is_a_dead_letter(at: str) -> None:
    linker = Linker()
    linker.put("G1", ANN)
    key, value = decision(linker, "G1", "C1", "link", at)
    for content in (value, None):
        message = Message(IDENTITY, 0, 9, key, content, (), TODAY_MS)
        assert real_step("linker").advance(linker.state, message)[1] == (Reject("unreadable"),)


def test_what_became_of_a_person_is_told_with_the_reason_and_the_evidence() -> None:
    linker = Linker()
    linker.put("C1", ANN)
    linker.put("G1", ANN)
    last = linker.changes[f"{linker.of('G1')['person_id']}/1"]
    assert (last["kind"], last["reason"]) == ("renamed", "anchor") or last["kind"] == "linked"
    decide(linker, "G1", "C1", "apart", TODAY)
    parted = [change for change in linker.changes.values() if change["revision"] == 2]
    assert {(change["kind"], change["reason"]) for change in parted} == {("split", "V5-apart")}
    assert {tuple(change["previous"]) for change in parted} == {(linker.of("G1")["person_id"],)}
    parting = [evidence for change in parted for evidence in change["evidence"] if evidence["rules"] == ["V5-apart"]]
    assert parting
    assert parting[0]["records"] == sorted([record_id(GP, "G1"), record_id(COUNCIL, "C1")])
