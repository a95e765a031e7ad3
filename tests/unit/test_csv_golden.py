"""Whole files of two councils, as they were dropped: what each row became stands beside them, to contest."""

import csv
import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from council_files import RECEIVED_AT, ROOT, east, mapping_text, read_east

from connectors.mapping import parse
from connectors.sources.tier2_csv import FileReading, read
from connectors.sources.tier2_csv.report import FileReport
from schemas.check import check
from schemas.disposition import Verdict
from schemas.envelope import entry_id
from schemas.sources import Source

GOLDEN = Path(__file__).resolve().parents[1] / "golden/tier2"
COUNCILS = ["council-east", "council-west", "every-fact"]


def source_of(council: str) -> Source:
    if council == "every-fact":
        services = frozenset({"weight-management"})
        return replace(east(), slug=council, mapping=council, services=services, tier="tier3", programme=None)
    return replace(east(), slug=council, mapping=council)


def reading_of(council: str) -> FileReading:
    raw = (GOLDEN / f"{council}.csv").read_bytes()
    return read(
        raw,
        source=source_of(council),
        mapping=parse(mapping_text(council)),
        file_id=hashlib.sha256(raw).hexdigest(),
        test_mode=True,
        received_at=RECEIVED_AT,
    )


def facts_in(bundle: Any, source: Source) -> list[dict[str, Any]]:
    """What the Bundle tells, read back as ingress reads it."""
    if bundle is None:
        return []
    _, message = check(bundle, source=source, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    facts = [
        {
            "business_id": fact.business_id,
            "under": fact.referral_business_id,
            **fact.body.model_dump(mode="json", exclude_none=True),
        }
        for fact in message.facts
    ]
    return sorted(facts, key=lambda fact: (fact["type"], str(fact["business_id"])))


def became(council: str) -> dict[str, Any]:
    """What the golden JSON says: of the file, and of each row."""
    reading = reading_of(council)
    return {
        "file": [issue.as_json() for issue in reading.file_issues],
        "rows": [
            {
                "row": entry.position,
                "disposition": entry.checked.verdict.value,
                "issues": [issue.as_json() for issue in entry.checked.issues],
                "facts": facts_in(entry.bundle, source_of(council)),
            }
            for entry in reading.entries
        ],
    }


@pytest.mark.parametrize("council", COUNCILS)
def test_every_row_of_the_golden_file_becomes_what_stands_beside_it(council: str) -> None:
    assert became(council) == json.loads((GOLDEN / f"{council}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("council", COUNCILS)
def test_the_report_is_the_one_that_stands_beside_the_golden_file(council: str) -> None:
    reading, report = reading_of(council), FileReport(council)
    report.of_file(reading.file_issues)
    report.of_rows(reading.entries)
    assert report.text(taken=True).encode() == (GOLDEN / f"{council}.report.csv").read_bytes()


@pytest.mark.parametrize("path", sorted((ROOT / "tests/golden/cases/csv").glob("*.csv")), ids=lambda path: path.name)
def test_every_row_that_went_on_has_its_entry_id_in_the_report(path: Path) -> None:
    """Also the rows that are accepted without a word: the ledger knows them by nothing else."""
    reading = read_east(path.read_bytes())
    report = FileReport("council-east")
    report.of_rows(reading.entries)
    found = {(line["row"], line["entry"]) for line in csv.DictReader(io.StringIO(report.text(taken=True)))}
    for entry in reading.entries:
        identifier = entry_id("council-east", entry.message_id, entry.position)
        assert ((str(entry.position), identifier) in found) == (entry.checked.verdict is not Verdict.IGNORED)
