"""Messages that hold an improbable value in every field that can hold one, for each door: one good, one refused."""

from collections.abc import Sequence
from typing import Any

from ops.lab.simulator.render.tier2_csv import HEADERS
from ops.verify.nobodies import Nobody
from schemas import canonical


def fhir(one: Nobody, *, good: bool) -> tuple[str, bytes]:
    """Message id and body for the HTTP door; the refused one tells nothing that can be read."""
    subject = {"reference": "urn:uuid:0f0e0d0c-0b0a-4908-8706-050403020100", "display": one.family}
    weight: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "code": {
            "coding": [{"system": "http://snomed.info/sct", "code": "27113001", "display": one.free_text}]
        },
        "subject": subject,
        "effectiveDateTime": "2026-01-05",
        "valueQuantity": {"value": 101.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        "note": [{"text": f"{one.given} {one.family} {one.nhs_number}"}],
    }
    if not good:
        weight["valueQuantity"] = {"value": 101.5}
    request = {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/UBRN", "value": one.business_id}],
        "status": "active",
        "intent": "order",
        "code": {
            "coding": [{"system": "http://snomed.info/sct", "code": "771491000000104"}],
            "text": one.free_text,
        },
        "subject": subject,
        "authoredOn": "2026-01-05" if good else "2026-02-30",
        "note": [{"text": one.free_text}],
        "patientInstruction": one.free_text,
    }
    message_id = f"{one.local_id}-{'good' if good else 'refused'}"
    bundle = {
        "resourceType": "Bundle",
        "identifier": {"system": "https://tierlink.example/Id/message/gp-hub", "value": message_id},
        "type": "message",
        "timestamp": "2026-01-05T10:00:00+00:00",
        "entry": [
            {"fullUrl": "urn:uuid:0f0e0d0c-0b0a-4908-8706-0504030201ff", "resource": _header(subject)},
            {"fullUrl": subject["reference"], "resource": _patient(one)},
            {"fullUrl": "urn:uuid:0f0e0d0c-0b0a-4908-8706-050403020101", "resource": request},
            {"fullUrl": "urn:uuid:0f0e0d0c-0b0a-4908-8706-050403020102", "resource": weight},
        ],
    }
    return message_id, canonical.dump(bundle)


def _patient(one: Nobody) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "text": {
            "status": "generated",
            "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{one.family}</div>",
        },
        "identifier": [
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": one.nhs_number},
            {"system": "https://tierlink.example/Id/patient/gp-hub", "value": one.local_id},
        ],
        "name": [
            {"use": "official", "family": one.family, "given": [one.given], "text": one.free_text},
            {"use": "nickname", "family": one.other, "given": [one.other]},
        ],
        "telecom": [{"system": "phone", "value": one.phone}, {"system": "email", "value": one.mailbox}],
        "gender": "female",
        "birthDate": one.birth_date,
        "address": [{"line": [one.street], "city": one.free_text, "postalCode": one.postcode}],
        "contact": [{"name": {"family": one.other}, "telecom": [{"system": "phone", "value": one.phone}]}],
    }


def hl7(one: Nobody, *, good: bool) -> tuple[str, bytes]:
    """Message id (as the journal names it) and an ORU^R01 for the MLLP door; the refused one has no unit."""
    control = "CANARY-A" if good else "CANARY-R"  # MSH-3 to MSH-6 and MSH-10 are echoed, as HL7 asks
    day, postcode = one.birth_date.replace("-", ""), one.postcode
    identifiers = f"{one.local_id}^^^RXX^MR~{one.nhs_number}^^^NHS^NH"
    address = f"{one.street}^{one.other}^{one.free_text}^^{postcode}^GBR^HOME"
    names = f"{one.family}^{one.given}^{one.other}^^^^L"
    more = f"{one.phone}^PRN^PH^{one.mailbox}|{one.phone}|||||{one.local_id}|||A|{one.free_text}"
    unit = "kg" if good else ""
    lines = [
        f"MSH|^~\\&|CANARY|RXX|TIERLINK|TIE|20260106100000||ORU^R01|{control}|P|2.4",
        f"PID|1|{one.local_id}|{identifiers}|{one.local_id}|{names}|{one.other}|{day}|F|{one.other}||{address}||{more}",
        f"PD1|||{one.free_text}^^Y00001|{one.other}",
        f"NK1|1|{one.other}^{one.given}|SPO|{address}|{one.phone}",
        f"PV1|1|O|{one.free_text}||||{one.other}^{one.family}|||WMS|||||||||{one.local_id}",
        f"OBR|1|{one.business_id}|{one.business_id}|VITALS^{one.free_text}|||20260106094500||||||{one.free_text}",
        f"OBX|1|NM|29463-7^{one.free_text}^LN||99.5|{unit}|||||F|||20260106094500",
        f"NTE|1||{one.given} {one.family} {one.nhs_number}",
    ]
    return f"CANARY|RXX|{control}", "\r".join(lines).encode() + b"\r"


def csv_file(one: Nobody) -> tuple[str, bytes, Sequence[int]]:
    """File name, content and row positions for the folder door: row 2 is good, in row 3 no fact has its day."""
    day = "/".join(reversed(one.birth_date.split("-")))
    filled = {
        "client_ref": one.local_id, "nhs_no": one.nhs_number, "surname": one.family, "forename": one.given,
        "dob": day, "sex": "F", "ethnicity": "A", "postcode": one.postcode, "address1": one.street,
        "town": one.free_text, "mobile": one.phone, "email": one.mailbox, "known_as": one.other,
        "prev_surname": one.other, "gp_practice": "Y00001", "referral_ref": one.business_id,
        "referral_date": "07/01/2026",
        "session_ref": f"{one.business_id}-1", "session_date": "14/01/2026", "attendance": "5", "weight": "98.5",
        "weight_unit": "kg", "last_updated": "15/01/2026 09:00",
    }  # fmt: skip
    good = {**dict.fromkeys(HEADERS, ""), **filled}
    # two columns that the mapping does not know: read by nobody, and sealed all the same
    good |= {"notes": one.free_text, "contact": f"{one.phone} {one.mailbox} {one.other}"}
    bad = {
        **good,
        "referral_date": "30/02/2026",
        "session_ref": f"{one.business_id}-2",
        "session_date": "30/02/2026",
    }
    rows = [",".join(good), ",".join(good.values()), ",".join(bad.values())]
    return f"{one.family}.csv", ("\r\n".join(rows) + "\r\n").encode(), (2, 3)


def _header(subject: dict[str, str]) -> dict[str, Any]:
    event = {"system": "https://fhir.nhs.uk/CodeSystem/message-events-bars", "code": "servicerequest-request"}
    return {
        "resourceType": "MessageHeader",
        "eventCoding": event,
        "source": {"endpoint": "https://tierlink.example/canary"},
        "focus": [subject],
    }
