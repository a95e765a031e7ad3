"""Garbage on the topics that stages read: no message that a stage writes, whatever parts of one it is made of.

What a forger with write access could send *in the form a stage writes* is no garbage: see
`tests/privacy/test_garbage_changes_nothing.py`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st
from memory_engine import IntakeMessage, MemoryEngine, intake_message, sources
from small_world import GP, small_world

from schemas import canonical
from schemas.topics import EVENTS, IDENTITY, LINK_MAP, PATHWAY_IN
from streams.steps.outcome import Emit, Message

INTAKE = sources()[GP].intake_topic
TOPICS = (INTAKE, EVENTS, IDENTITY, LINK_MAP, PATHWAY_IN)
STAGE_OF = {INTAKE: "ingress", EVENTS: "records", LINK_MAP: "records", IDENTITY: "linker", PATHWAY_IN: "pathway"}
# what the reading stage goes by; anything else of a message is another stage's to judge
DECIDES = {
    EVENTS: ("v", "entry", "tier", "tokens", "usable", "facts", "into", "wrapped", "epoch"),
    IDENTITY: ("v", "source", "tier"),
    LINK_MAP: ("v", "person_id", "status", "reasons", "evidence", "formerly", "revision"),
    PATHWAY_IN: ("v", "kind", "link_revision", "entry", "as_of"),
}
ANY_OF_ITS_TYPE = ("source", "source_version_at", "into", "evidence")
NUMBERS = ("v", "revision", "link_revision")
STRANGE = (None, 1.5, -1, 10**30, [[]], {"a": {}}, "é", ["é", 1])  # of no part in DECIDES
KEYS = (None, b"", b"\xff", "é/e/é/é".encode(), b"a/b", b"abc", b"/", b"tick", b"A" * 32, b"0" * 31)
OTHER_FORM = re.compile(rb"(?![0-9a-f]{32}(/|$))(?!decision/)(?!model/).*", re.DOTALL)


@cache
def sealed_world() -> tuple[tuple[str, IntakeMessage], ...]:
    """The small world as its doors sealed it; the same in every run of the process."""
    return tuple((slug, intake_message(slug, sent)) for slug, sent in small_world())


@cache
def finished() -> MemoryEngine:
    """An engine that has come to rest on the small world."""
    engine = MemoryEngine(seed=4)
    for slug, intake in sealed_world():
        engine.take_sealed(slug, intake)
    return engine.run()


@cache
def honest(topic: str) -> tuple[Message, ...]:
    """What stands there after that run, without tombstones."""
    logs = finished().logs.partitions
    return tuple(m for place in sorted(logs) if place[0] == topic for m in logs[place].messages if m.value)


@dataclass(frozen=True)
class Drawn:
    """One honest message and the chance to spoil it."""

    draw: st.DrawFn
    sample: Message

    @property
    def value(self) -> bytes:
        return self.sample.value or b""


Pair = tuple[bytes | None, bytes | None]


def _noise(drawn: Drawn) -> Pair:
    keys = st.none() | st.binary(max_size=60).filter(OTHER_FORM.fullmatch)
    return drawn.draw(keys), drawn.draw(st.none() | st.binary(max_size=300))


def _truncated(drawn: Drawn) -> Pair:
    return drawn.sample.key, drawn.value[: drawn.draw(st.integers(0, len(drawn.value) - 1))]


def _other_key(drawn: Drawn) -> Pair:
    return drawn.draw(st.sampled_from(KEYS)), drawn.value


def _removed_under_no_key(drawn: Drawn) -> Pair:
    return drawn.draw(st.sampled_from(KEYS)), None


def _key_of_another(drawn: Drawn) -> Pair:
    """A fact, identity or tick under the key of another message; a link does not say whose it is."""
    others = [
        m.key for m in honest(drawn.sample.topic) if _kind(m) != _kind(drawn.sample) or _is_bound(drawn.sample, m)
    ]
    return drawn.draw(st.sampled_from(others or [b"a/b"])), drawn.value


def _kind(sample: Message) -> str:
    return (sample.key or b"").decode().split("/")[1] if sample.topic == EVENTS else ""


def _is_bound(sample: Message, other: Message) -> bool:
    """True when `sample` names what its key names, or what only that key opens, and `other` has another key."""
    if sample.key == other.key or sample.topic == LINK_MAP:
        return False
    if sample.topic == EVENTS:
        return _kind(sample) == "n" and _entry_of(sample) != _entry_of(other)
    if sample.topic == PATHWAY_IN:
        return _entry_of(sample) != _entry_of(other)
    return sample.topic != IDENTITY or canonical.load(sample.value or b"")["tokens"] is not None


def _entry_of(sample: Message) -> bytes:
    """The entry that a key names, or what stands in its place."""
    parts = (sample.key or b"").split(
        b"/"
    )  # record / kind / entry / content, person / record / entry / content, or less
    return parts[min(2, len(parts) - 1)]


def _changed(drawn: Drawn, names: tuple[str, ...], strange: tuple[object, ...]) -> Pair:
    """One part that decides is of another type, or of another form where it has one."""
    parts: dict[str, Any] = canonical.load(drawn.value)
    found = [name for name in names if name in parts]
    if not found:
        return _truncated(drawn)
    name = drawn.draw(st.sampled_from(found))
    of_type = type(parts[name]) if name in ANY_OF_ITS_TYPE else type(...)
    fitting = [value for value in strange if not isinstance(value, of_type)]
    return drawn.sample.key, canonical.dump(parts | {name: drawn.draw(st.sampled_from(fitting))})


def _wrong_type(drawn: Drawn) -> Pair:
    return _changed(drawn, DECIDES[drawn.sample.topic], STRANGE)


def _huge_number(drawn: Drawn) -> Pair:
    return _changed(drawn, NUMBERS, (10**18, 10**30, -(10**30), 10**4000))


def _deep(drawn: Drawn) -> Pair:
    depth = drawn.draw(st.sampled_from([300, 1_000, 100_000]))
    bare = drawn.draw(st.sampled_from([b"[" * depth, b'{"a":' * depth]))
    inside = drawn.value[:-1] + b',"z":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    return drawn.sample.key, drawn.draw(st.sampled_from([bare, inside]))


def _repeated(drawn: Drawn) -> Pair:
    """Two readers would see two values."""
    name = next(iter(canonical.load(drawn.value))).encode()
    return drawn.sample.key, drawn.value[:-1] + b',"' + name + b'":0}'


SEALED: tuple[Callable[[Drawn], Pair], ...] = (_noise, _truncated, _other_key, _removed_under_no_key, _key_of_another)
OF_JSON = (*SEALED, _wrong_type, _huge_number, _deep, _repeated)


@st.composite
def garbage(draw: st.DrawFn, topics: tuple[str, ...] = TOPICS) -> Emit:
    """One message that no stage writes, on one of the topics, where an honest one stands."""
    topic = draw(st.sampled_from(topics))
    sample = draw(st.sampled_from(honest(topic)))
    key, value = draw(st.sampled_from(SEALED if topic == INTAKE else OF_JSON))(Drawn(draw, sample))
    return Emit(topic, sample.partition, key, value, sample.headers)  # type: ignore[arg-type]
