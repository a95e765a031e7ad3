"""A topic's history: what ends older than it was, what was said in two ways, and what a crash explains."""

import json
from collections.abc import Sequence

import pytest

from ops.admin.topic_reader import TopicMessage
from ops.verify.checker.histories import History, Kind
from schemas import topics

STATE, TOLD = topics.pathway_state("demo"), topics.pathway_events("demo")
Message = tuple[str, int, object]  # key, revision, what it says; None is a tombstone


def published(topic: str, messages: Sequence[Message], partition: int = 0) -> list[TopicMessage]:
    """Messages as a stage writes them that put a revision into their values."""
    found = []
    for offset, (key, revision, said) in enumerate(messages):
        value = None if said is None else json.dumps({"known_at": str(revision), "revision": revision, "x": said})
        headers = (("ce_id", f"{key}/{revision}".encode()),)
        found.append(TopicMessage(topic, partition, offset, key.encode(), value and value.encode(), headers, 0))  # type: ignore[arg-type]
    return found


def caused(topic: str, texts: Sequence[tuple[str, str, object]]) -> list[TopicMessage]:
    """Messages without a revision: what caused them stands in their header."""
    return [
        TopicMessage(topic, 0, offset, key.encode(), json.dumps(said).encode(), (("src", cause.encode()),), 0)
        for offset, (key, cause, said) in enumerate(texts)
    ]


def found(topic: str, messages: Sequence[TopicMessage]) -> dict[Kind, int]:
    """What is not 0."""
    history = History(topic)
    for message in messages:
        history.take(message)
    return {kind: count for kind, count in history.tally().counts.items() if count}


@pytest.mark.parametrize("topic", [STATE, TOLD, topics.LINK_MAP])
def test_a_history_that_only_grows_is_clean(topic: str) -> None:
    assert found(topic, published(topic, [("p", 1, "a"), ("q", 2, "a"), ("p", 5, "b")])) == {}


@pytest.mark.parametrize("topic", [STATE, TOLD, topics.LINK_MAP])
def test_the_end_of_a_history_told_again_after_a_crash_is_no_step_back(topic: str) -> None:
    again = [("p", 1, "a"), ("p", 2, "b"), ("p", 3, "c"), ("p", 2, "b"), ("p", 3, "c")]
    assert found(topic, published(topic, again)) == {}


@pytest.mark.parametrize("topic", [STATE, TOLD, topics.LINK_MAP])
def test_an_older_state_that_stands_last_went_backwards(topic: str) -> None:
    zombie = [("p", 1, "a"), ("p", 2, "b"), ("p", 1, "a"), ("q", 9, "z")]
    assert found(topic, published(topic, zombie)) == {"backwards": 1}


def test_an_older_revision_that_says_the_same_is_only_rewound_but_not_in_what_is_published() -> None:
    items = [("p", 1, "a"), ("p", 2, "b"), ("p", 1, "b")]
    assert found(topics.LINK_MAP, published(topics.LINK_MAP, items)) == {"rewound": 1}
    assert found(TOLD, published(TOLD, items)) == {"backwards": 1}
    assert found(STATE, published(STATE, items)) == {"backwards": 1}


def test_a_tombstone_has_its_revision_in_a_header() -> None:
    assert found(STATE, published(STATE, [("p", 1, "a"), ("p", 2, None)])) == {}
    assert found(STATE, published(STATE, [("p", 2, "a"), ("p", 1, None)])) == {"backwards": 1}
    assert found(STATE, published(STATE, [("p", 2, None), ("p", 1, "a")])) == {"backwards": 1}


def test_keys_are_judged_in_their_own_partition_and_named_by_place() -> None:
    history = History(STATE)
    for partition in (0, 1):
        for item in published(STATE, [("p", 2, "a"), ("p", 1, "a")], partition):
            history.take(item)
    tally = history.tally()
    assert tally.counts["backwards"] == 2
    assert tally.places["backwards"] == [f"{STATE}/0/1", f"{STATE}/1/1"]


@pytest.mark.parametrize("topic", [STATE, topics.LINK_MAP])
def test_the_newest_revision_said_in_two_ways_is_seen(topic: str) -> None:
    assert found(topic, published(topic, [("p", 1, "a"), ("p", 1, "b")])) == {"rebytes": 1}
    assert found(topic, published(topic, [("p", 1, "a"), ("p", 1, "a")])) == {}


def test_an_older_revision_told_again_may_already_know_more() -> None:
    ahead = [("p", 1, "a"), ("p", 2, "b"), ("p", 1, "b"), ("p", 2, "b")]
    assert found(STATE, published(STATE, ahead)) == {}


def test_a_disposition_is_as_old_as_its_revision() -> None:
    def ends(*values: tuple[int, str]) -> list[TopicMessage]:
        texts = [json.dumps({"revision": revision, "disposition": end}) for revision, end in values]
        return [TopicMessage(topics.DISPOSITIONS, 0, n, b"e", text.encode(), (), 0) for n, text in enumerate(texts)]

    assert found(topics.DISPOSITIONS, ends((0, "ignored"), (5, "linked"))) == {}
    assert found(topics.DISPOSITIONS, ends((5, "linked"), (0, "ignored"))) == {"backwards": 1}
    assert found(topics.DISPOSITIONS, ends((5, "linked"), (5, "held"))) == {"rebytes": 1}


@pytest.mark.parametrize("topic", [topics.RECORDS_STATE, topics.LINKER_STATE, topics.IDENTITY])
def test_a_changelog_is_as_old_as_what_caused_it(topic: str) -> None:
    clean = [("k", "events.v1/0/1", "a"), ("k", "link.map.v1/0/0", "b"), ("k", "events.v1/0/7", "c")]
    assert found(topic, caused(topic, clean)) == {}
    assert found(topic, caused(topic, [*clean, ("k", "events.v1/0/1", "a")])) == {"backwards": 1}
    assert found(topic, caused(topic, [*clean, ("k", "events.v1/0/1", "c")])) == {"rewound": 1}
    twice = [("k", "events.v1/0/1", None), ("k", "events.v1/0/1", "told")]  # one message, two changes
    assert found(topic, caused(topic, twice)) == {}


@pytest.mark.parametrize("topic", [topics.EVENTS, topics.DEAD_LETTERS])
def test_what_names_its_version_in_its_key_has_the_same_bytes_each_time(topic: str) -> None:
    def messages_of(*values: bytes | None) -> list[TopicMessage]:
        return [TopicMessage(topic, 0, n, b"k", value, (), 0) for n, value in enumerate(values)]

    assert found(topic, messages_of(b"a", None, b"a", b"a")) == {}
    assert found(topic, messages_of(b"a", None, b"b")) == {"rebytes": 1}


def test_intake_and_pathway_input_have_nothing_that_competes() -> None:
    for topic in ("intake.gp-hub.v1", topics.PATHWAY_IN):
        assert found(topic, published(topic, [("p", 2, "a"), ("p", 1, "b")])) == {}
