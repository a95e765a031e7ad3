"""What is read back of an engine's answers: the last stands, every link is told, or it is said which is not."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from io import StringIO
from typing import Any

import pytest
from memory_engine import MemoryEngine, record_id
from rich.console import Console
from small_world import COUNCIL, GP, TRUST, small_world

from linkage.model import parse
from ops.admin.topic_reader import TopicMessage
from ops.errors import SettingsError
from ops.runtime.paths import linkage_model
from ops.steward.answers_explained import AnswerExplanation, explained, show
from ops.steward.answers_read import (
    answers_of,
    answers_of_people,
    evidence_between,
    evidence_of,
)
from ops.steward.link_coverage import Coverage, EvidenceChecker, chain, coverage
from ops.steward.reviews import decision, open_pairs
from schemas import canonical
from schemas.errors import Unreadable
from schemas.linking import DecisionKind, Link
from schemas.topics import IDENTITY, LINK_MAP, REVIEW
from streams.steps.outcome import Emit

MODEL = parse(linkage_model())
TELLER = EvidenceChecker(MODEL)
P, Q = "e" * 32, "f" * 32  # two people


def played() -> MemoryEngine:
    """Nine people at three sources, linked by the real steps."""
    engine = MemoryEngine()
    for slug, message in small_world():
        engine.take(slug, message)
    return engine.run()


@cache
def world() -> MemoryEngine:
    """The same, only read from."""
    return played()


def links(engine: MemoryEngine) -> list[TopicMessage]:
    """Every message of link.map.v1."""
    return list(engine.read([LINK_MAP]))


def decided(*words: tuple[DecisionKind, str, str]) -> MemoryEngine:
    """The same world after a steward said of two records, a day later each time, link, apart or none."""
    engine = played()
    for day, (kind, a, b) in enumerate(words, start=1):
        now = datetime.fromtimestamp(engine.now_ms / 1000, UTC)
        message = decision((a, b), kind, now=now, at=f"2020-01-{day:02}T09:00:00Z")
        engine.put(Emit(IDENTITY, 0, message.key(), message.value()))
        engine.run()
    return engine


ANN = (record_id(GP, "G1"), record_id(COUNCIL, "C1"), record_id(TRUST, "T1"))
STRANGER = record_id(GP, "G6")  # Gus, whom nothing says to be Ann


def asked(engine: MemoryEngine, *records: str) -> AnswerExplanation:
    """As `explain` without a table."""
    return explained(lambda: engine.read([LINK_MAP]), records, MODEL)


def shown(found: AnswerExplanation) -> str:
    """What a person sees."""
    page = StringIO()
    show(Console(file=page, width=200), found)
    return page.getvalue()


# ---------------------------------------------------------------- is every link told?


def test_every_link_the_engine_made_is_told() -> None:
    found = coverage(links(world()), TELLER)
    assert found.gaps == ()
    assert found.persons >= 6
    assert found.as_json()["explained"] == found.links >= 8


def without_evidence(message: TopicMessage, other: str | None = None) -> TopicMessage:
    """The answer without its rows, or those about `other`."""
    assert message.value is not None
    parts = json.loads(message.value)
    parts["evidence"] = [row for row in parts["evidence"] if other is not None and row["other"] != other]
    return replace(message, value=canonical.dump(parts))


def test_a_record_of_which_no_answer_tells_why_it_is_there_is_a_gap() -> None:
    gp = ANN[0]
    silent = [
        message if message.value is None else without_evidence(message, None if message.key == gp.encode() else gp)
        for message in links(world())
    ]
    found = coverage(silent, TELLER)
    assert len(found.gaps) == 1
    assert gp in found.gaps[0]
    whole = coverage(links(world()), TELLER)
    assert (found.persons, found.links) == (whole.persons, whole.links)
    assert found.as_json()["unexplained"] == 1


def test_one_of_the_two_answers_is_enough() -> None:
    one_side = [
        without_evidence(message) if message.key == ANN[0].encode() and message.value else message
        for message in links(world())
    ]
    assert coverage(one_side, TELLER).gaps == ()


def test_weights_of_another_model_explain_nothing_but_a_word_does() -> None:
    other = EvidenceChecker(replace(MODEL, prior=MODEL.prior - 1))
    found = coverage(links(world()), other)
    assert 0 < len(found.gaps) < found.links, "the source's own merge needs no weight"


def test_who_is_gone_counts_no_more() -> None:
    gone = [*links(world()), TopicMessage(LINK_MAP, 0, 10**6, ANN[0].encode(), None, (), 0)]
    assert coverage(gone, TELLER).links == coverage(links(world()), TELLER).links - 1
    assert coverage([], TELLER) == Coverage(0, 0, ())


# ---------------------------------------------------------------- one record, two records


def test_two_records_of_a_person_are_explained_by_field_level_bits_rules_and_model() -> None:
    found = asked(world(), ANN[0], ANN[2])
    (row,) = found.as_json()["evidence"]
    assert row["band"] == "auto"
    assert row["bits"] >= row["model"]["link"]
    assert round(sum(term["bits"] for term in row["fields"]), 3) == row["bits"]
    assert {term["field"] for term in row["fields"]} >= {"given", "family", "birth_date", "nhs_number"}
    assert row["by_this_model"]
    assert found.as_json()["one_person"]
    text = shown(found)
    for words in ("birth_date", "exact", "verdict: linked", f"model: {MODEL.name}", "links from"):
        assert text.count(words) >= 1, words
    assert text.count("model: ") == 1


def test_a_record_alone_is_answered_with_all_that_was_told_of_it() -> None:
    found = asked(world(), ANN[1])
    value = found.as_json()
    assert value["records"][ANN[1]]["of_one_person"] == sorted(ANN)
    assert {row["pair"][1] for row in value["evidence"]} == {ANN[0], ANN[2]}
    assert "one of 3 records of person" in shown(found)


def test_two_people_of_whom_nothing_is_told_are_said_to_be_so() -> None:
    found = asked(world(), ANN[0], STRANGER)
    assert not found.as_json()["one_person"]
    assert found.as_json()["evidence"] == found.as_json()["chain"] == []
    assert "no evidence" in shown(found)


def test_a_record_the_engine_does_not_know_is_refused_without_being_named() -> None:
    with pytest.raises(SettingsError, match="no such record") as refused:
        asked(world(), ANN[0], "0123")
    assert "0123" not in str(refused.value)


def test_weights_of_another_model_are_said_to_be_such() -> None:
    found = asked(world(), ANN[0], ANN[2])
    other = replace(found, checker=EvidenceChecker(replace(MODEL, prior=0)))
    assert "these weights are not those of the model" in shown(other)
    assert "these weights are not those of the model" not in shown(found)


# ---------------------------------------------------------------- words, and chains


def test_a_steward_who_parts_two_records_is_told_in_both_and_taken_back_is_not() -> None:
    parted = asked(decided(("apart", ANN[0], ANN[1])), ANN[0], ANN[1])
    assert not parted.as_json()["one_person"]
    assert ["V5-apart"] in [row["rules"] for row in parted.as_json()["evidence"]]
    assert "rules: V5-apart" in shown(parted)
    again = asked(decided(("apart", ANN[0], ANN[1]), ("none", ANN[0], ANN[1])), ANN[0], ANN[1])
    assert again.as_json()["one_person"]
    assert ["V5-apart"] not in [row["rules"] for row in again.as_json()["evidence"]]


def test_who_is_joined_through_others_is_explained_by_the_chain_of_pairs() -> None:
    engine = decided(("link", ANN[0], STRANGER))
    found = asked(engine, STRANGER, ANN[2])
    assert found.as_json()["one_person"]
    pairs = [item.pair for item in found.chain]
    assert pairs == [(STRANGER, ANN[0]), (ANN[0], ANN[2])]
    assert found.chain[0].evidence.rules == ("V5-link",)
    assert "by a chain of 2 pairs" in shown(found)
    assert coverage(links(engine), TELLER).gaps == ()


def link(person: str, *rows: tuple[str, int]) -> Link:
    """An answer whose rows are linked by a model of one weight each, told as the prior."""
    evidence: list[dict[str, Any]] = [
        {"other": other, "bits": bits / 1000, "band": "auto", "fields": [], "rules": ["merge"]} for other, bits in rows
    ]
    return Link(person, "linked", (), evidence, (), 0)


def test_a_chain_is_as_short_as_can_be_and_of_equally_short_ones_the_surest() -> None:
    answers = {
        "a": link("p", ("b", 5_000), ("c", 9_000), ("x", 90_000)),
        "d": link("p", ("b", 5_000), ("c", 9_000)),
        "b": link("p"), "c": link("p"), "x": link("p", ("y", 90_000)), "y": link("p", ("d", 90_000)),
    }  # fmt: skip
    assert chain(TELLER, answers, "a", "d") == (("a", "c"), ("c", "d"))
    assert chain(TELLER, {**answers, "c": link("q")}, "a", "d") == (("a", "b"), ("b", "d"))
    assert chain(TELLER, {**answers, "d": link("p"), "y": link("p")}, "a", "d") == ()


# ---------------------------------------------------------------- reading


def said(record: str, link: Link | None, offset: int = 0) -> TopicMessage:
    return TopicMessage(LINK_MAP, 0, offset, record.encode(), link.value() if link else None, (), 0)


def test_the_last_answer_stands_and_who_moved_is_of_the_person_he_moved_to() -> None:
    messages = [said("a", link(P)), said("b", link(P)), said("c", link(Q)), said("d", link(P)),
                said("b", link(Q)), said("d", None)]  # fmt: skip
    assert answers_of_people(lambda: messages, ["a"]).keys() == {"a"}
    assert answers_of_people(lambda: messages, ["b"]).keys() == {"b", "c"}
    assert {record: answer.person_id for record, answer in answers_of(messages, ["b", "d"]).items()} == {"b": Q}


def test_a_row_is_read_back_as_it_was_told() -> None:
    answers = answers_of_people(lambda: world().read([LINK_MAP]), [ANN[0]])
    (row,) = evidence_between(answers, ANN[0], ANN[2])
    (back,) = evidence_between(answers, ANN[2], ANN[0])
    assert (row.other, back.other) == (ANN[2], ANN[0])
    assert back._replace(other=ANN[2]) == row, "a pair is told alike from either side"
    assert sum(bits for _, _, bits in row.terms) == row.bits


@pytest.mark.parametrize("row", [{}, {"other": "a", "bits": 1, "band": "auto", "rules": [], "fields": [{}]}])
def test_a_row_that_lacks_a_part_is_unreadable(row: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match="lacks a part"):
        evidence_of(row)


def test_open_reviews_come_likeliest_first_and_closed_ones_not_at_all() -> None:
    def review(pair: str, bits: float | None) -> TopicMessage:
        items = {"v": 1, "records": pair.split("|"), "bits": bits, "rules": ["V3"]}
        return TopicMessage(REVIEW, 0, 0, pair.encode(), canonical.dump(items) if bits else None, (), 0)

    messages = [review("a|b", 1.5), review("a|c", 3.25), review("b|c", 2), review("b|c", None)]
    assert [(item.records, item.bits) for item in open_pairs(messages)] == [
        (("a", "c"), 3.25),
        (("a", "b"), 1.5),
    ]
    assert open_pairs(messages)[0].as_json() == {"records": ["a", "c"], "bits": 3.25, "rules": ["V3"]}
