"""Council East's CSV as text, row by row, and the reading of it: for every test about the folder door."""

import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from connectors.doors import TRANSPORTS
from connectors.mapping import FileMapping, parse
from connectors.sources.tier2_csv import FileReading, read
from schemas.errors import Issue
from schemas.sources import Source
from schemas.sources import parse as parse_sources

ROOT = Path(__file__).resolve().parents[2]
RECEIVED_AT = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)

HEADERS = (
    "client_ref nhs_no surname forename dob sex ethnicity postcode address1 gp_practice "
    "referral_ref referral_date referral_source accepted_date declined_date declined_by decline_reason "
    "start_date delivery session_ref session_date attendance group "
    "weight weight_unit self_reported height height_unit "
    "completed_date withdrawn_date end_reason discharged_date onward_referral_date onward_to last_updated"
).split()

CLIENT = {
    "client_ref": "EC-1001",
    "nhs_no": "999 000 0018",
    "surname": "Okonkwo",
    "forename": "Ngozi",
    "dob": "29/02/1980",
    "sex": "F",
    "ethnicity": "N",
    "postcode": "cm1 1aa",
    "gp_practice": "F81001",
    "referral_ref": "R-77",
    "referral_date": "01/04/2026",
    "referral_source": "GP",
    "last_updated": "10/05/2026 09:30",
}
SESSION = {
    "session_ref": "S-5",
    "session_date": "07/05/2026",
    "attendance": "Attended",
    "weight": "95.5",
    "weight_unit": "kg",
    "self_reported": "N",
    "height": "172",
    "height_unit": "cm",
}
# The smallest mapping there is: a person and one fact.
SMALLEST = """
mapping = "small"
[file]
service = "adult-weight-management"
delimiter = ","
[dates]
date = "yyyy-mm-dd"
zone = "UTC"
[row]
[person]
local_id = { column = "id" }
[[fact]]
type = "discharge"
key = ["id"]
on = { column = "ended" }
[codes.any]
a = "other"
"""


def mapping_text(name: str = "council-east") -> str:
    """The mapping's TOML as it stands in the project."""
    return (ROOT / "connectors/mappings" / f"{name}.toml").read_text(encoding="utf-8")


@cache
def east_mapping() -> FileMapping:
    """Council East's mapping."""
    return parse(mapping_text())


@cache
def east() -> Source:
    """Council East as a source."""
    text = (ROOT / "connectors/sources.toml").read_text(encoding="utf-8")
    return parse_sources(text, doors=TRANSPORTS, test_mode=True)["council-east"]


def line(cells: Sequence[str], *, delimiter: str = ",") -> str:
    """One row as a spreadsheet writes it."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def row(**cells: str) -> str:
    """A row of CLIENT with these cells instead."""
    values = {**CLIENT, **cells}
    return line([values.get(header, "") for header in HEADERS])


def session(**cells: str) -> str:
    """A row of CLIENT at SESSION with these cells instead."""
    return row(**{**SESSION, **cells})


def sheet(*rows: str, headers: Sequence[str] = tuple(HEADERS)) -> str:
    """A whole file."""
    return line(headers) + "".join(rows)


def read_east(raw: bytes | str, *, test_mode: bool = True, received_at: datetime = RECEIVED_AT) -> FileReading:
    """`raw` read as a file of Council East."""
    content = raw.encode() if isinstance(raw, str) else raw
    return read(
        content,
        source=east(),
        mapping=east_mapping(),
        file_id=hashlib.sha256(content).hexdigest(),
        test_mode=test_mode,
        received_at=received_at,
    )


def issues_of_row(raw: bytes | str, *, test_mode: bool = True) -> list[Issue]:
    """The issues of the only row of a file."""
    (entry,) = read_east(raw, test_mode=test_mode).entries
    return list(entry.checked.issues)
