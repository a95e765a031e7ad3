"""What a trust's administration system sends about its Tier 3 clinic: referrals, appointments, weights, discharges."""

from dataclasses import replace
from datetime import date, timedelta

from ops.lab.simulator.diary import Diary
from ops.lab.simulator.model import TRUST, Fact
from ops.lab.simulator.source_record import SourceRecord

ACCEPTED_BY_BOOKING = "tier3-accepted-by-booking/1"
PROVIDER_ODS, PROGRAMME = "RXX", "tier3-specialist"
CONSULTANT_LED = True  # as the trust's feed is declared
TREATMENT_BEGINS = "30"  # REFERRAL TO TREATMENT PERIOD STATUS (NHS Data Dictionary)
_DISCHARGES = ("treatment-complete", "treatment-complete", "discharged-to-gp", "did-not-attend", "transferred")


class TrustWriter:
    """The trust's records of one person."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self._record: SourceRecord = diary.record(TRUST, "WM", 7)
        self._first_missed = diary.kind == "first_appointment_missed"

    def runs(self, on: date, *, reference: str) -> None:
        """One episode: referral, three to five appointments, and for most a discharge."""
        rng, kind = self._diary.rng, self._diary.kind
        received = self._receives(on, reference)
        if kind == "referral_taken_back":
            self._mistaken_referral(on + timedelta(days=2))
        if kind == "two_referrals_open":
            self._receives(on + timedelta(days=25), self._diary.identifiers.new("E", 7))
        booked_on = on + timedelta(days=rng.randrange(3, 20))
        seen_on = booked_on + timedelta(days=rng.randrange(14, 60))
        for visit in range(rng.randrange(3, 6)):
            if kind == "contacts_under_second_number" and visit == 1:
                self._record = self._diary.record(TRUST, "WM", 7)
            self._appointment(booked_on, seen_on, visit=visit)
            booked_on, seen_on = seen_on, seen_on + timedelta(days=rng.randrange(35, 63))
        if rng.random() < 0.8:
            discharge = Fact("discharge", seen_on, self._diary.identifiers.new("V", 8), reason=rng.choice(_DISCHARGES))
            self._diary.write(self._record, seen_on, "A03", discharge)
        if kind == "only_referral_taken_back":
            self._diary.write(self._record, seen_on, "I14", replace(received, retracted=True))
        self._learns_of_move(booked_on)

    def _receives(self, on: date, reference: str) -> Fact:
        received = Fact(
            "referral",
            on,
            reference,
            direction="received",
            to_tier="tier3",
            ubrn=reference if reference.isdigit() else None,
            priority="routine",
            programme=PROGRAMME,
            provider_ods=PROVIDER_ODS,
            consultant_led=CONSULTANT_LED,
        )
        self._diary.write(self._record, on, "I12", received)
        return received

    def _mistaken_referral(self, on: date) -> None:
        """Somebody else's referral: booked and missed under its number, then taken back with what names it."""
        mistaken = self._receives(on, self._diary.identifiers.new("E", 7))
        day = on + timedelta(days=9)
        key = self._diary.identifiers.new("A", 8)
        booked = Fact("attendance", day, key, attendance="0", booked_on=on + timedelta(days=1))
        self._book(booked, on + timedelta(days=1), referral=mistaken.key)
        missed = replace(booked, attendance="3", booked_on=None, referral=mistaken.key)
        self._diary.write(self._record, day, "S26", missed)
        self._diary.write(self._record, day + timedelta(days=3), "I14", replace(mistaken, retracted=True))

    def _book(self, booked: Fact, on: date, *, referral: str | None = None) -> None:
        """The booking, which is also read as acceptance: the trust never sends that, so a definition says so."""
        acceptance = Fact("acceptance", on, f"{booked.key}/booked", referral=referral, definition=ACCEPTED_BY_BOOKING)
        self._diary.write(self._record, on, "S12", replace(booked, referral=referral), acceptance)

    def _appointment(self, booked_on: date, on: date, *, visit: int) -> None:
        diary, key = self._diary, self._diary.identifiers.new("A", 8)
        medium: str | None = "telephone" if visit == 0 else "in_person"
        purpose: str | None = "assessment" if visit < 2 else "session"
        if diary.kind != "assessment_first":
            medium = purpose = None
        booked = Fact("attendance", on, key, attendance="0", booked_on=booked_on, medium=medium, purpose=purpose)
        self._book(booked, booked_on)
        later = replace(booked, booked_on=None)  # only the booking itself says when it was made
        if on - booked_on > timedelta(days=7) and diary.chance("moved"):
            later = replace(later, on=on + timedelta(days=diary.rng.randrange(1, 6)))
            diary.write(self._record, on - timedelta(days=5), "S13", later)
        code = self._became(visit)
        if code in ("2", "4"):
            diary.write(self._record, later.on - timedelta(days=2), "S15", replace(later, attendance=code))
        elif code in ("3", "7"):
            diary.write(self._record, later.on, "S26", replace(later, attendance="3"))
        else:
            seen = [replace(later, attendance="5")]
            if diary.kind == "rtt_status" and visit == 1:
                seen.append(Fact("rtt_status", later.on, key, code=TREATMENT_BEGINS))
            diary.write(self._record, later.on, "A04", *seen)
            weight = diary.weighed(later.on, key=diary.identifiers.new("O", 8), week=12 + visit * 6)
            diary.write(self._record, later.on, "R01", weight)

    def _became(self, visit: int) -> str:
        if visit == 0:
            return "3" if self._first_missed else "5"
        return (
            "5" if visit == 1 and (self._first_missed or self._diary.kind == "rtt_status") else self._diary.attendance()
        )

    def _learns_of_move(self, on: date) -> None:
        record, home = self._record, self._diary.person.address
        if record.identity.address.postcode != home.postcode and self._diary.chance("new_address"):
            record.identity = replace(record.identity, address=home, postcode=home.postcode)
            self._diary.write(record, on, "A31")
