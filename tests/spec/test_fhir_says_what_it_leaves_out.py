"""Nothing of a FHIR message is lost or bent in silence: what is unknown, negated, modified or doubtful is named at its
place, and the fact is not told where its meaning would be another.

Every case starts from the plain golden message: a patient, a referral, a weight, a height.
"""

import pytest
from fhir_plain import (
    EVERYTHING,
    HEADER,
    HEIGHT,
    NHS,
    ODS,
    PATIENT,
    REFERRAL,
    SCT,
    SEVENTH,
    WEIGHT,
    Change,
    changed,
    facts_of,
    inside,
    of,
    read,
)
from fhir_samples import GP_HUB

from schemas.disposition import Verdict

# what is said -> (change, what is not told, severity and place of the issue)
SAID: dict[str, tuple[Change, set[str], tuple[str, str]]] = {
    "an intent that is no order": (of(REFERRAL, intent="plan"), {"referral"}, ("information", "[2].resource.intent")),
    "an option": (of(REFERRAL, intent="option"), {"referral"}, ("information", "[2].resource.intent")),
    "an intent nobody knows": (of(REFERRAL, intent="wish"), {"referral"}, ("error", "[2].resource.intent")),
    "a status nobody knows": (of(REFERRAL, status="actve"), {"referral"}, ("error", "[2].resource.status")),
    "rules for one resource": (
        of(WEIGHT, implicitRules="https://rules.example"), {"weight"}, ("error", "[3].resource.implicitRules"),
    ),
    "a modifier of the weight": (
        of(WEIGHT, modifierExtension=[{"url": "https://x.example/not", "valueBoolean": True}]),
        {"weight"}, ("error", "[3].resource.modifierExtension[0]"),
    ),
    "a modifier of an entry": (
        lambda document: document["entry"][WEIGHT].update(modifierExtension=[{"url": "https://x.example/not"}]),
        {"weight"}, ("error", "entry[3].modifierExtension[0]"),
    ),
    "a deletion": (
        lambda document: document["entry"][REFERRAL].update(request={"method": "DELETE", "url": "ServiceRequest/1"}),
        {"referral"}, ("error", "entry[2].request.method"),
    ),
    "a bound": (
        inside(HEIGHT, "valueQuantity", comparator=">="), {"height"},
        ("error", "[4].resource.valueQuantity.comparator"),
    ),
    "a result of a status nobody knows": (of(WEIGHT, status="finl"), {"weight"}, ("error", "[3].resource.status")),
    "a result not yet there": (of(WEIGHT, status="registered"), {"weight"}, ("information", "[3].resource.status")),
    "a preliminary result": (of(WEIGHT, status="preliminary"), set(), ("warning", "[3].resource.status")),
    "a value and a reason why there is none": (
        of(WEIGHT, dataAbsentReason={"coding": [{"code": "not-performed"}]}),
        {"weight"}, ("error", "[3].resource.dataAbsentReason"),
    ),
    "a result about something else": (
        of(WEIGHT, focus=[{"reference": "RelatedPerson/1"}]), {"weight"}, ("error", "[3].resource.focus"),
    ),
    "a weight that was declined": (
        of(WEIGHT, valueQuantity=None, valueCodeableConcept={"text": "Declined"}),
        {"weight"}, ("information", "[3].resource.valueCodeableConcept"),
    ),
    "a weight in words": (
        of(WEIGHT, valueQuantity=None, valueString="97.3 kg"), {"weight"}, ("error", "[3].resource.valueString"),
    ),
    "a decimal comma": (
        inside(WEIGHT, "valueQuantity", value="97,3"), {"weight"}, ("error", "[3].resource.valueQuantity.value"),
    ),
    "two units": (
        inside(WEIGHT, "valueQuantity", unit="lb"), {"weight"}, ("error", "[3].resource.valueQuantity.unit"),
    ),
    "a unit as people write it": (
        inside(WEIGHT, "valueQuantity", code="KG"), set(), ("warning", "[3].resource.valueQuantity.code"),
    ),
    "two events": (
        of(WEIGHT, effectiveDateTime=None, effectiveTiming={"event": ["2026-07-01", "2026-07-02"]}),
        {"weight"}, ("error", "[3].resource.effectiveTiming.event"),
    ),
    "an estimate": (
        of(WEIGHT, code={"coding": [{"system": "http://loinc.org", "code": "8335-2"}]}),
        {"weight"}, ("error", "[3].resource.code"),
    ),
    "two codes that disagree": (
        of(WEIGHT, code={"coding": [{**SCT, "code": "27113001"}, {**SCT, "code": "50373000"}]}),
        {"weight"}, ("error", "[3].resource.code"),
    ),
    "a code without its system": (
        of(WEIGHT, code={"coding": [{"code": "27113001"}]}), set(), ("warning", "[3].resource.code"),
    ),
    "a code in words": (of(WEIGHT, code={"text": "Body weight"}), set(), ("warning", "[3].resource.code")),
    "another observation": (
        of(WEIGHT, code={"coding": [{**SCT, "code": "75367002"}]}), {"weight"}, ("information", "[3].resource.code"),
    ),
    "a service code one digit wrong": (
        of(REFERRAL, code={"coding": [{**SCT, "code": "408289008"}]}), {"referral"}, ("error", "[2].resource.code"),
    ),
    "another service": (
        of(REFERRAL, code={"coding": [{**SCT, "code": "183522002"}]}),
        {"referral"}, ("information", "[2].resource.code"),
    ),
    "a reason in words": (
        of(REFERRAL, reasonCode=[{"text": "obesity"}]), set(), ("warning", "[2].resource.reasonCode[0]"),
    ),
    "a requester that is no organisation": (
        of(REFERRAL, requester={"identifier": {"system": ODS, "value": "LEE"}}),
        set(), ("warning", "[2].resource.requester"),
    ),
    "a practice that is a hospital number": (
        of(PATIENT, generalPractitioner=[{"identifier": {"system": "https://x.example/mrn", "value": "D12345"}}]),
        set(), ("warning", "[1].resource.generalPractitioner[0]"),
    ),
    "a superseded record by a word nobody knows": (
        of(PATIENT, link=[{"type": "replace", "other": SEVENTH}]),
        set(), ("warning", "[1].resource.link[0].type"),
    ),
    "a record that stands in lieu": (
        of(PATIENT, link=[{"type": "replaced-by", "other": SEVENTH}]),
        set(), ("warning", "[1].resource.link[0].other"),
    ),
    "an NHS number that is replaced": (
        of(PATIENT, link=[{"type": "replaces", "other": {"identifier": {"system": NHS, "value": "9990000018"}}}]),
        set(), ("warning", "[1].resource.link[0].other.identifier.system"),
    ),
    "an inactive record": (of(PATIENT, active=False), set(), ("information", "[1].resource.active")),
    "a birth date that is none": (
        of(PATIENT, birthDate="1753-01-01"), set(), ("information", "[1].resource.birthDate"),
    ),
    "a name that is none": (
        of(PATIENT, name=[{"family": "N/A", "given": ["Unknown"]}]),
        set(), ("information", "[1].resource.name[0].family"),
    ),
    "a postcode that is none": (
        inside(PATIENT, "address", 0, postalCode="ZZ99 3VZ"),
        set(), ("information", "[1].resource.address[0].postalCode"),
    ),
    "a telephone that is none": (
        of(PATIENT, telecom=[{"system": "phone", "value": "07000 000000"}]),
        set(), ("information", "[1].resource.telecom[0].value"),
    ),
    "a contact without its system": (
        of(PATIENT, telecom=[{"value": "07700 900123"}]), set(), ("warning", "[1].resource.telecom[0].system"),
    ),
    "a local number that is none": (
        inside(PATIENT, "identifier", 1, value="TBC"), set(), ("information", "[1].resource.identifier[1].value"),
    ),
    "a local number of no issuer": (
        inside(PATIENT, "identifier", 1, system=None), set(), ("warning", "[1].resource.identifier[1].system"),
    ),
    "an NHS number of another system": (
        inside(PATIENT, "identifier", 0, system="https://fhir.nhs.uk/Id/nhs-numbr"),
        set(), ("warning", "[1].resource.identifier[0].system"),
    ),
    "an address in words": (
        of(PATIENT, address=[{"text": "4 Mill Lane"}]), set(), ("warning", "[1].resource.address[0].text"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_is_said_is_acted_on_or_named(case: str) -> None:
    change, lost, (severity, place) = SAID[case]
    checked, message = read(changed(change))
    assert message is not None, checked.issues
    assert facts_of(checked) == sorted(set(EVERYTHING) - lost)
    places = [(issue.severity.value, issue.location) for issue in checked.issues]
    assert any(kind == severity and where.endswith(place) for kind, where in places), places


REFUSED: dict[str, tuple[Change, str]] = {
    "rules for the patient": (of(PATIENT, implicitRules="https://rules.example"), "[1].resource.implicitRules"),
    "a modifier of the patient": (
        of(PATIENT, modifierExtension=[{"url": "https://x.example/not"}]), "[1].resource.modifierExtension[0]",
    ),
    "the answer that an earlier message failed": (
        of(HEADER, response={"identifier": "M-1", "code": "fatal-error"}), "[0].resource.response.code",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_changes_the_meaning_of_all_of_it_refuses_the_message(case: str) -> None:
    change, place = REFUSED[case]
    checked, message = read(changed(change))
    assert (checked.verdict, message) == (Verdict.REJECTED, None)
    assert [issue.location for issue in checked.issues if issue.severity == "error"] == [f"Bundle.entry{place}"]


def test_a_service_code_one_digit_wrong_is_refused_by_a_hub_and_never_another_service() -> None:
    checked, _ = read(changed(*(SAID["a service code one digit wrong"][:1])), GP_HUB)
    assert checked.verdict is Verdict.REJECTED
    assert [issue.location for issue in checked.issues] == ["Bundle.entry[2].resource.code"]


def test_a_panel_is_as_many_facts_as_it_has_components() -> None:
    panel = {
        "code": {"coding": [{**SCT, "code": "75367002"}]},
        "valueQuantity": None,
        "identifier": [{"system": "https://x.example/panel", "value": "P-1"}],
        "component": [
            {
                "code": {"coding": [{**SCT, "code": code}]},
                "valueQuantity": {
                    "value": value,
                    "unit": unit,
                    "system": "http://unitsofmeasure.org",
                    "code": unit,
                },
            }
            for code, value, unit in (("27113001", 97.3, "kg"), ("276361009", 101, "cm"))
        ],
    }
    checked, message = read(changed(of(WEIGHT, **panel)))
    assert facts_of(checked) == sorted([*EVERYTHING, "waist"])
    assert message is not None
    numbers = {fact.business_id for fact in message.facts if fact.business_id}
    panel_id = "https://x.example/panel|P-1"
    assert {f"{panel_id}/weight", f"{panel_id}/waist"} <= numbers
