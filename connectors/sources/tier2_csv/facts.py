"""The facts of a row, by the groups of the mapping."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from pydantic import ValidationError

from connectors.mapping import Column, FactGroup, spelling
from connectors.mapping.fields import FIELDS, PAIRS, TRIGGERS, body_of
from connectors.mapping.group import columns_of
from connectors.sources.tier2_csv.amounts import Amount, unit_of
from connectors.sources.tier2_csv.cells import NOTHING_KNOWN, Cells
from schemas.business_ids import distinguishing
from schemas.errors import InvalidField, Severity
from schemas.facts import Demographics, FactBody, Measurement
from schemas.fhir.dates import BOOKED_AHEAD, EARLIEST, SKEW
from schemas.identity import Person
from schemas.source_message import SourceFact
from schemas.sources import Source
from schemas.units import UNITS, converted, plain, plausible

# Fields that are read by more than their kind: (type of fact, field) -> how.
_SPECIAL: Mapping[tuple[str, str], str] = {
    ("measurement", "value"): "amount",
    ("measurement", "unit"): "unit",
    ("referral", "practice_ods"): "practice",
    ("referral", "ubrn"): "ubrn",
    ("demographics", "practice_ods"): "practice",
}
# A cell with stones and pounds is a number of pounds: no contradiction to a column that says stones.
PAIRS_OF: Mapping[str, tuple[str, ...]] = {
    smaller: tuple(larger for larger, pair in PAIRS.items() if pair[0] == smaller) for smaller, _ in PAIRS.values()
}


@dataclass(frozen=True, slots=True)
class _RowTimes:
    """Who reports, and the days between which the facts may lie."""

    source: Source
    born: date | None
    on: date


def facts_of(cells: Cells, *, source: Source, person: Person, source_version_at: datetime) -> tuple[SourceFact, ...]:
    """Every fact of the row, demographics first; what breaks a rule is an issue in `cells`."""
    mapping = cells.mapping
    by = _RowTimes(source, person.birth_date, source_version_at.date())
    found = [_demographics(cells, by, person)]
    found += [_fact(cells, group, by) for group in mapping.facts]
    _name_unread(cells)
    facts = tuple(fact for fact in found if fact is not None)
    _compare_bodies(cells, facts)
    return facts


def _demographics(cells: Cells, by: _RowTimes, person: Person) -> SourceFact | None:
    group = cells.mapping.demographics
    values = _values(cells, group)
    if values.get("ethnic_category") is None:
        values.pop("ethnic_system", None)
    for area, version in (("lsoa", "lsoa_version"), ("imd_quintile", "imd_version")):
        if values.get(area) is None:
            values.pop(version, None)
    values |= {
        "sex": person.sex,
        "birth_year": person.birth_date.year if person.birth_date else None,
        "council": by.source.council,
    }
    body = _body(cells, group, {"on": by.on, **values})
    empty = Demographics(on=by.on, council=by.source.council)
    return None if body is None or body == empty else SourceFact(body, business_id="demographics")


def _fact(cells: Cells, group: FactGroup, by: _RowTimes) -> SourceFact | None:
    if not cells.filled(group.trigger):
        return None
    if group.on is not None and not cells.filled(group.on):
        cells.error(group.on, "is required with what the row says beside it", code="required")
        return None
    values = {"on": cells.day(group.on), **_values(cells, group)}
    if values["on"] is None:
        _require_day(cells, group)
        return None
    trigger = TRIGGERS.get(group.type, "on")
    if trigger in group.columns and values.get(trigger) is None:
        return None  # unknown or absent, and reported where it stands
    if not _check_dates(cells, group, values, by):
        return None
    if group.type == "measurement":
        measured = _measured(cells, group, values)
        if measured is None:
            return None
        values = measured
    ubrn = values.pop("ubrn", None)
    assert isinstance(ubrn, str | None)
    if group.type == "referral":
        values = _referral_defaults(values, by.source)
    if group.type == "programme_start" and values.get("programme") is None:
        values["programme"] = by.source.programme
    body = _body(cells, group, values)
    business_id = None if body is None else _business_id(cells, group, distinguishing(body))
    if body is None or business_id is None:
        return None
    return SourceFact(body, business_id=business_id, referral_business_id=_referral_of(cells, group), ubrn=ubrn)


def _referral_of(cells: Cells, group: FactGroup) -> str | None:
    """The number of the referral that a fact is under: the row's, or the one that this file sent."""
    if group.fixed.get("direction") == "received":
        return None
    sent = cells.mapping.sent_referral if group.under_sent else None
    return cells.identifier(cells.mapping.referral) if sent is None else _business_id(cells, sent)


def _name_unread(cells: Cells) -> None:
    """An issue at each filled column that no fact of the row reads, because the columns that trigger these are empty.

    A unit is often filled in beforehand: without its number it says nothing.
    """
    mapping = cells.mapping
    present = [group for group in mapping.facts if cells.filled(group.trigger)]
    read = {column.key for group in (mapping.demographics, *present) for column in columns_of(group)}
    for group in mapping.facts:
        if group.type == "attendance" and group.on is not None and group.on.key in read and cells.filled(group.on):
            _name_empty(cells, group)
    read |= {column.key for column in (*mapping.required, *mapping.person.values(), mapping.referral) if column}
    for group in mapping.facts:
        columns: Iterable[Column | None] = columns_of(group)
        if group.type == "measurement":
            columns = [group.on, *group.key, group.columns.get("plus")]
        for column in columns:
            if column is None or group.trigger is None or column.key in read or not cells.filled(column):
                continue
            read.add(column.key)
            if cells.says(column):
                cells.warning(column, f"is not kept, because column {group.trigger.header} is empty")
            else:
                cells.information(column, NOTHING_KNOWN)


def _name_empty(cells: Cells, group: FactGroup) -> None:
    """Information where a session whose day is read does not say whether the person came."""
    if group.trigger is not None and not cells.filled(group.trigger):
        cells.information(group.trigger, "is empty: whether the person came is not told")


def _require_day(cells: Cells, group: FactGroup) -> None:
    """An error at a day that says nothing where the fact needs one; a day that cannot be read has its error already."""
    column = group.on
    if column is None or any(i.severity is Severity.ERROR and i.location == cells.place(column) for i in cells.issues):
        return
    if column != group.trigger or any(column.key == required.key for required in cells.mapping.required):
        cells.error(column, "is required with what the row says beside it", code="required")


def _values(cells: Cells, group: FactGroup) -> dict[str, object]:
    """The fields of a group: the fixed ones, and each column read by its kind."""
    readers: Mapping[str, Callable[[Column], object]] = {
        "code": cells.coded, "ods": cells.ods, "date": cells.day,
        "number": cells.number, "integer": cells.integer, "text": cells.text,
        "amount": cells.amount, "practice": cells.practice, "ubrn": cells.booking_reference,
        "unit": lambda column: unit_in(cells, column),
    }  # fmt: skip
    kinds = FIELDS[group.type]
    values: dict[str, object] = dict(group.fixed)
    for name, column in group.columns.items():
        value = readers[_SPECIAL.get((group.type, name), kinds[name])](column)
        if value is not None or name not in values:
            values[name] = value
    return values


def _referral_defaults(values: dict[str, object], source: Source) -> dict[str, object]:
    """A received referral is to this source's tier, programme and council; a sent one names where it went."""
    values.setdefault("to_tier", source.tier)
    if values.get("direction") != "received":
        return values
    defaults = {
        "programme": source.programme,
        "provider_ods": source.ods,
        "council": source.council,
        "consultant_led": source.consultant_led or None,
    }
    return values | {name: value for name, value in defaults.items() if values.get(name) is None}


def _check_dates(cells: Cells, group: FactGroup, values: Mapping[str, object], by: _RowTimes) -> bool:
    possible = True
    latest = by.on + (BOOKED_AHEAD if values.get("attendance") == "0" else SKEW)
    for name, column in (("on", group.on), *group.columns.items()):
        day = values.get(name)
        if column is None or not isinstance(day, date):
            continue
        if name == "ends_on":
            latest = by.on + BOOKED_AHEAD
        if not EARLIEST <= day <= latest:
            cells.error(column, "must lie between 1900 and the day of the row")
            possible = False
        elif by.born is not None and day < by.born:
            cells.error(column, "lies before the person's birth")
            possible = False
    end, on = values.get("ends_on"), values.get("on")
    if possible and isinstance(end, date) and isinstance(on, date) and end < on:
        cells.error(group.columns["ends_on"], "lies before the day it began")
        possible = False
    return possible


def _measured(cells: Cells, group: FactGroup, values: dict[str, object]) -> dict[str, object] | None:
    """The body's fields of one measurement, converted; None with an issue when it cannot be."""
    column, unit_column = group.columns["value"], group.columns.get("unit")
    amount, unit = values.pop("value"), values.pop("unit", None)
    plus, plus_unit = values.pop("plus", None), values.pop("plus_unit", None)
    if not isinstance(amount, Amount):
        return None
    value = amount.value
    if amount.unit is not None and unit not in (None, amount.unit, *PAIRS_OF.get(amount.unit, ())):
        cells.error(unit_column or column, f"contradicts the unit in {column.header}")
        return None
    plus_column = group.columns.get("plus")
    if plus_column is not None and cells.says(plus_column) and not _fits(cells, group, amount, plus):
        return None
    unit = amount.unit or unit
    if unit is None:
        # An unknown unit is reported already; a blank one is reported here. A number without its unit means nothing.
        if unit_column is None or not cells.says(unit_column):
            cells.error(unit_column or column, f"is required: {column.header} has no unit", code="required")
        return None
    if isinstance(plus, Decimal):
        value, unit = _composed(value, str(unit), plus, str(plus_unit))
    elif unit in PAIRS and unit != "m" and value % 1:
        cells.warning(column, "has a fraction of a stone or foot: were pounds or inches meant?", code="value")
    quantity = str(values["quantity"])
    try:
        ours = converted(value, str(unit), quantity=quantity)
    except InvalidField as invalid:
        about_unit = unit_column is not None and invalid.field == "unit" and amount.unit is None
        cells.error(unit_column if about_unit and unit_column else column, invalid.rule)
        return None
    likely = plausible(ours, quantity=quantity)
    if not likely:
        cells.warning(column, f"is outside what is plausible for {quantity}; kept and marked")
    if values.get("method") is None:
        values["method"] = "measured"
    given = {"value_given": plain(value), "unit_given": UNITS[str(unit)].name}
    return {**values, **given, "value": ours, "plausible": likely}


def _fits(cells: Cells, group: FactGroup, amount: Amount, plus: object) -> bool:
    """True when stones and pounds (feet and inches) in two columns are one amount; else there is an issue."""
    column, plus_column, unit = group.columns["value"], group.columns["plus"], str(group.fixed["unit"])
    if not isinstance(plus, Decimal):
        return False  # reported where it stands; the stones alone would be another weight
    if amount.value % 1 or amount.unit not in (None, unit):
        cells.error(column, f"must be a whole number beside column {plus_column.header}")
        return False
    if plus >= PAIRS[unit][1]:
        cells.error(plus_column, f"must be less than {PAIRS[unit][1]}")
        return False
    return True


def unit_in(cells: Cells, column: Column) -> str | None:
    """The unit by the mapping's list, else by the words that everybody uses."""
    text = cells.text(column)
    code = (column.codes or {}).get(spelling(text)) if text else None
    return str(code) if code else (unit_of(text) if text else None) or _text(cells.coded(column))


def _text(code: object) -> str | None:
    return None if code is None else str(code)


def _composed(value: Decimal, unit: str, plus: Decimal, plus_unit: str) -> tuple[Decimal, str]:
    """Stones and pounds, feet and inches, as one number in the smaller unit."""
    smaller, times = PAIRS[unit]
    assert smaller == plus_unit
    return value * times + plus, smaller


def _business_id(cells: Cells, group: FactGroup, marks: tuple[str, ...] = ()) -> str | None:
    """The key columns' values and what tells two facts of a row apart; None with an issue when one is empty."""
    parts = [cells.identifier(column) for column in group.key]
    for column, part in zip(group.key, parts, strict=True):
        if part is None:
            cells.error(column, "is required: it names what the row is about", code="required")
    names = [part for part in parts if part is not None]
    if len(names) < len(parts):
        return None
    if len(names) > 1:  # a/b + c and a + b/c are two things
        names = [name.replace("%", "%25").replace("/", "%2F") for name in names]
    return "/".join([*names, *filter(None, (group.detail,)), *marks])


def _body(cells: Cells, group: FactGroup, values: Mapping[str, object]) -> FactBody | None:
    """The body, or None with an issue at the column of the field that does not fit."""
    try:
        return cast(FactBody, body_of(group.type, values))
    except ValidationError as failure:
        for fault in failure.errors(include_input=False, include_context=False, include_url=False):
            name = str(fault["loc"][0]) if fault["loc"] else ""
            column = group.columns.get(name) or group.on or group.trigger
            if fault["type"] == "missing" or values.get(name) is None:
                rule, code = "is required", "required"
            else:
                rule, code = "is not of the expected form", "value"
            if column is not None:
                cells.error(column, rule, code=code)
        return None


def _compare_bodies(cells: Cells, facts: tuple[SourceFact, ...]) -> None:
    """Warns where weight and height of a row look swapped: each is plausible alone, and impossible together."""
    measured = {fact.body.quantity: fact.body for fact in facts if isinstance(fact.body, Measurement)}
    weight, height = measured.get("weight"), measured.get("height")
    if weight is None or height is None:
        return
    as_written = weight.value / (height.value / 100) ** 2
    swapped = height.value / (weight.value / 100) ** 2
    if not plausible(as_written, quantity="bmi") and plausible(swapped, quantity="bmi"):
        for group in cells.mapping.facts:
            if group.type == "measurement" and group.fixed.get("quantity") in ("weight", "height"):
                cells.warning(group.columns["value"], "weight and height look swapped")
