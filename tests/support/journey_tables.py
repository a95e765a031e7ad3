"""What came in, as a table: `day | from | event` becomes a set of facts.

Day 0 is 5 January 2026; a day may also be an ISO date. `from` names a source: its first word is the tier (`gp`,
`tier2`, `tier3`, `tier4`), so that `tier2` and `tier2 b` are two services of one tier; `tier2/2` is a second record at
`tier2`.

An event is some words of `EVENTS`, then modifiers (`MODIFIERS`: `by telephone`, `booked on day 12`), then fields of the
fact by their own name (`provider_ods=DA1 age_years=45`; several codes with commas, a day as its number). It may end,
in this order, in `weekly N times`, `as <name>` (told again under that name it is a correction), `corrected N times` (a
minute apart, the last as it stands), `told day N` or `told <ISO moment>` (when the source said so; else the same day),
`under <name>` (the referral it is about), `retracted`.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, cast

from pydantic import Field, TypeAdapter

from schemas.facts import FactBody, StoredFact, Tier

DAY_0 = date(2026, 1, 5)
TIERS = {"gp": "primary_care", "tier2": "tier2", "tier3": "tier3", "tier4": "tier4"}
_BODY: TypeAdapter[FactBody] = TypeAdapter(Annotated[FactBody, Field(discriminator="type")])

# words -> fields of the body they make; `{0}` is the first group
EVENTS: tuple[tuple[str, Mapping[str, str]], ...] = (
    (r"refers to (tier\d)", {"type": "referral", "direction": "sent", "to_tier": "{0}"}),
    (r"receives referral", {"type": "referral", "direction": "received", "consultant_led": "no"}),
    (r"triages level (\w+)", {"type": "triage", "level": "{0}"}),
    (r"triages", {"type": "triage"}),
    (r"accepts", {"type": "acceptance"}),
    (r"declines", {"type": "decline", "declined_by": "service", "reason": "not-eligible"}),
    (r"the person declines", {"type": "decline", "declined_by": "person", "reason": "declined-by-person"}),
    (r"returns with advice", {"type": "decline", "declined_by": "service", "reason": "returned-with-advice"}),
    (r"the referrer withdraws it", {"type": "decline", "declined_by": "referrer", "reason": "no-longer-needed"}),
    (r"the person chooses (\w+) of (\d+)", {"type": "choice", "provider_ods": "{0}", "offered_count": "{1}"}),
    (r"appointment", {"type": "attendance", "attendance": "0"}),
    (r"cancelled by provider", {"type": "attendance", "attendance": "4"}),
    (r"cancelled", {"type": "attendance", "attendance": "2"}),
    (r"did not attend", {"type": "attendance", "attendance": "3"}),
    (r"attended", {"type": "attendance", "attendance": "5"}),
    (r"attended late but seen", {"type": "attendance", "attendance": "6"}),
    (r"came too late to be seen", {"type": "attendance", "attendance": "7"}),
    (r"weight ([\d.]+)", {"type": "measurement", "quantity": "weight", "value": "{0}", "value_given": "{0}",
                          "unit_given": "kg"}),
    (r"height ([\d.]+)", {"type": "measurement", "quantity": "height", "value": "{0}", "value_given": "{0}",
                          "unit_given": "cm"}),
    (r"bmi ([\d.]+)", {"type": "measurement", "quantity": "bmi", "value": "{0}", "value_given": "{0}",
                       "unit_given": "kg/m2"}),
    (r"waist ([\d.]+)", {"type": "measurement", "quantity": "waist", "value": "{0}", "value_given": "{0}",
                         "unit_given": "cm"}),
    (r"starts", {"type": "programme_start"}),
    (r"completes", {"type": "completion", "definition": "dwmp-attended-60pct/1"}),
    (r"completes by (\S+)", {"type": "completion", "definition": "{0}"}),
    (r"withdraws", {"type": "withdrawal", "reason": "moved-away"}),
    (r"discharges", {"type": "discharge", "reason": "programme-ended"}),
    (r"medicine (started|stopped)", {"type": "medicine", "action": "{0}", "dmd_code": "42206711000001107"}),
    (r"procedure", {"type": "procedure", "code": "G281", "system": "opcs4"}),
    (r"suspends", {"type": "suspension"}),
    (r"suspends for (\w+)", {"type": "suspension", "reason": "{0}"}),
    (r"rtt status (\d\d)", {"type": "rtt_status", "status": "{0}"}),
    (r"eligible by (\S+)", {"type": "eligibility", "rule": "{0}", "met": "yes"}),
    (r"not eligible by (\S+)", {"type": "eligibility", "rule": "{0}", "met": "no"}),
    (r"eligibility not known by (\S+)", {"type": "eligibility", "rule": "{0}", "met": "not_known"}),
    (r"(\w+) present", {"type": "comorbidity", "condition": "{0}", "present": "yes"}),
    (r"(\w+) absent", {"type": "comorbidity", "condition": "{0}", "present": "no"}),
    (r"scores ([\d.]+) on (\S+)", {"type": "questionnaire_score", "questionnaire": "{1}", "score": "{0}"}),
    (r"the person rates it (\d)", {"type": "experience", "rating": "{0}"}),
    (r"demographics", {"type": "demographics"}),
    (r"dies", {"type": "death"}),
)  # fmt: skip
MODIFIERS: tuple[tuple[str, str, str], ...] = (  # words -> field, value
    (r"ubrn (\w+)", "ubrn", "{0}"),
    (r"consultant-led", "consultant_led", "yes"),
    (r"booked on day (-?\d+)", "booked_on", "{0}"),
    (r"until day (-?\d+)", "ends_on", "{0}"),
    (r"self-reported", "method", "self_reported"),
    (r"implausible", "plausible", "no"),
    (r"by telephone", "medium", "telephone"),
    (r"by video", "medium", "video"),
    (r"in person", "medium", "in_person"),
    (r"online", "medium", "online"),
    (r"in a group", "group", "yes"),
    (r"for assessment", "purpose", "assessment"),
    (r"for session", "purpose", "session"),
    (r"for follow-up", "purpose", "follow_up"),
)
_NUMBERS = {"age_years", "offered_count", "birth_year", "imd_quintile", "rating"}
_ANSWERS = {"consultant_led", "plausible", "group", "present"}
_DAYS = {"on", "booked_on", "ends_on"}
_LISTS = {"reasons", "why"}


@dataclass(frozen=True, slots=True)
class Telling:
    """The end of an event's line: which fact it is, when it was told, about which referral."""

    event: str
    name: str | None
    at: str | None
    under: str | None
    retracted: bool
    weekly: int
    corrected: int


def day(number: int) -> date:
    """The date of day `number`."""
    return DAY_0 + timedelta(days=number)


def day_of(text: str) -> date:
    """The date of a day as tables write it: its number, or an ISO date."""
    return day(int(text)) if re.fullmatch(r"-?\d+", text) else date.fromisoformat(text)


def keyed(*parts: str) -> str:
    """A made-up keyed reference: equal parts, equal reference."""
    return f"{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:32]}"


def facts(table: str) -> list[StoredFact]:
    """The facts a table tells, in its order."""
    return list(_facts(table))


def body_of(parts: Mapping[str, object]) -> FactBody:
    """The body of these fields as JSON has them."""
    return _BODY.validate_json(json.dumps(parts))


def _facts(table: str) -> Iterator[StoredFact]:
    for number, line in enumerate(table.strip().splitlines()):
        if not line.strip() or line.lstrip().startswith(("day", "---")):
            continue
        on, who, event = (cell.strip() for cell in line.split("|"))
        telling = _telling(event)
        for week in range(telling.weekly):
            name = telling.name or f"{who} line {number}" + (f" week {week}" if week else "")
            yield from _versions(day_of(on) + timedelta(weeks=week), who, telling, name)


def _versions(on: date, who: str, telling: Telling, name: str) -> Iterator[StoredFact]:
    tier, first = TIERS[who.split("/")[0].split()[0]], _moment(telling.at or on.isoformat())
    for number in range(telling.corrected):
        body = {**_body(telling.event, on, tier), "referral": keyed("fact", telling.under) if telling.under else None}
        still = telling.corrected - 1 - number  # corrections to come: until the last it says another weight
        if still:
            body["value"] = body["value_given"] = str(Decimal(cast(str, body["value"])) + still * Decimal("0.01"))
        yield StoredFact(
            record_id=keyed("record", who),
            fact_id=keyed("fact", name),
            source=who.split("/")[0].replace(" ", "-"),
            tier=cast(Tier, tier),
            source_version_at=first + timedelta(minutes=number),
            body=body_of(body),
            retracted=telling.retracted,
        )


def _telling(event: str) -> Telling:
    event, retracted = _take(event, r"(retracted)")
    event, under = _take(event, r"under (\w+)")
    event, at = _take(event, r"told (?:day )?(\S+)")
    event, corrected = _take(event, r"corrected (\d+) times")
    event, name = _take(event, r"as (\w+)")
    event, weekly = _take(event, r"weekly (\d+) times")
    return Telling(event, name, at, under, retracted is not None, int(weekly or 1), int(corrected or 1))


def _take(event: str, suffix: str) -> tuple[str, str | None]:
    match = re.search(rf" {suffix}$", event)
    return (event, None) if match is None else (event[: match.start()].strip(), match.group(1))


def _moment(text: str) -> datetime:
    if "T" in text:
        return datetime.fromisoformat(text).astimezone(UTC)
    return datetime.combine(day_of(text), time(9), tzinfo=UTC)


def _body(event: str, on: date, tier: str) -> dict[str, object]:
    words, extra = event, dict[str, str]()
    for field, value in re.findall(r" (\w+)=(\S+)", event):
        words, extra[field] = words.replace(f" {field}={value}", ""), value
    rest, more = _modifiers(words)
    for pattern, made in EVENTS:
        if match := re.fullmatch(pattern, rest):
            body = {field: text.format(*match.groups()) for field, text in made.items()}
            body |= {"to_tier": tier} if body.get("direction") == "received" else {}
            return {"on": on.isoformat()} | {name: _value(name, text) for name, text in (body | more | extra).items()}
    raise AssertionError(f"no such event: {event}")


def _modifiers(words: str) -> tuple[str, dict[str, str]]:
    found: dict[str, str] = {}
    for pattern, field, text in MODIFIERS:
        if match := re.search(rf" {pattern}(?= |$)", words):
            words = words[: match.start()] + words[match.end() :]
            found[field] = text.format(*match.groups())
    return words.strip(), found


def _value(field: str, text: str) -> object:
    """What JSON has for a field of a fact."""
    if field in _NUMBERS:
        return int(text)
    if field in _ANSWERS:
        return {"yes": True, "no": False}[text]
    if field in _DAYS:
        return day_of(text).isoformat()
    if field in _LISTS:
        return text.split(",")
    return keyed(text) if field == "ubrn" else text
