"""Which facts stand: of every fact the version that wins, without those that were taken back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Generic, TypeVar, cast

from schemas import canonical, elements
from schemas.facts import Body, StoredFact, Tier

TIER_ORDER: Mapping[Tier, int] = MappingProxyType({"primary_care": 1, "tier2": 2, "tier3": 3, "tier4": 4})
SPECIALIST: frozenset[Tier] = frozenset({"tier2", "tier3", "tier4"})  # tiers whose records have episodes


@dataclass(frozen=True, slots=True)
class PersonFact:
    """One version of one fact under a person, with what decides whether it wins."""

    fact: StoredFact
    source_version_at: datetime
    content_hash: str
    text: bytes = field(repr=False)  # the fact in canonical JSON, as in events.v1

    @classmethod
    def of(cls, fact: StoredFact) -> "PersonFact":
        """`fact` with its version: when it was told (UTC) and the hash `events.v1` names it by."""
        source_version_at = (
            fact.source_version_at
            if fact.source_version_at.tzinfo
            else fact.source_version_at.replace(tzinfo=UTC)
        )
        text = canonical.dump(fact.model_dump(mode="json"))
        return cls(fact, source_version_at, elements.content_hash(text), text)

    @property
    def version(self) -> tuple[datetime, str]:
        """The higher wins: by value, never by arrival."""
        return self.source_version_at, self.content_hash


B = TypeVar("B", bound=Body)
B_co = TypeVar("B_co", bound=Body, covariant=True)


@dataclass(frozen=True, slots=True)
class CurrentFact(Generic[B_co]):
    """A fact that stands, its body's type known."""

    fact_id: str
    record_id: str
    tier: Tier
    body: B_co
    version: tuple[datetime, str]


def standing(facts: Iterable[PersonFact]) -> tuple[CurrentFact[Body], ...]:
    """The winning version of every fact id, retracted ones left out, by day and then fact id.

    One fact id is one thing wherever it was filed: the same appointment told under two records of a person
    (a merge at the trust) counts once, where its newest version puts it.
    """
    newest: dict[str, PersonFact] = {}
    for one in facts:
        known = newest.get(one.fact.fact_id)
        if known is None or one.version > known.version:
            newest[one.fact.fact_id] = one
    stand = [
        CurrentFact(one.fact.fact_id, one.fact.record_id, one.fact.tier, one.fact.body, one.version)
        for one in newest.values()
        if not one.fact.retracted
    ]
    return tuple(sorted(stand, key=lambda fact: (fact.body.on, fact.fact_id)))


def of_type(facts: Iterable[CurrentFact[Body]], type_: type[B]) -> tuple[CurrentFact[B], ...]:
    """Those whose body is a `type_` (none of a subclass: no type of body has any), in the same order."""
    # not isinstance: what it asks of a pydantic class took a third of the whole fold
    return cast("tuple[CurrentFact[B], ...]", tuple([fact for fact in facts if type(fact.body) is type_]))
