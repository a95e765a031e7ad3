"""The ledger follows every acknowledged entry to one end, and sees a chain that is broken anywhere."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

import pytest
from memory_engine import RECIPIENTS, MemoryEngine, all_keys, sources
from small_world import ANN, COUNCIL, GP, TRUST, at_source, attended, message_from, referral, small_world

from ops.admin.topic_reader import TopicMessage
from ops.client.journal import Sent
from ops.verify.checker.accounts import accounts
from ops.verify.ledger import Ledger, TopicIndex, balance, read_topic_index, stalled
from schemas import topics
from schemas.envelope import entry_name
from schemas.topics import DEAD_LETTERS, EVENTS, LINK_MAP, PATHWAY_IN
from streams.steps.outcome import Emit

(DEMO,) = RECIPIENTS
Dropped = Callable[[TopicMessage], bool]


@cache
def engine() -> MemoryEngine:
    """The small world, run to its end."""
    made = MemoryEngine(seed=11)
    for slug, message in small_world():
        made.take(slug, message)
    return made.run()


def index(made: MemoryEngine, dropped: Dropped) -> TopicIndex:
    def read(names: Iterable[str]) -> Iterator[TopicMessage]:
        return (message for message in made.read(names) if not dropped(message))

    return read_topic_index(read, sources().values(), keys=all_keys(), recipient=DEMO)


def ledgers(
    made: MemoryEngine, dropped: Dropped = lambda _: False, sent: Sequence[Sent] | None = None
) -> dict[str, Ledger]:
    books = index(made, dropped)
    return balance(made.journal if sent is None else sent, books, keys=all_keys(), recipient=DEMO)


def test_an_undisturbed_run_balances_source_by_source() -> None:
    found = ledgers(engine())
    whole = found[""].as_json()
    assert whole["unaccounted"] == 0, found[""].broken
    assert whole["acknowledged"] == len({item.entry_id for item in engine().journal}) == 37
    assert whole["duplicates"] == len(engine().journal) - 37
    ends = ("linked", "held", "rejected", "ignored", "opted_out", "withdrawn")
    assert sum(whole[name] for name in ends) == whole["acknowledged"]
    assert min(whole[name] for name in ("linked", "held", "rejected", "ignored")) >= 1
    for name in ("acknowledged", "duplicates", "linked", "held"):
        assert sum(found[slug].as_json()[name] for slug in (GP, COUNCIL, TRUST)) == whole[name]


def one_of(topic: str, kind: str = "") -> Dropped:
    """The message of that topic (and kind of element) that comes first, and any later one under its key."""
    first = next(
        message
        for message in engine().read([topic])
        if (not kind or (message.key or b"").split(b"/")[1] == kind.encode())
        and not (message.key or b"").endswith(b"/k")
    )
    return lambda message: (message.topic, message.key) == (first.topic, first.key)


def lost(dropped: Dropped) -> Ledger:
    return ledgers(engine(), dropped)[""]


def test_an_entry_that_never_reached_its_intake_is_unaccounted() -> None:
    lonely = ledgers(engine(), sent=[*engine().journal, Sent(GP, "0-never", "accepted")])[""]
    assert (lonely.unaccounted, dict(lonely.broken)) == (1, {"intake": 1})


@pytest.mark.parametrize("slug", [GP, COUNCIL, TRUST])
def test_a_lost_receipt_is_one_entry_unaccounted(slug: str) -> None:
    ledger = lost(one_of(sources()[slug].receipts_topic))
    assert (ledger.unaccounted, dict(ledger.broken)) == (1, {"receipts": 1})


def test_a_lost_disposition_is_one_entry_unaccounted() -> None:
    ledger = lost(one_of(topics.DISPOSITIONS))
    assert (ledger.unaccounted, dict(ledger.broken)) == (1, {topics.DISPOSITIONS: 1})


def test_a_lost_manifest_is_one_entry_unaccounted() -> None:
    sources_of = {sent.entry_id: sent.source for sent in engine().journal}
    linked = next(entry for entry, end in engine().dispositions().items() if end == "linked")
    name = entry_name(all_keys(), sources_of[linked], linked)
    manifests = [(message.key or b"").decode() for message in engine().read([EVENTS])]
    (key,) = {key for key in manifests if key.split("/")[1] == "n" and key.split("/")[2] == name}
    ledger = lost(lambda message: (message.key or b"").decode() == key)
    assert (ledger.unaccounted, dict(ledger.broken)) == (1, {EVENTS: 1})


@pytest.mark.parametrize("topic", [LINK_MAP, PATHWAY_IN, topics.pathway_state(DEMO)])
def test_a_message_lost_on_the_way_is_seen_at_its_topic(topic: str) -> None:
    ledger = lost(one_of(topic))
    assert ledger.unaccounted >= 1
    assert set(ledger.broken) == {topic}
    assert ledger.unaccounted + sum(ledger.dispositions.values()) == ledger.acknowledged


def test_a_lost_dead_letter_is_seen_though_its_sender_was_told() -> None:
    ledger = lost(one_of(DEAD_LETTERS))
    assert (ledger.unaccounted, dict(ledger.broken)) == (1, {DEAD_LETTERS: 1})


def test_a_person_of_whom_everything_was_taken_back_has_no_snapshot_and_is_accounted_for() -> None:
    made = MemoryEngine()
    made.take(*message_from(TRUST, "1", at_source(ANN, "T1"), attended("a", 3), at=3))
    made.take(*message_from(TRUST, "2", at_source(ANN, "T1"), attended("a", 3, retracted=True), at=4))
    made.run()
    assert made.latest(topics.pathway_state(DEMO)) == {}
    found = ledgers(made)[""]
    assert (found.unaccounted, found.dispositions["linked"]) == (0, 2)


def test_an_entry_sent_again_with_other_content_and_lost_in_one_of_them_has_come_from_nowhere() -> None:
    made = MemoryEngine()
    made.take(*message_from(GP, "1", at_source(ANN, "G1"), referral("R1", 0), at=0))
    made.take(*message_from(GP, "1", at_source(ANN, "G1"), referral("R2", 0), at=1))
    made.run()
    whole = ledgers(made)[""]
    assert (whole.acknowledged, whole.duplicates, whole.unaccounted) == (1, 1, 0)
    elements = [message.key for message in made.read([EVENTS]) if (message.key or b"").split(b"/")[1] == b"n"]
    assert len(elements) == 2
    for lost_key in elements:
        books = index(made, lambda message, key=lost_key: message.key == key)  # type: ignore[misc]
        assert accounts(made.journal, books, keys=all_keys(), recipient=DEMO).phantom == {PATHWAY_IN: 1}


def test_what_was_refused_ignored_or_never_answered_is_no_debt() -> None:
    sent = [
        Sent(GP, "r", "refused"), Sent(GP, "i", "ignored"), Sent(GP, "i", "ignored"),
        Sent(GP, "u", "unknown"), Sent(TRUST, "r", "refused"),
    ]  # fmt: skip
    found = ledgers(MemoryEngine(), sent=sent)
    assert found[GP].as_json() == {
        "acknowledged": 1, "duplicates": 1, "refused": 1, "linked": 0, "held": 0, "rejected": 0, "ignored": 1,
        "opted_out": 0, "withdrawn": 0, "unaccounted": 0,
    }  # fmt: skip
    assert (found[GP].unknown, found[""].refused) == (1, 2)


def test_an_answer_that_timed_out_and_came_at_the_second_try_is_one_entry() -> None:
    made = MemoryEngine()
    entry = made.take(*message_from(GP, "1", at_source(ANN, "G1"), referral("R1", 0), at=0))
    made.run()
    found = ledgers(made, sent=[Sent(GP, entry, "unknown"), Sent(GP, entry, "accepted")])[""]
    assert (found.acknowledged, found.duplicates, found.unknown, found.unaccounted) == (1, 0, 0, 0)


def test_a_message_of_our_own_that_a_later_stage_cannot_read_is_stalled() -> None:
    made = MemoryEngine()
    made.take(*message_from(GP, "1", at_source(ANN, "G1"), referral("R1", 0), at=0))
    assert stalled(read_topic_index(made.run().read, sources().values(), keys=all_keys(), recipient=DEMO)) == 0
    made.put(Emit(topics.IDENTITY, 0, b"r", b"not ours"))
    assert stalled(read_topic_index(made.run().read, sources().values(), keys=all_keys(), recipient=DEMO)) == 1
    assert stalled(read_topic_index(engine().read, sources().values(), keys=all_keys(), recipient=DEMO)) == 0
