"""The checker names every anomaly of a run, each in what was a clean run before."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest
from door_keys import write_intake_keys
from memory_engine import RECIPIENTS, IntakeMessage, MemoryEngine, all_keys, intake_keys, intake_message, sources
from small_world import ANN, GP, at_source, message_from, referral, small_world

from ops.admin.topic_reader import TopicMessage
from ops.client.journal import Journal, Sent
from ops.runtime.paths import EnginePaths
from ops.verify.checker import CheckerVerdict, RunView
from ops.verify.checker.accounts import accounts
from ops.verify.checker.checking import RunReaders, judge
from ops.verify.checker.leaks import IdentifierSample, identifiers
from ops.verify.checker.oracle import split_and_merged
from ops.verify.ledger import read_topic_index
from schemas import topics
from schemas.envelope import IntakeReader
from schemas.topics import EVENTS, LINK_MAP, PATHWAY_IN, PATHWAY_STATE, registry

(DEMO,) = RECIPIENTS
STATE, TOLD = topics.pathway_state(DEMO), topics.pathway_events(DEMO)
Edit = Callable[[list[TopicMessage]], list[TopicMessage]]
ZERO = (
    "lost",
    "phantom",
    "divergent",
    "backwards",
    "split",
    "merged",
    "unseen",
    "stuck",
    "leaked",
    "unknown",
)


@cache
def engine(seed: int = 11) -> MemoryEngine:
    """The small world, run to its end."""
    made = MemoryEngine(seed=seed)
    for slug, message in small_world():
        made.take_sealed(slug, _intake(slug, message.message_id, small_world().index((slug, message))))
    return made.run()


@cache
def _intake(slug: str, _: str, number: int) -> IntakeMessage:
    """Sealed once: a replay has the same bytes at the same places."""
    return intake_message(slug, small_world()[number][1])


@dataclass
class Run:
    """A finished run on which something may have been done: to a topic, to the journal, to its files."""

    root: Path
    edits: Mapping[str, Edit] = field(default_factory=lambda: MappingProxyType({}))
    journal: Sequence[Sent] = field(default_factory=lambda: engine().journal)
    unseen: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    pages: Sequence[tuple[str, str]] = ()

    def judged(self, stuck: int | None = None) -> CheckerVerdict:
        """The verdict, the oracle being the same input in another order of steps."""
        layout = EnginePaths(self.root)
        shutil.rmtree(layout.journal, ignore_errors=True)
        Journal(layout.journal).note(self.journal)
        write_intake_keys(layout)
        ground = RunView(
            "",
            layout,
            sources(),
            registry(sources().values(), RECIPIENTS),
            all_keys(),
            pages=lambda: self.pages,
        )
        return judge(ground, RunReaders(self._read, engine(12).read, lambda: self.unseen), stuck=stuck)

    def _read(self, names: Iterable[str]) -> Iterator[TopicMessage]:
        for name in names:
            messages = list(engine().read([name]))
            yield from self.edits.get(name, lambda same: same)(messages)


def bad(verdict: CheckerVerdict) -> dict[str, int]:
    """What is not 0 and should be."""
    return {name: count for name in ZERO if (count := getattr(verdict, name))}


def without_last(messages: list[TopicMessage]) -> list[TopicMessage]:
    """A topic from which everything is gone of the last key that holds anything but a withdrawal."""
    held = {message.key: message.value for message in messages}
    last = [key for key, value in held.items() if value and not (key or b"").endswith(b"/w")][-1]
    return [message for message in messages if message.key != last]


def after(messages: list[TopicMessage], message: TopicMessage, **changes: object) -> list[TopicMessage]:
    """The messages, and `one` once more with these changes, last of its partition."""
    items = [other for other in messages if other.partition == message.partition]
    again = replace(message, offset=items[-1].offset + 1, **changes)  # type: ignore[arg-type]
    place = messages.index(items[-1]) + 1
    return [*messages[:place], again, *messages[place:]]


def test_a_clean_run_has_nothing_but_acknowledged_entries(tmp_path: Path) -> None:
    verdict = Run(tmp_path).judged()
    assert verdict.ok
    assert bad(verdict) == {}
    assert verdict.acknowledged == 37
    # whom a record has told follows from the order in which links came, so this alone may differ from the oracle's
    assert verdict.where["notes"].keys() <= {topics.RECORDS_STATE}
    assert verdict.compared > 200
    assert verdict.bytes_scanned > 100_000
    assert verdict.as_json() == {
        "acknowledged": 37, "lost": 0, "phantom": 0, "divergent": 0, "backwards": 0, "stuck": 0, "leaked": 0,
        "unknown": 0,
    }  # fmt: skip


def test_an_acknowledged_entry_that_is_not_in_the_intake_is_lost(tmp_path: Path) -> None:
    verdict = Run(tmp_path, journal=[*engine().journal, Sent(GP, "e", "accepted")]).judged()
    assert (bad(verdict), verdict.where["lost"]) == ({"lost": 1}, {"intake": 1})


def test_an_entry_without_a_receipt_is_lost(tmp_path: Path) -> None:
    topic = sources()[GP].receipts_topic
    verdict = Run(tmp_path, {topic: without_last}).judged()
    assert (verdict.lost, verdict.where["lost"]) == (1, {"receipts": 1})
    assert verdict.divergent == 1, "and the oracle has it"


@pytest.mark.parametrize("topic", [LINK_MAP, PATHWAY_IN, STATE])
def test_an_entry_whose_facts_do_not_arrive_is_lost_where_they_end(topic: str, tmp_path: Path) -> None:
    def without_a_fact(messages: list[TopicMessage]) -> list[TopicMessage]:
        """Of pathway.in a fact under every person it was sent to."""
        names = [(message.key or b"").partition(b"/")[2] for message in messages]
        gone = next(name for name in reversed(names) if not name.endswith(b"/w"))
        return [message for message, name in zip(messages, names, strict=True) if name != gone]

    verdict = Run(tmp_path, {topic: without_a_fact if topic == PATHWAY_IN else without_last}).judged()
    assert verdict.lost >= 1
    assert set(verdict.where["lost"]) == {topic}


def test_an_entry_in_the_intake_without_an_end_is_lost_though_its_sender_never_heard(tmp_path: Path) -> None:
    unsure = [replace(item, answer="unknown") for item in engine().journal]
    clean = Run(tmp_path, journal=unsure).judged()
    assert bad(clean) == {"unknown": 37}
    assert clean.ok, "either outcome passes"
    assert Run(tmp_path, {sources()[GP].receipts_topic: without_last}, unsure).judged().lost == 1


@pytest.mark.parametrize("answer", ["refused", None])
def test_what_was_refused_or_never_sent_and_is_in_the_intake_is_a_phantom(answer: str | None, tmp_path: Path) -> None:
    first, *others = engine().journal
    mine = [other for other in others if other.entry_id != first.entry_id]
    journal = mine if answer is None else [*mine, replace(first, answer="refused")]
    verdict = Run(tmp_path, journal=journal).judged()
    assert (bad(verdict), verdict.where["phantom"]) == ({"phantom": 1}, {"intake": 1})


def test_an_element_no_entry_led_to_is_a_phantom(tmp_path: Path) -> None:
    def planted(messages: list[TopicMessage]) -> list[TopicMessage]:
        element = next(message for message in messages if b"/n/" in (message.key or b""))
        return after(messages, element, key=(element.key or b"")[:-4] + b"0000")

    verdict = Run(tmp_path, {EVENTS: planted}).judged()
    assert verdict.where["phantom"] == {EVENTS: 1}
    assert (verdict.phantom, verdict.divergent) == (1, 1)


@pytest.mark.parametrize("topic", [STATE, TOLD])
def test_a_person_published_of_whom_nothing_was_told_is_a_phantom(topic: str, tmp_path: Path) -> None:
    def planted(messages: list[TopicMessage]) -> list[TopicMessage]:
        return after(messages, messages[0], key=b"nobody/x" if topic == TOLD else b"nobody")

    verdict = Run(tmp_path, {topic: planted}).judged()
    assert (verdict.phantom, verdict.where["phantom"]) == (1, {topic: 1})


def test_one_thing_sent_that_became_two_entries_is_a_phantom() -> None:
    made = MemoryEngine()
    made.take(*message_from(GP, "1", at_source(ANN, "G1"), referral("R1", 0), at=0))
    books = read_topic_index(made.run().read, sources().values(), keys=all_keys(), recipient=DEMO)
    assert not accounts(made.journal, books, keys=all_keys(), recipient=DEMO).phantom
    ((entry, (place,)),) = books.elements.items()
    twice = replace(books, elements={entry: [place, place]})
    assert accounts(made.journal, twice, keys=all_keys(), recipient=DEMO).phantom == {EVENTS: 1}


def test_an_altered_final_value_diverges_from_the_oracle(tmp_path: Path) -> None:
    def altered(messages: list[TopicMessage]) -> list[TopicMessage]:
        final = {message.key: message for message in messages}  # one that is no tombstone
        last = [message for message in final.values() if message.value][-1]
        value = json.dumps({**json.loads(last.value or b""), "three_tier": "altered"}).encode()
        return [replace(message, value=value) if message is last else message for message in messages]

    verdict = Run(tmp_path, {STATE: altered}).judged()
    assert verdict.where["differing"] == {STATE: 1}
    assert verdict.divergent >= 1


def test_a_key_of_the_system_of_record_with_other_bytes_diverges(tmp_path: Path) -> None:
    def altered(messages: list[TopicMessage]) -> list[TopicMessage]:
        return after(after(messages, messages[0], value=b'{"v":1}'), messages[0])

    verdict = Run(tmp_path, {EVENTS: altered}).judged()
    assert (verdict.where["rebytes"], verdict.where["differing"]) == ({EVENTS: 1}, {})
    assert verdict.divergent == 1


def test_an_older_snapshot_that_stands_last_went_backwards(tmp_path: Path) -> None:
    def zombie(messages: list[TopicMessage]) -> list[TopicMessage]:
        keys = [message.key for message in messages]
        first = next(message for message in messages if keys.count(message.key) > 1)
        return after(messages, first)

    verdict = Run(tmp_path, {STATE: zombie}).judged()
    assert (verdict.backwards, verdict.where["backwards"]) == (1, {STATE: 1})
    assert verdict.places["backwards"]


def test_a_person_is_split_or_merged_by_who_is_together() -> None:
    oracle = {"a": "1", "b": "1", "c": "2", "d": "3"}
    assert split_and_merged(oracle, oracle) == (0, 0)
    assert split_and_merged({"a": "x", "b": "x", "c": "y", "d": "z"}, oracle) == (0, 0), "under other names"
    assert split_and_merged({**oracle, "b": "9"}, oracle) == (1, 0)
    assert split_and_merged({**oracle, "c": "1"}, oracle) == (0, 1)


@pytest.mark.parametrize(("person", "names"), [("another", ("split", "divergent")), (None, ("merged", "divergent"))])
def test_a_record_under_another_person_is_named(person: str | None, names: tuple[str, ...], tmp_path: Path) -> None:
    links = {message.key: json.loads(message.value or b"")["person_id"] for message in engine().read([LINK_MAP])}
    counted = list(links.values())

    def moved(messages: list[TopicMessage]) -> list[TopicMessage]:
        together = person is not None
        at = max(n for n, message in enumerate(messages) if (counted.count(links[message.key]) > 1) is together)
        link = json.loads(messages[at].value or b"")
        link["person_id"] = person or next(item for item in counted if item != link["person_id"])
        messages[at] = replace(messages[at], value=json.dumps(link).encode())
        return messages

    assert dict.fromkeys(names, 1).items() <= bad(Run(tmp_path, {LINK_MAP: moved}).judged()).items()


def test_a_changelog_that_says_another_thing_than_the_oracles_is_noted(tmp_path: Path) -> None:
    def without_a_claim(messages: list[TopicMessage]) -> list[TopicMessage]:
        claimed = next(message.key for message in messages if b"/o/" in (message.key or b""))
        return [message for message in messages if message.key != claimed]

    verdict = Run(tmp_path, {PATHWAY_STATE: without_a_claim}).judged()
    assert (verdict.where["notes"][PATHWAY_STATE], verdict.ok) == (1, True)


def test_messages_no_group_has_committed_are_unseen_and_their_groups_stuck(tmp_path: Path) -> None:
    run = Run(tmp_path, unseen={"tierlink-records": 3, "tierlink-pathway": 0})
    assert bad(run.judged()) == {"unseen": 3, "stuck": 1}
    assert bad(run.judged(stuck=0)) == {"unseen": 3}
    assert bad(Run(tmp_path).judged(stuck=2)) == {"stuck": 2}


def test_an_identifier_of_the_runs_own_people_in_clear_is_leaked_wherever_it_stands(tmp_path: Path) -> None:
    sample = IdentifierSample(IntakeReader(intake_keys))
    for message in engine().read([source.intake_topic for source in sources().values()]):
        sample.take(message)
    number = next(value for value in sample.values() if value.startswith("999"))
    (tmp_path / "logs").mkdir()
    assert bad(Run(tmp_path).judged()) == {}
    (tmp_path / "logs" / "records-1.log").write_text(f"cannot parse {number}\n")
    assert bad(Run(tmp_path).judged()) == {"leaked": 1}
    pages = [("records-1", f'tierlink_x{{of="{number}"}} 1\n')]
    assert bad(Run(tmp_path, pages=pages).judged()) == {"leaked": 2}

    def named(messages: list[TopicMessage]) -> list[TopicMessage]:
        return [
            replace(message, headers=(("why", number.encode()),)) if message.offset == 0 else message
            for message in messages
        ]

    verdict = Run(tmp_path, {topics.IDENTITY: named}).judged()
    assert verdict.where["leaked"] == {f"topic {topics.IDENTITY}": 1, "file in logs": 1}


def test_a_planted_canary_is_leaked_too(tmp_path: Path) -> None:
    assert bad(Run(tmp_path, pages=[("door-http", "Quixothyrbel")]).judged()) == {"leaked": 1}


def test_what_is_searched_for_names_people_and_nothing_else() -> None:
    patient = {
        "resourceType": "Patient",
        "identifier": [
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"},
            {"system": "https://tierlink.example/Id/patient/gp-hub", "value": "G1"},
        ],
        "name": [{"family": "Featherstonehaugh"}, {"family": "Page"}],
        "telecom": [{"system": "phone", "value": "07700900871"}],
        "birthDate": "1980-02-29",
        "address": [{"line": ["12 Test Street", "Not known"], "city": "Testham", "postalCode": "ZZ99 3GZ"}],
    }
    found = set(identifiers({"entry": [{"resource": {"resourceType": "Observation"}}, {"resource": patient}]}))
    assert found == {"9990000018", "Featherstonehaugh", "07700900871", "12 Test Street", "ZZ99 3GZ"}
