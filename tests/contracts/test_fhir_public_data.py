"""What NHS England publishes and a public torture set, through the check: always an answer, never a crash."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fhir_samples import FHIR_OPEN, GP_HUB
from shared_data import shared_folder

from connectors.entry import SourceEntry
from connectors.sources.primary_care_fhir import UNREADABLE, read
from schemas.disposition import Verdict
from schemas.sources import Source

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def answered(raw: bytes, source: Source = FHIR_OPEN) -> SourceEntry:
    (entry,) = read(raw, source=source, test_mode=True, received_at=NOW)
    return entry


def examples(name: str) -> Iterator[tuple[Path, SourceEntry]]:
    for path in sorted(shared_folder(name).rglob("*.json")):
        yield path, answered(path.read_bytes())


def is_message(path: Path) -> bool:
    return bool(json.loads(path.read_bytes()).get("type") == "message")


def test_of_the_seven_bars_messages_five_are_accepted_and_two_with_warnings() -> None:
    messages = [entry for path, entry in examples("bars/examples") if is_message(path)]
    assert Counter(entry.checked.verdict for entry in messages) == {
        Verdict.ACCEPTED: 5,
        Verdict.ACCEPTED_WITH_WARNINGS: 2,
    }
    assert all("Patient" in entry.checked.resource_types and entry.bundle for entry in messages)
    places = {
        issue.location.split(".resource.")[1]
        for entry in messages
        for issue in entry.checked.issues
        if issue.severity == "warning"
    }
    assert places == {"participant[0].status"}  # FHIR requires it, NHS's own two answers lack it


def test_a_bars_message_is_none_of_a_weight_management_hubs_business() -> None:
    for path in sorted(shared_folder("bars/examples").rglob("*.json")):
        if is_message(path):
            entry = answered(path.read_bytes(), GP_HUB)
            assert (entry.checked.verdict, entry.bundle, entry.message) == (Verdict.IGNORED, None, None)


def test_every_operation_outcome_and_every_lone_resource_of_bars_is_refused() -> None:
    counted: Counter[tuple[str, Verdict]] = Counter()
    for path, entry in examples("bars/examples"):
        if not is_message(path):
            counted[next(iter(entry.checked.resource_types), "nothing"), entry.checked.verdict] += 1
    assert counted.pop(("OperationOutcome", Verdict.REJECTED)) == 62
    assert counted.pop(("nothing", Verdict.REJECTED)) == 1  # a status page that is no FHIR resource
    assert {verdict for _, verdict in counted} == {Verdict.REJECTED}


def test_every_e_referral_mock_is_refused_for_a_reason() -> None:
    entries = [entry for _, entry in examples("ers/mocks")]
    assert len(entries) > 150
    assert {entry.checked.verdict for entry in entries} == {Verdict.REJECTED}
    assert all(entry.checked.issues for entry in entries)


def test_json_that_must_parse_parses_and_json_that_must_not_does_not() -> None:
    repeats_a_key = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
    wrong = []
    for path in sorted(shared_folder("jsontestsuite/test_parsing").glob("*.json")):
        issues = answered(path.read_bytes()).checked.issues
        refused_as_json = any(issue.location == UNREADABLE for issue in issues)
        must_refuse = path.name.startswith("n_") or path.name in repeats_a_key  # two readers, two patients
        if refused_as_json != must_refuse and not path.name.startswith("i_"):
            wrong.append(path.name)
    assert wrong == []


@pytest.mark.parametrize("where", ["y_", "n_", "i_"])
def test_the_json_torture_set_is_there_to_be_judged(where: str) -> None:
    assert len(list(shared_folder("jsontestsuite/test_parsing").glob(f"{where}*.json"))) > 30
