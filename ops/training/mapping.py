"""Which column says what of a person, and a row as the identity that linking knows.

`--map family=surname,house=street_number+address_1`: a field of ours, then the columns that say it, joined by a
blank. A field nobody maps is missing everywhere.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from linkage.normalise import Identity, Name, NormalisedIdentity, normalise
from ops.errors import SettingsError
from ops.training.dates import birth_date, check_column, check_spelling
from ops.training.tables import InputTable
from schemas.errors import SchemaError
from schemas.identity import NHSNumber

FIELDS = (
    "nhs_number", "family", "given", "birth_date", "postcode", "house", "city", "email", "phone", "gender",
    "source", "record",
)  # fmt: skip
NUMBER_DIGITS = 10
VALID_SHARE_MIN = 0.5  # of a column of NHS numbers; of another scheme's ten digits one in eleven passes
_SEXES = {"m": "male", "male": "male", "1": "male", "f": "female", "female": "female", "2": "female"}
_FOREIGN_MAX = 6


@dataclass(frozen=True)
class Spellings:
    """How a file writes what has no one spelling: `dates` as in ops.training.dates; `any_postcode` keeps the codes
    of other countries.
    """

    dates: str = "auto"
    any_postcode: bool = False

    def __post_init__(self) -> None:
        """Raises SettingsError."""
        check_spelling(self.dates)


@dataclass(frozen=True, repr=False)
class TableRecord:
    """What one row tells: who it is about, its name in explanations, its source and the truth about it ("" when
    unknown).
    """

    record: str
    identity: NormalisedIdentity
    source: str
    truth: str


@dataclass
class Reader:
    """Rows of tables as identities. `unread` counts, by field, cells that were filled and could not be read."""

    columns: Mapping[str, tuple[str, ...]]
    spellings: Spellings = Spellings()
    unread: Counter[str] = field(default_factory=Counter)

    def read(self, table: InputTable, *, truth: str | None, prefix: str = "") -> tuple[TableRecord, ...]:
        """Every row. A record's name is the cell of the mapped column `record`, else its row number; `prefix`
        tells files apart. Raises SettingsError naming column and rule.
        """
        places = {name: [table.place(column) for column in used] for name, used in self.columns.items()}
        truth_at = table.place(truth) if truth is not None else None
        for column in self.columns.get("birth_date", ()):
            written = (row[table.place(column)] for row in table.rows)
            check_column(column, written, spelling=self.spellings.dates)
        rows = [{name: " ".join(row[i] for i in at if row[i]) for name, at in places.items()} for row in table.rows]
        numbered = _are_nhs_numbers([cells["nhs_number"] for cells in rows if cells.get("nhs_number")])
        records = []
        for number, (row, cells) in enumerate(zip(table.rows, rows, strict=True), start=1):
            records.append(
                TableRecord(
                    record=prefix + (cells.get("record") or str(number)),
                    identity=normalise(self._identity(cells, numbered=numbered)),
                    source=cells.get("source") or table.name,
                    truth=row[truth_at] if truth_at is not None else "",
                )
            )
        _refuse_twice(records, self.columns.get("record", ()))
        return tuple(records)

    def _identity(self, cells: Mapping[str, str], *, numbered: bool) -> Identity:
        number = _digits(cells.get("nhs_number", ""))
        valid = number if numbered and number and _is_nhs_number(number) else None
        given, family = cells.get("given", ""), cells.get("family", "")
        return Identity(
            nhs_number=valid,
            nhs_number_claimed=number.zfill(NUMBER_DIGITS) if number and not valid else None,
            names=(Name(given=tuple(given.split()), family=family),) if given or family else (),
            birth_date=self._counted(
                "birth_date", cells, birth_date(cells.get("birth_date", ""), spelling=self.spellings.dates)
            ),
            sex=self._counted("gender", cells, _SEXES.get(cells.get("gender", "").lower())),
            postcodes=(self._postcode(cells["postcode"]),) if cells.get("postcode") else (),
            houses=_values(cells, "house"),
            cities=_values(cells, "city"),
            phones=_values(cells, "phone"),
            emails=_values(cells, "email"),
        )

    def _postcode(self, text: str) -> str:
        return foreign_postcode(text) if self.spellings.any_postcode else text

    def _counted(self, name: str, cells: Mapping[str, str], found: str | None) -> str | None:
        self.unread[name] += bool(cells.get(name) and found is None)
        return found


def parse_map(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Field → columns, of one or more options `--map`. Raises SettingsError."""
    columns: dict[str, tuple[str, ...]] = {}
    for part in (part.strip() for text in texts for part in text.split(",")):
        name, equals, named = part.partition("=")
        name = name.strip()
        used = tuple(column.strip() for column in named.split("+"))
        if not equals or not all(used):
            raise SettingsError("--map: field=column or field=column+column, with commas between them")
        if name not in FIELDS:
            raise SettingsError(f"--map: no field {name}; there are {', '.join(FIELDS)}")
        if name in columns:
            raise SettingsError(f"--map: {name} twice; two columns for one field are joined by +")
        columns[name] = used
    if not columns:
        raise SettingsError("--map: at least one field")
    return columns


def foreign_postcode(text: str) -> str:
    """A postcode of another country in the shape of a British one: X, which begins no area here, the code, and a
    0 for the last letter.

    So the code without its last character is a sector, and without its last two a district. Longer codes are cut
    to six.
    """
    code = re.sub("[^A-Z0-9]", "", text.upper())[:_FOREIGN_MAX]
    return f"X{code.rjust(3, '0')}0" if code else ""


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def _is_nhs_number(number: str) -> bool:
    try:
        NHSNumber.parse(number, test_mode=True)
    except SchemaError:
        return False
    return True


def _are_nhs_numbers(filled: Sequence[str]) -> bool:
    """Whether a column holds NHS numbers, some mistyped, or the numbers of another scheme: those are compared as
    numbers that are claimed and not valid, so that no rule trusts them.
    """
    valid = sum(_is_nhs_number(_digits(text)) for text in filled)
    return valid >= VALID_SHARE_MIN * len(filled)


def _values(cells: Mapping[str, str], name: str) -> tuple[str, ...]:
    return (cells[name],) if cells.get(name) else ()


def _refuse_twice(records: Sequence[TableRecord], columns: Sequence[str]) -> None:
    if len({record.record for record in records}) != len(records):
        raise SettingsError(f"column {'+'.join(columns)}: two rows of one record")
