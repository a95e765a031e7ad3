"""What one accepted entry says, made pseudonymous: from named, typed values; no part of the resource is copied."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from linkage.normalise import NormalisedIdentity, normalise
from linkage.record_name import canonical_identity, identity_of, record_parts
from linkage.tokens import EncodedIdentity, TokenKeys, encode
from schemas import elements
from schemas.deprivation import IMD_VERSION, LSOA_VERSION
from schemas.elements import ABOUT_ANYBODY, EntryContent
from schemas.envelope import entry_name
from schemas.facts import Demographics, Referral, StoredFact
from schemas.identity import Person
from schemas.keyring import Keyring, Purpose
from schemas.naming import record_of_local_id
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source
from schemas.typed_message import person_bytes

AGE_YEARS_MAX = 130


@dataclass(frozen=True, slots=True)
class PseudonymousEntry:
    """One entry under keyed names. `identity` and `person` are clear still: the one is encoded, the other sealed."""

    content: EntryContent
    identity: NormalisedIdentity = field(repr=False)
    person: bytes = field(repr=False)
    person_name: str  # keyed: what the vault calls this identity; two spellings are one to the linker, and two there
    merges: tuple[tuple[str, str, bytes], ...] = ()  # record retired, key and value of its element

    @property
    def record_id(self) -> str:
        """Whom it is about."""
        return self.content.record_id

    @property
    def is_ours(self) -> bool:
        """True when it named a service, or brought a fact of care."""
        return self.content.service_named or any(f.body.type not in ABOUT_ANYBODY for f in self.content.facts)


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The naming keys of the intake zone, ready for use."""

    keys: Keyring
    tokens: TokenKeys
    quintiles: Mapping[str, int] = field(default_factory=dict, repr=False)  # `schemas.deprivation`

    @classmethod
    def of(cls, keys: Keyring, quintiles: Mapping[str, int] | None = None) -> "Pseudonyms":
        """From the ingress zone's keyring."""
        tokens = TokenKeys.from_bytes(keys.key(Purpose.LINK_TOKENS), epoch=keys.newest(Purpose.LINK_TOKENS))
        return cls(keys, tokens, quintiles or {})

    def record_id(self, source: Source, person: Person, entry_id: str) -> str:
        """One patient at one source: by local id (issuer and value), else by normalised identity, else by the entry."""
        return self.keys.mac(Purpose.RECORD_ID, *record_parts(source.slug, person, entry_id))

    def encoded(self, identity: NormalisedIdentity) -> EncodedIdentity:
        """What the linker compares."""
        return encode(identity, keys=self.tokens)

    def entry(self, message: SourceMessage, source: Source, entry_id: str) -> PseudonymousEntry:
        """What the entry of that id says. Equal arguments give equal entries."""
        person, version_at = message.person, message.source_version_at.astimezone(UTC)
        record = self.record_id(source, person, entry_id)
        filing = _Filing(source, self.keys, record, entry_name(self.keys, source.slug, entry_id), version_at)
        identity = normalise(identity_of(person), placeholder_words=source.placeholders)
        content = EntryContent(
            record_id=record,
            entry=filing.entry,
            source=source.slug,
            tier=source.tier,
            source_version_at=version_at,
            identity=self.keys.mac(Purpose.IDENTITY_VERSION, record, canonical_identity(identity)),
            service_named=message.service_named,
            facts=tuple(
                filing.stored(self._completed(fact, person.birth_date), position)
                for position, fact in enumerate(message.facts)
            ),
        )
        retired = (record_of_local_id(self.keys, source.slug, number) for number in person.retired_local_ids)
        merges = tuple(
            (old, *elements.merge_element(old, record, version_at, self.keys)) for old in retired if old != record
        )
        clear = person_bytes(person)
        name = self.keys.mac(Purpose.CONTENT, record, clear.decode())
        return PseudonymousEntry(content, identity, clear, name, merges)

    def _completed(self, fact: SourceFact, born: date | None) -> SourceFact:
        """With what only this step knows: a referral's age, the quintile of an area that came without one."""
        body = fact.body
        if isinstance(body, Demographics) and body.imd_quintile is None and body.lsoa_version in (None, LSOA_VERSION):
            quintile = self.quintiles.get(body.lsoa or "")
            if quintile is not None:
                update = {"imd_quintile": quintile, "imd_version": IMD_VERSION}
                return replace(fact, body=body.model_copy(update=update))
        return _aged(fact, born)


def age_years(born: date, on: date) -> int:
    """Completed years of life on a day. Who was born on 29 February is a year older from 1 March of a common year."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _aged(fact: SourceFact, born: date | None) -> SourceFact:
    """A referral with the age on its day, which outranks one that was told; the birth date itself goes no further."""
    if not isinstance(fact.body, Referral) or born is None or fact.body.on < born:
        return fact
    years = age_years(born, fact.body.on)
    return replace(fact, body=fact.body.model_copy(update={"age_years": years if years <= AGE_YEARS_MAX else None}))


@dataclass(frozen=True, slots=True)
class _Filing:
    """What the facts of one entry have in common."""

    source: Source
    keys: Keyring
    record_id: str
    entry: str  # its keyed name
    source_version_at: datetime

    def stored(self, fact: SourceFact, position: int) -> StoredFact:
        """The pseudonymous fact; without a business id it is named by its position in the entry."""
        kind, body = fact.body.type, fact.body
        if fact.business_id is not None:
            fact_id = self._fact_id(kind, "business", fact.business_id)
        else:
            fact_id = self._fact_id(kind, "entry", f"{self.entry}/{position}")
        if fact.referral_business_id is not None:
            referral = self._fact_id("referral", "business", fact.referral_business_id)
            body = body.model_copy(update={"referral": referral})
        if isinstance(body, Referral) and fact.ubrn is not None:
            # not per source: the same UBRN from sender and receiver must be equal
            body = body.model_copy(update={"ubrn": self.keys.mac(Purpose.UBRN, fact.ubrn)})
        return StoredFact(
            record_id=self.record_id,
            fact_id=fact_id,
            source=self.source.slug,
            tier=self.source.tier,
            source_version_at=self.source_version_at,
            body=body,
            retracted=fact.retracted,
        )

    def _fact_id(self, kind: str, named_by: str, name: str) -> str:
        """What a fact is about. Keyed: a business identifier may be a UBRN, which has only twelve digits."""
        return self.keys.mac(Purpose.FACT_ID, self.source.slug, kind, named_by, name)
