"""What compaction will leave, and what of a message may be shown."""

from ops.admin.topic_reader import TopicMessage, as_json, last_values


def read(key: bytes | None, value: bytes | None, offset: int = 0) -> TopicMessage:
    return TopicMessage("events.v1", 3, offset, key, value, (("stage", b"ingress"),), 0)


def test_the_last_value_of_each_key_stays_and_a_tombstone_removes_it() -> None:
    messages = [
        read(b"a", b"1", 0),
        read(b"b", b"1", 1),
        read(b"a", b"2", 2),
        read(b"b", None, 3),
        read(None, b"no key", 4),
    ]
    assert {key: message.value for key, message in last_values(messages).items()} == {b"a": b"2"}


def test_a_key_told_again_after_its_tombstone_is_back() -> None:
    messages = [read(b"a", b"1"), read(b"a", None), read(b"a", b"3")]
    assert last_values(messages)[b"a"].value == b"3"


def test_json_is_shown_as_it_is_sealed_bytes_as_base64_and_a_tombstone_as_null() -> None:
    assert as_json(read(b"k", b'{"a": 1}')) == {
        "partition": 3,
        "offset": 0,
        "key": "k",
        "headers": {"stage": "ingress"},
        "value": {"a": 1},
    }
    assert as_json(read(b"k", b"\xff\x00"))["value"] == {"base64": "/wA="}
    assert as_json(read(b"\xff", None))["value"] is None


def test_a_message_shows_neither_key_nor_value_when_it_is_printed() -> None:
    assert "secret" not in repr(read(b"secret", b"secret"))
