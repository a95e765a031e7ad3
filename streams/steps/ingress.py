"""Ingress: open an entry, judge each value, build pseudonymous ones by allow-list. After this step no name exists.

Stateless. One entry becomes its identity as sealed tokens, its facts in one element, and last the receipt for its
source; or, where it ends here, its disposition and the receipt with the reasons.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from linkage.normalise import NormalisedIdentity, normalise
from linkage.record_name import canonical_identity, identity_of, record_parts
from linkage.tokens import TokenKeys, encode
from schemas import elements
from schemas.disposition import Disposition, Receipt, disposition_value, receipt_value
from schemas.door_session import Refusal
from schemas.elements import EntryContent
from schemas.envelope import Envelope, entry_name
from schemas.facts import Referral, StoredFact
from schemas.identity import Person
from schemas.intake_keys import IntakeKeys
from schemas.keyring import Keyring, Purpose
from schemas.naming import record_of_local_id
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source
from schemas.topics import DISPOSITIONS, EVENTS, partition_of
from streams.steps.intake_desk import IntakeDesk, IntakeEntry
from streams.steps.outcome import Emit, Message, MessageByMessage, Outcome, Reject

IDENTITIES_MAX = 4_096  # cached: some 3 KB each, so 12 MB


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The keys of the intake zone, ready for use."""

    keys: Keyring
    tokens: TokenKeys
    # identity hash, which names the record too -> key and value of its element; the last used at the end. Most
    # entries repeat an identity, and sealing takes long
    _identities: dict[str, tuple[str, bytes]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, keys: Keyring) -> "Pseudonyms":
        """From the ingress zone's keyring."""
        return cls(keys, TokenKeys.from_bytes(keys.key(Purpose.LINK_TOKENS), epoch=keys.newest(Purpose.LINK_TOKENS)))

    def record_id(self, source: Source, person: Person, entry_id: str) -> str:
        """One patient at one source: by local id (issuer and value), else by normalised identity, else by the entry."""
        return self.keys.mac(Purpose.RECORD_ID, *record_parts(source.slug, person, entry_id))

    def identity_element(self, record_id: str, identity_hash: str, identity: NormalisedIdentity) -> tuple[str, bytes]:
        """Key and value of one identity in `events.v1`: its tokens, sealed for the linker."""
        element = self._identities.pop(identity_hash, None)
        if element is None:
            encoded = encode(identity, keys=self.tokens)
            sealed = self.keys.seal(Purpose.LINK_SEAL, encoded.to_bytes(), context=record_id.encode())
            element = elements.identity_element(record_id, identity_hash, sealed_tokens=sealed, usable=encoded.usable)
        self._identities[identity_hash] = element
        if len(self._identities) > IDENTITIES_MAX:
            del self._identities[next(iter(self._identities))]
        return element

    def fact_id(self, source: Source, kind: str, business_id: str) -> str:
        """What a fact is about. Keyed: a business identifier may be a UBRN, which has only twelve digits."""
        return self.keys.mac(Purpose.FACT_ID, source.slug, kind, "business", business_id)


class IngressStep(MessageByMessage):
    """intake.<source>.v1 -> events.v1, dispositions.v1, receipts.<source>.v1. It has keys and sources, no state."""

    def __init__(
        self,
        keys: Keyring,
        sources: Mapping[str, Source],
        *,
        intake: Callable[[], IntakeKeys],
        test_mode: bool,
        recheck: bool = False,
    ) -> None:
        self._pseudonyms = Pseudonyms.of(keys)
        self._desk = IntakeDesk(intake, test_mode=test_mode, recheck=recheck)
        self._by_topic = {source.intake_topic: source for source in sources.values()}

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> None:
        """Nothing to restore."""

    def advance(self, state: None, message: Message) -> tuple[None, tuple[Outcome, ...]]:
        """Everything that follows from one entry; equal messages give equal outcomes.

        Raises LookupError while the key of the message's day has not arrived: the worker then ends, to try again.
        """
        source = self._by_topic[message.topic]
        try:
            entry = self._desk.take(source, message)
        except Refusal as refusal:  # anybody may have written it: sealed apart, and no source is told anything
            return None, (Reject(refusal.code),)
        return None, self._answer(source, entry)

    def _answer(self, source: Source, entry: IntakeEntry) -> tuple[Outcome, ...]:
        envelope = entry.envelope
        name = entry_name(self._pseudonyms.keys, source.slug, envelope.entry_id)
        if entry.message is None:
            return Reject("rejected"), *_ended(source, envelope, name, Receipt.REJECTED, envelope.reasons)
        receipt = _receipt(source, envelope, Receipt.ACCEPTED, envelope.reasons)
        names = EntryNames(envelope.entry_id, name)
        return *pseudonymised(entry.message, source, names, self._pseudonyms), receipt


@dataclass(frozen=True, slots=True)
class EntryNames:
    """One entry as its source knows it, and as it is called beyond the intake."""

    entry_id: str
    keyed: str


def pseudonymised(message: SourceMessage, source: Source, names: EntryNames, pseudonyms: Pseudonyms) -> Iterable[Emit]:
    """The elements of one accepted entry for `events.v1`: identity, merges, and last the entry with its facts.

    Each is made from named, typed values; no part of the resource is copied.
    """
    record, entry = pseudonyms.record_id(source, message.person, names.entry_id), names.keyed
    filing = _Filing(source, pseudonyms, record, entry, message.source_version_at.astimezone(UTC))
    identity = normalise(identity_of(message.person), placeholder_words=source.placeholders)
    identity_hash = pseudonyms.keys.mac(Purpose.IDENTITY_VERSION, record, canonical_identity(identity))
    yield _emit(record, *pseudonyms.identity_element(record, identity_hash, identity))
    for retired in message.person.retired_local_ids:
        old = record_of_local_id(pseudonyms.keys, source.slug, retired)
        if old != record:
            yield _emit(old, *elements.merge_element(old, record, filing.source_version_at, pseudonyms.keys))
    content = EntryContent(
        record_id=record,
        entry=entry,
        source=source.slug,
        tier=source.tier,
        source_version_at=filing.source_version_at,
        identity=identity_hash,
        service_named=message.service_named,
        facts=[filing.stored(fact, position) for position, fact in enumerate(message.facts)],
    )
    yield _emit(record, *elements.entry_element(content, pseudonyms.keys))


@dataclass(frozen=True, slots=True)
class _Filing:
    """What the facts of one entry have in common."""

    source: Source
    pseudonyms: Pseudonyms
    record_id: str
    entry: str  # its keyed name
    source_version_at: datetime

    def stored(self, fact: SourceFact, position: int) -> StoredFact:
        """The pseudonymous fact; without a business id it is named by its position in the entry."""
        kind, body, keys = fact.body.type, fact.body, self.pseudonyms.keys
        if fact.business_id is not None:
            fact_id = self.pseudonyms.fact_id(self.source, kind, fact.business_id)
        else:
            stand_in = f"{self.entry}/{position}"
            fact_id = keys.mac(Purpose.FACT_ID, self.source.slug, kind, "entry", stand_in)
        if fact.referral_business_id is not None:
            referral = self.pseudonyms.fact_id(self.source, "referral", fact.referral_business_id)
            body = body.model_copy(update={"referral": referral})
        if isinstance(body, Referral) and fact.ubrn is not None:
            # not per source: the same UBRN from sender and receiver must be equal
            body = body.model_copy(update={"ubrn": keys.mac(Purpose.UBRN, fact.ubrn)})
        return StoredFact(
            record_id=self.record_id,
            fact_id=fact_id,
            source=self.source.slug,
            tier=self.source.tier,
            source_version_at=self.source_version_at,
            retracted=fact.retracted,
            body=body,
        )


def _emit(record_id: str, key: str, value: bytes) -> Emit:
    return Emit(EVENTS, partition_of(record_id), key.encode(), value)


def _ended(
    source: Source, envelope: Envelope, name: str, receipt: Receipt, reasons: Sequence[Mapping[str, str]]
) -> tuple[Emit, ...]:
    """An entry that goes no further: its disposition, and its receipt with the reasons."""
    value = disposition_value(Disposition(receipt.value), source.slug, revision=0)
    return Emit(DISPOSITIONS, partition_of(name), name.encode(), value), _receipt(source, envelope, receipt, reasons)


def _receipt(source: Source, envelope: Envelope, receipt: Receipt, reasons: Sequence[Mapping[str, str]]) -> Emit:
    entry_id = envelope.entry_id
    return Emit(source.receipts_topic, partition_of(entry_id), entry_id.encode(), receipt_value(receipt, reasons))
