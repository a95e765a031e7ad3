"""People for the tests of what the simulator expects: records with facts, days counted from the first of 2025."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ops.lab.simulator.expected import Pathway, expected_pathway
from ops.lab.simulator.model import (
    COUNCIL,
    GP,
    TIER_OF,
    TRUST,
    Fact,
    SimulatedAddress,
    SimulatedIdentity,
    SourceSlug,
)
from ops.lab.simulator.truth import PersonTruth, RecordTruth

DAY_0 = date(2025, 1, 1)
IDENTITY = SimulatedIdentity(
    nhs_number=None,
    surname="Example",
    forename="Pat",
    birth_date=date(1970, 5, 17),
    sex="female",
    ethnic_category="A",
    address=SimulatedAddress("1 High Street", "Southend-on-Sea", "SS1 1AA", "E01021001", 2),
    postcode="SS1 1AA",
    practice_ods="F81101",
)
_SOURCES: dict[str, SourceSlug] = {
    "gp": GP, "council": COUNCIL, "council_2": COUNCIL, "trust": TRUST, "trust_2": TRUST,
}  # fmt: skip


def day(number: int) -> date:
    """That many days after the first."""
    return DAY_0 + timedelta(days=number)


def text(number: int) -> str:
    """The same as a snapshot has it."""
    return day(number).isoformat()


def sent(on: int, to_tier: str = "tier2", *, key: str = "100000000001", **fields: Any) -> Fact:
    return Fact("referral", day(on), key, direction="sent", to_tier=to_tier, **fields)


def received(on: int, to_tier: str = "tier2", *, key: str = "R1", **fields: Any) -> Fact:
    return Fact("referral", day(on), key, direction="received", to_tier=to_tier, **fields)


def weight(on: int, kg: str, method: str = "measured", **fields: Any) -> Fact:
    value = Decimal(kg)
    return Fact("measurement", day(on), f"W{on}/{kg}", quantity="weight", value=value, method=method, **fields)  # type: ignore[arg-type]


def height(on: int, cm: str) -> Fact:
    return Fact("measurement", day(on), f"H{on}/{cm}", quantity="height", value=Decimal(cm))


def attended(on: int, code: str = "5", **fields: Any) -> Fact:
    return Fact("attendance", day(on), f"A{on}/{code}", attendance=code, **fields)


def fact(kind: str, on: int, **fields: Any) -> Fact:
    """Any other fact."""
    return Fact(kind, day(on), f"{kind}{on}", **fields)  # type: ignore[arg-type]


def person(**facts_of: list[Fact]) -> PersonTruth:
    """A person with one record at each source named (gp, council, trust, council_2, trust_2)."""
    records = tuple(
        RecordTruth(_SOURCES[name], name, TIER_OF[_SOURCES[name]], IDENTITY, tuple(facts))
        for name, facts in facts_of.items()
    )
    return PersonTruth("P1", "female", 1970, "A", 2, records)


def with_identity(truth: PersonTruth, place: int, *, hour: int = 9, **fields: Any) -> PersonTruth:
    """The person, whose record at `place` says that of who they are, at that hour of the first day."""
    record = truth.records[place]
    changed = replace(
        record,
        identity=replace(record.identity, **fields),
        reported_at=datetime.combine(DAY_0, datetime.min.time(), UTC).replace(hour=hour),
    )
    return replace(truth, records=(*truth.records[:place], changed, *truth.records[place + 1 :]))


def pathway(*, as_of: int = 500, **facts_of: list[Fact]) -> Pathway:
    """What is expected of that person on that day."""
    return expected_pathway(person(**facts_of), as_of=day(as_of))


def episodes(**facts_of: list[Fact]) -> list[dict[str, Any]]:
    """The expected episodes."""
    found = pathway(**facts_of)["episodes"]
    assert isinstance(found, list)
    return found


def episode(**facts_of: list[Fact]) -> dict[str, Any]:
    """The expected episode, of which there is one."""
    (found,) = episodes(**facts_of)
    return found
