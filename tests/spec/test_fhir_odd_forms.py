"""What a sender's JSON holds beside R4's forms: another JSON type, two values where one may stand, a modifier
where none belongs. It is read where it cannot be misread; otherwise the fact is not told and its place is named.

The tables say: what is sent -> (change, what is not told, severity and place of the issue). Source: HL7 FHIR R4 4.0.1.
"""

import pytest
from fhir_plain import (
    EVERYTHING,
    PATIENT,
    REFERRAL,
    WEIGHT,
    Change,
    changed,
    facts_of,
    inside,
    of,
    read,
)

ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
MODIFIER = [{"url": "https://x.example/not"}]
DEAD = {"deceasedDateTime": "2026-06-01"}
Expected = tuple[Change, set[str], tuple[str, str]]

# R4 json.html: a boolean is true or false, a code is a string, one value[x] at most
FORMS: dict[str, Expected] = {
    "a number for an NHS number": (
        inside(PATIENT, "identifier", 0, value=9993103926), set(), ("warning", "[1].resource.identifier[0].value"),
    ),
    "a telephone as a number": (
        of(PATIENT, telecom=[{"system": "phone", "value": 7700900123}]),
        set(), ("warning", "[1].resource.telecom[0].value"),
    ),
    "a word for true": (of(REFERRAL, doNotPerform="true"), {"referral"}, ("error", "[2].resource.doNotPerform")),
    "a death in a word": (of(PATIENT, deceasedBoolean="true"), set(), ("warning", "[1].resource.deceasedBoolean")),
    "a death and its denial": (
        of(PATIENT, deceasedBoolean=False, **DEAD), set(), ("error", "[1].resource.deceasedDateTime"),
    ),
    "a status as a number": (of(WEIGHT, status=5), {"weight"}, ("error", "[3].resource.status")),
    "a status that is not known": (
        of(WEIGHT, status=None, _status=ABSENT), {"weight"}, ("error", "[3].resource.status"),
    ),
    "an intent that is not known": (
        of(REFERRAL, intent=None, _intent=ABSENT), {"referral"}, ("error", "[2].resource.intent"),
    ),
    "two values": (of(WEIGHT, valueString="120"), {"weight"}, ("error", "[3].resource.valueQuantity")),
    "a list of values": (
        of(WEIGHT, valueQuantity=[{"value": 97, "code": "kg"}, {"value": 88, "code": "kg"}]),
        {"weight"}, ("error", "[3].resource.valueQuantity"),
    ),
    "two times": (
        of(WEIGHT, effectiveInstant="2026-06-01T00:00:00Z"), {"weight"}, ("error", "[3].resource.effectiveDateTime"),
    ),
    "a period of months": (
        of(WEIGHT, effectiveDateTime=None, effectivePeriod={"start": "2026-01-05", "end": "2026-06-30"}),
        set(), ("warning", "[3].resource.effectivePeriod.end"),
    ),
    "an offset that no place has": (
        of(WEIGHT, effectiveDateTime="2026-07-01T11:20:00+15:00"),
        {"weight"}, ("error", "[3].resource.effectiveDateTime"),
    ),
    "a modifier of a quantity": (
        inside(WEIGHT, "valueQuantity", modifierExtension=MODIFIER),
        {"weight"}, ("error", "[3].resource.valueQuantity.modifierExtension[0]"),
    ),
    "a modifier that is a word": (
        of(WEIGHT, modifierExtension=["not"]), {"weight"}, ("error", "[3].resource.modifierExtension[0]"),
    ),
    "a request that replaces another": (
        of(REFERRAL, replaces=[{"reference": "ServiceRequest/1"}]), set(), ("warning", "[2].resource.replaces"),
    ),
}  # fmt: skip
TABLES: dict[str, Expected] = FORMS


@pytest.mark.parametrize("case", TABLES)
def test_an_odd_form_is_read_rightly_or_named(case: str) -> None:
    change, lost, (severity, place) = TABLES[case]
    checked, message = read(changed(change))
    assert message is not None, checked.issues
    assert [fact for fact in facts_of(checked) if fact in EVERYTHING] == sorted(set(EVERYTHING) - lost)
    places = [(issue.severity.value, issue.location) for issue in checked.issues]
    assert any(kind == severity and where.endswith(place) for kind, where in places), places


def test_a_death_that_is_denied_in_the_same_breath_is_not_told() -> None:
    checked, _ = read(changed(of(PATIENT, deceasedBoolean=False, **DEAD)))
    assert "death" not in facts_of(checked)
