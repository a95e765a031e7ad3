"""The comparison of two runs sees one dropped record, and not what only tells the order of arrival."""

import json
from collections.abc import Callable, Iterator

from memory_engine import RECIPIENTS, MemoryEngine, all_bucket_keys, all_keys, sources
from small_world import small_world

from ops.admin.topic_reader import TopicMessage
from ops.verify.compare import Comparison, Side, compare_topics, final_topics, final_values
from schemas import topics
from schemas.topics import registry

TOPICS = final_topics(registry(sources().values(), RECIPIENTS))
Change = Callable[[TopicMessage], TopicMessage | None]


def run() -> MemoryEngine:
    engine = MemoryEngine(seed=2)
    for slug, message in small_world():
        engine.take(slug, message)
    return engine.run()


def compared(engine: MemoryEngine, change: Change) -> Comparison:
    def other(name: str) -> Iterator[TopicMessage]:
        return (kept for message in engine.read([name]) if (kept := change(message)) is not None)

    held = all_bucket_keys()
    return compare_topics(Side(lambda name: engine.read([name]), held), Side(other, held), TOPICS, keys=all_keys())


def read(value: object, key: bytes | None = b"k") -> TopicMessage:
    text = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    return TopicMessage("t", 0, 0, key, text, (), 0)


def test_equal_runs_differ_nowhere_and_every_key_was_looked_at() -> None:
    engine = run()
    found = compared(engine, lambda item: item)
    assert found.differing == 0
    assert found.keys == sum(len(final_values(engine.read([name]))) for name in TOPICS) > 200
    assert found.by_topic[topics.EVENTS][0] > 50


def test_one_dropped_record_is_seen_in_whichever_topic_it_is() -> None:
    engine = run()
    for name in TOPICS:
        finals = final_values(engine.read([name]))
        if not finals:
            continue
        key = min(finals)
        found = compared(
            engine, lambda message, at=(name, key): None if (message.topic, message.key) == at else message
        )  # type: ignore[misc]
        assert found.differing == 1, name
        assert found.by_topic[name][1] == 1


def test_results_are_compared_and_an_engines_own_notes_are_not() -> None:
    assert {topics.EVENTS, topics.IDENTITY, topics.LINK_MAP, topics.REVIEW, topics.DEAD_LETTERS,
            topics.pathway_state("demo"), topics.pathway_events("demo")} <= set(TOPICS)  # fmt: skip
    assert not [name for name in TOPICS if name.startswith(("state.", "intake."))]
    assert topics.PATHWAY_IN not in TOPICS


def test_what_tells_when_and_in_which_order_is_left_out_at_every_depth() -> None:
    items = {"a": [{"revision": 3, "b": 1}], "known_at": "x", "formerly": ["p"], "revision": 5}
    other = {"a": [{"revision": 4, "b": 1}], "known_at": "y", "formerly": [], "revision": 6}
    assert final_values([read(items)]) == final_values([read(other)]) == {b"k": {"a": [{"b": 1}]}}


def test_the_last_value_of_a_key_counts_and_a_removed_or_retracted_one_is_absent() -> None:
    assert final_values([read({"a": 1}), read({"a": 2})]) == {b"k": {"a": 2}}
    assert final_values([read({"a": 1}), read(None)]) == {}
    assert final_values([read({"a": 1}), read({"status": "retracted"})]) == {}
    assert final_values([read({"a": 1}, key=None)]) == {}


def test_sealed_values_are_compared_byte_by_byte() -> None:
    assert final_values([read(b"\xff\x00")]) == {b"k": b"\xff\x00"}
