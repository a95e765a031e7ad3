"""What a few simulated people leave in topics and changelogs: what the benches of workers multiply."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors import mapping as mappings
from connectors.entry import SourceEntry
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from ops.admin.topic_reader import TopicMessage
from ops.lab.memory_engine.engine import MemoryEngine
from ops.lab.memory_engine.parts import RECEIVED_AT, sealed_entry, sources, stages, step_with
from ops.lab.simulator import default_rates, simulate
from ops.lab.simulator.model import Delivery
from ops.runtime.paths import EnginePaths, packaged
from schemas.topics import EVENTS, LINK_MAP, PATHWAY_IN

# The first 6 of the 32 digits of every id and hash of ours: between the pieces a copy puts its own number.
_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{6}(?=[0-9a-f]{26}(?![0-9a-f]))")


@dataclass(frozen=True)
class RestartWorld:
    """What the steps read and left: messages by topic, each partition in order; elements of state by stage."""

    messages: dict[str, list[TopicMessage]]
    elements: dict[str, dict[bytes, bytes]]


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
        mark = b"%06x" % number
        return mark.join(self.key), mark.join(self.value)


def restart_world(layout: EnginePaths, *, people: int, seed: int = 1) -> RestartWorld:
    """Everything simulated people lead to under the keys of `layout`; nothing is left to do at the end."""
    keys_of, data_keys_of = layout.keyring, layout.current_bucket_keys
    engine = MemoryEngine(steps={stage.name: step_with(stage.name, keys_of, data_keys_of) for stage in stages()})
    for delivery in simulate(seed, people, rates=default_rates()).deliveries:
        for entry in entries_of(delivery):
            if entry.message is not None:  # neither refused nor ignored
                engine.take_sealed(delivery.source, sealed_entry(delivery.source, entry))
    engine.run()
    elements: dict[str, dict[bytes, bytes]] = {stage.name: {} for stage in stages()}
    for stage in stages():
        for task in range(stage.partitions):
            elements[stage.name] |= engine.changelog(stage, task)
    topics = (EVENTS, LINK_MAP, PATHWAY_IN)
    return RestartWorld({topic: list(engine.read([topic])) for topic in topics}, elements)


def entries_of(delivery: Delivery) -> Sequence[SourceEntry]:
    """What the reader of its source makes of one delivery."""
    source, content = sources()[delivery.source], delivery.content
    if delivery.kind == "fhir":
        return primary_care_fhir.read(content, source=source, test_mode=True, received_at=RECEIVED_AT)
    if delivery.kind == "hl7":
        return (tier3_hl7v2.read(content, source=source, test_mode=True, received_at=RECEIVED_AT),)
    mapping = mappings.parse(packaged("connectors.mappings", f"{source.slug}.toml"))
    file_id = hashlib.sha256(content).hexdigest()
    return tier2_csv.read(
        content, source=source, mapping=mapping, file_id=file_id, test_mode=True, received_at=RECEIVED_AT
    ).entries
