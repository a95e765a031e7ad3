"""The hub that speaks for general practices: FHIR R4 message Bundles, in UK Core profiles where there are some."""

import json
from typing import TypedDict

from ops.lab.simulator.model import GP, Fact, SimulatedAddress, SimulatedEntry, SimulatedIdentity

_SNOMED = "http://snomed.info/sct"
_UCUM = "http://unitsofmeasure.org"
_NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
_ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
_UBRN = "https://fhir.nhs.uk/Id/UBRN"
_UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition"
_TIERLINK = "https://tierlink.example"
_SENDER_ODS = "Y00001"
_SERVICE = {  # SNOMED CT UK: local-authority Tier 2 programme; refer to weight management programme
    "tier2": ("771491000000104", "Referral to local authority weight management programme"),
    "tier3": ("408289007", "Refer to weight management programme"),
}
_OBSERVATION = {"weight": "27113001", "height": "50373000", "bmi": "60621009"}
_UNIT = {"kg": "kg", "g": "g", "lb": "[lb_av]", "cm": "cm", "m": "m", "kg/m2": "kg/m2"}


class BundleEntry(TypedDict):
    """One resource of a Bundle under its url."""

    fullUrl: str  # as FHIR spells it
    resource: dict[str, object]


class MessageBundle(TypedDict):
    """A FHIR message Bundle."""

    resourceType: str  # as FHIR spells it
    identifier: dict[str, str]
    type: str
    timestamp: str
    entry: list[BundleEntry]


def bundle_bytes(entry: SimulatedEntry) -> bytes:
    """One entry as the JSON body of `POST /fhir`; the same entry, the same bytes."""
    return json.dumps(bundle(entry), ensure_ascii=False, separators=(",", ":")).encode()


def bundle(entry: SimulatedEntry) -> MessageBundle:
    """One entry as a message Bundle: MessageHeader, Patient, then the facts."""
    patient_url = _urn(entry, "patient")
    requests: dict[str, str] = {}
    resources: list[BundleEntry] = [_entry(patient_url, patient(entry.local_id, entry.identity))]
    for place, fact in enumerate(entry.facts):
        url = _urn(entry, str(place))
        if fact.kind == "referral":
            requests[fact.key] = url
            resources.append(_entry(url, _service_request(fact, patient_url, entry.identity.practice_ods)))
        else:
            resources.append(_entry(url, _observation(fact, patient_url, requests.get(fact.referral or ""))))
    return {
        "resourceType": "Bundle",
        "identifier": {"system": f"{_TIERLINK}/Id/message/{GP}", "value": entry.message_id},
        "type": "message",
        "timestamp": entry.source_version_at.isoformat().replace("+00:00", "Z"),
        "entry": [_entry(_urn(entry, "header"), _header(resources[1]["fullUrl"])), *resources],
    }


def _entry(url: str, resource: dict[str, object]) -> BundleEntry:
    return {"fullUrl": url, "resource": resource}


def patient(local_id: str, identity: SimulatedIdentity) -> dict[str, object]:
    """The Patient of a record, with the fields the record lacks left out."""
    numbers = [{"system": _NHS_NUMBER, "value": identity.nhs_number}] if identity.nhs_number else []
    resource: dict[str, object] = {
        "resourceType": "Patient",
        "meta": {"profile": [f"{_UK_CORE}/UKCore-Patient"]},
        "extension": [_ethnic_category(identity.ethnic_category), *_area(identity)],
        "identifier": [*numbers, {"system": f"{_TIERLINK}/Id/patient/{GP}", "value": local_id}],
        "name": _names(identity),
        "address": _addresses(identity),
        "generalPractitioner": [{"identifier": {"system": _ODS, "value": identity.practice_ods}}],
    }
    if telecom := _telecom(identity):
        resource["telecom"] = telecom
    if identity.sex:
        resource["gender"] = identity.sex
    if identity.birth_date:
        resource["birthDate"] = identity.birth_date.isoformat()
    return resource


def _urn(entry: SimulatedEntry, part: str) -> str:
    # any stable urn will do; the message id is a UUID already, and its last digits give way to the part's
    # place
    number = {"header": 1, "patient": 2}.get(part) or int(part) + 3
    return f"urn:uuid:{entry.message_id[:-4]}{number:04x}"


def _header(focus: str) -> dict[str, object]:
    return {
        "resourceType": "MessageHeader",
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
            "code": "servicerequest-request",
        },
        "sender": {"identifier": {"system": _ODS, "value": _SENDER_ODS}},
        "source": {"name": "Practice hub", "endpoint": "https://hub.example/fhir"},
        "focus": [{"reference": focus}],
    }


def _ethnic_category(code: str) -> dict[str, object]:
    system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland"
    return {
        "url": f"{_UK_CORE}/Extension-UKCore-EthnicCategory",
        "valueCodeableConcept": {"coding": [{"system": system, "code": code}]},
    }


def _area(identity: SimulatedIdentity) -> list[dict[str, object]]:
    definitions = f"{_TIERLINK}/StructureDefinition"
    return [
        {"url": f"{definitions}/lsoa", "valueCode": identity.address.lsoa},
        {"url": f"{definitions}/lsoa-version", "valueCode": "2021"},
        {"url": f"{definitions}/imd-quintile", "valueInteger": identity.address.imd_quintile},
        {"url": f"{definitions}/imd-version", "valueCode": "2025"},
    ]


def _names(identity: SimulatedIdentity) -> list[dict[str, object]]:
    given = identity.forename.split()
    middle = [identity.middle_name] if identity.middle_name else []
    names: list[dict[str, object]] = [{"use": "official", "family": identity.surname, "given": [*given, *middle]}]
    if identity.old_surname:
        names.append({"use": "old", "family": identity.old_surname, "given": given})
    if identity.known_as:
        names.append({"use": "nickname", "family": identity.surname, "given": [identity.known_as]})
    return names


def _addresses(identity: SimulatedIdentity) -> list[dict[str, object]]:
    former = identity.former_address
    homes = [_address("home", identity.address, identity.postcode)]
    return [*homes, _address("old", former, former.postcode)] if former else homes


def _address(use: str, home: SimulatedAddress, postcode: str | None) -> dict[str, object]:
    address: dict[str, object] = {"use": use, "line": [home.line], "city": home.town}
    return address | ({"postalCode": postcode} if postcode else {})


def _telecom(identity: SimulatedIdentity) -> list[dict[str, str]]:
    """A mobile as the hub writes one, in E.164, and a private mailbox."""
    phone, email = identity.phone, identity.email
    phones = [{"system": "phone", "value": f"+44{phone[1:]}", "use": "mobile"}] if phone else []
    return [*phones, {"system": "email", "value": email, "use": "home"}] if email else phones


def _service_request(fact: Fact, patient_url: str, practice_ods: str) -> dict[str, object]:
    assert fact.to_tier is not None
    code, display = _SERVICE[fact.to_tier]
    definitions = f"{_TIERLINK}/StructureDefinition"
    return {
        "resourceType": "ServiceRequest",
        "meta": {"profile": [f"{_UK_CORE}/UKCore-ServiceRequest"]},
        "extension": [
            {"url": f"{definitions}/to-tier", "valueCode": fact.to_tier},
            {"url": f"{definitions}/direction", "valueCode": "sent"},
            {"url": f"{definitions}/practice-ods", "valueCode": practice_ods},
        ],
        "identifier": [{"system": _UBRN, "value": fact.key}],
        "status": "active",
        "intent": "order",
        "priority": fact.priority,
        "code": {"coding": [{"system": _SNOMED, "code": code, "display": display}]},
        "subject": {"reference": patient_url},
        "authoredOn": fact.on.isoformat(),
        "requester": {"identifier": {"system": _ODS, "value": practice_ods}},
        "reasonCode": [{"coding": [{"system": _SNOMED, "code": "414916001", "display": "Obesity"}]}],
    }


def _observation(fact: Fact, patient_url: str, request_url: str | None) -> dict[str, object]:
    assert fact.quantity is not None
    assert fact.value_given is not None
    assert fact.unit_given is not None
    unit = _UNIT[fact.unit_given]
    resource: dict[str, object] = {
        "resourceType": "Observation",
        "identifier": [{"system": f"{_TIERLINK}/Id/measurement/{GP}", "value": fact.key}],
        "status": "final",
        "code": {"coding": [{"system": _SNOMED, "code": _OBSERVATION[fact.quantity]}]},
        "subject": {"reference": patient_url},
        "effectiveDateTime": fact.on.isoformat(),
        "valueQuantity": {"value": float(fact.value_given), "unit": unit, "system": _UCUM, "code": unit},
    }
    if request_url:
        resource["basedOn"] = [{"reference": request_url}]
    return resource
