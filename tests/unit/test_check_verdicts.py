"""What the check keeps, ignores and refuses: which messages are ours, and what merely looks like one."""

from typing import Any

import pytest
from fhir_samples import FHIR_OPEN, GP_HUB, RECEIVED_AT, TRUST, observation, referral_bundle

from schemas.check import check
from schemas.disposition import Checked, Verdict
from schemas.facts import Attendance, Measurement, Referral
from schemas.fhir.resource_types import RESOURCE_TYPES
from schemas.source_message import SourceMessage
from schemas.sources import Source

Document = dict[str, Any]
PATIENT = {"reference": "urn:uuid:6f9619ff-8b86-4011-b42d-00c04fc964ff"}


def judged(document: object, source: Source = GP_HUB) -> tuple[Checked, SourceMessage | None]:
    return check(document, source=source, test_mode=True, received_at=RECEIVED_AT)


def kept(document: object, source: Source = GP_HUB) -> SourceMessage:
    checked, message = judged(document, source)
    assert message is not None, checked
    return message


def only(document: Document, *kinds: str) -> Document:
    document["entry"] = [entry for entry in document["entry"] if entry["resource"]["resourceType"] in kinds]
    return document


def requested(code: str) -> Document:
    concept = {"coding": [{"system": "http://snomed.info/sct", "code": code}]}
    return referral_bundle(ServiceRequest=lambda request: request.update(code=concept))


def appointment(based_on: str | None) -> Document:
    resource: Document = {
        "resourceType": "Appointment",
        "status": "fulfilled",
        "start": "2026-05-29T10:00:00Z",
        "participant": [{"actor": PATIENT, "status": "accepted"}],
    }
    if based_on:
        resource["basedOn"] = [{"reference": based_on}]
    return {"fullUrl": "urn:x:appointment", "resource": resource}


# --- whose message it is


def test_a_referral_to_one_of_our_services_is_ours() -> None:
    message = kept(referral_bundle())
    assert message.service_named
    assert [fact.body.type for fact in message.facts] == [
        "demographics",
        "referral",
        "measurement",
        "measurement",
    ]


def test_a_referral_elsewhere_is_ignored_with_the_weight_beside_it() -> None:
    checked, message = judged(requested("183522002"))
    assert (checked.verdict, message) == (Verdict.IGNORED, None)
    assert [(issue.severity, issue.rule) for issue in checked.issues] == [("information", "names no service of ours")]


def test_a_weight_without_any_referral_is_ours() -> None:
    message = kept(only(referral_bundle(), "MessageHeader", "Patient", "Observation"))
    assert message.service_named
    assert sum(isinstance(fact.body, Measurement) for fact in message.facts) == 2


def test_a_patient_alone_passes_and_names_no_service() -> None:
    assert not kept(only(referral_bundle(), "MessageHeader", "Patient")).service_named


def test_an_observation_of_something_else_is_ignored() -> None:
    document = only(referral_bundle(), "MessageHeader", "Patient")
    fainting = observation("271594007", 1, "kg", PATIENT)
    document["entry"].append({"fullUrl": "urn:x:o", "resource": fainting})
    assert judged(document)[0].verdict is Verdict.IGNORED


def test_an_appointment_is_ours_when_it_is_based_on_a_referral_of_ours_in_the_bundle() -> None:
    document = referral_bundle()
    document["entry"].append(appointment("urn:x:2"))
    attended = [fact for fact in kept(document).facts if isinstance(fact.body, Attendance)]
    assert [fact.referral_business_id for fact in attended] == ["000012345678"]


def test_an_appointment_by_itself_is_ignored() -> None:
    document = only(referral_bundle(), "MessageHeader", "Patient")
    document["entry"].append(appointment(None))
    assert judged(document)[0].verdict is Verdict.IGNORED


def test_an_appointment_for_another_service_is_left_out_beside_a_referral_of_ours() -> None:
    document = referral_bundle()
    other = requested("183522002")["entry"][2]
    document["entry"] += [{**other, "fullUrl": "urn:x:other"}, appointment("urn:x:other")]
    message = kept(document)
    assert not any(isinstance(fact.body, Attendance) for fact in message.facts)
    assert sum(isinstance(fact.body, Referral) for fact in message.facts) == 1


def test_a_feed_of_everything_keeps_the_identity_of_a_message_about_something_else() -> None:
    message = kept(requested("183522002"), FHIR_OPEN)
    assert message.service_named
    assert not any(isinstance(fact.body, Referral) for fact in message.facts)


def test_a_service_code_that_does_not_say_the_tier_gives_no_referral() -> None:
    source = Source("hub-b", "Y00003", "primary_care", "fhir_http", frozenset({"718361005"}))
    document = only(requested("718361005"), "MessageHeader", "Patient", "ServiceRequest")
    checked, message = judged(document, source)
    assert (checked.verdict, message) == (Verdict.IGNORED, None)
    assert "to-tier" in checked.issues[0].rule


def test_what_a_connector_of_ours_wrote_says_itself_whether_a_service_was_named() -> None:
    document = only(referral_bundle(), "MessageHeader", "Patient")
    header = document["entry"][0]["resource"]
    header["extension"] = [{"url": "https://tierlink.example/StructureDefinition/service-named", "valueBoolean": True}]
    assert kept(document, TRUST).service_named
    header["extension"][0]["valueBoolean"] = False
    assert not kept(document, TRUST).service_named


# --- what is no message


@pytest.mark.parametrize("kind", sorted(RESOURCE_TYPES - {"Bundle"}))
def test_a_resource_that_stands_alone_is_refused_with_what_would_be_accepted(kind: str) -> None:
    checked, message = judged({"resourceType": kind})
    assert (checked.verdict, checked.resource_types, message) == (Verdict.REJECTED, (kind,), None)
    (issue,) = checked.issues
    assert issue.location == "Resource.resourceType"
    assert "Bundle of type `message`" in issue.rule


@pytest.mark.parametrize("kind", ["searchset", "batch", "collection", "document", "transaction"])
def test_a_bundle_that_is_no_message_is_refused_with_what_would_be_accepted(kind: str) -> None:
    checked, message = judged(referral_bundle() | {"type": kind})
    assert (checked.verdict, message) == (Verdict.REJECTED, None)
    assert [issue.location for issue in checked.issues] == ["Bundle.type"]
    assert "Bundle of type `message`" in checked.issues[0].rule
    assert checked.resource_types[:2] == ("Bundle", "MessageHeader")


@pytest.mark.parametrize("document", [None, [], "Bundle", 7, {}, {"resourceType": "Banana"}, {"resourceType": 7}])
def test_what_is_no_fhir_resource_is_refused(document: object) -> None:
    checked, message = judged(document)
    assert (checked.verdict, checked.resource_types, message) == (Verdict.REJECTED, (), None)
    assert len(checked.issues) == 1


# --- what is read


def test_the_senders_own_message_id_names_the_entry() -> None:
    document = referral_bundle()
    assert kept(document).message_id == "M-1"
    del document["identifier"]
    document["entry"][0]["resource"]["id"] = "H-1"
    document["id"] = "B-1"
    assert kept(document).message_id == "H-1"
    del document["entry"][0]["resource"]["id"]
    assert kept(document).message_id == "B-1"


def test_without_a_version_time_the_receipt_stands_in() -> None:
    document = referral_bundle()
    del document["timestamp"]
    assert kept(document).source_version_at == RECEIVED_AT
    document["meta"] = {"lastUpdated": "2026-05-31T12:00:00+01:00"}
    assert kept(document).source_version_at.isoformat() == "2026-05-31T11:00:00+00:00"


@pytest.mark.parametrize(
    "system",
    [
        "https://fhir.nhs.uk/Id/nhs-number",
        "http://fhir.nhs.net/Id/nhs-number",
        "HTTPS://FHIR.NHS.UK/id/NHS-NUMBER/",
        "urn:oid:2.16.840.1.113883.2.1.4.1",
    ],
)
def test_every_spelling_of_the_nhs_number_system_is_one(system: str) -> None:
    document = referral_bundle(Patient=lambda patient: patient["identifier"][0].update(system=system))
    number = kept(document).person.nhs_number
    assert number is not None
    assert number.digits == "9990000042"


def test_a_ten_digit_number_of_another_system_is_never_an_nhs_number() -> None:
    def hospital_number(patient: Document) -> None:
        patient["identifier"] = [{"system": "https://trust.example/mrn", "value": "9990000018"}]

    person = kept(referral_bundle(Patient=hospital_number)).person
    assert person.nhs_number is None
    assert person.local_id is not None
    assert person.local_id.value == "9990000018"


@pytest.mark.parametrize("code", ["01", "number-present-and-verified"])
def test_every_spelling_of_a_verified_number_is_accepted_without_a_word(code: str) -> None:
    assert judged(_with_status(code))[0].issues == ()


def test_a_number_not_yet_traced_is_kept_with_a_warning() -> None:
    checked, message = judged(_with_status("03"))
    assert checked.verdict is Verdict.ACCEPTED_WITH_WARNINGS
    assert message is not None
    assert message.person.nhs_number is not None


def _with_status(code: str) -> Document:
    system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
    items = {"url": url, "valueCodeableConcept": {"coding": [{"system": system, "code": code}]}}
    return referral_bundle(Patient=lambda patient: patient["identifier"][0].update(extension=[items]))


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("booked", None, ("0", False)),
        ("fulfilled", None, ("5", False)),
        ("noshow", None, ("3", False)),
        ("cancelled", "pat-crs", ("2", False)),
        ("cancelled", "prov-hosp", ("4", False)),
        ("cancelled", None, ("0", True)),
        ("entered-in-error", None, ("0", True)),
    ],
)
def test_what_became_of_an_appointment(status: str, reason: str | None, expected: tuple[str, bool]) -> None:
    document, entry = referral_bundle(), appointment("urn:x:2")
    entry["resource"]["status"] = status
    if reason:
        entry["resource"]["cancelationReason"] = {"coding": [{"code": reason}]}
    document["entry"].append(entry)
    fact = next(fact for fact in kept(document).facts if isinstance(fact.body, Attendance))
    assert isinstance(fact.body, Attendance)
    assert (fact.body.attendance, fact.retracted) == expected


def test_an_outpatient_contact_that_is_over_is_an_attendance() -> None:
    encounter = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": PATIENT,
        "basedOn": [{"reference": "urn:x:2"}],
        "period": {"start": "2026-05-29T10:00:00Z"},
    }
    document = referral_bundle()
    document["entry"].append({"fullUrl": "urn:x:e", "resource": encounter})
    fact = next(fact for fact in kept(document).facts if isinstance(fact.body, Attendance))
    assert isinstance(fact.body, Attendance)
    assert fact.body.attendance == "5"


def test_a_weight_taken_back_is_told_as_retracted() -> None:
    document = referral_bundle()
    document["entry"][3]["resource"]["status"] = "entered-in-error"
    weights = [fact for fact in kept(document).facts if getattr(fact.body, "quantity", "") == "weight"]
    assert [fact.retracted for fact in weights] == [True]


def test_organisations_are_found_through_references() -> None:
    document = referral_bundle(ServiceRequest=lambda request: request.update(requester={"reference": "urn:x:r"}))
    ods = {"system": "https://fhir.nhs.uk/id/ods-organization-code", "value": "B81001"}
    document["entry"] += [
        {
            "fullUrl": "urn:x:r",
            "resource": {"resourceType": "PractitionerRole", "organization": {"reference": "Organization/9"}},
        },
        {"resource": {"resourceType": "Organization", "id": "9", "identifier": [ods]}},
    ]
    referral = next(fact.body for fact in kept(document).facts if isinstance(fact.body, Referral))
    assert referral.referrer_ods == "B81001"


@pytest.mark.parametrize(
    ("status", "retracted"), [("active", False), ("completed", False), ("revoked", False), ("entered-in-error", True)]
)
def test_only_a_referral_entered_in_error_is_taken_back(status: str, retracted: bool) -> None:
    document = referral_bundle(ServiceRequest=lambda request: request.update(status=status))
    fact = next(fact for fact in kept(document).facts if isinstance(fact.body, Referral))
    assert fact.retracted is retracted
