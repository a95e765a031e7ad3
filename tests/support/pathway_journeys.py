"""Journeys as tables: `day | from | event` becomes a set of facts, and its pathway.

Day 0 is 5 January 2026. `from` names a record: its first word is the tier (`gp`, `tier2`, `tier3`, `tier4`),
so that `tier2` and `tier2 b` are two services of one tier. An event may end in, in this order, `as <name>` (a
name for its fact: told again under that name it is a correction), `told day N` (when the source said so; else
the same day), `under <name>` (the referral it is about), `retracted`.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field, TypeAdapter

from ops.lab.known_keys import known_keys
from schemas import definitions
from schemas.facts import FactBody, StoredFact, Tier
from schemas.keyring import Keyring
from streams.steps.pathway_fold.current_facts import PersonFact
from streams.steps.pathway_fold.fold import Pathway, fold

DAY_0 = date(2026, 1, 5)
TIERS = {"gp": "primary_care", "tier2": "tier2", "tier3": "tier3", "tier4": "tier4"}
FOLDER = Path(definitions.__file__).parent
TEXTS = tuple(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.toml")))
DEFINITIONS = definitions.parse(TEXTS)
_BODY: TypeAdapter[FactBody] = TypeAdapter(Annotated[FactBody, Field(discriminator="type")])


def day(number: int) -> date:
    """The date of day `number`."""
    return DAY_0 + timedelta(days=number)


def keyed(*parts: str) -> str:
    """A made-up keyed reference: equal parts, equal reference."""
    return f"{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:32]}"


def keyring(*recipients: str, seed: str = "journeys") -> Keyring:
    """The pathway zone's keys for these recipients."""
    return known_keys(seed, recipients=recipients).zone("pathway")


# pattern of an event -> the body it makes; every group is a string or None
_EVENTS: tuple[tuple[str, Any], ...] = (
    (r"refers to (tier\d)(?: ubrn (\w+))?",
     lambda to, ubrn: {"type": "referral", "direction": "sent", "to_tier": to, "ubrn": ubrn and keyed(ubrn)}),
    (r"receives referral(?: ubrn (\w+))?( consultant-led)?",
     lambda ubrn, led: {"type": "referral", "direction": "received", "to_tier": "tier2",
                        "ubrn": ubrn and keyed(ubrn), "consultant_led": bool(led)}),
    (r"triages level (\w+)", lambda level: {"type": "triage", "level": level}),
    (r"accepts", lambda: {"type": "acceptance"}),
    (r"declines", lambda: {"type": "decline", "declined_by": "service", "reason": "not-eligible"}),
    (r"starts", lambda: {"type": "programme_start"}),
    (r"attended(?: booked on day (-?\d+))?", lambda booked: _attendance("5", booked)),
    (r"did not attend(?: booked on day (-?\d+))?", lambda booked: _attendance("3", booked)),
    (r"cancelled(?: booked on day (-?\d+))?", lambda booked: _attendance("2", booked)),
    (r"appointment(?: booked on day (-?\d+))?", lambda booked: _attendance("0", booked)),
    (r"weight ([\d.]+)( self-reported)?( implausible)?",
     lambda kg, reported, odd: {"type": "measurement", "quantity": "weight", "value": kg, "unit_given": "kg",
                                "value_given": kg, "method": "self_reported" if reported else "measured",
                                "plausible": not odd}),
    (r"completes", lambda: {"type": "completion", "definition": "dwmp-attended-60pct/1"}),
    (r"withdraws", lambda: {"type": "withdrawal", "reason": "moved-away"}),
    (r"discharges", lambda: {"type": "discharge", "reason": "programme-ended"}),
    (r"medicine (\w+)", lambda done: {"type": "medicine", "action": done, "dmd_code": "42206711000001107"}),
    (r"procedure", lambda: {"type": "procedure", "code": "G281", "system": "opcs4"}),
    (r"(diabetes|hypertension) (present|absent)",
     lambda what, there: {"type": "comorbidity", "condition": what, "present": there == "present"}),
    (r"demographics (.+)", lambda fields: {"type": "demographics", **_fields(fields)}),
    (r"dies", lambda: {"type": "death"}),
)  # fmt: skip


def _attendance(code: str, booked: str | None) -> dict[str, object]:
    booked_on = day(int(booked)).isoformat() if booked else None
    return {"type": "attendance", "attendance": code, "booked_on": booked_on}


def _fields(text: str) -> dict[str, object]:
    pairs = (pair.split("=") for pair in text.split())
    return {name: int(value) if name in ("birth_year", "imd_quintile") else value for name, value in pairs}


def facts(table: str) -> list[StoredFact]:
    """The facts a table tells, in its order."""
    return list(_facts(table))


def _facts(table: str) -> Iterator[StoredFact]:
    for number, line in enumerate(table.strip().splitlines()):
        if not line.strip() or line.lstrip().startswith(("day", "---")):
            continue
        on, who, event = (cell.strip() for cell in line.split("|"))
        yield _fact(int(on), who, event, default_name=f"line {number}")


def _fact(on: int, who: str, event: str, *, default_name: str) -> StoredFact:
    event, retracted = _take(event, r"retracted")
    event, under = _take(event, r"under (\w+)")
    event, version_day = _take(event, r"told day (-?\d+)")
    event, name = _take(event, r"as (\w+)")
    for pattern, make in _EVENTS:
        if match := re.fullmatch(pattern, event):
            body = {"on": day(on).isoformat(), **make(*match.groups())}
            break
    else:
        raise AssertionError(f"no such event: {event}")
    tier = TIERS[who.split()[0]]
    if body["type"] == "referral" and body["direction"] == "received":
        body["to_tier"] = tier
    body["referral"] = keyed("fact", under) if under else None
    version_on = day(int(version_day) if version_day is not None else on)
    source_version_at = datetime.combine(version_on, time(9), tzinfo=UTC)
    return StoredFact(
        record_id=keyed("record", who),
        fact_id=keyed("fact", name or f"{who} {default_name}"),
        source="test",
        tier=cast(Tier, tier),
        source_version_at=source_version_at,
        body=body_of(body),
        retracted=retracted is not None,
    )


def body_of(parts: dict[str, object]) -> FactBody:
    """The body of these fields as JSON has them."""
    return _BODY.validate_json(json.dumps(parts))


def person_fact(fact: StoredFact) -> PersonFact:
    """The fact under a person, its content named by everything it says."""
    return PersonFact(fact, keyed(repr(fact)))


def _take(event: str, suffix: str) -> tuple[str, str | None]:
    match = re.search(rf" {suffix}$", event)
    if match is None:
        return event, None
    return event[: match.start()].strip(), match.group(1) if match.groups() else match.group(0)


@dataclass(frozen=True)
class Journey:
    """A folded table with short ways to ask about it."""

    pathway: Pathway

    def episode(self, tier: str) -> Any:
        """The view of the one episode at `tier`."""
        (view,) = [episode.view for episode in self.pathway.episodes if episode.tier == tier]
        return view

    @property
    def handovers(self) -> list[tuple[str, str, str, int | None]]:
        """(from, to, status, interval in days) of each sent referral, in order of sending."""
        views = [handover.view for handover in self.pathway.handovers]
        return [(view.from_tier, view.to_tier, view.status, view.interval_days) for view in views]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the events that follow, by day."""
        return [event.kind for event in sorted(self.pathway.events, key=lambda event: (event.on, event.kind))]


def journey(table: str, *, as_of: int | None = None) -> Journey:
    """The pathway of a table on day `as_of`."""
    found = [person_fact(fact) for fact in facts(table)]
    return Journey(fold(found, as_of=day(as_of) if as_of is not None else None, definitions=DEFINITIONS))
