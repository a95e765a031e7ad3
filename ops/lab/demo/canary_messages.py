"""Messages that hold an improbable value in every field that can hold one, for each door: one good, one refused."""

from collections.abc import Sequence

from ops.lab.simulator.render.tier2_csv import HEADERS
from ops.verify.nobodies import Nobody
from schemas import canonical


def fhir(nobody: Nobody, *, good: bool) -> tuple[str, bytes]:
    """Message id and body for the HTTP door; the refused one tells nothing that can be read."""
    subject = {"reference": "urn:uuid:0f0e0d0c-0b0a-4908-8706-050403020100", "display": nobody.family}
    weight: dict[str, object] = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "27113001", "display": nobody.free_text}]},
        "subject": subject,
        "effectiveDateTime": "2026-01-05",
        "valueQuantity": {"value": 101.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        "note": [{"text": f"{nobody.given} {nobody.family} {nobody.nhs_number}"}],
    }
    if not good:
        weight["valueQuantity"] = {"value": 101.5}
    request = {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/UBRN", "value": nobody.business_id}],
        "status": "active",
        "intent": "order",
        "code": {
            "coding": [{"system": "http://snomed.info/sct", "code": "771491000000104"}],
            "text": nobody.free_text,
        },
        "subject": subject,
        "authoredOn": "2026-01-05" if good else "2026-02-30",
        "note": [{"text": nobody.free_text}],
        "patientInstruction": nobody.free_text,
    }
    message_id = f"{nobody.local_id}-{'good' if good else 'refused'}"
    bundle = {
        "resourceType": "Bundle",
        "identifier": {"system": "https://tierlink.example/Id/message/gp-hub", "value": message_id},
        "type": "message",
        "timestamp": "2026-01-05T10:00:00+00:00",
        "entry": [
            {"fullUrl": "urn:uuid:0f0e0d0c-0b0a-4908-8706-0504030201ff", "resource": _header(subject)},
            {"fullUrl": subject["reference"], "resource": _patient(nobody)},
            {"fullUrl": "urn:uuid:0f0e0d0c-0b0a-4908-8706-050403020101", "resource": request},
            {"fullUrl": "urn:uuid:0f0e0d0c-0b0a-4908-8706-050403020102", "resource": weight},
        ],
    }
    return message_id, canonical.dump(bundle)


def _patient(nobody: Nobody) -> dict[str, object]:
    return {
        "resourceType": "Patient",
        "text": {
            "status": "generated",
            "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{nobody.family}</div>",
        },
        "identifier": [
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": nobody.nhs_number},
            {"system": "https://tierlink.example/Id/patient/gp-hub", "value": nobody.local_id},
        ],
        "name": [
            {"use": "official", "family": nobody.family, "given": [nobody.given], "text": nobody.free_text},
            {"use": "nickname", "family": nobody.other, "given": [nobody.other]},
        ],
        "telecom": [{"system": "phone", "value": nobody.phone}, {"system": "email", "value": nobody.mailbox}],
        "gender": "female",
        "birthDate": nobody.birth_date,
        "address": [{"line": [nobody.street], "city": nobody.free_text, "postalCode": nobody.postcode}],
        "contact": [{"name": {"family": nobody.other}, "telecom": [{"system": "phone", "value": nobody.phone}]}],
    }


def hl7(nobody: Nobody, *, good: bool) -> tuple[str, bytes]:
    """Message id (as the journal names it) and an ORU^R01 for the MLLP door; the refused one has no unit."""
    control = "CANARY-A" if good else "CANARY-R"  # MSH-3 to MSH-6 and MSH-10 are echoed, as HL7 asks
    day, postcode = nobody.birth_date.replace("-", ""), nobody.postcode
    identifiers = f"{nobody.local_id}^^^RXX^MR~{nobody.nhs_number}^^^NHS^NH"
    address = f"{nobody.street}^{nobody.other}^{nobody.free_text}^^{postcode}^GBR^HOME"
    names = f"{nobody.family}^{nobody.given}^{nobody.other}^^^^L"
    more = f"{nobody.phone}^PRN^PH^{nobody.mailbox}|{nobody.phone}|||||{nobody.local_id}|||A|{nobody.free_text}"
    unit = "kg" if good else ""
    lines = [
        f"MSH|^~\\&|CANARY|RXX|TIERLINK|TIE|20260106100000||ORU^R01|{control}|P|2.4",
        f"PID|1|{nobody.local_id}|{identifiers}|{nobody.local_id}|{names}|{nobody.other}|{day}|F|{nobody.other}||{address}||{more}",
        f"PD1|||{nobody.free_text}^^Y00001|{nobody.other}",
        f"NK1|1|{nobody.other}^{nobody.given}|SPO|{address}|{nobody.phone}",
        f"PV1|1|O|{nobody.free_text}||||{nobody.other}^{nobody.family}|||WMS|||||||||{nobody.local_id}",
        f"OBR|1|{nobody.business_id}|{nobody.business_id}|VITALS^{nobody.free_text}|||20260106094500||||||{nobody.free_text}",
        f"OBX|1|NM|29463-7^{nobody.free_text}^LN||99.5|{unit}|||||F|||20260106094500",
        f"NTE|1||{nobody.given} {nobody.family} {nobody.nhs_number}",
    ]
    return f"CANARY|RXX|{control}|20260106100000", "\r".join(lines).encode() + b"\r"


def csv_file(nobody: Nobody) -> tuple[str, bytes, Sequence[int]]:
    """File name, content and row positions for the folder door: row 2 is good, in row 3 no fact has its day."""
    day = "/".join(reversed(nobody.birth_date.split("-")))
    filled = {
        "client_ref": nobody.local_id, "nhs_no": nobody.nhs_number, "surname": nobody.family, "forename": nobody.given,
        "dob": day, "sex": "F", "ethnicity": "A", "postcode": nobody.postcode, "address1": nobody.street,
        "town": nobody.free_text, "mobile": nobody.phone, "email": nobody.mailbox, "known_as": nobody.other,
        "prev_surname": nobody.other, "gp_practice": "Y00001", "referral_ref": nobody.business_id,
        "referral_date": "07/01/2026",
        "session_ref": f"{nobody.business_id}-1", "session_date": "14/01/2026", "attendance": "5", "weight": "98.5",
        "weight_unit": "kg", "last_updated": "15/01/2026 09:00",
    }  # fmt: skip
    good = {**dict.fromkeys(HEADERS, ""), **filled}
    # two columns that the mapping does not know: read by nobody, and sealed all the same
    good |= {"notes": nobody.free_text, "contact": f"{nobody.phone} {nobody.mailbox} {nobody.other}"}
    bad = {
        **good,
        "referral_date": "30/02/2026",
        "session_ref": f"{nobody.business_id}-2",
        "session_date": "30/02/2026",
    }
    rows = [",".join(good), ",".join(good.values()), ",".join(bad.values())]
    return f"{nobody.family}.csv", ("\r\n".join(rows) + "\r\n").encode(), (2, 3)


def _header(subject: dict[str, str]) -> dict[str, object]:
    event = {"system": "https://fhir.nhs.uk/CodeSystem/message-events-bars", "code": "servicerequest-request"}
    return {
        "resourceType": "MessageHeader",
        "eventCoding": event,
        "source": {"endpoint": "https://tierlink.example/canary"},
        "focus": [subject],
    }
