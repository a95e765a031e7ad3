"""Every format of a message that was ever written is read for ever, and none changes without another version.

`tests/golden/formats/` has one message of each, as it stood on its topic. Those that are missing are written by
`PYTHONPATH=.:tests/support python tests/unit/test_formats.py`; it changes none that is there. A format
that changes has a new `v`, and its reader reads both.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from memory_engine import RECIPIENTS, MemoryEngine, real_step, sources, stages
from small_world import small_world

from schemas import topics
from schemas.data_keys import bucket_of
from schemas.erasures import Turn, erasure_message, turn_message
from schemas.linking import PairDecision
from schemas.pathway_in import tick_message
from schemas.topics import ERASURES, IDENTITY, PATHWAY_IN, registry
from streams.steps.outcome import Emit, Message, Reject

DAY = date(2026, 9, 1)
FOLDER = Path(__file__).parent.parent / "golden" / "formats"


class Sample(NamedTuple):
    """One message: its topic, and what tells its format from others there."""

    topic: str
    kind: str
    key: bytes
    value: bytes

    @property
    def file(self) -> Path:
        version = parts.get("v", 1) if isinstance(parts := _json(self.value), dict) else 1
        return FOLDER / f"{self.topic}.{self.kind}.v{version}.json"

    @property
    def text(self) -> str:
        value = self.value.decode() if _json(self.value) is not None else base64.b64encode(self.value).decode()
        return json.dumps({"key": self.key.decode(), "value": value}, indent=1) + "\n"


def _json(value: bytes) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None


@cache
def engine() -> MemoryEngine:
    """The small world, then a decision, a tick, an erasure and a turn."""
    made = MemoryEngine(seed=1)
    for slug, entry in small_world():
        made.take(slug, entry)
    made.run()
    first, second, *_ = sorted(made.latest(topics.LINK_MAP))
    decision = PairDecision((first, second), "apart", "2026-01-01T08:00:00Z", "d1")
    made.put(Emit(IDENTITY, 0, decision.key(), decision.value()))
    for partition in range(topics.PARTITIONS):
        made.put(Emit(PATHWAY_IN, partition, *tick_message(partition, DAY)))
        made.put(Emit(ERASURES, partition, *turn_message(Turn(bucket_of(first), 1))))
        made.put(Emit(ERASURES, partition, *erasure_message(first)))
    return made.run()


def kind_of(topic: str, key: str, value: bytes) -> str:
    """What tells a format from others of its topic: the kind in the value, or the word in the key."""
    parts = _json(value)
    if topic.startswith("state.") or topic == topics.VAULT:
        return _kind_of_element(topic, key.split("/"))
    if isinstance(parts, dict) and isinstance(parts.get("kind"), str) and topic != topics.PERSON_CHANGES:
        word = key.split("/")[0]
        return word if word in ("decision", "model") else str(parts["kind"])
    if isinstance(parts, dict) and "event" in parts:
        return "retraction" if parts.get("status") == "retracted" else str(parts["event"])
    return "message"


def _kind_of_element(topic: str, parts: list[str]) -> str:
    if topic == topics.LINKER_STATE:
        return parts[0]
    if len(parts) == 1 or parts[0] == "bucket":
        return parts[0]
    if topic == topics.PATHWAY_STATE and len(parts) > 2 and parts[1] != "o":
        return parts[2] if len(parts) == 3 else "n"
    return parts[1]


def samples() -> Iterator[Sample]:
    """The first message of every format that an engine writes today, intake and dead letters left out: their seals are
    made of random bytes, and `test_envelope.py` has theirs."""
    seen = set()
    sealed = {*(source.intake_topic for source in sources().values()), topics.DEAD_LETTERS}
    for topic in registry(sources().values(), RECIPIENTS):
        if topic.name in sealed:
            continue
        for message in engine().read([topic.name]):
            if message.value is not None:
                kind = kind_of(topic.name, (message.key or b"").decode(), message.value)
                if (topic.name, kind) not in seen:
                    seen.add((topic.name, kind))
                    yield Sample(topic.name, kind, message.key or b"", message.value)


def shape(value: object) -> object:
    """The names and the types of a value: what a reader goes by."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in sorted(value.items())}
    if isinstance(value, list):
        kinds = [shape(part) for part in value]
        return [kind for number, kind in enumerate(kinds) if kind not in kinds[:number]]
    return type(value).__name__


def known() -> Mapping[str, Any]:
    return {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def test_every_format_that_is_written_has_its_golden() -> None:
    assert [sample.file.name for sample in samples() if not sample.file.exists()] == []


def test_no_format_changes_without_another_version() -> None:
    """The same message of the same world has the names and types that it had."""
    changed = []
    for sample in samples():
        before = _json(json.loads(sample.file.read_text())["value"].encode())
        if shape(_json(sample.value)) != shape(before):
            changed.append(sample.file.name)
    assert changed == []


def test_the_comparison_sees_a_name_that_is_new_and_a_type_that_is_another() -> None:
    value = {"v": 1, "name": "a", "list": [1, None]}
    assert shape(value) == shape({"v": 2, "name": "b", "list": [3, None, 4]})
    assert shape(value) != shape({**value, "new": None})
    assert shape(value) != shape({**value, "name": 1})


@pytest.mark.parametrize("name", sorted(known()))
def test_every_format_ever_written_is_read(name: str) -> None:
    golden, topic = known()[name], ".".join(name.split(".")[:-3])
    key, value = golden["key"].encode(), golden["value"].encode()
    for stage in stages():
        if topic in stage.reads:
            step = real_step(stage.name)
            message = Message(topic, 0, 0, key, value, (), engine().now_ms)
            _, outcomes = step.advance(step.restore([]), message)
            assert not [outcome for outcome in outcomes if isinstance(outcome, Reject)]
        if topic == stage.changelog:
            step = real_step(stage.name)
            state: Any = step.restore([(key, value)])
            for unread in [each.decode() for each in getattr(state, "unread", ())]:
                state.of(unread)


def written_again(found: Iterable[Sample]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for sample in found:
        if not sample.file.exists():
            sample.file.write_text(sample.text)


if __name__ == "__main__":
    written_again(samples())
