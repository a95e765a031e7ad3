"""Whole files of two councils, as they were dropped: what each row became stands beside them, to contest."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from council_files import RECEIVED_AT, east, mapping_text

from connectors.mapping import parse
from connectors.sources.tier2_csv import FileReading, read
from connectors.sources.tier2_csv.report import FileReport
from schemas.check import check
from schemas.sources import Source

GOLDEN = Path(__file__).resolve().parents[1] / "golden/tier2"
COUNCILS = ["council-east", "council-west"]


def source_of(council: str) -> Source:
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
