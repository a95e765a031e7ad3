"""A few simulated people through the doors' readers and the real steps, in memory: what the benches multiply."""

import hashlib
import re
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors import mapping as mappings
from connectors.entry import SourceEntry
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from ops.lab.simulator import default_rates, simulate
from ops.lab.simulator.model import Delivery
from ops.runtime.paths import EnginePaths, linkage_model, load_sources, packaged, packaged_all
from schemas.check import check
from schemas.envelope import entry_id
from schemas.topics import EVENTS, IDENTITY, LINK_MAP, PATHWAY_IN
from streams.settings import StepSettings, build_step
from streams.steps.ingress import Pseudonyms, pseudonymised
from streams.steps.outcome import Change, Emit, Message, Step

RECEIVED_AT = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
RECIPIENTS = ("demo",)
READERS = {EVENTS: "records", LINK_MAP: "records", IDENTITY: "linker", PATHWAY_IN: "pathway"}
# Every id of ours but the last 26 of its 32 digits: between the pieces a copy puts its own number.
_ID = re.compile(rb"v1:[0-9a-f]{6}(?=[0-9a-f]{26})")


@dataclass
class RestartWorld:
    """What the steps read and what they kept: messages by topic in order, elements by stage."""

    told: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    kept: dict[str, dict[bytes, bytes]] = field(default_factory=lambda: defaultdict(dict))


@dataclass(frozen=True)
class ElementTemplate:
    """A key and a value with their ids cut out: the same for each copy of the world but for the ids."""

    key: list[bytes]
    value: list[bytes]

    @classmethod
    def of(cls, key: bytes, value: bytes) -> "ElementTemplate":
        """Cut at every id."""
        return cls(_ID.split(key), _ID.split(value))

    def copy(self, number: int) -> tuple[bytes, bytes]:
        """Key and value in the copy of that number; the same ids stay the same ids, those of two copies differ."""
        mark = b"v1:%06x" % number
        return mark.join(self.key), mark.join(self.value)


def zone_step(layout: EnginePaths, stage: str) -> Step[Any]:
    """The real step of a stage with the keys of its zone."""
    settings = StepSettings(
        keys=layout.keyring(stage),
        sources=load_sources(None, test_mode=True),
        recipients=RECIPIENTS,
        definitions=tuple(packaged_all("schemas.definitions", ".toml")),
        model=linkage_model(),
        test_mode=True,
    )
    return build_step(stage, settings)


def small_world(layout: EnginePaths, *, people: int, seed: int = 1) -> RestartWorld:
    """Everything simulated people lead to, told once and in order; nothing is left to do at the end."""
    world = RestartWorld()
    steps = {name: zone_step(layout, name) for name in set(READERS.values())}
    states: dict[tuple[str, int], Any] = {}
    for emits in _told(layout, people, seed):
        waiting = deque(emits)
        while waiting:
            emit = waiting.popleft()
            reader = READERS.get(emit.topic)
            if reader is None:
                continue
            message = _message(emit, len(world.told[emit.topic]))
            world.told[emit.topic].append(message)
            task = (reader, emit.partition)
            state = states[task] if task in states else steps[reader].restore([])
            states[task], outcomes = steps[reader].advance(state, message)
            waiting += [one for one in outcomes if isinstance(one, Emit)]
            for one in outcomes:
                if isinstance(one, Change):
                    _keep(world.kept[reader], one)
    return world


def _told(layout: EnginePaths, people: int, seed: int) -> Iterator[list[Emit]]:
    """What ingress makes of each entry that a door accepts."""
    sources, pseudonyms = load_sources(None, test_mode=True), Pseudonyms.of(layout.keyring("ingress"))
    for delivery in simulate(seed, people, rates=default_rates()).deliveries:
        source = sources[delivery.source]
        for entry in _entries(delivery):
            if entry.bundle is None:
                continue
            _, told = check(entry.bundle, source=source, test_mode=True, received_at=RECEIVED_AT)
            if told is not None:
                identifier = entry_id(source.slug, entry.message_id, entry.position)
                yield list(pseudonymised(told, source=source, entry_id=identifier, pseudonyms=pseudonyms))


def _entries(delivery: Delivery) -> tuple[SourceEntry, ...]:
    source, content = load_sources(None, test_mode=True)[delivery.source], delivery.content
    if delivery.kind == "fhir":
        return primary_care_fhir.read(content, source=source, test_mode=True, received_at=RECEIVED_AT)
    if delivery.kind == "hl7":
        return (tier3_hl7v2.read(content, source=source, test_mode=True, received_at=RECEIVED_AT),)
    mapping = mappings.parse(packaged("connectors.mappings", f"{source.slug}.toml"))
    file_id = hashlib.sha256(content).hexdigest()
    return tier2_csv.read(
        content, source=source, mapping=mapping, file_id=file_id, test_mode=True, received_at=RECEIVED_AT
    ).entries


def _message(emit: Emit, offset: int) -> Message:
    moment_ms = int(RECEIVED_AT.timestamp() * 1000) + offset
    return Message(emit.topic, emit.partition, offset, emit.key, emit.value, emit.headers, moment_ms)


def _keep(kept: dict[bytes, bytes], change: Change) -> None:
    if change.value is None:
        kept.pop(change.key, None)
    else:
        kept[change.key] = change.value
