"""An appointment and a contact say alike what they were for (session, assessment, follow-up), how, alone or in a group.

UK Core has no place for the purpose of an appointment (read November 2026): our extensions of the fields' names. R4's
appointmentType FOLLOWUP and the NHS's "follow-up" are any later appointment, so they say no purpose.
"""

from typing import Any

import pytest
from fhir_samples import FHIR_OPEN, RECEIVED_AT, referral_bundle

from schemas.check import check
from schemas.errors import Issue
from schemas.facts import Attendance
from schemas.uris import ENCOUNTER_CLASS, extension_url

SUBJECT = {"reference": "urn:uuid:6f9619ff-8b86-4011-b42d-00c04fc964ff"}
CONTACTS: dict[str, dict[str, Any]] = {
    "Appointment": {
        "status": "fulfilled", "start": "2026-05-28T10:00:00+01:00",
        "participant": [{"actor": SUBJECT, "status": "accepted"}],
    },
    "Encounter": {
        "status": "finished", "class": {"system": ENCOUNTER_CLASS, "code": "AMB"}, "subject": SUBJECT,
        "period": {"start": "2026-05-28T10:00:00+01:00"},
    },
}  # fmt: skip


def contact(kind: str, *extensions: dict[str, Any]) -> tuple[Attendance, tuple[Issue, ...]]:
    """The attendance of a contact with these extensions, and the issues about it."""
    document = referral_bundle()
    document["entry"].append({"resource": {"resourceType": kind, "extension": list(extensions), **CONTACTS[kind]}})
    checked, message = check(document, source=FHIR_OPEN, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    (body,) = (fact.body for fact in message.facts if isinstance(fact.body, Attendance))
    return body, tuple(issue for issue in checked.issues if issue.location.startswith("Bundle.entry[5]"))


def ours(name: str, **value: object) -> dict[str, Any]:
    return {"url": extension_url(name), **value}


@pytest.mark.parametrize("kind", CONTACTS)
def test_what_a_contact_was_for_and_how_it_was_held(kind: str) -> None:
    body, issues = contact(
        kind,
        ours("purpose", valueCode="session"),
        ours("medium", valueCode="online"),
        ours("group", valueBoolean=True),
    )
    assert (body.attendance, body.purpose, body.medium, body.group) == ("5", "session", "online", True)
    assert issues == ()


@pytest.mark.parametrize("kind", CONTACTS)
def test_a_purpose_of_no_list_is_named_and_left_out(kind: str) -> None:
    body, issues = contact(kind, ours("purpose", valueCode="chat"))
    assert body.purpose is None
    assert [(issue.severity.value, issue.code) for issue in issues] == [("warning", "code-invalid")]


def test_a_follow_up_appointment_says_no_purpose() -> None:
    document = referral_bundle()
    coding = {"system": "http://terminology.hl7.org/CodeSystem/v2-0276", "code": "FOLLOWUP"}
    later = {"appointmentType": {"coding": [coding]}, **CONTACTS["Appointment"]}
    document["entry"].append({"resource": {"resourceType": "Appointment", **later}})
    _, message = check(document, source=FHIR_OPEN, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    (body,) = (fact.body for fact in message.facts if isinstance(fact.body, Attendance))
    assert body.purpose is None
