"""`tierlink check --source` judges what the door of the source judges, with the same reasons: real doors beside it.

The broker is the only thing that is missing: what would be published is dropped.
"""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from council_files import ROOT, row, session, sheet
from door_keys import DoorKeys
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from connectors.doors import TRANSPORTS
from connectors.doors.door import DoorSetup
from connectors.doors.fhir_http import create_app
from connectors.doors.folder import Folder, FolderDoor, mapping_of
from connectors.doors.hl7_mllp import MllpServer
from connectors.doors.mllp_framing import Frame
from connectors.intake import Intake
from connectors.metrics import DoorMetrics
from connectors.publisher import Publisher
from connectors.sources.tier3_hl7v2.answer import read_answer
from ops.client.check_files import check_file, mapping_for
from schemas.disposition import Checked, Verdict
from schemas.sources import Source, parse

NAMED = """
[[source]]
slug = "hub"
ods = "Y00001"
tier = "primary_care"
door = "fhir_http"
services = ["408289007"]
placeholders = ["nobody here"]

[[source]]
slug = "trust"
ods = "RXX"
tier = "tier3"
door = "hl7_mllp"
services = ["WMS"]
authorities = ["RXX"]
senders = ["PAS|RXX"]
nhs_number_fields = ["PID-2"]
[source.codes.patient_class]
"Ambulant" = "O"

[[source]]
slug = "council"
ods = "E10000"
tier = "tier2"
door = "folder"
services = ["adult-weight-management"]
mapping = "council-east"
authorities = ["COUNCIL"]
placeholders = ["nobody here"]
"""
GOLDEN = ROOT / "tests/golden"
FHIR = sorted((GOLDEN / "cases/fhir").rglob("*.json")) + sorted((GOLDEN / "primary_care").glob("*.json"))
HL7 = sorted((GOLDEN / "cases/hl7").rglob("*.hl7")) + sorted((GOLDEN / "tier3").glob("*.hl7"))
TRUST_MESSAGE = (
    "MSH|^~\\&|{sender}|{facility}|TIERLINK|ROUTE|20260728100000||ADT^A04|B01|P|2.4||||||UNICODE UTF-8\r"
    "PID|1|9990000018|700002^^^{issuer}^MR||Okonkwo^Ngozi||19800229|F\r"
    "PV1|1|{patient_class}|CLINIC1|||||||WMS|||||||||V-100|||||||||||||||||||||||||20260714100000\r"
)


class Unconnected(Publisher):
    """A publisher whose broker takes everything and keeps nothing."""

    def __init__(self) -> None:
        pass

    def publish(self, messages: Sequence[object]) -> None:
        """Durable at once."""


def sources(*, test_mode: bool) -> dict[str, Source]:
    return dict(parse(NAMED, doors=TRANSPORTS, test_mode=test_mode))


def setup(*, test_mode: bool, now: datetime) -> DoorSetup:
    metrics = DoorMetrics(CollectorRegistry())
    intake = Intake(Unconnected(), sessions=DoorKeys().sessions(), metrics=metrics, clock=lambda: now)
    return DoorSetup(sources(test_mode=test_mode), intake, metrics, lambda: now, test_mode=test_mode)


def judged(content: bytes, slug: str, *, test_mode: bool) -> list[Checked]:
    source = sources(test_mode=test_mode)[slug]
    found = check_file(content, source, mapping=mapping_for(source, None), test_mode=test_mode)
    return [checked for _, checked in found]


def reasons(checked: Checked) -> list[tuple[str, str, str]]:
    return sorted((issue.severity.value, issue.location, issue.rule) for issue in checked.issues)


@pytest.mark.parametrize("test_mode", [True, False])
def test_a_bundle_is_judged_as_by_the_fhir_door(test_mode: bool) -> None:
    client = TestClient(create_app(setup(test_mode=test_mode, now=datetime.now(UTC))))
    for content in [path.read_bytes() for path in FHIR] + [b"", b"{", b"[]", b"\xff"]:
        headers = {"Content-Type": "application/fhir+json", "X-Tierlink-Source": "hub"}
        answer = client.post("/fhir", content=content, headers=headers)
        body: dict[str, Any] = answer.json()
        (checked,) = judged(content, "hub", test_mode=test_mode)
        answered = [(i["severity"], (i.get("expression") or [""])[0], i["diagnostics"]) for i in body["issue"]]
        assert sorted(answered) == reasons(checked)
        status = {Verdict.IGNORED: {200}, Verdict.REJECTED: {400, 422}}.get(checked.verdict, {202})
        assert answer.status_code in status


def trust_messages() -> list[bytes]:
    """A message, and others of which each differs from it by what one setting of the source's table is about."""
    plain = {"sender": "PAS", "facility": "RXX", "issuer": "RXX", "patient_class": "O"}
    changes = [{}, {"sender": "LAB"}, {"issuer": "RYY"}, {"issuer": ""}, {"patient_class": "Ambulant"}]
    return [TRUST_MESSAGE.format(**{**plain, **change}).encode() for change in changes]


@pytest.mark.parametrize("test_mode", [True, False])
def test_a_message_is_judged_as_by_the_mllp_door(test_mode: bool) -> None:
    server = MllpServer(setup(test_mode=test_mode, now=datetime.now(UTC)))
    source = sources(test_mode=test_mode)["trust"]
    seen = set()
    for content in [*trust_messages(), *(path.read_bytes() for path in HL7), b"MSH", b"PID|1"]:
        found = judged(content, "trust", test_mode=test_mode)
        if len(found) > 1:
            continue  # a file of several messages is several frames
        raw = asyncio.run(server._answer(source, Frame(content)))
        answer = read_answer(raw.strip(b"\x0b\x1c\r"))
        (checked,) = found
        assert (answer.code == "AA") == (checked.verdict is not Verdict.REJECTED)
        answered = {(i.severity, i.rule) for i in answer.issues if i.rule}
        assert answered <= {(i.severity, i.rule) for i in checked.issues}
        assert bool(answer.issues) == bool(checked.issues)
        seen.add(answer.code)
    assert {"AA", "AE", "AR"} <= seen
    asyncio.run(server.close())


@pytest.mark.parametrize("test_mode", [True, False])
def test_a_file_is_judged_as_by_the_folder_door(tmp_path: Path, test_mode: bool) -> None:
    source = sources(test_mode=test_mode)["council"]
    now = datetime.now(UTC)
    door_setup = setup(test_mode=test_mode, now=now)
    clock = [now]
    door_setup = DoorSetup(
        door_setup.sources, door_setup.intake, door_setup.metrics, lambda: clock[0], test_mode=test_mode
    )
    door = FolderDoor([Folder(source, mapping_of(source), tmp_path)], door_setup)
    door.poll_once()
    files = {path.name: path.read_bytes() for path in sorted((GOLDEN / "cases/csv").glob("*.csv"))}
    files["hostile.csv"] = sheet(row(surname="nobody here"), session(weight="lots"), row(nhs_no="9434765870")).encode()
    files["empty.csv"] = sheet().encode()
    for name, content in files.items():
        (tmp_path / "inbox" / name).write_bytes(content)
    door.poll_once()
    clock[0] += timedelta(seconds=2)
    door.poll_once()
    for name, content in files.items():
        (report,) = tmp_path.rglob(f"{name}.report.csv")
        rows = list(csv.DictReader(io.StringIO(report.read_text(encoding="utf-8-sig"))))
        lines = [(r["severity"], r["row"], r["column"].removeprefix("'"), r["rule"]) for r in rows[:-1]]
        found = list(check_file(content, source, mapping=mapping_for(source, None), test_mode=test_mode))
        every = [reason for _, checked in found for reason in reasons(checked)]
        expected = [(severity, *_place(location), rule) for severity, location, rule in every]
        accepted = [line for line in lines if line[3] == "is accepted"]
        assert sorted(line for line in lines if line not in accepted) == sorted(expected), name
        refused = [checked.verdict for index, checked in found if index is None] == [Verdict.REJECTED]
        assert (report.parent.name == "failed") == refused, name


def _place(location: str) -> tuple[str, str]:
    row_part, _, column = location.partition(", column ")
    return (row_part.removeprefix("row "), column) if location.startswith("row ") else ("", "")


def test_what_the_source_says_changes_the_judgement() -> None:
    """The control: without the source's table the messages of another sender or issuer would be judged otherwise."""
    messages = trust_messages()
    plain, sender, issuer, no_issuer, word = (judged(message, "trust", test_mode=True)[0] for message in messages)
    bare = Source("check-trust", "RXX", "tier3", "hl7_mllp", frozenset({"*"}))
    found = [next(check_file(message, bare, mapping=None, test_mode=True))[1] for message in messages]
    assert (plain.verdict, sender.verdict) == (Verdict.ACCEPTED, Verdict.REJECTED)
    assert found[1].verdict is not Verdict.REJECTED
    for named, bare_one in zip((issuer, no_issuer, word), found[2:], strict=True):
        assert named != bare_one
