"""One message of every kind, good and bad, and exactly what the door makes of it (tests/golden/tier3)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hl7_messages import LOCAL, RECEIVED_AT, TRUST, entry_of

from schemas.check import check

FOLDER = Path(__file__).resolve().parents[1] / "golden/tier3"
MESSAGES = sorted(FOLDER.glob("*.hl7"))
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


def made_of(path: Path) -> dict[str, Any]:
    """Verdict, reasons and facts of a message, as expected.json has them."""
    source = LOCAL if "local_fields" in path.stem else TRUST
    entry = entry_of(path.read_bytes(), source=source)
    facts: list[dict[str, Any]] = []
    if entry.bundle is not None:
        _, value = check(entry.bundle, source=source, test_mode=True, received_at=RECEIVED_AT)
        assert value is not None
        for fact in value.facts:
            body = fact.body.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            facts.append(
                {"type": fact.body.type, "business_id": fact.business_id}
                | ({"retracted": True} if fact.retracted else {})
                | body
            )
    reasons = [f"{issue.severity.value} {issue.code} {issue.location}" for issue in entry.checked.issues]
    return {"verdict": entry.checked.verdict.value, "reasons": reasons, "facts": facts}


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_the_message_means_what_is_written_down(path: Path):
    assert made_of(path) == EXPECTED[path.stem]


def test_every_message_has_its_expectation_and_the_other_way_round():
    assert [path.stem for path in MESSAGES] == sorted(EXPECTED)
    assert sum(item["verdict"] == "rejected" for item in EXPECTED.values()) >= 3
