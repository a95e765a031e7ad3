"""Named definitions: what "completed", "lost 5 %" or "overdue" means here, with its source and date.

A definition is a value with a version, kept as TOML text beside this module. A host reads the files and passes their
texts in; nothing is read here. Every published value that rests on a definition names it (`loss-5pct/1`), and a change
of meaning is a new version, never an edit: two figures under one name can be compared for ever.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from schemas.errors import InvalidField

_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,60}")
_ONE_NUMBER_EACH = "is a whole number of 0 or more"

WAITS = "waits/1"
LOSS = "loss-5pct/1"
HANDOVER = "handover/1"
RTT = "rtt/1"
ACCEPTED_BY_BOOKING = "tier3-accepted-by-booking/1"
START_BY_ATTENDANCE = "start-by-first-attendance/1"
AS_REPORTED = "as-reported/1"
PATHWAY_DEFINITIONS = (WAITS, LOSS, HANDOVER, RTT, ACCEPTED_BY_BOOKING, START_BY_ATTENDANCE, AS_REPORTED)


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
    """`loss-5pct/1`: baseline to `baseline_days` after the start, end to `window_weeks` off a horizon."""

    baseline_days: int
    threshold_pct: Decimal
    horizon_weeks: tuple[int, ...]
    window_weeks: int


@dataclass(frozen=True, slots=True)
class HandoverRule:
    """`handover/1`: receipt may precede sending by `early_days`; a gap is overdue after `overdue_days`."""

    early_days: int
    overdue_days: int


@dataclass(frozen=True, slots=True)
class RttRule:
    """`rtt/1`: weeks from referral to the end of the wait that are within the standard."""

    limit_weeks: int


@dataclass(frozen=True, slots=True)
class Definitions:
    """Every definition by name, and those the pathway computes with as typed numbers."""

    by_name: Mapping[str, Definition]
    loss: LossRule
    handover: HandoverRule
    rtt: RttRule


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
    loss, handover = by_name[LOSS], by_name[HANDOVER]
    return Definitions(
        by_name=by_name,
        loss=LossRule(
            baseline_days=_number(loss, "baseline_days"),
            threshold_pct=Decimal(_number(loss, "threshold_pct")),
            horizon_weeks=_numbers(loss, "horizon_weeks"),
            window_weeks=_number(loss, "window_weeks"),
        ),
        handover=HandoverRule(_number(handover, "early_days"), _number(handover, "overdue_days")),
        rtt=RttRule(_number(by_name[RTT], "limit_weeks")),
    )


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
