"""What a general practice writes down: referrals sent, weights, conditions, medicines, a death."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from ops.lab.simulator.diary import Diary
from ops.lab.simulator.measuring import TO_OURS, quantity_fact
from ops.lab.simulator.model import GP, Fact

SEMAGLUTIDE = "777514008"  # SNOMED CT and dm+d VTM
_CONDITIONS = {"diabetes_type2": 0.30, "hypertension": 0.40}  # of people referred: assumption
_KNOWN = 0.9  # of conditions, the practice says whether or not: assumption


class PracticeWriter:
    """The practice of one person."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self._record = diary.record(GP, "GP", 7)

    def refers(self, on: date, to_tier: str, *, provider_ods: str | None = None) -> str:
        """Sends a referral with body measures and conditions; returns its e-RS number."""
        rng, ubrn = self._diary.rng, self._diary.identifiers.new("", 12)
        referral = Fact(
            kind="referral",
            on=on,
            key=ubrn,
            direction="sent",
            to_tier=to_tier,
            ubrn=ubrn,
            priority="urgent" if rng.random() < 0.1 else "routine",
            provider_ods=provider_ods,
        )
        measured_on = on - timedelta(days=rng.randrange(0, 28))
        body = self._body(measured_on, referral=ubrn)
        self._diary.write(self._record, on, "referral", referral, *body, *self._conditions(on, ubrn))
        return ubrn

    def takes_back(self, on: date, ubrn: str) -> None:
        """Says that a referral never should have been."""
        sent = self._sent(ubrn)
        self._diary.write(self._record, on, "referral", replace(sent, retracted=True))

    def hears(self, on: date, ubrn: str, *, by: str, reason: str | None = None) -> None:
        """The answer to a referral: it came to nothing; by the referrer, the practice itself revoked it."""
        decline = Fact("decline", on, f"{ubrn}/decline", referral=ubrn, by=by, reason=reason)
        self._diary.write(self._record, on, "referral", self._sent(ubrn), decline)

    def _sent(self, ubrn: str) -> Fact:
        return next(fact for entry in self._diary.entries for fact in entry.facts if fact.key == ubrn)

    def weighs(self, on: date, *, weeks: float = 0) -> None:
        """Sends a weight alone, taken so many weeks after a programme began."""
        key = self._diary.identifiers.new("OBS", 9)
        self._diary.write(self._record, on, "weights", self._diary.weighed(on, key=key, week=weeks))

    def prescribes(self, on: date, *, stopped_on: date | None = None) -> None:
        """Starts a medicine for weight, and stops it: both under the number of the prescription."""
        number = self._diary.identifiers.new("MED", 9)
        medicine = Fact(
            "medicine",
            on,
            f"{number}/started",
            referral=number,
            action="started",
            code=SEMAGLUTIDE,
            indication="weight_management",
            setting="primary_care",
            dose_mg=Decimal("0.25"),
        )
        self._diary.write(self._record, on, "patient", medicine)
        if stopped_on is not None:
            stop = Fact("medicine", stopped_on, f"{number}/stopped", number, action="stopped", code=SEMAGLUTIDE)
            self._diary.write(self._record, stopped_on, "patient", stop)

    def reports_death(self, on: date) -> None:
        """The person died on that day; nobody writes anything about them after it."""
        diary = self._diary
        diary.entries[:] = [entry for entry in diary.entries if entry.source_version_at.date() < on]
        diary.write(self._record, on, "patient", Fact("death", on, "death"))

    def _body(self, on: date, *, referral: str) -> Sequence[Fact]:
        new = self._diary.identifiers.new
        weight = replace(self._diary.weighed(on, key=new("OBS", 9)), referral=referral)
        assert weight.value is not None
        height = Decimal(self._diary.person.height_cm)
        bmi = (weight.value * 10000 / height / height).quantize(Decimal("0.1"), ROUND_HALF_UP)
        keys = (new("OBS", 9), new("OBS", 9))
        # UK Core's own example gives height in metres; GP systems write centimetres
        unit = "m" if self._diary.rng.random() < 0.2 else "cm"
        return (
            weight,
            quantity_fact("height", on, keys[0], given=height / TO_OURS[unit], unit=unit, referral=referral),
            quantity_fact("bmi", on, keys[1], given=bmi, unit="kg/m2", referral=referral),
        )

    def _conditions(self, on: date, ubrn: str) -> Sequence[Fact]:
        """Present or ruled out, as the practice knows; the same whenever it is asked."""
        chance = Random(f"{self._diary.person.key}/{self._diary.person.nhs_number}/conditions")
        found = []
        for condition, share in _CONDITIONS.items():
            present, known = chance.random() < share, chance.random() < _KNOWN
            present = present or (condition == "hypertension" and self._diary.kind == "between_bmi_thresholds")
            if known or present:
                key = f"{ubrn}/{condition}"
                found.append(Fact("comorbidity", on, key, referral=ubrn, code=condition, present=present))
        return found
