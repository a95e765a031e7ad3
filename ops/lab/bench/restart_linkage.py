"""Changelog of a linker with many records: real identities of simulated people, really linked, then copied.

One population is encoded, sealed and answered by the real linker; each further copy of it has its own record
ids and, by a mask over every blocking token, blocks of its own. So each copy links exactly as the first, its
people are as hard to tell apart, and no copy meets another. Blocks are those of the one population: for a
million elements in one real population they would hold more.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from linkage.normalise import normalise
from linkage.tokens import TOKEN_BYTES, Block, EncodedIdentity, TokenKeys, encode
from ops.lab.bench.linkage_world import as_linkage
from ops.lab.memory_engine.parts import step_with
from ops.lab.simulator import default_rates
from ops.lab.simulator.identities import record_identity
from ops.lab.simulator.model import COUNCIL, GP, TIER_OF, TRUST, SourceSlug
from ops.lab.simulator.population import people as population
from ops.runtime.paths import EnginePaths
from schemas.data_keys import BucketKeys, Family, bucket_of
from schemas.keyring import Keyring, Purpose
from schemas.linking import RecordIdentity
from schemas.record_keys import WrappedKeys
from schemas.sealed_body import IDENTITY_PAD_BYTES, seal_padded
from schemas.topics import IDENTITY
from streams.steps.outcome import Message, keep

PRESENT: Mapping[SourceSlug, float] = {GP: 0.8, COUNCIL: 0.9, TRUST: 0.4}  # as in simulated journeys
FIRST = "000000"  # begins every record id of the first copy
_FIRST = re.compile(rb"(?<![0-9a-f])000000(?=[0-9a-f]{26}(?![0-9a-f]))")


@dataclass(frozen=True)
class CopiedRecord:
    """One record of the first copy."""

    source: SourceSlug
    tier: str
    encoded: EncodedIdentity


def linker_elements(layout: EnginePaths, *, elements: int, people: int) -> Iterator[tuple[bytes, bytes]]:
    """At least `elements` elements of `state.linker.v1`, in whole copies of a population of `people`."""
    keys = layout.keyring("linker")
    known = _records(layout, people)
    held = layout.current_bucket_keys("linker")()
    answered = _answered(layout, held, known)
    anchors = {keys.mac(Purpose.PERSON_ID, record_id).encode(): record_id for record_id in known}
    answers = [(key, _Answer.of(value, anchors)) for key, value in answered.items() if not key.startswith(b"m/")]
    made = number = 0
    while made < elements:
        mark, mask = b"%06x" % number, secrets.randbits(64) if number else 0
        for record_id, record in known.items():
            copied = record_id.replace(FIRST, mark.decode(), 1)
            yield b"m/" + copied.encode(), _sealed(held, copied, record, mask)
        for key, answer in answers:
            yield _FIRST.sub(mark, key), answer.copy(keys, mark)
        made += len(known) + len(answers)
        number += 1


@dataclass(frozen=True)
class _Answer:
    """The value of an answer or review with what differs from copy to copy."""

    value: bytes
    people: Mapping[bytes, str]  # person id -> its anchor

    @classmethod
    def of(cls, value: bytes, anchors: Mapping[bytes, str]) -> "_Answer":
        return cls(value, {person: anchor for person, anchor in anchors.items() if person in value})

    def copy(self, keys: Keyring, mark: bytes) -> bytes:
        value = _FIRST.sub(mark, self.value)
        for person, anchor in self.people.items():
            renamed = keys.mac(Purpose.PERSON_ID, anchor.replace(FIRST, mark.decode(), 1))
            value = value.replace(person, renamed.encode())
        return value


def _records(layout: EnginePaths, people: int) -> dict[str, CopiedRecord]:
    rng, rates = Random(1), default_rates()
    ingress = layout.keyring("ingress")
    tokens = TokenKeys.from_bytes(ingress.key(Purpose.LINK_TOKENS), epoch=ingress.newest(Purpose.LINK_TOKENS))
    known = {}
    for person in population(rng, people, rates):
        for source, share in PRESENT.items():
            if rng.random() < share:
                identity = record_identity(rng, person, source, rates=rates, household_numbers=())
                record_id = f"{FIRST}{rng.getrandbits(104):026x}"
                known[record_id] = CopiedRecord(
                    source, TIER_OF[source], encode(normalise(as_linkage(identity)), keys=tokens)
                )
    return known


def _answered(layout: EnginePaths, held: BucketKeys, known: Mapping[str, CopiedRecord]) -> dict[bytes, bytes]:
    """What the real linker keeps of the first copy."""
    step, elements = step_with("linker", layout.keyring, layout.current_bucket_keys), dict[bytes, bytes]()
    state = step.restore([])
    for offset, (record_id, record) in enumerate(known.items()):
        message = Message(IDENTITY, 0, offset, record_id.encode(), _sealed(held, record_id, record, 0), (), offset)
        state, outcomes = step.advance(state, message)
        keep(elements, outcomes)
    return elements


def _sealed(held: BucketKeys, record_id: str, record: CopiedRecord, mask: int) -> bytes:
    """The identity message of a record whose blocks are masked; equal tokens stay equal."""
    blocks = sorted(
        (
            Block((int.from_bytes(block.token) ^ mask).to_bytes(TOKEN_BYTES), block.salted)
            for block in record.encoded.blocks
        ),
        key=lambda block: block.token,
    )
    first = record.encoded
    encoded = EncodedIdentity.of(first.epoch, first.nhs, first.layout, blocks, near=first.near)
    epoch = held.newest(Family.TOKENS, bucket_of(record_id))
    data_key = held.made(Family.TOKENS, record_id, epoch)
    wrapped = WrappedKeys.of(record_id, {Family.TOKENS: data_key}, epoch, held)
    sealed = seal_padded(data_key, encoded.to_bytes(), context=record_id.encode(), pad_bytes=IDENTITY_PAD_BYTES)
    return RecordIdentity(record_id, record.source, record.tier, sealed, wrapped, None).value()
