"""An engine in memory on simulated people, and what a hostile council has of it: its files, its times, its copy of us.

The council runs this program over its own files, under keys of its own. So whatever needs no key, it can compute: ids,
hashes, sizes, values. What its copy makes of a record is compared with what stands in the topics it reads.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from connectors.entry import SourceEntry
from linkage.record_name import record_parts
from ops.admin.topic_reader import TopicMessage
from ops.lab.bench.restart_world import entries_of
from ops.lab.known_keys import known_keys
from ops.lab.memory_engine.engine import MemoryEngine
from ops.lab.memory_engine.parts import RECIPIENTS, sealed_entry, sources, stages, step_with
from ops.lab.simulator import default_rates, simulate
from ops.lab.simulator.model import COUNCIL, Delivery
from schemas.envelope import entry_id
from schemas.keyring import Keyring, Purpose
from schemas.topics import registry

LINKAGE_TOPICS = tuple(topic.name for topic in registry(sources().values(), RECIPIENTS) if topic.zone == "linkage")
ENGINE, ATTACKER = "simulation", "attacker"  # whose keys


@dataclass
class CouncilView:
    """One engine's linkage topics, when the council handed in each delivery, and its entries by their record."""

    engine: MemoryEngine
    keys: Keyring
    submitted_ms: list[int] = field(default_factory=list)
    entries: dict[str, list[SourceEntry]] = field(default_factory=lambda: defaultdict(list))  # by record id

    def messages(self) -> Iterator[TopicMessage]:
        """Every message of every topic of the linkage zone."""
        return self.engine.read(LINKAGE_TOPICS)

    def record_of(self, entry: SourceEntry) -> str:
        """The record id of one of the council's entries under this engine's keys."""
        person = entry.message.person if entry.message else None
        parts = record_parts(COUNCIL, person, entry_id(COUNCIL, entry.message_id, entry.position))
        return self.keys.mac(Purpose.RECORD_ID, *parts)


@dataclass(frozen=True)
class CouncilWorld:
    """The run, the council's copy of it, and what only the judge knows: which record is which."""

    run: CouncilView
    copy: CouncilView
    truth: Mapping[str, str]


def council_world(people: int, seed: int) -> CouncilWorld:
    """Every source sends, each delivery answered before the next, which tells times most plainly."""
    deliveries = simulate(seed, people, rates=default_rates()).deliveries
    run = _played(deliveries, ENGINE)
    copy = _played([delivery for delivery in deliveries if delivery.source == COUNCIL], ATTACKER)
    truth = {record: run.record_of(entries[0]) for record, entries in copy.entries.items()}
    return CouncilWorld(run, copy, truth)


def _played(deliveries: Iterable[Delivery], keys_of: str) -> CouncilView:
    keys = known_keys(keys_of, recipients=RECIPIENTS)
    view = CouncilView(
        MemoryEngine(seed=1, steps={stage.name: step_with(stage.name, keys.zone) for stage in stages()}), keys
    )
    for delivery in deliveries:
        is_council = delivery.source == COUNCIL
        if is_council:
            view.submitted_ms.append(view.engine.now_ms)
        for entry in entries_of(delivery):
            if entry.message is None:  # refused or ignored: nothing of it goes on
                continue
            view.engine.take_sealed(delivery.source, sealed_entry(delivery.source, entry))
            if is_council:
                view.entries[view.record_of(entry)].append(entry)
        view.engine.run()
    return view


def words_of(entry: SourceEntry) -> Iterator[str]:
    """What the council calls this entry, its patient and what it says of them."""
    yield entry_id(COUNCIL, entry.message_id, entry.position)
    yield entry.message_id
    yield f"{entry.message_id}/{entry.position}"
    yield hashlib.sha256(entry.original).hexdigest()
    if entry.message is None:
        return
    person = entry.message.person
    if person.local_id is not None:
        yield from (person.local_id.value, f"{COUNCIL}/{person.local_id.value}", f"{COUNCIL}|{person.local_id.value}")
    if person.nhs_number is not None:
        yield person.nhs_number.digits
    for fact in entry.message.facts:
        words = (fact.business_id, fact.referral_business_id, fact.ubrn)
        yield from (word for word in words if word and any(letter.isdigit() for letter in word))  # else it is a term
