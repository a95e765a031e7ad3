"""What a council's programme team writes down: rows of a Tier 2 programme, all under the referral received last."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from ops.lab.simulator.diary import Diary
from ops.lab.simulator.measuring import quantity_fact
from ops.lab.simulator.model import COUNCIL, Fact
from ops.lab.simulator.source_record import SourceRecord

COMPLETION = "attended-8-of-12/1"  # the council's own rule
COMMON_COMPLETION = "dwmp-attended-60pct/1"
PROVIDER_ODS, PROGRAMME = "E10000", "tier2-group-12w"
_SESSION_WEEKS = (0, 1, 2, 4, 6, 8, 10, 12)
_UNUSUAL_WEEKS = {  # the session at which it happens
    "pounds_as_kilograms": 8,
    "weight_out_of_range": 8,
    "height_shrinks": 4,
    "self_reported_beside_measured": 12,
}
_POUNDS = Decimal("2.2046226")  # in a kilogram
_SHRUNK_CM = 14
_LAST_SESSION_WEEK = 15
_EQ_VAS = {0: 55, 12: 70}  # of 100, by week
_DECLINES = (
    ("service", "unable-to-contact"),
    ("service", "not-eligible"),
    ("person", "declined-by-person"),
)
_WITHDRAWALS = ("work", "health", "did-not-attend", "moved-away")
_DISCHARGES = ("completed", "completed", "completed", "referred-on")


class CouncilWriter:
    """The council's record of one person, and what it knows of the referral received last."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self._record: SourceRecord = diary.record(COUNCIL, "C", 6)
        self._received = Fact("referral", date.min, "")

    @property
    def reference(self) -> str:
        """The council's number of the referral received last."""
        return self._received.key

    def opens_second_record(self) -> None:
        """What comes from now on stands under another client number."""
        self._record = self._diary.record(COUNCIL, "C", 6)

    def runs(self, on: date, outcome: str, *, source: str, ubrn: str | None = None) -> date:
        """One episode from receipt on; returns the day it ended, or that of the last thing known.

        `ubrn` is the e-RS number it was sent under, which some referrals still have when the council keys them.
        """
        rng, kind = self._diary.rng, self._diary.kind
        self._receives(on, source, ubrn if self._diary.chance("booking_number_known") else None)
        if kind == "triaged":
            self._writes(on, self._fact("triage", on, level="2"))
        if outcome == "declined":
            return self._declines(on + timedelta(days=rng.randrange(5, 30)))
        if kind == "declined_then_accepted":
            on = self._declines(on + timedelta(days=5))
        accepted_on = on + timedelta(days=rng.randrange(2, 15))
        self._writes(accepted_on, self._fact("acceptance", accepted_on))
        if outcome == "no_start":
            return self._never_starts(accepted_on)
        return self._programme(accepted_on + timedelta(days=rng.randrange(4, 35)), outcome)

    def sends_on(self, on: date) -> None:
        """A referral onward to the trust's Tier 3 service."""
        onward = Fact("referral", on, f"{self.reference}/onward", direction="sent", to_tier="tier3", provider_ods="RXX")
        self._writes(on, onward)

    def session_days(self) -> list[date]:
        """The days of the appointments so far."""
        return [fact.on for entry in self._diary.entries for fact in entry.facts if fact.kind == "attendance"]

    def hears_of_onward(self, on: date) -> None:
        """The trust returned the referral onward with advice."""
        under = f"{self.reference}/onward"
        answer = Fact("decline", on, under, under, reason="returned-with-advice")
        self._diary.write(self._record, on, "row", self._received, answer)

    def _receives(self, on: date, source: str, ubrn: str | None) -> None:
        self._received = Fact(
            kind="referral",
            on=on,
            key=self._diary.identifiers.new("R", 6),
            direction="received",
            to_tier="tier2",
            referral_source=source,
            programme=PROGRAMME,
            provider_ods=PROVIDER_ODS,
            ubrn=ubrn,
        )
        if self._diary.kind == "receipt_corrected":  # the first row has another day than every later one
            right = self._received
            self._received = replace(right, on=on - timedelta(days=4))
            self._writes(on)
            self._received = right
        else:
            self._writes(on)

    def _declines(self, on: date) -> date:
        by, reason = self._diary.rng.choice(_DECLINES)
        self._writes(on, self._fact("decline", on, by=by, reason=reason))
        return on

    def _never_starts(self, accepted_on: date) -> date:
        ended_on = accepted_on + timedelta(days=self._diary.rng.randrange(14, 60))
        if self._diary.kind == "withdrew_before_start":
            self._writes(ended_on, self._fact("withdrawal", ended_on, reason="work"))
        elif self._diary.kind == "discharged_before_start":
            self._writes(ended_on, self._fact("discharge", ended_on, reason="did-not-attend"))
        else:
            return accepted_on
        return ended_on

    def _programme(self, started_on: date, outcome: str) -> date:
        rng, kind = self._diary.rng, self._diary.kind
        if kind == "telephone_before_session":
            self._talks_before(started_on - timedelta(days=3))
        self._writes(started_on, self._fact("start", started_on))
        weeks: Sequence[int] = _SESSION_WEEKS
        if kind == "pregnancy":
            return self._suspended(started_on)
        if outcome != "completed":
            weeks = _SESSION_WEEKS[: rng.randrange(2, 6)]
        elif kind == "session_in_week_15":
            weeks = (*_SESSION_WEEKS, 15)
        for week in weeks:
            self._session(started_on, week)
        last = started_on + timedelta(weeks=weeks[-1])
        if outcome == "withdrawn":
            ended_on = last + timedelta(days=rng.randrange(7, 28))
            self._writes(ended_on, self._fact("withdrawal", ended_on, reason=rng.choice(_WITHDRAWALS)))
            return ended_on
        if kind == "completion_not_reported":
            return last
        completed_on = last + timedelta(days=rng.randrange(0, 4))
        self._writes(completed_on, self._fact("completion", completed_on, definition=COMPLETION))
        if kind == "two_completions":
            both = Fact("completion", completed_on, f"{self.reference}/60pct", definition=COMMON_COMPLETION)
            self._writes(completed_on, both)
        for week, name in ((26, "follow_up_26"), (52, "follow_up_52")):
            if self._diary.chance(name):
                self._session(started_on + timedelta(days=rng.randrange(-14, 15)), week)
        discharged_on = completed_on + timedelta(days=rng.randrange(1, 15))
        if kind == "left_after_completion":
            self._writes(discharged_on, self._fact("withdrawal", discharged_on, reason="work"))
        else:
            reason = rng.choice(_DISCHARGES)
            self._writes(discharged_on, self._fact("discharge", discharged_on, reason=reason))
        return discharged_on

    def _suspended(self, started_on: date) -> date:
        """Four sessions, then the programme stands still."""
        for week in _SESSION_WEEKS[:4]:
            self._session(started_on, week)
        on = started_on + timedelta(weeks=7)
        self._writes(on, Fact("suspension", on, self.reference, reason="pregnancy", ends_on=on + timedelta(days=300)))
        return on

    def _session(self, started_on: date, week: int) -> None:
        on, kind = started_on + timedelta(weeks=week), self._diary.kind
        key = self._diary.identifiers.new("S", 7)
        code = "5" if week in (0, 15, 26, 52) else self._diary.attendance()
        if kind == "first_session_missed" and week < 2:
            code = "5" if week else "3"
        if week == _UNUSUAL_WEEKS.get(kind):
            code = "5"
        facts = [self._appointment(on, key, code, purpose="session" if week <= _LAST_SESSION_WEEK else "follow_up")]
        if week == 0 or (kind == "height_shrinks" and week == _UNUSUAL_WEEKS[kind]):
            shrunk = _SHRUNK_CM if week else 0
            facts.append(
                quantity_fact("height", on, key, given=Decimal(self._diary.person.height_cm - shrunk), unit="cm")
            )
        is_weighed = week in (0, 12, _UNUSUAL_WEEKS.get(kind)) or self._diary.chance("weight_taken")
        if code in ("5", "6") and is_weighed:
            weight = self._weight(on, key, week)
            if weight is not None:
                facts.append(weight)
        if kind == "scores" and week in _EQ_VAS:
            facts.insert(1, Fact("score", on, key, code="eq-vas", value=Decimal(_EQ_VAS[week])))
            facts.insert(1, Fact("experience", on, key, code="1" if week else "2"))
        self._writes(on, *facts)
        if week == 12 and kind == "self_reported_beside_measured":
            later = on + timedelta(days=18)
            self._writes(later, replace(self._weighs(later, f"{key}-2", week), method="self_reported"))

    def _appointment(self, on: date, key: str, code: str, *, purpose: str) -> Fact:
        """In person and in a group, but for the few that the number of the session makes video or online."""
        medium = {"0": "video", "1": "online"}.get(key[-1], "in_person")
        return Fact("attendance", on, key, attendance=code, group=medium == "in_person", medium=medium, purpose=purpose)

    def _talks_before(self, on: date) -> None:
        """An assessment by telephone: a contact and no session."""
        key = self._diary.identifiers.new("S", 7)
        call = Fact("attendance", on, key, attendance="5", group=False, medium="telephone", purpose="assessment")
        self._writes(on, call)

    def _weight(self, on: date, key: str, week: int) -> Fact | None:
        """The weight of a session, None where none was taken."""
        kind = self._diary.kind
        if kind == "first_weight_late" and week <= 2:
            return None
        weight = self._weighs(on, key, week)
        change = _WRONGLY_WRITTEN.get(kind)
        if change is not None and week == _UNUSUAL_WEEKS[kind]:
            return change(weight)
        is_usual = kind != "self_reported_beside_measured"
        self_reported = is_usual and (self._diary.chance("self_reported") or week == 52)
        return replace(weight, method="self_reported" if self_reported else "measured")

    def _weighs(self, on: date, key: str, week: int) -> Fact:
        return self._diary.weighed(on, key=key, week=week, units=("kg", "lb"))

    def _fact(self, kind: str, on: date, **fields: str) -> Fact:
        return Fact(kind, on, self.reference, **fields)  # type: ignore[arg-type]

    def _writes(self, on: date, *facts: Fact) -> None:
        """A row about `facts` under the referral received last, which every row repeats."""
        under = (replace(fact, referral=self.reference) for fact in facts)
        self._diary.write(self._record, on, "row", self._received, *under)


def _rewritten(weight: Fact, given: Decimal) -> Fact:
    """`given` as if it were kilograms."""
    return quantity_fact("weight", weight.on, weight.key.split("/")[0], given=given, unit="kg")


def _in_pounds(weight: Fact) -> Fact:
    assert weight.value is not None
    return _rewritten(weight, (weight.value * _POUNDS).quantize(Decimal("0.1")))


def _without_a_digit(weight: Fact) -> Fact:
    """A tenth and less: what is left when the first digit was not keyed."""
    assert weight.value is not None
    return _rewritten(weight, (weight.value % 20 + 4).quantize(Decimal("0.1")))


_WRONGLY_WRITTEN: Mapping[str, Callable[[Fact], Fact]] = {
    "pounds_as_kilograms": _in_pounds,
    "weight_out_of_range": _without_a_digit,
}
