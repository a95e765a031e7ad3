"""The current facts of a person: of every fact the version that wins, without retracted ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar, cast

from schemas.facts import Body, StoredFact, Tier

SPECIALIST: frozenset[Tier] = frozenset({"tier2", "tier3", "tier4"})  # tiers whose records have episodes


class PersonFact(NamedTuple):
    """One version of one fact under a person; `content` names it among those of one version time."""

    fact: StoredFact
    content: str

    @property
    def version(self) -> tuple[datetime, str]:
        """The higher wins: by value, never by arrival."""
        return self.fact.source_version_at, self.content


B = TypeVar("B", bound=Body)
B_co = TypeVar("B_co", bound=Body, covariant=True)


@dataclass(frozen=True, slots=True)
class CurrentFact(Generic[B_co]):
    """The winning version of a fact, with the type of its body."""

    fact_id: str
    record_id: str
    tier: Tier
    body: B_co
    version: tuple[datetime, str]


def current_facts(facts: Iterable[PersonFact]) -> tuple[CurrentFact[Body], ...]:
    """The winning version of every fact id, without retracted ones, by day and then fact id.

    A fact id is one thing under whatever record: the same appointment under two records of a person (a merge at the
    trust) counts once, under the record of its newest version.
    """
    newest: dict[str, PersonFact] = {}
    for version in facts:
        winner = newest.get(version.fact.fact_id)
        if winner is None or version.version > winner.version:
            newest[version.fact.fact_id] = version
    current = [
        CurrentFact(won.fact.fact_id, won.fact.record_id, won.fact.tier, won.fact.body, won.version)
        for won in newest.values()
        if not won.fact.retracted
    ]
    return tuple(sorted(current, key=lambda fact: (fact.body.on, fact.fact_id)))


def of_type(facts: Iterable[CurrentFact[Body]], type_: type[B]) -> tuple[CurrentFact[B], ...]:
    """The facts whose body is a `type_` (body types have no subclasses), in the same order."""
    # not isinstance: on a pydantic class it took a third of the time of the whole fold
    return cast("tuple[CurrentFact[B], ...]", tuple([fact for fact in facts if type(fact.body) is type_]))
