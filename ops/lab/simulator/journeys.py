"""Whose path leads where: each person's route over the tiers, and every entry its sources would send, in true order.

Nothing is missing, wrong or late here; `noise` does that. Dates run from January 2024 to `AS_OF`; later entries are
left out. Version times fall in office hours, so a day is the same day in UTC and on a British clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from ops.lab.simulator.identities import record_identity
from ops.lab.simulator.measuring import TO_OURS, quantity_fact
from ops.lab.simulator.model import (
    COUNCIL,
    GP,
    TRUST,
    Fact,
    Form,
    SimulatedEntry,
    SimulatedPerson,
    SourceSlug,
)
from ops.lab.simulator.rates import Rates
from ops.lab.simulator.source_record import Identifiers, SourceRecord

AS_OF = date(2026, 6, 30)
_FIRST_REFERRAL = date(2024, 1, 15)
_LAST_REFERRAL = date(2026, 6, 20)
# Whoever is to reach Tier 3 must have time for it: 13 weeks at Tier 2, 6 of waiting, 6 months of
# appointments.
_LAST_LONG_REFERRAL = date(2025, 6, 30)

_SESSION_WEEKS = (0, 1, 2, 4, 6, 8, 10, 12)
COMPLETION = "attended-8-of-12/1"  # the council's own rule
ACCEPTED_BY_BOOKING = "tier3-accepted-by-booking/1"


def journeys(rng: Random, people: Sequence[SimulatedPerson], rates: Rates) -> tuple[SimulatedEntry, ...]:
    """Every entry about every person, each fact of a source once, without message ids."""
    households: dict[str, list[SimulatedPerson]] = {}
    for person in people:
        households.setdefault(person.household, []).append(person)
    routes = _quota(rng, rates.routes, len(people))
    to_tier2_only = sum(route in ("gp_to_tier2", "self_to_tier2") for route in routes)
    outcomes = iter(_quota(rng, rates.tier2_outcome, to_tier2_only))
    identifiers = Identifiers(rng)
    entries: list[SimulatedEntry] = []
    for person, route in zip(people, routes, strict=True):
        others = [other.nhs_number for other in households[person.household] if other is not person]
        journey = _Journey(rng, person, rates=rates, identifiers=identifiers, household_numbers=others)
        outcome = next(outcomes) if route in ("gp_to_tier2", "self_to_tier2") else "completed"
        entries.extend(journey.entries(route, outcome))
    return tuple(entries)


def _quota(rng: Random, shares: Mapping[str, float], count: int) -> list[str]:
    """`count` names, each as near to its share as whole people allow, in random order."""
    names, edge = list(shares), 0.0
    dealt: list[str] = []
    for name in names:
        edge += shares[name] * count
        dealt.extend([name] * (round(edge) - len(dealt)))
    rng.shuffle(dealt)
    return dealt


class _Journey:
    """One person's way through the services, written down as each source would send it."""

    def __init__(
        self,
        rng: Random,
        person: SimulatedPerson,
        *,
        rates: Rates,
        identifiers: Identifiers,
        household_numbers: Sequence[str],
    ) -> None:
        self._rng = rng
        self._person = person
        self._rates = rates
        self._identifiers = identifiers
        self._household_numbers = household_numbers
        self._entries: list[SimulatedEntry] = []
        metres = person.height_cm / 100
        self._weight_kg = rng.uniform(32, 48) * metres * metres
        self._weekly_loss_kg = self._weight_kg * rng.gauss(0.045, 0.035) / 12

    def entries(self, route: str, outcome: str) -> Sequence[SimulatedEntry]:
        """Every entry about this person up to `AS_OF`."""
        gp = self._record(GP, "GP", 7)
        last = _LAST_LONG_REFERRAL if "tier3" in route else _LAST_REFERRAL
        on = _FIRST_REFERRAL + timedelta(days=self._rng.randrange((last - _FIRST_REFERRAL).days))
        self._along(route, outcome, gp, on)
        if self._chance("later_weight"):
            self._practice_weight(gp, on + timedelta(days=self._rng.randrange(60, 400)))
        return [entry for entry in self._entries if entry.source_version_at.date() <= AS_OF]

    def _along(self, route: str, outcome: str, gp: SourceRecord, on: date) -> None:
        if route == "self_to_tier2":
            self._practice_weight(gp, on - timedelta(days=self._rng.randrange(5, 60)))
            self._tier2(self._record(COUNCIL, "C", 6), on, outcome, source="self")
            return
        to_tier = "tier3" if route.startswith("gp_to_tier3") else "tier2"
        ubrn = self._referral_sent(gp, on, to_tier)
        if route == "gp_to_tier3":
            self._tier3(on + timedelta(days=self._rng.randrange(3, 30)), reference=ubrn)
        if route in ("gp_to_tier2_lost", "gp_to_tier3_lost", "gp_to_tier3"):
            return
        council = self._record(COUNCIL, "C", 6)
        ended = self._tier2(council, on + timedelta(days=self._rng.randrange(1, 15)), outcome, source="gp")
        if outcome == "withdrawn" and self._chance("referred_again"):
            self._referred_again(gp, council, ended + timedelta(days=self._rng.randrange(90, 200)))
        if "tier3" in route:
            self._onward(council, received=route == "gp_to_tier2_to_tier3")

    # primary care

    def _referral_sent(self, gp: SourceRecord, on: date, to_tier: str) -> str:
        ubrn = self._identifiers.new("", 12)
        referral = Fact(
            kind="referral",
            on=on,
            key=ubrn,
            direction="sent",
            to_tier=to_tier,
            ubrn=ubrn,
            priority="urgent" if self._rng.random() < 0.1 else "routine",
        )
        measured_on = on - timedelta(days=self._rng.randrange(0, 28))
        body = self._body(measured_on, referral=ubrn)
        self._write(gp, on, "referral", referral, *body)
        return ubrn

    def _practice_weight(self, gp: SourceRecord, on: date) -> None:
        self._write(gp, on, "weights", self._weighed(on, key=self._identifiers.new("OBS", 9)))

    def _body(self, on: date, *, referral: str) -> Sequence[Fact]:
        weight = replace(self._weighed(on, key=self._identifiers.new("OBS", 9)), referral=referral)
        assert weight.value is not None
        height = Decimal(self._person.height_cm)
        bmi = (weight.value * 10000 / height / height).quantize(Decimal("0.1"), ROUND_HALF_UP)
        keys = (self._identifiers.new("OBS", 9), self._identifiers.new("OBS", 9))
        # UK Core's own example gives height in metres; GP systems write centimetres
        unit = "m" if self._rng.random() < 0.2 else "cm"
        return (
            weight,
            quantity_fact("height", on, keys[0], given=height / TO_OURS[unit], unit=unit, referral=referral),
            quantity_fact("bmi", on, keys[1], given=bmi, unit="kg/m2", referral=referral),
        )

    # Tier 2

    def _tier2(self, council: SourceRecord, on: date, outcome: str, *, source: str) -> date:
        """One Tier 2 episode; returns the day it ended, or the day of the last thing known."""
        rng, reference = self._rng, self._identifiers.new("R", 6)
        self._received = Fact(
            kind="referral",
            on=on,
            key=reference,
            direction="received",
            to_tier="tier2",
            referral_source=source,
        )
        self._write_row(council, on)
        if outcome == "declined":
            declined_on = on + timedelta(days=rng.randrange(5, 30))
            by, reason = rng.choice(
                (
                    ("service", "unable-to-contact"),
                    ("service", "not-eligible"),
                    ("person", "declined-by-person"),
                )
            )
            self._write_row(council, declined_on, Fact("decline", declined_on, reference, by=by, reason=reason))
            return declined_on
        accepted_on = on + timedelta(days=rng.randrange(2, 15))
        self._write_row(council, accepted_on, Fact("acceptance", accepted_on, reference))
        if outcome == "no_start":
            return accepted_on
        return self._programme(council, accepted_on + timedelta(days=rng.randrange(4, 35)), reference, outcome)

    def _programme(self, council: SourceRecord, started_on: date, reference: str, outcome: str) -> date:
        rng = self._rng
        self._write_row(council, started_on, Fact("start", started_on, reference))
        weeks = _SESSION_WEEKS if outcome == "completed" else _SESSION_WEEKS[: rng.randrange(2, 6)]
        for week in weeks:
            self._session(council, started_on, week)
        last = started_on + timedelta(weeks=weeks[-1])
        if outcome == "withdrawn":
            ended_on = last + timedelta(days=rng.randrange(7, 28))
            reason = rng.choice(("work", "health", "did-not-attend", "moved-away"))
            self._write_row(council, ended_on, Fact("withdrawal", ended_on, reference, reason=reason))
            return ended_on
        completed_on = last + timedelta(days=rng.randrange(0, 4))
        completion = Fact("completion", completed_on, reference, definition=COMPLETION)
        self._write_row(council, completed_on, completion)
        for week, name in ((26, "follow_up_26"), (52, "follow_up_52")):
            if self._chance(name):
                self._session(council, started_on + timedelta(days=rng.randrange(-14, 15)), week)
        discharged_on = completed_on + timedelta(days=rng.randrange(1, 15))
        self._write_row(council, discharged_on, Fact("discharge", discharged_on, reference, reason="completed"))
        return discharged_on

    def _session(self, council: SourceRecord, started_on: date, week: int) -> None:
        on = started_on + timedelta(weeks=week)
        key = self._identifiers.new("S", 7)
        code = "5" if week in (0, 26, 52) else self._attendance()
        facts = [Fact("attendance", on, key, attendance=code, group=True)]
        if week == 0:
            facts.append(quantity_fact("height", on, key, given=Decimal(self._person.height_cm), unit="cm"))
        if code in ("5", "6") and (week == 0 or self._chance("weight_taken")):
            self_reported = self._chance("self_reported") or week == 52
            weight = self._weighed(on, key=key, week=week, units=("kg", "lb"))
            facts.append(replace(weight, method="self_reported" if self_reported else "measured"))
        self._write_row(council, on, *facts)

    def _referred_again(self, gp: SourceRecord, council: SourceRecord, on: date) -> None:
        self._referral_sent(gp, on, "tier2")
        if self._chance("second_record"):
            council = self._record(COUNCIL, "C", 6)
        self._tier2(council, on + timedelta(days=self._rng.randrange(1, 15)), "completed", source="gp")

    def _onward(self, council: SourceRecord, *, received: bool) -> None:
        sessions = [fact.on for entry in self._entries for fact in entry.facts if fact.kind == "attendance"]
        reference = self._received.key
        on = sessions[4] + timedelta(days=self._rng.randrange(7, 60))
        onward = Fact("referral", on, f"{reference}/onward", direction="sent", to_tier="tier3")
        self._write_row(council, on, onward)
        if received:
            self._tier3(on + timedelta(days=self._rng.randrange(2, 40)), reference=reference)

    # Tier 3

    def _tier3(self, on: date, *, reference: str) -> None:
        rng = self._rng
        trust = self._record(TRUST, "WM", 7)
        ubrn = reference if reference.isdigit() else None
        self._write(
            trust,
            on,
            "I12",
            Fact(
                "referral",
                on,
                reference,
                direction="received",
                to_tier="tier3",
                ubrn=ubrn,
                priority="routine",
            ),
        )
        booked_on = on + timedelta(days=rng.randrange(3, 20))
        seen_on = booked_on + timedelta(days=rng.randrange(14, 60))
        for visit in range(rng.randrange(3, 6)):
            self._appointment(trust, booked_on, seen_on, visit=visit)
            booked_on, seen_on = seen_on, seen_on + timedelta(days=rng.randrange(35, 63))
        if rng.random() < 0.8:
            discharge = Fact("discharge", seen_on, self._identifiers.new("V", 8), reason="treatment-complete")
            self._write(trust, seen_on, "A03", discharge)
        self._learns_of_move(trust, booked_on)

    def _appointment(self, trust: SourceRecord, booked_on: date, on: date, *, visit: int) -> None:
        rng, key = self._rng, self._identifiers.new("A", 8)
        booked = Fact("attendance", on, key, attendance="0", booked_on=booked_on)
        # the trust never sends "accepted": its first booking is read as that, under a separate definition
        acceptance = Fact("acceptance", booked_on, f"{key}/booked", definition=ACCEPTED_BY_BOOKING)
        self._write(trust, booked_on, "S12", booked, acceptance)
        later = replace(booked, booked_on=None)  # only the booking itself says when it was made
        if on - booked_on > timedelta(days=7) and self._chance("moved"):
            later = replace(later, on=on + timedelta(days=rng.randrange(1, 6)))
            self._write(trust, on - timedelta(days=5), "S13", later)
        code = "5" if visit == 0 else self._attendance()
        if code in ("2", "4"):
            self._write(trust, later.on - timedelta(days=2), "S15", replace(later, attendance=code))
        elif code in ("3", "7"):
            self._write(trust, later.on, "S26", replace(later, attendance="3"))
        else:
            self._write(trust, later.on, "A04", replace(later, attendance="5"))
            weight = self._weighed(later.on, key=self._identifiers.new("O", 8), week=12 + visit * 6)
            self._write(trust, later.on, "R01", weight)

    def _learns_of_move(self, trust: SourceRecord, on: date) -> None:
        if trust.identity.address.postcode != self._person.address.postcode and self._chance("new_address"):
            home = self._person.address
            trust.identity = replace(trust.identity, address=home, postcode=home.postcode)
            self._write(trust, on, "A31")

    # what all share

    def _record(self, source: SourceSlug, prefix: str, digits: int) -> SourceRecord:
        identity = record_identity(
            self._rng, self._person, source, rates=self._rates, household_numbers=self._household_numbers
        )
        return SourceRecord(source, self._identifiers.new(prefix, digits), identity)

    def _write(self, record: SourceRecord, on: date, form: Form, *facts: Fact) -> None:
        # the source writes most things down on the day, some a day or two after
        written_on = on + timedelta(days=self._rng.choice((0, 0, 0, 1, 2))) if form == "row" else on
        self._entries.append(
            SimulatedEntry(
                source=record.source,
                local_id=record.local_id,
                person=self._person.key,
                source_version_at=record.moment(self._rng, written_on),
                form=form,
                identity=record.identity,
                facts=facts,
            )
        )

    def _write_row(self, council: SourceRecord, on: date, *facts: Fact) -> None:
        """A row about `facts` under the referral received last, which every row repeats."""
        under = (replace(fact, referral=self._received.key) for fact in facts)
        self._write(council, on, "row", self._received, *under)

    def _weighed(self, on: date, *, key: str, week: int = 0, units: Sequence[str] = ("kg", "lb", "g")) -> Fact:
        kilograms = self._weight_kg - self._weekly_loss_kg * min(week, 40) + self._rng.gauss(0, 0.4)
        unit = self._rng.choices(units, (90, 8, 2)[: len(units)])[0]
        given = (Decimal(kilograms) / TO_OURS[unit]).quantize(Decimal("1" if unit == "g" else "0.1"))
        return quantity_fact("weight", on, key, given=given, unit=unit)

    def _attendance(self) -> str:
        drawn, rates = self._rng.random(), self._rates.journey
        for code, name in (
            ("6", "late_but_seen"),
            ("7", "late_not_seen"),
            ("3", "did_not_attend"),
            ("2", "cancelled_by_person"),
            ("4", "cancelled_by_provider"),
        ):
            drawn -= rates[name]
            if drawn < 0:
                return code
        return "5"

    def _chance(self, name: str) -> bool:
        return self._rng.random() < self._rates.journey[name]
