"""One fact group of a mapping: the columns that together hold one fact, tried out when the mapping is parsed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from pydantic import ValidationError

from connectors.mapping.fields import BODIES, CLOSED, FIELDS, PAIRS, TRIGGERS, Kind, body_of
from connectors.mapping.table import Column, Fixed, TomlTable
from schemas.business_ids import DISTINGUISHING
from schemas.fhir.bodies import lists_its_codes
from schemas.units import DIMENSION_OF, UNITS

# One value of each kind that any field of the kind takes, for trying a group out.
_SAMPLES: Mapping[str, object] = {"ods": "X99", "date": date(2020, 1, 1), "text": "E01000001", "integer": 1}


@dataclass(frozen=True, slots=True)
class FactGroup:
    """The columns that together hold one fact. The row has it when its `trigger` is filled.

    `key` are the columns whose values name the thing the fact is about, `detail` what is put beside them to tell the
    facts of one row apart; a received referral is its key alone, because other facts name it so. `under_sent`: the fact
    is under the referral that this file sent, not under the one it received.
    """

    place: str
    type: str
    on: Column | None
    trigger: Column | None
    key: tuple[Column, ...] = ()
    fixed: Mapping[str, Fixed] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    detail: str = ""
    under_sent: bool = False


def columns_of(group: FactGroup) -> Iterator[Column]:
    """Every column the group reads, some more than once."""
    if group.on is not None:
        yield group.on
    yield from group.key
    yield from group.columns.values()


def with_details(groups: list[FactGroup]) -> tuple[FactGroup, ...]:
    """Each group with its `detail`. Groups alike in type and key get different ones: two facts never share an id.

    The first keeps the plain detail, so that a group added to a mapping leaves the ids of the others as they were.
    """
    found: list[FactGroup] = []
    for group in groups:
        mark = "/".join(dict.fromkeys(column.key for column in (group.on, group.trigger) if column is not None))
        named = replace(group, detail=_detail(group))
        while any(_are_alike(named, other) for other in found):
            named = replace(named, detail=f"{named.detail}/{mark}" if named.detail else mark)
        found.append(named)
    return tuple(found)


def _are_alike(group: FactGroup, other: FactGroup) -> bool:
    """True when two groups may name two facts of one row alike: nothing that stands in the id is known to differ."""
    if (group.type, group.key, group.detail) != (other.type, other.key, other.detail):
        return False
    both = (name for name in DISTINGUISHING.get(group.type, ()) if name in group.fixed and name in other.fixed)
    return all(group.fixed[name] == other.fixed[name] for name in both)


def _detail(group: FactGroup) -> str:
    if group.fixed.get("direction") == "sent":
        return "onward"
    if group.under_sent:
        return f"onward/{group.type}"
    for name in ("quantity", "questionnaire"):
        if name in group.fixed:
            return str(group.fixed[name])
    return "" if group.type in ("referral", "attendance", "comorbidity") else group.type


def group_of(table: TomlTable, *, fact_type: str | None = None) -> FactGroup:
    """One fact group, tried out: every code it may give is put into the body it is for."""
    kind = fact_type or table.text("type")
    if kind not in FIELDS:
        raise table.refuse("type", "is not a type of fact that a file can hold")
    on = table.column("on") if fact_type is None else None
    key = tuple(Column(header) for header in table.texts("key")) if fact_type is None else ()
    under_sent = fact_type is None and table.one_of("under", (None, "sent")) == "sent"
    if under_sent and kind == "referral":
        raise table.refuse("under", "is for what happens under a referral")
    fixed: dict[str, Fixed] = {}
    columns: dict[str, Column] = {}
    for name in table.names():
        _sort_field(table, name, FIELDS[kind].get(name), fixed=fixed, columns=columns)
    if fact_type is None and on is None:
        raise table.refuse("on", "is required: the column with the day")
    if fact_type is None and not key:
        raise table.refuse("key", "is required: the columns that name the thing, so that corrections find it")
    trigger = columns.get(TRIGGERS.get(kind, "on"), on)
    group = FactGroup(table.place, kind, on, trigger, key, fixed, columns, under_sent=under_sent)
    _try_out(table, group)
    return group


def _sort_field(
    table: TomlTable, name: str, kind: Kind | None, *, fixed: dict[str, Fixed], columns: dict[str, Column]
) -> None:
    value = table.take(name)
    if kind is None:
        raise table.refuse(name, "is not a field of this fact")
    if not isinstance(value, dict):
        if not isinstance(value, str | bool | int) or kind in ("date", "number", "text"):
            raise table.refuse(name, 'must be a table { column = "…" }')
        fixed[name] = value
        return
    if kind == "fixed":
        raise table.refuse(name, "must be the same for every row, not a column")
    columns[name] = table.as_column(name, value)
    if (kind == "code") != (columns[name].codes is not None):
        free_text = "needs a list of codes: free text has no place"
        raise table.refuse(name, free_text if kind == "code" else "takes no list of codes")


def _try_out(table: TomlTable, group: FactGroup) -> None:
    kinds = FIELDS[group.type]
    base: dict[str, object] = {"on": date(2020, 1, 1), **group.fixed}
    base |= {name: _SAMPLES.get(kinds[name], Decimal(1)) for name in group.columns}
    if group.type == "referral":
        base.setdefault("to_tier", "tier2")  # the source's own tier, known when the file is read
        base.pop("ubrn", None)  # clear here, keyed at ingress
    coded = {name: column.codes for name, column in group.columns.items() if column.codes}
    base |= {name: next(iter(codes.values())) for name, codes in coded.items()}
    if group.type == "measurement":
        _try_units(table, group, base)
    _construct(table, group, base)
    for name, codes in coded.items():
        for code in codes.values():
            if name not in ("unit", "plus_unit"):
                _construct(table, group, {**base, name: code})


def _try_units(table: TomlTable, group: FactGroup, base: dict[str, object]) -> None:
    if "value" not in group.columns:
        raise table.refuse("value", "is required: the column with the number")
    units = [base.pop("unit", None)]
    if "unit" in group.columns:
        units = list((group.columns["unit"].codes or {}).values())
    pair_is_whole = ("plus" in group.columns) == ("plus_unit" in group.fixed)
    if not pair_is_whole or ("plus" in base and "unit" not in group.fixed):
        raise table.refuse("plus", "goes with plus_unit, and with a unit that is the same for every row")
    if "plus" in base:
        pair = PAIRS.get(str(group.fixed["unit"]))
        if pair is None or base.pop("plus_unit") != pair[0]:
            raise table.refuse("plus_unit", "must be [lb_av] with [stone_av], [in_i] with [ft_i], cm with m")
        base.pop("plus")
    dimension = DIMENSION_OF.get(str(group.fixed.get("quantity")))
    for unit in units:
        if unit is None:
            raise table.refuse("unit", "is required: a UCUM code, or a column with codes")
        if unit not in UNITS or UNITS[str(unit)].dimension != dimension:
            raise table.refuse("unit", "gives a unit that does not measure this quantity")
    base |= {"unit_given": "kg", "value_given": Decimal(1)}


def _construct(table: TomlTable, group: FactGroup, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        belongs = CLOSED.get(f"{group.type}.{name}") or CLOSED.get(name)
        if belongs is None or FIELDS[group.type].get(name) not in ("code", "fixed"):
            continue
        if lists_its_codes(BODIES[group.type], name):
            continue
        if not isinstance(value, str) or not belongs(value, values):
            raise table.refuse(name, "gives a code that is not in the closed list of this field")
    try:
        body_of(group.type, values)
    except ValidationError as failure:
        where = failure.errors(include_input=False, include_context=False, include_url=False)[0]
        name = str(where["loc"][0]) if where["loc"] else "type"
        rule = "is required" if where["type"] == "missing" else "gives a value this field does not take"
        raise table.refuse(name, rule) from None
