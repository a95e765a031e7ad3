"""A file mapping: which column of one provider's CSV says what, parsed once from TOML into frozen values.

`connectors/mappings/council-east.toml` is the commented example. One rule runs through the format: a table
`{ column = "…" }` is read from the file, a plain value is the same for every row.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from connectors.mapping.fields import PERSON
from connectors.mapping.group import FactGroup, columns_of, group_of, with_details
from connectors.mapping.table import Column, Fixed, TomlTable, code_list, header_key, spelling
from schemas.codes import GENDERS
from schemas.errors import InvalidField

__all__ = ["Column", "FactGroup", "FileMapping", "Fixed", "header_key", "parse", "spelling"]

DateFormat = Literal[
    "dd/mm/yyyy", "d/m/yyyy", "dd-mm-yyyy", "dd.mm.yyyy", "yyyy-mm-dd", "yyyy/mm/dd", "yyyymmdd", "mm/dd/yyyy"
]
Serials = Literal["1900", "1904"]
Zone = Literal["Europe/London", "UTC"]
_DELIMITERS = {",": ",", ";": ";", "tab": "\t"}


@dataclass(frozen=True, slots=True)
class FileMapping:
    """Everything that differs between two providers' files. `delimiter` None: found out from the header row.

    `serials`: day numbers of a spreadsheet count from this year (None: they are no days).
    `service` is the code `Source.serves` is asked about. `required` cells must be filled in every row,
    `optional` columns may be absent from the file, `totals` are the words that open a totals row at the foot.
    """

    name: str
    service: str | Column
    delimiter: str | None
    date_format: DateFormat
    datetime_format: str | None
    serials: Serials | None
    zone: Zone
    source_version_at: Column | None
    referral: Column | None
    person: Mapping[str, Column]
    demographics: FactGroup
    facts: tuple[FactGroup, ...]
    required: tuple[Column, ...]
    optional: frozenset[str]
    totals: frozenset[str]

    @property
    def sent_referral(self) -> FactGroup | None:
        """The one group of a referral that this file sent; None without one, and where there are several."""
        sent = [group for group in self.facts if group.fixed.get("direction") == "sent"]
        return sent[0] if len(sent) == 1 else None

    def columns(self) -> Iterator[Column]:
        """Every column the mapping reads, some more than once."""
        single = (
            self.source_version_at,
            self.referral,
            self.service if isinstance(self.service, Column) else None,
        )
        yield from (column for column in single if column is not None)
        yield from self.required
        yield from self.person.values()
        for group in (self.demographics, *self.facts):
            yield from columns_of(group)


def parse(text: str) -> FileMapping:
    """The mapping in `text`.

    Raises InvalidField naming the table and the key: not TOML, an unknown key, a column or code list
    that is missing, a code that the field it is meant for does not take, a fact without what it needs.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise InvalidField("mapping", rule="is not TOML") from None
    root = TomlTable("mapping", document, codes={})
    codes = {name: code_list(f"codes.{name}", table) for name, table in root.tables("codes").items()}
    file, dates, row = (root.table(name, codes) for name in ("file", "dates", "row"))
    groups = [
        group_of(TomlTable(f"fact[{position}]", table, codes))
        for position, table in enumerate(root.list_of_tables("fact"))
    ]
    demographics = root.table("demographics", codes, optional=True)
    mapping = FileMapping(
        name=root.text("mapping"),
        service=_service(file),
        delimiter=_delimiter(file),
        date_format=dates.one_of("date", get_args(DateFormat)),
        datetime_format=_datetime_format(dates),
        serials=dates.one_of("serials", (None, *get_args(Serials))),
        zone=dates.one_of("zone", get_args(Zone)),
        source_version_at=row.column("source_version_at"),
        referral=row.column("referral"),
        person=_person(root.table("person", codes)),
        demographics=group_of(demographics, fact_type="demographics"),
        facts=with_details(groups),
        required=tuple(Column(header) for header in row.texts("required")),
        optional=frozenset(header_key(header) for header in file.texts("optional")),
        totals=frozenset(spelling(word) for word in file.texts("totals")),
    )
    for table in (file, dates, row, root):
        table.finish()
    if mapping.sent_referral is None and any(group.under_sent for group in groups):
        raise InvalidField("fact.under", rule="needs exactly one referral with direction sent")
    return mapping


def _service(table: TomlTable) -> str | Column:
    value = table.take("service")
    if isinstance(value, str) and value:
        return value
    return table.as_column("service", value)


def _delimiter(table: TomlTable) -> str | None:
    name = table.one_of("delimiter", (*_DELIMITERS, "auto"))
    return _DELIMITERS.get(name)


def _datetime_format(table: TomlTable) -> str | None:
    """A date format followed by ` hh:mm` or ` hh:mm:ss` (or `T` between them)."""
    value = table.take("datetime")
    if value is None:
        return None
    allowed = [f"{day}{gap}{time}" for day in get_args(DateFormat) for gap in " T" for time in ("hh:mm", "hh:mm:ss")]
    if value not in allowed:
        raise table.refuse("datetime", "must be a date format followed by hh:mm or hh:mm:ss")
    return str(value)


def _person(table: TomlTable) -> Mapping[str, Column]:
    columns = {name: column for name in PERSON if (column := table.column(name)) is not None}
    table.finish()
    if not {"local_id", "nhs_number", "family"} & set(columns):
        raise table.refuse("local_id", "at least one of local_id, nhs_number and family must be there")
    for name, column in columns.items():
        if (name == "sex") != (column.codes is not None):
            raise table.refuse(name, "needs a list of codes" if name == "sex" else "takes no list of codes")
    if "sex" in columns and not set((columns["sex"].codes or {}).values()) <= GENDERS:
        raise table.refuse("sex", "codes give a value that is not a FHIR administrative gender")
    return columns
