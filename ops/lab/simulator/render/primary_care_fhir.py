"""The hub that speaks for general practices: FHIR R4 message Bundles, in UK Core profiles where there are some."""

import json
from collections.abc import Sequence
from datetime import date
from typing import TypedDict

from ops.lab.simulator.model import GP, Fact, SimulatedEntry
from ops.lab.simulator.render.fhir_milestones import CONDITIONS, milestone
from ops.lab.simulator.render.fhir_patient import LOCAL_ID, ODS, TIERLINK, UK_CORE, patient
from ops.lab.simulator.render.fhir_references import BundleReferences, Reference
from ops.lab.simulator.render.measured_codes import OTHERS, TEXTS, UNITS, USUAL
from ops.lab.simulator.render.no_facts import no_measurement, no_request
from ops.lab.simulator.render.placeholders import with_placeholders
from ops.lab.simulator.spellings import chosen

_SNOMED = "http://snomed.info/sct"
_UCUM = "http://unitsofmeasure.org"
_UBRN = "https://fhir.nhs.uk/Id/UBRN"
_REVOKED = "referrer"  # by whom: FHIR says so in the status of the request
_SENDER_ODS = "Y00001"
_SERVICE = {  # SNOMED CT UK: local-authority Tier 2 programme; refer to weight management programme
    "tier2": ("771491000000104", "Referral to local authority weight management programme"),
    "tier3": ("408289007", "Refer to weight management programme"),
}
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
    references = BundleReferences(entry)
    patient_url = references.full_url("Patient", 2)
    subject = references.to(patient_url, LOCAL_ID, entry.local_id)
    requests: dict[str, Reference] = {}
    resources = [(patient_url, patient(entry.local_id, with_placeholders(entry), died_on=_died_on(entry)))]
    for number, fact in enumerate(entry.facts, start=3):
        if fact.kind in ("referral", "medicine"):
            url = references.full_url("ServiceRequest", number)
            requests[fact.key] = references.to(url, _UBRN, fact.key)
            make = _service_request if fact.kind == "referral" else _carrier
            resources.append((url, make(entry, fact, subject)))
        elif fact.kind in ("measurement", "comorbidity"):
            url = references.full_url("Observation", number)
            resources.append((url, _observation(entry, fact, subject, requests.get(fact.referral or ""))))
    for number, resource in enumerate(_no_facts(entry, resources, subject), start=len(entry.facts) + 3):
        resources.append((references.full_url(str(resource["resourceType"]), number), resource))
    header = (references.full_url("MessageHeader", 1), _header(resources[:2][-1][0]))
    return {
        "resourceType": "Bundle",
        "identifier": {"system": f"{TIERLINK}/Id/message/{GP}", "value": entry.message_id},
        "type": "message",
        "timestamp": entry.source_version_at.isoformat().replace("+00:00", "Z"),
        "entry": [
            {"fullUrl": url, "resource": references.named(url, resource)} for url, resource in (header, *resources)
        ],
    }


def _no_facts(
    entry: SimulatedEntry, resources: Sequence[tuple[str, dict[str, object]]], subject: Reference
) -> list[dict[str, object]]:
    requests = [resource for _, resource in resources if resource["resourceType"] == "ServiceRequest"]
    found = [copy for request in requests for copy in no_request(entry, request)]
    return found + (no_measurement(entry, subject) if entry.facts else [])


def _died_on(entry: SimulatedEntry) -> date | None:
    return next((fact.on for fact in entry.facts if fact.kind == "death"), None)


def _header(focus: str) -> dict[str, object]:
    return {
        "resourceType": "MessageHeader",
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
            "code": "servicerequest-request",
        },
        "sender": {"identifier": {"system": ODS, "value": _SENDER_ODS}},
        "source": {"name": "Practice hub", "endpoint": "https://hub.example/fhir"},
        "focus": [{"reference": focus}],
    }


def _service_request(entry: SimulatedEntry, fact: Fact, subject: Reference) -> dict[str, object]:
    assert fact.to_tier is not None
    practice_ods = entry.identity.practice_ods
    code, display = _SERVICE[fact.to_tier]
    definitions = f"{TIERLINK}/StructureDefinition"
    practice: dict[str, object] = {"identifier": {"system": ODS, "value": practice_ods}}
    contained = {"resourceType": "Organization", "id": "practice", "identifier": [practice["identifier"]]}
    is_contained = "requester_contained" in entry.spellings
    return {
        "resourceType": "ServiceRequest",
        **({"contained": [contained]} if is_contained else {}),
        "meta": {"profile": [f"{UK_CORE}/UKCore-ServiceRequest"]},
        "extension": [
            {"url": f"{definitions}/to-tier", "valueCode": fact.to_tier},
            {"url": f"{definitions}/direction", "valueCode": "sent"},
            {"url": f"{definitions}/practice-ods", "valueCode": practice_ods},
            *(milestone(answer) for answer in entry.facts if answer.kind == "decline" and answer.by != _REVOKED),
        ],
        "identifier": [{"system": _UBRN, "value": fact.key}],
        "status": _status(entry, fact),
        "intent": "order",
        "priority": fact.priority,
        "code": {"coding": [{"system": _SNOMED, "code": code, "display": display}]},
        "subject": subject,
        "authoredOn": fact.on.isoformat(),
        "requester": {"reference": "#practice"} if is_contained else practice,
        **({"performer": [{"identifier": {"system": ODS, "value": fact.provider_ods}}]} if fact.provider_ods else {}),
        "reasonCode": [{"coding": [{"system": _SNOMED, "code": "414916001", "display": "Obesity"}]}],
    }


def _status(entry: SimulatedEntry, referral: Fact) -> str:
    """What never should have been is in error; what the practice took back is revoked."""
    if referral.retracted:
        return "entered-in-error"
    return "revoked" if any(fact.by == _REVOKED for fact in entry.facts) else "active"


def _carrier(_: SimulatedEntry, fact: Fact, subject: Reference) -> dict[str, object]:
    """What stands under no referral: a request that asks for nothing and carries the fact."""
    code, display = _SERVICE["tier2"]
    return {
        "resourceType": "ServiceRequest",
        "extension": [{"url": f"{TIERLINK}/StructureDefinition/carrier", "valueBoolean": True}, milestone(fact)],
        "identifier": [{"system": f"{TIERLINK}/Id/referral/{GP}", "value": fact.key.split("/")[0]}],
        "status": "active",
        "intent": "order",
        "code": {"coding": [{"system": _SNOMED, "code": code, "display": display}]},
        "subject": subject,
        "authoredOn": fact.on.isoformat(),
    }


def _observation(entry: SimulatedEntry, fact: Fact, subject: Reference, request: Reference | None) -> dict[str, object]:
    resource: dict[str, object] = {
        "resourceType": "Observation",
        "identifier": [{"system": f"{TIERLINK}/Id/{fact.kind}/{GP}", "value": fact.key}],
        "status": "final",
        **(_condition(fact) if fact.kind == "comorbidity" else _measured(entry, fact)),
        "subject": subject,
        "effectiveDateTime": fact.on.isoformat(),
    }
    return resource | ({"basedOn": [request]} if request else {})


def _condition(fact: Fact) -> dict[str, object]:
    coding = {"system": _SNOMED, "code": CONDITIONS[fact.code or ""]}
    return {"code": {"coding": [coding]}, "valueBoolean": fact.present}


def _measured(entry: SimulatedEntry, fact: Fact) -> dict[str, object]:
    assert fact.quantity is not None
    assert fact.value_given is not None
    assert fact.unit_given is not None
    quantity = {"value": float(fact.value_given), **_unit(entry, fact.unit_given)}
    return {"code": _code(entry, fact.quantity), "valueQuantity": quantity}


def _code(entry: SimulatedEntry, quantity: str) -> dict[str, object]:
    usual = {"system": _SNOMED, "code": USUAL[quantity]}
    others = [{"system": system, "code": code} for system, code in OTHERS[quantity]]
    codings = [[other] for other in others] + [[other, usual] for other in others]
    ways: list[dict[str, object]] = [{"coding": coding} for coding in codings]
    return chosen(entry, "codes_of_other_systems", {"coding": [usual]}, [*ways, {"text": TEXTS[quantity]}])


def _unit(entry: SimulatedEntry, unit_given: str) -> dict[str, str]:
    code = _UNIT[unit_given]
    usual = {"unit": code, "system": _UCUM, "code": code}
    ways = [{**usual, "unit": word} for word in UNITS[unit_given]] + [{"unit": word} for word in UNITS[unit_given]]
    return chosen(entry, "units_in_words", usual, [*ways, {"system": _UCUM, "code": code}])
