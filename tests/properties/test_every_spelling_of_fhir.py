"""Every fact that other people's FHIR can say, without an extension of ours, in every code system, unit, form and
status that can say it, is read back as the fact that was meant.

Our own FHIR is tried in `test_fhir_round_trip`. The shapes are those of UK Core and BaRS; expected values come from
`spellings` and the tables here.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from case_answers import SOURCES
from elements import PLAIN, understood_fhir
from spellings import (
    AMOUNTS,
    CLINICAL_CODES,
    ETHNIC_CATEGORIES,
    LOINC,
    MEASURED_IN,
    NHS_NUMBER,
    NHS_SPELLINGS,
    QUANTITY_WORDS,
    SNOMED,
    SYSTEM_URIS,
    UBRN_SPELLINGS,
    UCUM,
    UNIT_SPELLINGS,
    in_ours,
)

from schemas import canonical, codes
from schemas.facts import Attendance, Comorbidity, Demographics, FactBody, Measurement, Referral
from schemas.source_message import SourceFact

ON, AT = date(2026, 7, 2), datetime(2026, 7, 2, 10, 20, tzinfo=UTC)
WHEN = "2026-07-02T11:20:00+01:00"
SUBJECT = {"reference": PLAIN["entry"][1]["fullUrl"]}  # type: ignore[index]
Json = dict[str, Any]


def read(*resources: Json, patient: Json | None = None) -> list[SourceFact]:
    """The facts of a message Bundle with the golden patient (or with these elements more) and these resources."""
    document: Any = deepcopy(PLAIN)
    document["entry"][1]["resource"] |= patient or {}
    document["entry"][2:] = [
        {"fullUrl": f"urn:example:{place}", "resource": resource} for place, resource in enumerate(resources)
    ]
    found = understood_fhir(canonical.load_object(json.dumps(document).encode()), SOURCES["fhir"])
    assert found.message is not None, found.issues
    return list(found.message.facts)


def bodies(*resources: Json) -> list[FactBody]:
    """What the resources say, without who it is about."""
    return [fact.body for fact in read(*resources) if fact.body.type != "demographics"]


def concept(system: str, code: str, **more: Any) -> Json:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code} if system else {"code": code}], **more}


def observation(code: Json, **elements: Any) -> Json:
    """An Observation of WHEN."""
    plain = {"resourceType": "Observation", "status": "final", "code": code, "subject": SUBJECT}
    return plain | {"effectiveDateTime": WHEN} | elements


def quantity(amount: str, **unit: str) -> Json:
    """A Quantity."""
    return {"value": float(amount), **unit}


def measurement(what: str, unit: str, method: str = "measured", *, at: datetime | None = AT) -> Measurement:
    """The fact that AMOUNTS of this unit says."""
    amount = AMOUNTS[unit]
    return Measurement(
        on=ON, at=at, quantity=what, value=in_ours(amount, unit), unit_given=unit, value_given=Decimal(amount),
        method=method,
    )  # fmt: skip


def spelt_quantities(what: str) -> Iterator[tuple[str, Json]]:
    """(unit, Quantity) in UCUM by each URI, in UCUM's or people's words, printed alone, and beside a code of others."""
    for unit in MEASURED_IN[what]:
        amount, code = AMOUNTS[unit], UCUM[unit]
        for system in ("http://unitsofmeasure.org", "https://unitsofmeasure.org/", "urn:oid:2.16.840.1.113883.6.8", ""):
            yield unit, quantity(amount, code=code, **({"system": system} if system else {}))
        for word in UNIT_SPELLINGS[unit]:
            yield unit, quantity(amount, unit=word)
            yield unit, quantity(amount, unit=word, system="http://unitsofmeasure.org", code=code)
            yield unit, quantity(amount, code=word)
            yield unit, quantity(amount, unit=word, system="http://snomed.info/sct", code="258683005")


# ------------------------------------------------------------ measurements


@pytest.mark.parametrize(("system", "code"), [key for key, (_, method) in CLINICAL_CODES.items() if method])
def test_every_code_of_a_measurement_in_every_spelling_of_every_unit(system: str, code: str) -> None:
    what, method = CLINICAL_CODES[system, code]
    spelt = list(spelt_quantities(what))
    resources = [observation(concept(SYSTEM_URIS[system][0], code), valueQuantity=value) for _, value in spelt]
    assert bodies(*resources) == [measurement(what, unit, str(method)) for unit, _ in spelt]


def test_every_name_of_a_code_system_and_every_form_of_a_coded_measurement() -> None:
    for (system, code), (what, method) in CLINICAL_CODES.items():
        unit = MEASURED_IN[what][0]
        value = quantity(AMOUNTS[unit], unit=unit, system="http://unitsofmeasure.org", code=UCUM[unit])
        by_uri = [concept(uri, code) for uri in SYSTEM_URIS[system]]
        local = {"system": "https://surgery.example/codes", "code": "L1"}
        among = [{"coding": [local, *by_uri[0]["coding"]]}, {"coding": [*by_uri[0]["coding"], local], "text": "x"}]
        unnamed = [concept("", code)] if system in (SNOMED, LOINC) else []
        concepts = [*by_uri, *among, *unnamed]
        resources = [observation(place, valueQuantity=value) for place in concepts]
        assert [*bodies(*resources, visit())][:-1] == [measurement(what, unit, method) for _ in concepts if method], (
            code
        )


def test_a_measurement_as_component_as_panel_and_in_words() -> None:
    kg, cm = (
        quantity(AMOUNTS[unit], unit=unit, system="http://unitsofmeasure.org", code=unit) for unit in ("kg", "cm")
    )
    weight, height = concept("http://snomed.info/sct", "27113001"), concept("http://loinc.org", "8302-2")
    alone = observation(weight, component=[{"code": weight, "valueQuantity": kg}])  # R4 obs-7
    panel = observation(
        concept("http://loinc.org", "85353-1"),
        component=[{"code": weight, "valueQuantity": kg}, {"code": height, "valueQuantity": cm}],
    )
    beside = observation(weight, valueQuantity=kg, component=[{"code": height, "valueQuantity": cm}])
    both = [measurement("weight", "kg"), measurement("height", "cm")]
    assert (bodies(alone), bodies(panel), bodies(beside)) == (both[:1], both, both)
    for what, words in QUANTITY_WORDS.items():
        unit = MEASURED_IN[what][0]
        value = quantity(AMOUNTS[unit], code=UCUM[unit], system="http://unitsofmeasure.org")
        for word in words:
            assert bodies(observation({"text": word}, valueQuantity=value)) == [measurement(what, unit)], word


@pytest.mark.parametrize(
    ("status", "retracted"),
    [("final", False), ("amended", False), ("corrected", False), ("preliminary", False), ("entered-in-error", True)],
)
def test_every_status_of_an_observation_that_says_a_fact(status: str, retracted: bool) -> None:
    value = quantity("118.4", unit="kg", system="http://unitsofmeasure.org", code="kg")
    code = concept("http://snomed.info/sct", "27113001")
    (fact,) = (fact for fact in read(observation(code, status=status, valueQuantity=value), visit())
               if fact.body.type == "measurement")  # fmt: skip
    assert (fact.retracted, fact.body) == (retracted, measurement("weight", "kg"))


def test_every_element_that_says_when() -> None:
    value = quantity("118.4", unit="kg", system="http://unitsofmeasure.org", code="kg")
    plain = observation(concept("http://snomed.info/sct", "27113001"), valueQuantity=value)
    del plain["effectiveDateTime"]
    moments = (WHEN, "2026-07-02T10:20:00Z", "2026-07-02T10:20:00.000+00:00", "2026-07-02T12:20:00+02:00")
    for moment in moments:
        for element in (
            {"effectiveDateTime": moment}, {"effectiveInstant": moment}, {"effectivePeriod": {"start": moment}},
            {"effectiveTiming": {"event": [moment]}},
        ):  # fmt: skip
            assert bodies(plain | element) == [measurement("weight", "kg")], element
    assert bodies(plain | {"effectiveDateTime": "2026-07-02"}) == [measurement("weight", "kg", at=None)]


# SNOMED CT browser: disorders.
CONDITIONS = {
    "46635009": "diabetes_type1", "44054006": "diabetes_type2", "73211009": "diabetes", "38341003": "hypertension",
    "49601007": "cardiovascular", "370992007": "dyslipidaemia", "73430006": "sleep_apnoea", "78275009": "sleep_apnoea",
    "391193001": "severe_mental_illness", "58214004": "severe_mental_illness", "13746004": "severe_mental_illness",
    "69322001": "severe_mental_illness", "13645005": "copd", "363346000": "cancer",
}  # fmt: skip


# who has no schizophrenia may have another severe mental illness
DIAGNOSES = {"58214004", "13746004", "69322001"}


def test_every_comorbidity_present_and_ruled_out() -> None:
    assert CONDITIONS.keys() == codes.COMORBIDITY.keys()
    for code, condition in CONDITIONS.items():
        for uri in SYSTEM_URIS[SNOMED]:
            for present in (True, False):
                found = bodies(observation(concept(uri, code), valueBoolean=present))
                meant = [Comorbidity(on=ON, at=AT, condition=condition, present=present)]
                assert found == ([] if code in DIAGNOSES and not present else meant), code


# ------------------------------------------------------------ appointments and contacts


def visit(**elements: Any) -> Json:
    """An Appointment of WHEN that was kept."""
    participant = [{"actor": SUBJECT, "status": "accepted"}]
    plain = {"resourceType": "Appointment", "status": "fulfilled", "start": WHEN, "participant": participant}
    return plain | elements


# R4 appointmentstatus and appointment-cancellation-reason, ATTENDED OR DID NOT ATTEND of the NHS Data Dictionary.
APPOINTMENTS = {
    ("booked", ""): "0", ("pending", ""): "0", ("arrived", ""): "0", ("checked-in", ""): "0", ("fulfilled", ""): "5",
    ("noshow", ""): "3",
    ("cancelled", "pat"): "2", ("cancelled", "pat-crs"): "2", ("cancelled", "pat-fb"): "2",
    ("cancelled", "pat-mt"): "2",
    ("cancelled", "prov"): "4", ("cancelled", "prov-pers"): "4", ("cancelled", "prov-dch"): "4",
}  # fmt: skip
CHANNELS = {"in-person": "in_person", "telephone": "telephone", "video": "video"}


def test_every_status_and_reason_of_an_appointment() -> None:
    for (status, reason), code in APPOINTMENTS.items():
        system = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
        more = {"cancelationReason": concept(system, reason)} if reason else {}
        assert bodies(visit(status=status, **more)) == [Attendance(on=ON, at=AT, attendance=code)], (status, reason)
    created = bodies(visit(status="booked", created="2026-06-20"))
    assert created == [Attendance(on=ON, at=AT, attendance="0", booked_on=date(2026, 6, 20))]


def test_every_channel_of_an_appointment_in_both_forms_and_the_provider() -> None:
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeliveryChannel"
    system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-DeliveryChannel"
    for channel, medium in CHANNELS.items():
        for value in ({"valueCode": channel}, {"valueCodeableConcept": concept(system, channel)}):
            found = bodies(visit(extension=[{"url": url, **value}]))
            assert found == [Attendance(on=ON, at=AT, attendance="5", medium=medium)], value
    ods = {"identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RXX"}}
    participant = [{"actor": SUBJECT, "status": "accepted"}, {"actor": ods, "status": "accepted"}]
    assert bodies(visit(participant=participant)) == [Attendance(on=ON, at=AT, attendance="5", provider_ods="RXX")]


def test_every_class_of_an_outpatient_contact() -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    for code in ("AMB", "VR"):
        contact = {"resourceType": "Encounter", "status": "finished", "class": {"system": system, "code": code},
                   "subject": SUBJECT, "period": {"start": WHEN}}  # fmt: skip
        assert bodies(contact) == [Attendance(on=ON, at=AT, attendance="5")]


# ------------------------------------------------------------ referrals


def request(**elements: Any) -> Json:
    """A ServiceRequest to a Tier 2 service."""
    plain = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": SUBJECT}
    code = concept("http://snomed.info/sct", "771491000000104")
    return plain | {"code": code, "authoredOn": "2026-07-02"} | elements


def referral(**fields: Any) -> list[FactBody]:
    """What `request` says, with these fields."""
    return [Referral(on=ON, direction="sent", to_tier="tier2", **fields)]


def test_every_code_intent_priority_and_status_of_a_referral() -> None:
    for code in ("771491000000104", "1326201000000101", "408289007"):
        for uri in SYSTEM_URIS[SNOMED]:
            assert bodies(request(code=concept(uri, code))) == referral(), code
    for intent in ("order", "original-order", "instance-order"):
        assert bodies(request(intent=intent)) == referral(), intent
    for priority in ("routine", "urgent", "asap", "stat"):
        assert bodies(request(priority=priority)) == referral(priority=priority)
    found = {status: [fact.retracted for fact in read(request(status=status), visit()) if fact.body.type == "referral"]
             for status in ("active", "completed", "revoked", "entered-in-error")}  # fmt: skip
    assert found == {"active": [False], "completed": [False], "revoked": [False], "entered-in-error": [True]}


def test_every_reason_for_referral_in_one_concept_or_in_several() -> None:
    listed = (*sorted(codes.REASONS_FOR_REFERRAL), *CONDITIONS)
    for uri in SYSTEM_URIS[SNOMED]:
        apart = [concept(uri, code) for code in listed]
        together = [{"coding": [part for reason in apart for part in reason["coding"]]}]
        assert bodies(request(reasonCode=apart)) == bodies(request(reasonCode=together)) == referral(reasons=listed)


def test_every_spelling_of_the_booking_reference_names_the_same_referral() -> None:
    meant = "000471005252"
    for system in ("https://fhir.nhs.uk/Id/UBRN", "http://fhir.nhs.uk/id/ubrn", "https://fhir.nhs.uk/id/UBRN/"):
        for text in UBRN_SPELLINGS:
            number = {"system": system, "value": text}
            under = {"basedOn": [{"identifier": number}]}
            sent, kept = (fact for fact in read(request(identifier=[number]), visit(**under))
                          if fact.body.type != "demographics")  # fmt: skip
            assert (sent.ubrn, sent.business_id, kept.referral_business_id) == (meant,) * 3, (system, ascii(text))


def test_every_spelling_of_an_organisation() -> None:
    for host in ("https://fhir.nhs.uk/Id/", "https://fhir.nhs.uk/id/", "http://fhir.nhs.uk/Id/"):
        surgery = {"identifier": {"system": f"{host}ods-organization-code", "value": "B82007"}}
        trust = {"identifier": {"system": f"{host}ods-organization-code", "value": "rxx"}}
        found = bodies(request(requester=surgery, performer=[trust]))
        assert found == referral(referrer_ods="B82007", provider_ods="RXX"), host


# ------------------------------------------------------------ the person


def demographics(**patient: Any) -> list[FactBody]:
    """The demographics of the golden patient with these elements."""
    return [fact.body for fact in read(visit(), patient=patient) if fact.body.type == "demographics"]


def plain_person(**fields: Any) -> list[FactBody]:
    """The demographics of the golden patient with these fields."""
    plain = {"on": date(2026, 7, 6), "sex": "female", "birth_year": 1956, "practice_ods": "B82007"}
    return [Demographics(**(plain | fields))]


def test_every_sex_birth_date_and_ethnic_category() -> None:
    for sex in ("male", "female", "other", "unknown"):
        assert demographics(gender=sex) == plain_person(sex=sex)
    for text in ("1956-09-02", "1956", "1956-09"):
        assert demographics(birthDate=text) == plain_person()
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory"
    for code, words in ETHNIC_CATEGORIES.items():
        for system in ("UKCore-EthnicCategoryEngland", "UKCore-EthnicCategory"):
            value = concept(f"https://fhir.hl7.org.uk/CodeSystem/{system}", code, text=words)
            found = demographics(extension=[{"url": url, "valueCodeableConcept": value}])
            assert found == plain_person(ethnic_category=code, ethnic_system="2001"), (system, code)


def test_a_death_by_day_by_moment_and_by_word() -> None:
    for element, day in (
        ({"deceasedDateTime": "2026-07-01"}, date(2026, 7, 1)),
        ({"deceasedDateTime": "2026-07-01T23:30:00Z"}, date(2026, 7, 2)),  # half past midnight in London
        ({"deceasedBoolean": True}, date(2026, 7, 6)),
        ({"deceasedDateTime": "2026-07"}, date(2026, 7, 6)),  # on or before the day of the message
        ({"deceasedDateTime": "2026"}, date(2026, 7, 6)),
    ):
        assert [fact.body.on for fact in read(patient=element) if fact.body.type == "death"] == [day]
    assert [fact for fact in read(visit(), patient={"deceasedBoolean": False}) if fact.body.type == "death"] == []


def test_every_spelling_of_an_nhs_number_under_every_name_of_its_system() -> None:
    for system in (
        "https://fhir.nhs.uk/Id/nhs-number", "https://fhir.nhs.uk/id/nhs-number", "http://fhir.nhs.uk/Id/nhs-number",
        "https://fhir.nhs.net/Id/nhs-number", "urn:oid:2.16.840.1.113883.2.1.4.1", "https://fhir.nhs.uk/Id/nhs-number/",
    ):  # fmt: skip
        for text in NHS_SPELLINGS:
            document: Any = deepcopy(PLAIN)
            document["entry"][1]["resource"]["identifier"][0] = {"system": system, "value": text}
            message = understood_fhir(document, SOURCES["fhir"]).message
            assert message is not None
            number = message.person.nhs_number
            assert number is not None, (system, ascii(text))
            assert number.digits == NHS_NUMBER


def test_another_unit_another_code_and_another_status_are_seen() -> None:
    weight = concept("http://snomed.info/sct", "27113001")
    assert bodies(observation(weight, valueQuantity=quantity("118.4", unit="lb"))) != [measurement("weight", "kg")]
    assert bodies(visit(status="noshow")) != [Attendance(on=ON, at=AT, attendance="5")]
