"""Ingress: open an entry, check it again, build pseudonymous values by allow-list. After this step no name exists.

Stateless. One entry becomes its facts, its identity as sealed tokens, its manifest, and last the receipt for its
source; or, where it ends here, its disposition and the receipt with the reasons.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from linkage.normalise import NORMALISER_VERSION, Identity, Name, NormalisedIdentity, normalise
from linkage.tokens import TokenKeys, encode
from schemas import canonical, elements
from schemas.check import check
from schemas.disposition import Disposition, Receipt, Verdict, disposition_value, receipt_value
from schemas.elements import Manifest
from schemas.envelope import Envelope, entry_name, opened
from schemas.errors import Unreadable
from schemas.facts import Referral, StoredFact
from schemas.identity import Person
from schemas.keyring import Keyring, Purpose
from schemas.naming import record_of_entry, record_of_identity, record_of_local_id
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source
from schemas.topics import DISPOSITIONS, EVENTS, partition_of
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
        if person.local_id is not None:
            return record_of_local_id(self.keys, source.slug, person.local_id)
        identity = _canonical_identity(normalise(_identity(person)))
        if identity == _NOBODY:
            return record_of_entry(self.keys, source.slug, entry_id)
        return record_of_identity(self.keys, source.slug, NORMALISER_VERSION, identity)

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

    def __init__(self, keys: Keyring, sources: Mapping[str, Source], *, test_mode: bool) -> None:
        self._pseudonyms = Pseudonyms.of(keys)
        self._by_topic = {source.intake_topic: source for source in sources.values()}
        self._test_mode = test_mode

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> None:
        """Nothing to restore."""

    def advance(self, state: None, message: Message) -> tuple[None, tuple[Outcome, ...]]:
        """Everything that follows from one entry; equal messages give equal outcomes."""
        source = self._by_topic[message.topic]
        try:
            envelope = opened(
                message.value or b"", keys=self._pseudonyms.keys, topic=message.topic, key=message.key or b""
            )
        except Unreadable:  # anybody may have written it: sealed apart, and no source is told anything
            return None, (Reject("unreadable"),)
        return None, self._answer(source, envelope)

    def _answer(self, source: Source, envelope: Envelope) -> tuple[Outcome, ...]:
        name = entry_name(self._pseudonyms.keys, source.slug, envelope.entry_id)
        if envelope.bundle is None:
            return Reject("rejected"), *_ended(source, envelope, name, Receipt.REJECTED, envelope.reasons)
        checked, source_message = check(
            envelope.bundle, source=source, test_mode=self._test_mode, received_at=envelope.received_at
        )
        reasons = tuple(issue.as_json() for issue in checked.issues)
        if checked.verdict is Verdict.REJECTED:
            return Reject("rejected"), *_ended(source, envelope, name, Receipt.REJECTED, reasons)
        if checked.verdict is Verdict.IGNORED or source_message is None:
            return _ended(source, envelope, name, Receipt.IGNORED, reasons)
        receipt = _receipt(source, envelope, Receipt.ACCEPTED, reasons)
        return *pseudonymised(source_message, source, envelope.entry_id, self._pseudonyms), receipt


def pseudonymised(message: SourceMessage, source: Source, entry_id: str, pseudonyms: Pseudonyms) -> Iterable[Emit]:
    """The elements of one accepted entry for `events.v1`: facts, identity, merges, and its manifest last.

    Each is made from named, typed values; no part of the resource is copied.
    """
    entry = entry_name(pseudonyms.keys, source.slug, entry_id)
    record = pseudonyms.record_id(source, message.person, entry_id)
    filing = _Filing(source, pseudonyms, record, entry, message.source_version_at.astimezone(UTC))
    facts = []
    for position, fact in enumerate(message.facts):
        stored = filing.stored(fact, position)
        key, value, version = elements.fact_element(stored)
        facts.append((stored.fact_id, version))
        yield _emit(record, key, value)
    identity = normalise(_identity(message.person), placeholder_words=source.placeholders)
    identity_hash = pseudonyms.keys.mac(Purpose.IDENTITY_VERSION, record, _canonical_identity(identity))
    yield _emit(record, *pseudonyms.identity_element(record, identity_hash, identity))
    for retired in message.person.retired_local_ids:
        old = record_of_local_id(pseudonyms.keys, source.slug, retired)
        if old != record:
            yield _emit(old, *elements.merge_element(old, record, filing.source_version_at))
    manifest = Manifest(
        record_id=record,
        entry=entry,
        source=source.slug,
        tier=source.tier,
        source_version_at=filing.source_version_at,
        identity=identity_hash,
        service_named=message.service_named,
        facts=facts,
    )
    yield _emit(record, *elements.manifest_element(manifest))


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


def _identity(person: Person) -> Identity:
    return Identity(
        nhs_number=person.nhs_number.digits if person.nhs_number else None,
        nhs_number_claimed=person.nhs_number_claimed,
        names=tuple(Name(given=name.given, family=name.family, use=name.use) for name in person.names),
        birth_date=person.birth_date.isoformat() if person.birth_date else None,
        sex=person.sex if person.sex in ("male", "female") else None,
        postcodes=tuple(address.postcode.compact if address.postcode else "" for address in person.addresses),
        houses=tuple(address.line for address in person.addresses),
        cities=tuple(address.city for address in person.addresses),
        phones=person.phones,
        emails=person.emails,
        former_numbers=tuple(number.digits for number in person.former_nhs_numbers),
    )


def _canonical_identity(identity: NormalisedIdentity) -> str:
    names = [[list(name.given), name.family, name.use] for name in identity.names]
    parts = [
        identity.nhs_number,
        identity.nhs_number_claimed,
        names,
        identity.birth_date,
        identity.sex,
        list(identity.postcodes),
        list(identity.houses),
        list(identity.cities),
        list(identity.phones),
        list(identity.emails),
        list(identity.former_numbers),
    ]
    return canonical.dump(parts).decode()


_NOBODY = _canonical_identity(normalise(Identity(nhs_number=None)))


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
