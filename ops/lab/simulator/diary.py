"""One person's entries while their journey is written: records, moments, weights, chances."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from ops.lab.simulator.identities import record_identity
from ops.lab.simulator.measuring import TO_OURS, quantity_fact
from ops.lab.simulator.model import Fact, Form, SimulatedEntry, SimulatedPerson, SourceSlug
from ops.lab.simulator.rates import Rates
from ops.lab.simulator.source_record import Identifiers, SourceRecord

NOT_STATED = "Z"  # ETHNIC CATEGORY CODE 2001 (NHS Data Dictionary)
_BMI_BETWEEN = 28.5  # between the thresholds of 27.5 and 30


class Diary:
    """What one person's sources write, in the order of the journey; `kind` is what is unusual about it."""

    def __init__(
        self,
        rng: Random,
        person: SimulatedPerson,
        kind: str,
        *,
        rates: Rates,
        identifiers: Identifiers,
        household_numbers: Sequence[str],
    ) -> None:
        self.rng = rng
        self.person = person
        self.kind = kind
        self.identifiers = identifiers
        self.entries: list[SimulatedEntry] = []
        self._rates = rates
        self._household_numbers = household_numbers
        metres = person.height_cm / 100
        self._weight_kg = rng.uniform(32, 48) * metres * metres
        self._weekly_loss_kg = self._weight_kg * rng.gauss(0.045, 0.035) / 12
        if kind == "between_bmi_thresholds":
            self._weight_kg = _BMI_BETWEEN * metres * metres

    def record(self, source: SourceSlug, prefix: str, digits: int) -> SourceRecord:
        """A new record of the person at a source."""
        identity = record_identity(
            self.rng, self.person, source, rates=self._rates, household_numbers=self._household_numbers
        )
        if self.kind == "ethnicity_not_stated" and source == "gp-hub":
            identity = replace(identity, ethnic_category=NOT_STATED)
        return SourceRecord(source, self.identifiers.new(prefix, digits), identity)

    def write(self, record: SourceRecord, on: date, form: Form, *facts: Fact) -> None:
        """An entry of `facts`: most are written down on the day, some rows a day or two after."""
        written_on = on + timedelta(days=self.rng.choice((0, 0, 0, 1, 2))) if form == "row" else on
        self.entries.append(
            SimulatedEntry(
                source=record.source,
                local_id=record.local_id,
                person=self.person.key,
                source_version_at=record.moment(self.rng, written_on),
                form=form,
                identity=record.identity,
                facts=facts,
            )
        )

    def weighed(self, on: date, *, key: str, week: float = 0, units: Sequence[str] = ("kg", "lb", "g")) -> Fact:
        """The weight on that day, so many weeks after a start: lost steadily for 12 weeks, then slowly to week 40."""
        lost_weeks = min(week, 12) + 0.3 * max(0, min(week, 40) - 12)
        kilograms = self._weight_kg - self._weekly_loss_kg * lost_weeks + self.rng.gauss(0, 0.4)
        unit = self.rng.choices(units, (90, 8, 2)[: len(units)])[0]
        given = (Decimal(kilograms) / TO_OURS[unit]).quantize(Decimal("1" if unit == "g" else "0.1"))
        return quantity_fact("weight", on, key, given=given, unit=unit)

    def attendance(self) -> str:
        """What became of an appointment."""
        drawn, rates = self.rng.random(), self._rates.journey
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

    def chance(self, name: str) -> bool:
        """Whether that of `rates.journey` happens."""
        return self.rng.random() < self._rates.journey[name]
