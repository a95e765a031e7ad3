"""Made-up messages and feeds for the tests of FHIR in and out."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schemas.facts import (
    Acceptance,
    Attendance,
    Body,
    Choice,
    Comorbidity,
    Completion,
    Death,
    Decline,
    Demographics,
    Discharge,
    Eligibility,
    Experience,
    Measurement,
    Medicine,
    Procedure,
    ProgrammeStart,
    QuestionnaireScore,
    Referral,
    RttStatus,
    Suspension,
    Triage,
    Withdrawal,
)
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source

SNOMED_SERVICES = frozenset({"408289007", "1326201000000101", "771491000000104"})
GP_HUB = Source("gp-hub", "Y00001", "primary_care", "fhir_http", SNOMED_SERVICES)
FHIR_OPEN = Source("fhir-open", "Y00002", "primary_care", "fhir_http", frozenset({"*"}))
TRUST = Source("trust-wm", "RXX", "tier3", "hl7_mllp", frozenset({"WMS"}), programme="tier3-specialist")
COUNCIL = Source(
    "council-east",
    "E10000",
    "tier2",
    "folder",
    frozenset({"adult-weight-management"}),
    mapping="council-east",
)
SOURCES = (GP_HUB, FHIR_OPEN, TRUST, COUNCIL)

TOLD_AT = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
RECEIVED_AT = datetime(2026, 6, 1, 9, 31, tzinfo=UTC)


def every_fact() -> SourceMessage:
    """One message with every kind of fact once and every field of each filled."""
    on, at = date(2026, 5, 1), datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
    ods = "RXX"
    when: dict[str, Any] = {"on": on, "at": at}
    referral = Referral(
        **when,
        direction="received",
        to_tier="tier3",
        programme="dwmp",
        referrer_ods=ods,
        practice_ods="A12345",
        provider_ods="102EA",
        council="E10000",
        referral_source="gp",
        priority="two-week-wait",
        reasons=("414916001",),
        consultant_led=True,
        age_years=55,
    )
    weight = Measurement(
        **when,
        quantity="weight",
        value=Decimal(100),
        unit_given="kg",
        value_given=Decimal(100),
        method="self_reported",
    )
    demographics = Demographics(
        **when,
        sex="female",
        birth_year=1971,
        ethnic_category="A",
        ethnic_system="2001",
        lsoa="E01000001",
        lsoa_version="2021",
        imd_quintile=1,
        imd_version="2025",
        practice_ods="A12345",
        council="E10000",
    )
    under: tuple[Body, ...] = (
        Triage(**when, level="1"),
        Acceptance(**when, definition="as-reported/1"),
        Decline(**when, declined_by="person", reason="work"),
        Choice(**when, provider_ods=ods, offered_count=3),
        Attendance(
            **when, attendance="5", booked_on=on, medium="video", group=True, provider_ods=ods, purpose="session"
        ),
        weight,
        ProgrammeStart(**when, programme="dwmp", delivery="group"),
        Completion(**when, definition="as-reported/1"),
        Discharge(**when, reason="work"),
        Withdrawal(**when, reason="work"),
        Medicine(
            **when,
            action="started",
            dmd_code="777514008",
            indication="weight_management",
            setting="specialist",
            dose_mg=Decimal("0.25"),
        ),
        Procedure(**when, code="G301", system="opcs4"),
        Comorbidity(**when, condition="diabetes", present=True),
        QuestionnaireScore(**when, questionnaire="phq-9", score=Decimal(4)),
        Suspension(**when, reason="pregnancy", ends_on=date(2027, 2, 1)),
        RttStatus(**when, status="20"),
        Eligibility(**when, rule="dwmp-hub-eligibility/1", met="yes", why=("bmi", "condition")),
        Experience(**when, rating=1),
    )
    sent_facts = [SourceFact(referral, "R-1", None, "000012345678")]
    sent_facts += [SourceFact(body, f"F-{place}", "R-1") for place, body in enumerate(under)]  # type: ignore[arg-type]
    sent_facts += [SourceFact(demographics, "demographics"), SourceFact(Death(**when), "death")]
    person = Person(
        local_id=LocalId("GP-1"),
        nhs_number=NHSNumber("9990000042"),
        names=(PersonName("Okafor", ("Grace",)),),
        birth_date=date(1971, 3, 14),
        sex="female",
        addresses=(Address("1 Mill Lane", Postcode("LS14HR"), "Leeds"),),
        phones=("07700900123",),
        emails=("someone@example.org",),
        retired_local_ids=(LocalId("GP-0"),),
    )
    return SourceMessage("M-1", TOLD_AT, person, tuple(sent_facts))


def referral_bundle(**changes: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """A GP's message: one made-up person referred to Tier 2, weight and height. Fresh at every call.

    `changes` are functions called with the resource of the type they are named by.
    """
    subject = {"reference": "urn:uuid:6f9619ff-8b86-4011-b42d-00c04fc964ff"}
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "MessageHeader",
            "eventCoding": {"system": "https://example.org/events", "code": "referral"},
            "source": {"endpoint": "https://gp.example/fhir"},
        },
        {
            "resourceType": "Patient",
            "identifier": [
                {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000042"},
                {"system": "https://gp.example/Id/patient", "value": "GP-1"},
            ],
            "name": [{"use": "official", "family": "Okafor", "given": ["Grace"]}],
            "gender": "female",
            "birthDate": "1971-03-14",
            "address": [{"line": ["1 Mill Lane"], "city": "Leeds", "postalCode": "LS1 4HR"}],
            "generalPractitioner": [{"identifier": {"system": uris_ods(), "value": "A12345"}}],
        },
        {
            "resourceType": "ServiceRequest",
            "identifier": [{"system": "https://fhir.nhs.uk/Id/UBRN", "value": "000012345678"}],
            "status": "active",
            "intent": "order",
            "priority": "routine",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "771491000000104"}]},
            "subject": dict(subject),
            "authoredOn": "2026-05-28",
            "requester": {"identifier": {"system": uris_ods(), "value": "A12345"}},
            "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "414916001"}]}],
        },
        observation("27113001", 104.5, "kg", subject),
        observation("50373000", 1.64, "m", subject),
    ]
    for resource in resources:
        change = changes.get(str(resource["resourceType"]))
        if change is not None:
            change(resource)
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "https://gp.example/Id/message", "value": "M-1"},
        "type": "message",
        "timestamp": "2026-06-01T09:30:00+00:00",
        "entry": [
            {
                "fullUrl": subject["reference"] if resource["resourceType"] == "Patient" else f"urn:x:{n}",
                "resource": resource,
            }
            for n, resource in enumerate(resources)
        ],
    }


def observation(code: str, value: float, unit: str, subject: Mapping[str, str]) -> dict[str, Any]:
    """A measurement on 28 May 2026."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
        "subject": dict(subject),
        "effectiveDateTime": "2026-05-28T10:00:00+01:00",
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def uris_ods() -> str:
    """The ODS system as many senders spell it: with a small `id`."""
    return "https://fhir.nhs.uk/id/ods-organization-code"
