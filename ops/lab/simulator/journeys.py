"""Whose path leads where: each person's route over the tiers, and every entry its sources would send, in true order.

Nothing is missing, wrong or late here; `noise` does that. Dates run from January 2024 to `AS_OF`; later entries are
left out. Version times fall in office hours, so a day is the same day in UTC and on a British clock.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from ops.lab.simulator.council import CouncilWriter
from ops.lab.simulator.diary import Diary
from ops.lab.simulator.kinds import PersonRoute, deal_kinds
from ops.lab.simulator.model import SimulatedEntry, SimulatedPerson
from ops.lab.simulator.practice import PracticeWriter
from ops.lab.simulator.rates import Rates
from ops.lab.simulator.source_record import Identifiers
from ops.lab.simulator.trust import TrustWriter

AS_OF = date(2026, 6, 30)
_FIRST_REFERRAL = date(2024, 1, 15)
_LAST_REFERRAL = date(2026, 6, 20)
# Whoever is to reach Tier 3 must have time for it: 13 weeks at Tier 2, 6 of waiting, 6 months of
# appointments. A kind of journey must have time to be one.
_LAST_LONG_REFERRAL = date(2025, 6, 30)
_CHILD_BORN_BEFORE_DAYS = 12 * 365  # the first referral of a child
_CHILD_HEIGHT_CM = 152
_PROGRAMMES = ("gp_to_tier2", "self_to_tier2")


def journeys(rng: Random, people: Sequence[SimulatedPerson], rates: Rates) -> tuple[SimulatedEntry, ...]:
    """Every entry about every person, each fact of a source once, without message ids."""
    households: dict[str, list[SimulatedPerson]] = {}
    for person in people:
        households.setdefault(person.household, []).append(person)
    identifiers = Identifiers(rng)
    ways = ways_of(rng, people, rates)
    kinds = deal_kinds(rng, ways, rates.kinds)
    entries: list[SimulatedEntry] = []
    for person, way, kind in zip(people, ways, kinds, strict=True):
        others = [other.nhs_number for other in households[person.household] if other is not person]
        lived = _as_child(person) if kind == "child" else person
        diary = Diary(rng, lived, kind, rates=rates, identifiers=identifiers, household_numbers=others)
        _Journey(diary).write(way.route, way.outcome)
        entries.extend(entry for entry in diary.entries if entry.source_version_at.date() <= AS_OF)
    return tuple(entries)


def ways_of(rng: Random, people: Sequence[SimulatedPerson], rates: Rates) -> list[PersonRoute]:
    """Everybody's route, and what becomes of them at Tier 2."""
    routes = _quota(rng, rates.routes, len(people))
    outcomes = iter(_quota(rng, rates.tier2_outcome, sum(route in _PROGRAMMES for route in routes)))
    at_home = Counter(person.household for person in people)
    return [
        PersonRoute(route, next(outcomes) if route in _PROGRAMMES else "completed", at_home[person.household] == 1)
        for person, route in zip(people, routes, strict=True)
    ]


def _quota(rng: Random, shares: Mapping[str, float], count: int) -> list[str]:
    """`count` names, each as near to its share as whole people allow, in random order."""
    names, edge = list(shares), 0.0
    dealt: list[str] = []
    for name in names:
        edge += shares[name] * count
        dealt.extend([name] * (round(edge) - len(dealt)))
    rng.shuffle(dealt)
    return dealt


def _as_child(person: SimulatedPerson) -> SimulatedPerson:
    """The person, born so late that they are a child at every referral here."""
    born = _FIRST_REFERRAL - timedelta(days=_CHILD_BORN_BEFORE_DAYS + person.birth_date.day * 30)
    return replace(person, birth_date=born, height_cm=_CHILD_HEIGHT_CM)


class _Journey:
    """One person's way through the services, written down as each source would send it."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self._gp = PracticeWriter(diary)

    def write(self, route: str, outcome: str) -> None:
        """Everything that happens to this person."""
        is_long = "tier3" in route or self._diary.kind
        last = _LAST_LONG_REFERRAL if is_long else _LAST_REFERRAL
        on = _FIRST_REFERRAL + timedelta(days=self._diary.rng.randrange((last - _FIRST_REFERRAL).days))
        self._along(route, outcome, on)
        if self._diary.chance("later_weight"):
            later_days = self._diary.rng.randrange(60, 400)
            self._gp.weighs(on + timedelta(days=later_days), weeks=max(0, later_days / 7 - 6))
        self._dies(on)

    def _dies(self, on: date) -> None:
        if self._diary.kind == "died_waiting":
            self._gp.reports_death(on + timedelta(days=20))
        if self._diary.kind == "died_in_programme":
            self._gp.reports_death(on + timedelta(days=95))

    def _along(self, route: str, outcome: str, on: date) -> None:
        if route == "self_to_tier2":
            self._gp.weighs(on - timedelta(days=self._days(5, 60)))
            CouncilWriter(self._diary).runs(on, outcome, source="self")
        elif route.startswith("gp_to_tier3"):
            self._to_tier3(on, received=route == "gp_to_tier3")
        elif route == "gp_to_tier2_lost":
            self._lost(on)
        else:
            self._to_tier2(route, outcome, on)

    def _days(self, least: int, before: int) -> int:
        return self._diary.rng.randrange(least, before)

    def _to_tier3(self, on: date, *, received: bool) -> None:
        kind = self._diary.kind
        if kind == "medicine_before_tier3":
            self._gp.prescribes(on - timedelta(days=60), stopped_on=on + timedelta(days=40))
        ubrn = self._gp.refers(on, "tier3")
        if kind == "returned_with_advice":
            self._gp.hears(on + timedelta(days=8), ubrn, by="service", reason="returned-with-advice")
        if kind == "booking_numbers_differ":
            ubrn = self._diary.identifiers.new("", 12)
        if received:
            TrustWriter(self._diary).runs(on + timedelta(days=self._days(3, 30)), reference=ubrn)

    def _lost(self, on: date) -> None:
        ubrn, kind = self._gp.refers(on, "tier2"), self._diary.kind
        if kind == "rejected":
            self._gp.hears(on + timedelta(days=9), ubrn, by="service", reason="not-eligible")
        elif kind == "returned_with_advice":
            self._gp.hears(on + timedelta(days=8), ubrn, by="service", reason="returned-with-advice")
        elif kind == "revoked":
            self._gp.hears(on + timedelta(days=15), ubrn, by="referrer")
        elif kind == "sent_by_mistake":
            self._gp.takes_back(on + timedelta(days=1), ubrn)
        elif kind == "lost_then_self_referral":
            later = on + timedelta(days=self._days(60, 240))
            CouncilWriter(self._diary).runs(later, "completed", source="self")

    def _to_tier2(self, route: str, outcome: str, on: date) -> None:
        kind = self._diary.kind
        provider_ods = "E10000" if kind == "two_services_same_day" else None
        ubrn = self._gp.refers(on, "tier2", provider_ods=provider_ods)
        if kind == "two_services_same_day":
            self._gp.refers(on, "tier2", provider_ods="E10001")
        if kind == "rejected_then_received":
            self._gp.hears(on + timedelta(days=10), ubrn, by="service", reason="not-eligible")
            on += timedelta(days=30)
            ubrn = self._gp.refers(on, "tier2")
        if kind == "medicine_beside_programme":
            self._gp.prescribes(on - timedelta(days=20))
        council = CouncilWriter(self._diary)
        ended = council.runs(on + timedelta(days=self._receipt_days()), outcome, source="gp", ubrn=ubrn)
        self._again(council, ended)
        if "tier3" in route:
            self._onward(council, received=route == "gp_to_tier2_to_tier3")

    def _receipt_days(self) -> int:
        match self._diary.kind:
            case "late_receipt":
                return self._days(60, 250)
            case "receipt_after_the_bound":
                return self._days(256, 300)
            case _:
                return self._days(1, 15)

    def _again(self, council: CouncilWriter, ended: date) -> None:
        """A further referral to the programme, after it ended."""
        kind = self._diary.kind
        if kind == "second_programme":
            after = self._days(20, 60)
        elif kind in ("referred_again", "referred_again_in_second_record"):
            after = self._days(90, 200)
        else:
            return
        on = ended + timedelta(days=after)
        ubrn = self._gp.refers(on, "tier2")
        if kind == "referred_again_in_second_record":
            council.opens_second_record()
        council.runs(on + timedelta(days=self._days(1, 15)), "completed", source="gp", ubrn=ubrn)

    def _onward(self, council: CouncilWriter, *, received: bool) -> None:
        on = council.session_days()[4] + timedelta(days=self._days(7, 60))
        council.sends_on(on)
        if received:
            reference = council.reference
            TrustWriter(self._diary).runs(on + timedelta(days=self._days(2, 40)), reference=reference)
        elif self._diary.kind == "onward_returned":
            council.hears_of_onward(on + timedelta(days=12))
