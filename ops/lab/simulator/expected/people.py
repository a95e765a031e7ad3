"""What is known of the person beside the episodes: who they are, conditions, medicines, death."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from ops.lab.simulator.expected.definitions import ETHNIC_GROUP
from ops.lab.simulator.model import Fact
from ops.lab.simulator.truth import PersonTruth, RecordTruth

Pathway = dict[str, object]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class MedicineTruth:
    """One medicine at one service, from its start to its stop."""

    tier: str
    code: str
    started_on: date | None
    stopped_on: date | None
    started: Fact | None

    @property
    def is_for_another(self) -> bool:
        """True where it was prescribed for something else than weight."""
        return self.started is not None and self.started.indication not in (None, "weight_management")

    def shown(self) -> Pathway:
        """As a snapshot has it."""
        fact = self.started
        return {
            "dmd_code": self.code,
            "indication": fact.indication if fact else None,
            "setting": fact.setting if fact else None,
            "dose_mg": float(fact.dose_mg) if fact and fact.dose_mg is not None else None,
            "tier": self.tier,
            "started_on": self.started_on.isoformat() if self.started_on else None,
            "stopped_on": self.stopped_on.isoformat() if self.stopped_on else None,
        }


def medicines_of(facts: Iterable[Fact], tier: str) -> list[MedicineTruth]:
    """Each medicine by its code: its first start and its last stop."""
    by_code: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.kind == "medicine":
            by_code.setdefault(fact.code or "", []).append(fact)
    found = []
    for code, of_code in sorted(by_code.items()):
        starts = sorted((fact for fact in of_code if fact.action == "started"), key=lambda fact: fact.on)
        stops = [fact.on for fact in of_code if fact.action == "stopped"]
        first = starts[0] if starts else None
        found.append(MedicineTruth(tier, code, first.on if first else None, max(stops, default=None), first))
    return found


def all_medicines(person: PersonTruth) -> list[MedicineTruth]:
    """Those of every tier, in order of start."""
    tiers: dict[str, list[Fact]] = {}
    for record in person.records:
        tiers.setdefault(record.tier, []).extend(record.facts)
    found = [medicine for tier, facts in tiers.items() for medicine in medicines_of(facts, tier)]
    return sorted(found, key=lambda medicine: (medicine.started_on or date.min, medicine.code))


def died_on(person: PersonTruth) -> date | None:
    """The earliest day of death that a source told."""
    deaths = (fact.on for record in person.records for fact in record.facts if fact.kind == "death")
    return min(deaths, default=None)


def conditions_of(person: PersonTruth, until: date | None = None) -> dict[str, bool]:
    """Present or ruled out, as last reported up to `until`; what nobody reported is not in it."""
    reported = sorted(
        (
            fact
            for record in person.records
            for fact in record.facts
            if fact.kind == "comorbidity" and (until is None or fact.on <= until)
        ),
        key=lambda fact: fact.on,
    )
    return {fact.code or "": bool(fact.present) for fact in reported}


def demographics_of(person: PersonTruth) -> Pathway:
    """Known beats unknown, then the record that reported last; only practices send deprivation."""
    records = sorted(person.records, key=lambda record: record.reported_at, reverse=True)
    practice = next((record for record in records if record.tier == "primary_care"), None)
    category = _known(records, lambda record: record.identity.ethnic_category, but=("Z", "99"))
    shown: Pathway = {
        "sex": _known(records, lambda record: record.identity.sex, but=("unknown",)),
        "birth_year": _known(records, lambda record: _year(record.identity.birth_date)),
        "ethnic_group": ETHNIC_GROUP.get(category or ""),
        "practice_ods": _known(records, lambda record: record.identity.practice_ods),
        "council": next((record.council for record in records if record.council), None),
        "imd_quintile": practice.identity.address.imd_quintile if practice else None,
        "imd_version": "2025" if practice else None,
        "lsoa_version": "2021" if practice else None,
    }
    return shown | ({"ethnic_category": category, "ethnic_system": "2001"} if category else {})


def _year(day: date | None) -> int | None:
    return day.year if day else None


def _known(records: Sequence[RecordTruth], value: Callable[[RecordTruth], T | None], but: Sequence[T] = ()) -> T | None:
    return next((found for record in records if (found := value(record)) is not None and found not in but), None)
