"""Named definitions: what "completed", "lost 5 %" or "overdue" means here, with its source and date.

A definition is a value with a version, kept as TOML text beside this module. A host reads the files and passes their
texts in; nothing is read here. Every published value that rests on a definition names it (`rtt/2`), and a change
of meaning is a new version, never an edit: two figures under one name can be compared for ever.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import TypeVar

from schemas.errors import InvalidField

_EDGE = re.compile(r"allowed_[a-z0-9_]+_[a-z0-9_]+_days")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,60}")
_ONE_NUMBER_EACH = "is a whole number of 0 or more"

WAITS = "waits/2"
LOSS_NEAREST = "loss-5pct-nearest/1"
LOSS_LAST = "loss-5pct-last/1"
HANDOVER = "handover/2"
RTT = "rtt/2"
WAIT_TO_FIRST_ATTENDANCE = "wait-to-first-attendance/1"
ACCEPTED_BY_BOOKING = "tier3-accepted-by-booking/1"
START_BY_SESSION = "start-by-first-session/1"
START_BY_TREATMENT = "start-by-treatment/1"
AS_REPORTED = "as-reported/1"
STAGE_AND_ENDING = "stage-and-ending/1"
WHOSE_FACTS = "whose-facts/1"
COURSE = "course/1"
PLAUSIBILITY = "plausibility/1"
DAYS_IN_RANGE = "days-in-range/1"
DWMP_COMPLETION = "dwmp-attended-60pct/1"
COMMON_COMPLETION = "attended-60pct-of-sessions/1"
HUB_ELIGIBILITY = "dwmp-hub-eligibility/1"
NICE_BMI = "nice-bmi-threshold/1"
TIRZEPATIDE = "tirzepatide-cohort/1"
FINDINGS = "findings/1"
BMI_AT_REFERRAL = "bmi-at-referral/1"
PATHWAY_DEFINITIONS = (
    WAITS, LOSS_NEAREST, LOSS_LAST, HANDOVER, RTT, WAIT_TO_FIRST_ATTENDANCE, ACCEPTED_BY_BOOKING, START_BY_SESSION,
    START_BY_TREATMENT, AS_REPORTED, STAGE_AND_ENDING, WHOSE_FACTS, COURSE, PLAUSIBILITY, DAYS_IN_RANGE,
    DWMP_COMPLETION, COMMON_COMPLETION, HUB_ELIGIBILITY, NICE_BMI, TIRZEPATIDE, FINDINGS, BMI_AT_REFERRAL,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of one definition: `text` for people, `parameters` the numbers in it for programs."""

    id: str
    version: int
    title: str
    text: str
    source: str
    date: date
    parameters: Mapping[str, int | tuple[int, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`<id>/<version>`, as published values carry it."""
        return f"{self.id}/{self.version}"


@dataclass(frozen=True, slots=True)
class LossRule:
    """`loss-5pct-nearest/1` and `loss-5pct-last/1`: baseline to `baseline_days` after the start, end near a horizon."""

    name: str
    baseline_days: int
    threshold_pct: int
    horizon_weeks: tuple[int, ...]
    window_weeks: int


@dataclass(frozen=True, slots=True)
class HandoverRule:
    """`handover/2`: receipt from `early_days` before to `late_days` after sending; overdue after the days allowed."""

    early_days: int
    late_days: int
    allowed_days: int
    edges: Mapping[str, int]  # allowed_<from>_<to>_days, where a pair of tiers has its own

    def allowed(self, from_tier: str, to_tier: str) -> int:
        """Days within which a referral between two tiers is to be received."""
        return self.edges.get(f"allowed_{from_tier}_{to_tier}_days", self.allowed_days)


@dataclass(frozen=True, slots=True)
class RttRule:
    """`rtt/2`: weeks within the standard, and how long before a rejected referral still sets the start."""

    limit_weeks: int
    original_days: int


@dataclass(frozen=True, slots=True)
class CourseRule:
    """`course/1`."""

    programme_days: int
    transfer_days: int
    re_entry_days: int
    medicine_before_days: int
    medicine_after_days: int


@dataclass(frozen=True, slots=True)
class PlausibilityRule:
    """`plausibility/1`."""

    weight_kg: tuple[int, ...]
    pounds_days: int
    jump_days: int
    jump_pct: int
    shrink_cm: int
    height_cm: tuple[int, ...]
    bmi: tuple[int, ...]
    bmi_off_pct: int
    waist_cm: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WeeksRule:
    """`dwmp-attended-60pct/1`: seen in `seen_weeks` of `programme_weeks`."""

    programme_weeks: int
    seen_weeks: int


@dataclass(frozen=True, slots=True)
class SessionsRule:
    """`attended-60pct-of-sessions/1`."""

    within_weeks: int
    sessions_least: int
    attended_pct: int
    from_days: int


@dataclass(frozen=True, slots=True)
class BmiRule:
    """`bmi-at-referral/1`."""

    before_days: int
    after_days: int


@dataclass(frozen=True, slots=True)
class DaysRule:
    """`days-in-range/1`."""

    ahead_years: int


@dataclass(frozen=True, slots=True)
class Definitions:
    """Every definition by name, and those the pathway computes with as typed numbers."""

    by_name: Mapping[str, Definition]
    losses: tuple[LossRule, ...]
    handover: HandoverRule
    rtt: RttRule
    course: CourseRule
    plausibility: PlausibilityRule
    weeks: WeeksRule
    sessions: SessionsRule
    days: DaysRule
    bmi: BmiRule


def parse(texts: Iterable[str]) -> Definitions:
    """Every definition in `texts`, one TOML text each, in any order.

    Raises InvalidField naming the definition and the rule: TOML with id, version, title, text, source and
    date; each name once; every name of PATHWAY_DEFINITIONS present, with its numbers.

    >>> parse(["id = 1"])
    Traceback (most recent call last):
    schemas.errors.InvalidField: definition.id: is lower-case words with hyphens
    """
    by_name: dict[str, Definition] = {}
    for text in texts:
        definition = _definition(text)
        _require(definition.name not in by_name, definition.name, "is defined twice")
        by_name[definition.name] = definition
    for name in PATHWAY_DEFINITIONS:
        _require(name in by_name, name, "is not defined")
    handover = by_name[HANDOVER]
    edges = {name: _number(handover, name) for name in handover.parameters if _EDGE.fullmatch(name)}
    return Definitions(
        by_name=by_name,
        losses=tuple(_rule(LossRule, by_name[name], name=name) for name in (LOSS_NEAREST, LOSS_LAST)),
        handover=_rule(HandoverRule, handover, edges=edges),
        rtt=_rule(RttRule, by_name[RTT]),
        course=_rule(CourseRule, by_name[COURSE]),
        plausibility=_rule(PlausibilityRule, by_name[PLAUSIBILITY]),
        weeks=_rule(WeeksRule, by_name[DWMP_COMPLETION]),
        sessions=_rule(SessionsRule, by_name[COMMON_COMPLETION]),
        days=_rule(DaysRule, by_name[DAYS_IN_RANGE]),
        bmi=_rule(BmiRule, by_name[BMI_AT_REFERRAL]),
    )


R = TypeVar("R")


def _rule(rule: type[R], definition: Definition, **given: object) -> R:
    """The rule with each of its numbers from the definition's parameter of the same name."""
    numbers: dict[str, object] = {}
    for part in fields(rule):  # type: ignore[arg-type]  # each rule is a dataclass
        if part.name not in given:
            numbers[part.name] = _number(definition, part.name) if part.type is int else _numbers(definition, part.name)
    return rule(**numbers, **given)


def _definition(text: str) -> Definition:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise InvalidField("definition", rule="is not TOML") from None
    identifier = _typed(table, "id", str, "is lower-case words with hyphens", _ID.fullmatch)
    on = _typed(table, "date", date, "is a date")
    _require(not isinstance(on, datetime), "definition.date", "is a date")
    parameters = _typed(table, "parameters", dict, "is a table") if "parameters" in table else {}
    return Definition(
        id=identifier,
        version=_typed(table, "version", int, "is a whole number from 1"),
        title=_typed(table, "title", str, "is one line", bool),
        text=_typed(table, "text", str, "says what is meant", str.strip).strip(),
        source=_typed(table, "source", str, "names where the rule comes from", bool),
        date=on,
        parameters={name: tuple(v) if isinstance(v, list) else v for name, v in parameters.items()},
    )


T = TypeVar("T")


def _typed(
    table: Mapping[str, object],
    name: str,
    type_: type[T],
    rule: str,
    accept: Callable[[T], object] | None = None,
) -> T:
    value = table.get(name)
    if not isinstance(value, type_) or (accept is not None and not accept(value)):
        raise InvalidField(f"definition.{name}", rule=rule)
    return value


def _number(definition: Definition, name: str) -> int:
    value = definition.parameters.get(name)
    if type(value) is not int or value < 0:
        raise InvalidField(f"{definition.name}.{name}", rule=_ONE_NUMBER_EACH)
    return value


def _numbers(definition: Definition, name: str) -> tuple[int, ...]:
    value = definition.parameters.get(name)
    if not isinstance(value, tuple) or not value or any(type(n) is not int or n < 0 for n in value):
        raise InvalidField(f"{definition.name}.{name}", rule=f"each {_ONE_NUMBER_EACH}")
    return value


def _require(condition: bool, field_name: str, rule: str) -> None:
    if not condition:
        raise InvalidField(field_name, rule=rule)
