"""POST /fhir on a real port with a real broker behind it: what is answered, and when."""

import json
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from eventually import eventually
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir_door import NOW, OpenDoor, a_hub, create_topic, door_for, published
from fhir_samples import referral_bundle
from kafka import KafkaAdminClient

from connectors.doors.door import DoorSetup
from connectors.doors.fhir_http import BODY_BYTES_MAX, create_app, server
from connectors.entry import SourceEntry
from connectors.intake import DoorOutcome, Intake
from connectors.publisher import Publisher
from ops.local.broker.embedded import EmbeddedBroker
from schemas.envelope import entry_id
from schemas.errors import InvalidField
from schemas.sources import Source

ROOT = Path(__file__).resolve().parents[2]
GOOD = json.dumps(referral_bundle()).encode()
SECRETS = ("Okafor", "Grace", "9990000042", "1971-03-14", "Mill Lane", "LS1 4HR", "Zyxwvutsrqpo")


@pytest.fixture(scope="module")
def publisher(broker: EmbeddedBroker) -> Iterator[Publisher]:
    publisher = Publisher(broker.bootstrap, delivery_seconds_max=2)
    yield publisher
    publisher.close()


@pytest.fixture(scope="module")
def door(publisher: Publisher, broker_admin: KafkaAdminClient) -> Iterator[OpenDoor]:
    source = a_hub()
    create_topic(broker_admin, source)
    with door_for(source, publisher) as opened:
        yield opened


@pytest.fixture
def fresh_door(publisher: Publisher, broker_admin: KafkaAdminClient) -> Iterator[OpenDoor]:
    """A door whose topic and counters nobody else has touched."""
    source = a_hub()
    create_topic(broker_admin, source)
    with door_for(source, publisher) as opened:
        yield opened


def reasons(answer: Any) -> list[tuple[str, str]]:
    """(code, expression) of every issue of an answer that must be a sound OperationOutcome."""
    assert answer.headers["content-type"] == "application/fhir+json"
    OperationOutcome.model_validate(answer.json())
    return [(issue["code"], *issue.get("expression", [""])) for issue in answer.json()["issue"]]


def secrets_of(shown: str) -> list[str]:
    """Each place where a made-up secret is shown, with what stands around it."""
    places = [(match.start(), match.end()) for secret in SECRETS for match in re.finditer(re.escape(secret), shown)]
    return [shown[max(0, first - 60) : last + 60] for first, last in places]


def spoilt(old: bytes, new: bytes) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new)


# --- acknowledged


def test_a_message_is_answered_202_and_stands_sealed_on_the_intake_topic(
    fresh_door: OpenDoor, broker: EmbeddedBroker
) -> None:
    answer = fresh_door.post(GOOD)
    expected = entry_id(fresh_door.source.slug, "M-1", 0)
    assert answer.status_code == 202
    assert answer.json() == {"submission_id": expected, "disposition": "accepted", "issue": []}
    (envelope,) = published(broker.bootstrap, fresh_door.source)
    assert (envelope.entry_id, envelope.message_id, envelope.form) == (expected, "M-1", "fhir")
    assert json.loads(envelope.bundle) == json.loads(GOOD)
    assert envelope.original == GOOD
    assert envelope.received_at == NOW
    assert fresh_door.counted("tierlink_entries_acknowledged_total") == 1


def test_a_resend_gets_the_same_submission_id(door: OpenDoor) -> None:
    first, second = door.post(GOOD), door.post(GOOD)
    assert first.json()["submission_id"] == second.json()["submission_id"]


def test_warnings_come_beside_the_acknowledgement(door: OpenDoor) -> None:
    answer = door.post(spoilt(b"9990000042", b"9990000043"))
    assert (answer.status_code, answer.json()["disposition"]) == (202, "accepted_with_warnings")
    (issue,) = answer.json()["issue"]
    assert issue["expression"] == ["Bundle.entry[1].resource.identifier[0].value"]
    assert issue["diagnostics"] == "NHS number fails the Modulus 11 check; kept only as claimed"


def test_what_is_not_ours_is_answered_200_and_leaves_only_a_count(fresh_door: OpenDoor, broker: EmbeddedBroker) -> None:
    answer = fresh_door.post(spoilt(b"771491000000104", b"183522002"))
    assert (answer.status_code, answer.json()["disposition"]) == (200, "ignored")
    assert published(broker.bootstrap, fresh_door.source) == []
    assert fresh_door.counted("tierlink_entries_ignored_total") == 1


@pytest.mark.parametrize("content", [b'{"resourceType": "OperationOutcome"}', GOOD.replace(b'"message"', b'"batch"')])
def test_what_is_no_message_is_answered_422_with_what_would_be_accepted(door: OpenDoor, content: bytes) -> None:
    answer = door.post(content)
    assert answer.status_code == 422
    assert "send a Bundle of type `message`" in answer.json()["issue"][0]["diagnostics"]


def test_the_only_feed_that_is_no_test_feed_need_not_be_named(door: OpenDoor) -> None:
    answer = door.client.post("/fhir", content=GOOD, headers={"Content-Type": "application/json"})
    assert answer.status_code == 202


# --- refused


def test_every_reason_is_told_with_its_element_and_its_rule(fresh_door: OpenDoor, broker: EmbeddedBroker) -> None:
    document = json.loads(GOOD)
    about = [entry["resource"] for entry in document["entry"] if "subject" in entry["resource"]]
    for resource in about:
        del resource["subject"]
    answer = fresh_door.post(json.dumps(document).encode())
    assert answer.status_code == 422
    places = [f"Bundle.entry[{place}].resource.subject" for place in range(2, 2 + len(about))]
    assert reasons(answer) == [("required", place) for place in places]
    assert published(broker.bootstrap, fresh_door.source) == []
    assert fresh_door.counted("tierlink_entries_refused_total", reason="required") == 1


def test_what_cannot_be_read_is_named_and_the_rest_is_taken(door: OpenDoor) -> None:
    spoilt_twice = spoilt(b'"birthDate": "1971-03-14"', b'"birthDate": "1971-02-30"')
    answer = door.post(spoilt_twice.replace(b'"2026-05-28"', b'"2026-13-01"'))
    assert (answer.status_code, answer.json()["disposition"]) == (202, "accepted_with_warnings")
    assert [(issue["severity"], *issue["expression"]) for issue in answer.json()["issue"]] == [
        ("warning", "Bundle.entry[1].resource.birthDate"),
        ("error", "Bundle.entry[2].resource.authoredOn"),
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", GOOD[:-1], GOOD.replace(b"{", b'{"type": "message", ', 1), b"\xff\xfe{}", b"[" * 200_000],
    ids=["nothing", "a bracket", "cut", "a key twice", "UTF-16", "a tower"],
)
def test_what_is_no_json_is_answered_400(door: OpenDoor, content: bytes) -> None:
    answer = door.post(content)
    assert answer.status_code == 400
    assert reasons(answer) == [("structure", "JSON")]


def test_a_resource_that_fhir_does_not_have_is_answered_422(door: OpenDoor) -> None:
    assert reasons(door.post(b'{"resourceType": "Zyxwvutsrqpo"}')) == [("code-invalid", "Resource.resourceType")]


def test_an_unknown_source_is_answered_404(door: OpenDoor) -> None:
    answer = door.post(GOOD, X_Tierlink_Source="Zyxwvutsrqpo")
    assert answer.status_code == 404
    assert reasons(answer) == [("not-found", "")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/fhir+xml"},
        {"Content_Type": "application/fhir+json; charset=utf-16"},
        {"Content_Encoding": "gzip"},
        {"Content_Encoding": "identity, gzip"},
    ],
)
def test_another_media_type_or_encoding_is_answered_415(door: OpenDoor, headers: dict[str, str]) -> None:
    answer = door.post(GOOD, **headers)
    assert answer.status_code == 415
    assert reasons(answer) == [("not-supported", "")]


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/fhir+json; charset=UTF-8; fhirVersion=4.0", "Application/FHIR+JSON"],
)
def test_every_usual_spelling_of_fhir_json_is_taken(door: OpenDoor, media_type: str) -> None:
    assert door.post(GOOD, Content_Type=media_type).status_code == 202


def test_five_megabytes_of_a_sound_message_are_taken(broker: EmbeddedBroker, broker_admin: KafkaAdminClient) -> None:
    prose = b'"text": {"status": "generated", "div": "' + b"x" * (5 * 1024 * 1024) + b'"}, "gender"'
    source, patient = a_hub(), Publisher(broker.bootstrap)
    create_topic(broker_admin, source)
    with door_for(source, patient) as door:
        assert door.post(spoilt(b'"gender"', prose)).status_code == 202
    patient.close()


def test_a_body_over_the_limit_is_answered_413_whether_or_not_its_length_was_announced(
    door: OpenDoor,
) -> None:
    announced = door.post(b" " * (BODY_BYTES_MAX + 1))
    assert (announced.status_code, reasons(announced)) == (413, [("too-long", "")])

    def unannounced() -> Iterator[bytes]:
        for _ in range(9):
            yield b" " * 1024 * 1024

    assert door.post(unannounced()).status_code == 413
    assert door.post(GOOD).status_code == 202


@pytest.mark.parametrize(("method", "path"), [("GET", "/fhir"), ("POST", "/Zyxwvutsrqpo"), ("GET", "/docs")])
def test_other_paths_and_methods_are_refused_without_a_word_of_the_request(
    door: OpenDoor, method: str, path: str
) -> None:
    answer = door.client.request(method, path, params={"identifier": "9990000042"})
    assert answer.status_code in (404, 405)
    assert reasons(answer)
    assert not any(secret in answer.text for secret in SECRETS)


# --- the broker, and what nobody foresaw


def test_while_the_broker_does_not_acknowledge_the_answer_is_503_and_try_again(publisher: Publisher) -> None:
    with door_for(a_hub(), publisher) as door:  # nobody made its topic, so nothing can be acknowledged
        answer = door.post(GOOD)
        assert (answer.status_code, reasons(answer)) == (503, [("transient", "")])
        assert int(answer.headers["retry-after"]) > 0
        assert door.counted("tierlink_entries_refused_total", reason="broker-unavailable") == 1
        assert door.counted("tierlink_entries_acknowledged_total") == 0


class _Broken(Intake):
    """A way in that fails as nobody foresaw, with what it was given in the text of the failure."""

    def take(self, source: Source, entries: Sequence[SourceEntry], *, whole: bool = False) -> tuple[DoorOutcome, ...]:
        raise RuntimeError(entries[0].original.decode())


def test_what_nobody_foresaw_is_answered_500_and_shows_nothing_anywhere(
    publisher: Publisher, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), door_for(a_hub(), publisher, kind=_Broken) as door:
        answer = door.post(GOOD)
    assert (answer.status_code, reasons(answer)) == (500, [("exception", "")])
    assert "unforeseen RuntimeError in the FHIR door" in caplog.text
    assert secrets_of(answer.text + caplog.text + "".join(capfd.readouterr())) == []


def test_no_answer_and_no_log_line_holds_what_was_sent(
    door: OpenDoor, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    contents = [
        GOOD,
        spoilt(b"female", b"Zyxwvutsrqpo"),
        spoilt(b'"birthDate"', b'"Zyxwvutsrqpo": 1, "birthDate"'),
        spoilt(b"1971-03-14", b"Zyxwvutsrqpo"),
        GOOD[:-30],
    ]
    with caplog.at_level(logging.DEBUG):
        answers = [
            door.client.post(f"/fhir?identifier=9990000042&n={n}", content=content)
            for n, content in enumerate(contents)
        ]
        answers += [door.post(content) for content in contents]
    shown = "".join(answer.text + str(answer.headers) for answer in answers)
    shown += "".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    shown += "".join(capfd.readouterr())
    assert secrets_of(shown) == []


# --- the door itself


def test_it_says_what_it_takes(door: OpenDoor) -> None:
    answer = door.client.get("/metadata")
    CapabilityStatement.model_validate(answer.json())
    assert answer.json()["fhirVersion"] == "4.0.1"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org"])
def test_it_listens_only_on_loopback_until_it_authenticates(host: str) -> None:
    app = create_app(DoorSetup({}, None, None, clock=lambda: NOW, test_mode=True))  # type: ignore[arg-type]
    with pytest.raises(InvalidField, match="loopback"):
        server(app, host, 0)
    assert server(app, host, 0, allow_remote=True).config.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_every_spelling_of_loopback_is_loopback(host: str) -> None:
    app = create_app(DoorSetup({}, None, None, clock=lambda: NOW, test_mode=True))  # type: ignore[arg-type]
    assert server(app, host, 0).config.host == host


_SERVING = """
import datetime
from connectors.doors.door import DoorSetup
from connectors.doors.fhir_http import create_app, server
app = create_app(DoorSetup({}, None, None, clock=datetime.datetime.now, test_mode=True))
print("starting", flush=True)
server(app, "127.0.0.1", 0).run()
print("closed what was open", flush=True)
"""


def test_a_stop_signal_ends_it_quietly_so_that_its_caller_can_close_what_is_open() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVING],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "starting\n"
    eventually(lambda: _catches_sigterm(process.pid), why="the door has set its signal handlers")
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)
    assert rest.endswith("closed what was open\n")
    assert process.returncode == 0


def _catches_sigterm(pid: int) -> bool:
    """True when the process handles SIGTERM itself (SigCgt of its status file)."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(line for line in status if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) & (1 << (signal.SIGTERM - 1)))
