"""A wrong message gets a clear answer: which element, which rule. One fault a row, in a good message."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fhir_samples import FHIR_OPEN, GP_HUB, RECEIVED_AT, observation, referral_bundle

from connectors.sources.primary_care_fhir import read
from schemas.check import check
from schemas.disposition import Checked, Verdict

Document = dict[str, Any]
Change = Callable[[Document], object]


def judged(document: object, *, test_mode: bool = True) -> Checked:
    return check(document, source=GP_HUB, test_mode=test_mode, received_at=RECEIVED_AT)[0]


def judged_bytes(raw: bytes) -> Checked:
    return read(raw, source=GP_HUB, test_mode=True, received_at=RECEIVED_AT)[0].checked


def resource(document: Document, kind: str) -> Document:
    found: Document = next(
        entry["resource"] for entry in document["entry"] if entry["resource"]["resourceType"] == kind
    )
    return found


def setting(kind: str, **elements: Any) -> Change:
    return lambda document: resource(document, kind).update(elements)


def without(kind: str, element: str) -> Change:
    return lambda document: resource(document, kind).pop(element)


def numbered(value: str) -> Change:
    return lambda document: resource(document, "Patient")["identifier"][0].update(value=value)


def quantity(**elements: Any) -> Change:
    return setting("Observation", valueQuantity=elements)


def test_the_message_every_case_starts_from_is_accepted_without_a_word() -> None:
    assert judged(referral_bundle()) == Checked(
        Verdict.ACCEPTED, (), ("Bundle", "MessageHeader", "Patient", "ServiceRequest", "Observation")
    )


REFUSED: dict[str, tuple[Change, str, str]] = {
    "a referral about nobody": (without("ServiceRequest", "subject"), "resource.subject", "required"),
    "a referral about somebody else": (
        setting("ServiceRequest", subject={"reference": "Patient/another"}),
        "resource.subject",
        "business-rule",
    ),
    "no patient": (
        lambda document: document["entry"].pop(1),
        "Bundle.entry",
        "required",
    ),
    "two patients": (
        lambda document: document["entry"].append(document["entry"][1]),
        "Bundle.entry",
        "multiple-matches",
    ),
    "a birthday on 30 February": (setting("Patient", birthDate="1971-02-30"), "birthDate", "value"),
    "a birthday in the future": (setting("Patient", birthDate="2027-01-01"), "birthDate", "value"),
    "a birthday in 1799": (setting("Patient", birthDate="1799-01-01"), "birthDate", "value"),
    "a referral on 30 February": (setting("ServiceRequest", authoredOn="2026-02-30"), "authoredOn", "value"),
    "a referral without its day": (without("ServiceRequest", "authoredOn"), "authoredOn", "required"),
    "a referral in 1899": (setting("ServiceRequest", authoredOn="1899-12-31"), "authoredOn", "value"),
    "a referral next week": (setting("ServiceRequest", authoredOn="2026-06-08"), "authoredOn", "value"),
    "a referral before birth": (setting("ServiceRequest", authoredOn="1970-01-01"), "authoredOn", "value"),
    "a referral of a month": (setting("ServiceRequest", authoredOn="2026-05"), "authoredOn", "value"),
    "a weight next week": (
        setting("Observation", effectiveDateTime="2026-06-08"),
        "effectiveDateTime",
        "value",
    ),
    "a weight without its day": (
        without("Observation", "effectiveDateTime"),
        "effectiveDateTime",
        "required",
    ),
    "a weight without a unit": (quantity(value=104.5), "valueQuantity.code", "required"),
    "a weight in a unit nobody lists": (
        quantity(value=104.5, system="http://unitsofmeasure.org", code="firkin"),
        "valueQuantity.code",
        "code-invalid",
    ),
    "a weight in centimetres": (
        quantity(value=104.5, system="http://unitsofmeasure.org", code="cm"),
        "valueQuantity.code",
        "value",
    ),
    "a weight of nothing": (quantity(value=0, code="kg"), "valueQuantity.value", "value"),
    "a weight below nothing": (quantity(value=-80, code="kg"), "valueQuantity.value", "value"),
    "a weight of words": (quantity(value="heavy", code="kg"), "valueQuantity.value", "required"),
    "a weight that is somebody's number": (
        quantity(value=9990000018, code="kg"),
        "valueQuantity.value",
        "value",
    ),
    "a weight about nobody": (without("Observation", "subject"), "resource.subject", "required"),
    "a version time that is none": (
        lambda document: document.update(timestamp="yesterday"),
        "Bundle.timestamp",
        "value",
    ),
    "a version time next week": (
        lambda document: document.update(timestamp="2026-06-08T09:30:00Z"),
        "Bundle.timestamp",
        "value",
    ),
    "no message id": (lambda document: document.pop("identifier"), "Bundle.identifier", "required"),
    "a name as long as a book": (
        setting("Patient", name=[{"family": "x" * 100_000}]),
        "name[0].family",
        "too-long",
    ),
    "a hundred thousand identifiers": (
        setting("Patient", identifier=[{"value": "1"}] * 100_000),
        "resource.identifier",
        "too-long",
    ),
    "a hundred thousand entries": (
        lambda document: document.update(entry=document["entry"] * 20_000),
        "Bundle.entry",
        "too-long",
    ),
    "no identity but a wrong number": (
        setting(
            "Patient",
            identifier=[{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000019"}],
            name=[],
        ),
        "resource.identifier",
        "business-rule",
    ),
    "no identity at all": (setting("Patient", identifier=[], name=[]), "resource.identifier", "required"),
    "two different NHS numbers": (
        lambda document: resource(document, "Patient")["identifier"].append(
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000026"}
        ),
        "resource.identifier",
        "business-rule",
    ),
    "no type of Bundle": (lambda document: document.pop("type"), "Bundle.type", "required"),
    "a type of Bundle nobody knows": (
        lambda document: document.update(type="parcel"),
        "Bundle.type",
        "code-invalid",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_element_and_the_rule(case: str) -> None:
    change, location, code = REFUSED[case]
    document = referral_bundle()
    change(document)
    checked = judged(document)
    assert checked.verdict is Verdict.REJECTED
    errors = [issue for issue in checked.issues if issue.severity == "error"]
    assert [(issue.code, issue.location.endswith(location)) for issue in errors] == [(code, True)], errors


WARNED: dict[str, tuple[Change, str, str]] = {
    "an NHS number with a wrong check digit": (
        numbered("9990000019"),
        "identifier[0].value",
        "business-rule",
    ),
    "an NHS number of nine digits": (numbered("999000001"), "identifier[0].value", "business-rule"),
    "an NHS number of ten times one digit": (numbered("4444444444"), "identifier[0].value", "business-rule"),
    "an NHS number of no issued range": (numbered("1010101014"), "identifier[0].value", "business-rule"),
    "a gender nobody lists": (setting("Patient", gender="elf"), "resource.gender", "code-invalid"),
    "half a postcode": (
        setting("Patient", address=[{"line": ["1 Mill Lane"], "postalCode": "LS1"}]),
        "address[0].postalCode",
        "value",
    ),
    "a reason nobody lists": (
        setting("ServiceRequest", reasonCode=[{"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}]),
        "resource.reasonCode",
        "code-invalid",
    ),
    "a weight of a calf": (
        quantity(value=30, system="http://unitsofmeasure.org", code="kg"),
        "valueQuantity.value",
        "business-rule",
    ),
    "a weight whose unit is only printed": (
        quantity(value=104.5, unit="kg"),
        "valueQuantity.code",
        "incomplete",
    ),
    "an element FHIR does not have": (setting("Patient", colour="blue"), "resource.element", "structure"),
    "a list where FHIR has none": (
        setting("ServiceRequest", priority=["routine"]),
        "resource.priority",
        "value",
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_accepted_with_a_warning_that_names_the_element(case: str) -> None:
    change, location, code = WARNED[case]
    document = referral_bundle()
    change(document)
    checked = judged(document)
    assert checked.verdict is Verdict.ACCEPTED_WITH_WARNINGS, checked.issues
    assert [(issue.code, issue.location.endswith(location)) for issue in checked.issues] == [(code, True)], checked


def test_a_number_of_the_test_range_is_refused_in_production_and_taken_in_test_mode() -> None:
    assert judged(referral_bundle(), test_mode=True).verdict is Verdict.ACCEPTED
    refused = judged(referral_bundle(), test_mode=False)
    assert refused.verdict is Verdict.REJECTED
    assert [issue.rule for issue in refused.issues] == ["NHS number is in the 999 test range"]


def test_every_reason_is_told_at_once() -> None:
    document = referral_bundle()
    for case in ("a birthday on 30 February", "a referral next week", "a weight without a unit"):
        REFUSED[case][0](document)
    locations = [issue.location.rpartition(".")[2] for issue in judged(document).issues]
    assert locations == ["birthDate", "authoredOn", "code"]


def test_an_invented_number_on_a_feed_of_public_examples_is_only_noted() -> None:
    document = referral_bundle()
    numbered("9990000019")(document)
    checked, message = check(document, source=FHIR_OPEN, test_mode=True, received_at=RECEIVED_AT)
    assert checked.verdict is Verdict.ACCEPTED
    assert [issue.severity for issue in checked.issues] == ["information"]
    assert message is not None
    assert message.person.nhs_number is None
    assert message.person.nhs_number_claimed == "9990000019"


def test_an_appointment_may_lie_two_years_ahead_and_not_three() -> None:
    def booked(days: int) -> Verdict:
        document = referral_bundle()
        appointment = {
            "resourceType": "Appointment",
            "status": "booked",
            "start": (RECEIVED_AT + timedelta(days=days)).isoformat(),
            "participant": [
                {"actor": {"reference": document["entry"][1]["fullUrl"]}, "status": "accepted"},
            ],
        }
        document["entry"].append({"fullUrl": "urn:x:a", "resource": appointment})
        return judged(document).verdict

    assert booked(700) is Verdict.ACCEPTED
    assert booked(1100) is Verdict.REJECTED


BROKEN_BYTES = {
    "cut in half": json.dumps(referral_bundle()).encode()[:-40],
    "a key twice": json.dumps(referral_bundle()).encode().replace(b"{", b'{"type": "message", ', 1),
    "not UTF-8": json.dumps(referral_bundle()).encode().replace(b"Okafor", b"Ok\xe9for"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(referral_bundle()).encode(),
    "a number beyond all numbers": json.dumps(referral_bundle()).encode().replace(b"104.5", b"1e999"),
    "not a number": json.dumps(referral_bundle()).encode().replace(b"104.5", b"NaN"),
    "a tower of brackets": b"[" * 100_000,
    "half a surrogate pair": json.dumps(referral_bundle()).encode().replace(b"Okafor", rb"Ok\ud83dfor"),
    "nothing": b"",
}


@pytest.mark.parametrize("case", BROKEN_BYTES)
def test_bytes_that_are_no_json_are_refused_as_such(case: str) -> None:
    checked = judged_bytes(BROKEN_BYTES[case])
    assert checked.verdict is Verdict.REJECTED
    assert [(issue.location, issue.code) for issue in checked.issues] == [("JSON", "structure")]


def test_a_height_in_metres_is_read_as_metres() -> None:
    document = referral_bundle()
    document["entry"][4]["resource"] = observation(
        "50373000", 1.64, "m", {"reference": document["entry"][1]["fullUrl"]}
    )
    _, message = check(document, source=GP_HUB, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    heights = [fact.body for fact in message.facts if getattr(fact.body, "quantity", "") == "height"]
    assert [(str(body.value), body.unit_given) for body in heights] == [("164.00", "m")]  # type: ignore[union-attr]
