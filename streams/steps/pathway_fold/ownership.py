"""Whose facts are whose, by `whose-facts/1`: referrals received under one e-RS number, and the facts of each."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from schemas.facts import (
    Attendance,
    Body,
    Comorbidity,
    Death,
    Decline,
    Demographics,
    Discharge,
    ProgrammeStart,
    Referral,
    Tier,
    Withdrawal,
)
from streams.steps.pathway_fold.current_facts import SPECIALIST, CurrentFact, CurrentFacts, of_type

ABOUT_THE_PERSON: Final = (Referral, Demographics, Death, Comorbidity)  # they belong to no episode and imply none
NUMBER_DAYS: Final = 252  # an e-RS number that comes again later is another referral, as in handover/2
CLOSING: Final = (Decline, Discharge, Withdrawal)


@dataclass(slots=True)
class Case:
    """One episode to be: its referrals (several under one e-RS number), and its facts, by day and fact id.

    `id` is the least fact id of its referrals; without one `retracted/<referral>` or `implicit/<record>`.
    """

    id: str
    tier: Tier
    referrals: tuple[CurrentFact[Referral], ...] = ()
    facts: list[CurrentFact[Body]] = field(default_factory=list)
    ambiguous: bool = False
    sources: frozenset[str] = frozenset()  # that reported its referrals, else its facts
    services: frozenset[str] = frozenset()  # that reported anything of it
    opened_on: date = date.min  # when it was first received; for one without a referral the day of its first fact

    @property
    def is_retracted(self) -> bool:
        """Whether its referral was taken back."""
        return self.id.startswith("retracted/")

    @property
    def order(self) -> tuple[date, str]:
        """Cases sort by this."""
        return self.opened_on, self.id


def cases(current: CurrentFacts) -> tuple[Case, ...]:
    """Every case of a person, by the day it opened."""
    received = _received(current.facts)
    by_referral = {referral.fact_id: case for case in received for referral in case.referrals}
    found = {case.id: case for case in received}
    unnamed = []
    for fact in current.facts:
        if type(fact.body) in ABOUT_THE_PERSON:
            continue
        label = fact.body.referral
        if label in by_referral:
            by_referral[label].facts.append(fact)
        elif label in current.retracted_referrals and fact.tier in SPECIALIST:
            found.setdefault(f"retracted/{label}", Case(f"retracted/{label}", fact.tier)).facts.append(fact)
        elif fact.tier in SPECIALIST:
            unnamed.append(fact)
    _give_unnamed(unnamed, received, found)
    for case in found.values():
        case.facts.sort(key=lambda fact: (fact.body.on, fact.fact_id))
        _complete(case)
    return tuple(sorted(found.values(), key=lambda case: case.order))


def _complete(case: Case) -> None:
    of_referrals = frozenset(fact.source for fact in case.referrals)
    of_facts = frozenset(fact.source for fact in case.facts)
    case.sources, case.services = of_referrals or of_facts, of_referrals | of_facts
    case.opened_on = (case.referrals or case.facts)[0].body.on


def _received(facts: Iterable[CurrentFact[Body]]) -> list[Case]:
    """A case for the referrals received under one e-RS number at one tier, and for each without a number."""
    groups: dict[tuple[str, Tier, int], list[CurrentFact[Referral]]] = {}
    last: dict[tuple[str, Tier], tuple[int, date]] = {}
    for fact in of_type(facts, Referral):
        if fact.body.direction == "received" and fact.tier in SPECIALIST:
            # a trust may run Tier 4 beside Tier 3
            tier = fact.body.to_tier if fact.body.to_tier in SPECIALIST else fact.tier
            key = (fact.body.ubrn or fact.fact_id, tier)
            number, since = last.get(key, (0, fact.body.on))
            if (fact.body.on - since).days > NUMBER_DAYS:
                number, since = number + 1, fact.body.on
            last[key] = number, since
            groups.setdefault((*key, number), []).append(fact)
    found = [
        Case(min(fact.fact_id for fact in group), tier, referrals=tuple(group))
        for (_, tier, _), group in groups.items()
    ]
    for case in found:
        _complete(case)
    return found


def _give_unnamed(unnamed: Sequence[CurrentFact[Body]], received: Sequence[Case], found: dict[str, Case]) -> None:
    """Give each fact that names no referral to its case, which is made where the source has no referral."""
    by_day = sorted(received, key=lambda case: case.order)
    of_source: dict[str, list[Case]] = {}
    of_record: dict[str, list[Case]] = {}
    for case in by_day:
        for referral in case.referrals:
            for index, key in ((of_source, referral.source), (of_record, referral.record_id)):
                if index.setdefault(key, [])[-1:] != [case]:
                    index[key].append(case)
    ended_on: dict[str, date | None] = {case.id: _ended_on(case) for case in by_day}
    without = {
        source: f"implicit/{min(fact.record_id for fact in unnamed if fact.source == source)}"
        for source in {fact.source for fact in unnamed} - of_source.keys()
    }
    for fact in unnamed:
        candidates = of_record.get(fact.record_id) or of_source.get(fact.source)
        if candidates:
            case = _chosen(fact, candidates, ended_on)
            case.facts.append(fact)
            if type(fact.body) in CLOSING:
                ended_on[case.id] = fact.body.on
        else:
            name = without[fact.source]
            found.setdefault(name, Case(name, fact.tier)).facts.append(fact)


def _chosen(fact: CurrentFact[Body], candidates: Sequence[Case], ended_on: dict[str, date | None]) -> Case:
    """The case an unnamed fact belongs to; those it may belong to as well are marked."""
    if len(candidates) == 1:
        return candidates[0]
    fitting = _fitting(fact.body, candidates)
    if len(fitting) == 1:
        return fitting[0]
    on = fact.body.on
    before = candidates[: bisect_right(candidates, on, key=lambda case: case.opened_on)]
    running = [case for case in before if (end := ended_on[case.id]) is None or on <= end]
    if len(running) > 1:
        for case in running:
            case.ambiguous = True
    return (running or before or candidates[:1])[-1]


def _fitting(body: Body, cases: Sequence[Case]) -> list[Case]:
    """Those whose provider or programme the fact names; none when it names neither."""
    if type(body) is Attendance and body.provider_ods:
        return [case for case in cases if body.provider_ods in {r.body.provider_ods for r in case.referrals}]
    if type(body) is ProgrammeStart and body.programme:
        return [case for case in cases if body.programme in {r.body.programme for r in case.referrals}]
    return []


def _ended_on(case: Case) -> date | None:
    """The day the facts that the case has so far ended it, if any."""
    return max((fact.body.on for fact in case.facts if type(fact.body) in CLOSING), default=None)
