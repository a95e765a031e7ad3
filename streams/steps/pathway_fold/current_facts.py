"""The current facts of a person: of every fact the version that wins, without retracted ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, NamedTuple, TypeVar, cast

from schemas.definitions import DaysRule
from schemas.facts import Attendance, Body, Referral, StoredFact, Tier

SPECIALIST: frozenset[Tier] = frozenset({"tier2", "tier3", "tier4"})  # tiers whose records have episodes
FIRST_DAY = date(1990, 1, 1)  # days-in-range/1
DAYS_PER_YEAR = 365.25


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
    source: str
    tier: Tier
    body: B_co
    version: tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class CurrentFacts:
    """What stands of a person.

    `facts` are used, by day and then fact id; `out_of_range` have a day on which they cannot have happened
    (`days-in-range/1`) and are not. `retracted_referrals` are the fact ids of received referrals that were taken back.
    """

    facts: tuple[CurrentFact[Body], ...]
    out_of_range: tuple[CurrentFact[Body], ...]
    retracted_referrals: Mapping[str, Tier]


def current_facts(facts: Iterable[PersonFact], rule: DaysRule) -> CurrentFacts:
    """The winning version of every fact id.

    A fact id is one thing under whatever record: the same appointment under two records of a person (a merge at the
    trust) counts once, under the record of its newest version.
    """
    newest: dict[str, PersonFact] = {}
    for version in facts:
        winner = newest.get(version.fact.fact_id)
        if winner is None or version.version > winner.version:
            newest[version.fact.fact_id] = version
    used: list[CurrentFact[Body]] = []
    out_of_range: list[CurrentFact[Body]] = []
    retracted: dict[str, Tier] = {}
    for won in newest.values():
        fact = won.fact
        if fact.retracted:
            if type(fact.body) is Referral and fact.body.direction == "received":
                retracted[fact.fact_id] = fact.tier
            continue
        current = CurrentFact(fact.fact_id, fact.record_id, fact.source, fact.tier, fact.body, won.version)
        (used if _is_in_range(current, rule) else out_of_range).append(current)
    return CurrentFacts(_by_day(used), _by_day(out_of_range), retracted)


def of_type(facts: Iterable[CurrentFact[Body]], type_: type[B]) -> tuple[CurrentFact[B], ...]:
    """The facts whose body is a `type_` (body types have no subclasses), in the same order."""
    # not isinstance: on a pydantic class it took a third of the time of the whole fold
    return cast("tuple[CurrentFact[B], ...]", tuple([fact for fact in facts if type(fact.body) is type_]))


def _is_in_range(fact: CurrentFact[Body], rule: DaysRule) -> bool:
    ahead = 1
    if type(fact.body) is Attendance and fact.body.attendance in ("0", "2", "4"):
        ahead = round(rule.ahead_years * DAYS_PER_YEAR)  # it lies ahead, or did until it was cancelled
    return fact.body.on >= FIRST_DAY and fact.body.on - timedelta(days=ahead) <= fact.version[0].date()


def _by_day(facts: Iterable[CurrentFact[Body]]) -> tuple[CurrentFact[Body], ...]:
    return tuple(sorted(facts, key=lambda fact: (fact.body.on, fact.fact_id)))
