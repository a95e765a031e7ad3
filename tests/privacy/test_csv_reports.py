"""Nothing of a council's file stands in its report, in a log, on the metrics page or in a repr."""

import csv
import io
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from council_files import CLIENT, HEADERS, SESSION, line, read_east, row, sheet
from folder_doors import Council
from kafka import KafkaAdminClient
from prometheus_client import generate_latest

from connectors.publisher import Publisher
from connectors.sources.tier2_csv import FileReading
from connectors.sources.tier2_csv.report import FileReport
from ops.local.broker.embedded import EmbeddedBroker
from schemas.errors import error

CANARY = "QXZVWKJYPLMB"


def report_of(reading: FileReading) -> str:
    report = FileReport("council-east")
    report.of_file(reading.file_issues)
    report.of_rows(reading.entries)
    return report.text(taken=not reading.refused)


def shown(reading: FileReading) -> str:
    """Everything about a reading that an operator or a log could come to see.

    Numbers that were understood (a weight of 1.00) are shown by the check, and are no text of the sender's.
    """
    printed = [entry.checked.as_json() for entry in reading.entries]
    facts = [fact for answer in printed for fact in answer["facts"]]  # type: ignore[attr-defined]
    understood = [fact.pop(key, "") for fact in facts for key in ("value", "value_given")]
    assert all(str(value).replace(".", "", 1).isdigit() or value == "" for value in understood)
    return report_of(reading) + repr(reading) + re.sub("null|true|false", "", json.dumps(printed))  # JSON's words


def naughty_strings() -> list[str]:
    """The public list of hostile strings, those long enough to be told from our own words."""
    folder = os.environ.get("TIERLINK_SHARED_DATA")
    path = Path(folder or "") / "blns/blns.json"
    if not folder or not path.exists():
        pytest.skip("TIERLINK_SHARED_DATA is not set: the public list of hostile strings is not here")
    return [text for text in json.loads(path.read_text(encoding="utf-8")) if len(text.strip()) >= 4]


@pytest.mark.parametrize("header", HEADERS)
def test_a_canary_in_any_column_is_in_no_report_and_no_repr(header: str) -> None:
    for value in (CANARY, f"{CANARY}\x07", CANARY * 200):
        reading = read_east(sheet(row(**{**SESSION, header: value})))
        assert CANARY not in shown(reading)


@pytest.mark.parametrize(
    "text",
    [
        line([CANARY] * len(HEADERS)) + line(["x"] * len(HEADERS)),
        sheet(f"{CANARY},short\r\n", f'"{CANARY}\r\n'),
        sheet(headers=[*HEADERS, CANARY, CANARY]),
        sheet(headers=[*HEADERS[1:], CANARY]),
        f'"{CANARY}',
        f"{CANARY}\x00",
    ],
)
def test_a_canary_in_a_broken_file_is_in_no_report_and_no_repr(text: str) -> None:
    assert CANARY not in shown(read_east(text))


def test_the_negative_control_a_report_that_repeated_a_value_would_be_caught() -> None:
    report = FileReport("council-east")
    report.of_file([error("file", f"does not like {CANARY}")])
    assert CANARY in report.text(taken=False)


def test_hostile_strings_in_every_text_cell_are_answered_and_never_repeated() -> None:
    strings = naughty_strings()
    columns = ("surname", "forename", "address1", "client_ref", "nhs_no", "dob", "weight", "attendance")
    rows = [row(**{**SESSION, **dict.fromkeys(columns, text.replace("\x00", ""))}) for text in strings]
    reading = read_east(sheet(*rows).encode("utf-8", "replace"))
    assert len(reading.entries) == len(strings)
    said = shown(reading)
    ours = shown(read_east(sheet(row(**{**SESSION, **dict.fromkeys(columns, "·")}))))
    assert [text for text in strings if text in said and text not in ours] == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_report_can_be_calculated_by_a_spreadsheet(start: str) -> None:
    report = FileReport("council-east")
    report.of_file([error(f"row 1, column {start}cmd", f"{start}rule")])
    rows = list(csv.reader(io.StringIO(report.text(taken=True), newline="")))
    assert rows[1][1] == f"'{start}cmd"
    assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for item in rows for cell in item)


@pytest.fixture
def council(tmp_path: Path, broker: EmbeddedBroker, broker_admin: KafkaAdminClient) -> Iterator[Council]:
    publisher = Publisher(broker.bootstrap, delivery_seconds_max=2)
    council = Council(tmp_path / "council", broker.bootstrap, publisher)
    council.create_topic(broker_admin)
    yield council
    publisher.close()


def test_neither_a_file_name_nor_its_content_reaches_log_metrics_or_report(
    council: Council, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    contents = {
        "good": sheet(row(surname=CANARY)),
        "bad": sheet(row(surname=CANARY, dob=CANARY)),
        "refused": sheet(headers=[CANARY]),
        "binary": f"{CANARY}\x00",
    }
    for kind, content in contents.items():
        council.drop(f"{CANARY} {kind}.csv", content)
    council.poll(1)
    (council.path / "inbox" / f"{CANARY} link.csv").symlink_to(council.path)
    (council.path / "work" / f"{CANARY} moved by hand.csv").mkdir()
    council.poll(3)
    assert len(council.names("done")) == 4
    assert len(council.names("failed")) == 8
    assert caplog.records
    reports = [path.read_text() for room in ("done", "failed") for path in (council.path / room).glob("*.report.csv")]
    assert len(reports) == 6
    for text in (caplog.text, generate_latest(council.metrics).decode(), *reports, repr(council.door)):
        assert CANARY not in text
    assert CLIENT["surname"] not in caplog.text
