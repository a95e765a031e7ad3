"""The Patient of the practices' hub, in UK Core's profile."""

from datetime import date

from ops.lab.simulator.model import GP, SimulatedAddress, SimulatedIdentity

ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition"
TIERLINK = "https://tierlink.example"
LOCAL_ID = f"{TIERLINK}/Id/patient/{GP}"
_NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"


def patient(local_id: str, identity: SimulatedIdentity, *, died_on: date | None = None) -> dict[str, object]:
    """The Patient of a record, with the fields the record lacks left out."""
    numbers = [{"system": _NHS_NUMBER, "value": identity.nhs_number}] if identity.nhs_number else []
    resource: dict[str, object] = {
        "resourceType": "Patient",
        "meta": {"profile": [f"{UK_CORE}/UKCore-Patient"]},
        "extension": [_ethnic_category(identity.ethnic_category), *_area(identity)],
        "identifier": [*numbers, {"system": LOCAL_ID, "value": local_id}],
        "name": _names(identity),
        "address": _addresses(identity),
        "generalPractitioner": [{"identifier": {"system": ODS, "value": identity.practice_ods}}],
    }
    if telecom := _telecom(identity):
        resource["telecom"] = telecom
    if identity.sex:
        resource["gender"] = identity.sex
    if identity.birth_date:
        resource["birthDate"] = identity.birth_date.isoformat()
    if died_on:
        resource["deceasedDateTime"] = died_on.isoformat()
    return resource


def _ethnic_category(code: str) -> dict[str, object]:
    system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland"
    return {
        "url": f"{UK_CORE}/Extension-UKCore-EthnicCategory",
        "valueCodeableConcept": {"coding": [{"system": system, "code": code}]},
    }


def _area(identity: SimulatedIdentity) -> list[dict[str, object]]:
    definitions = f"{TIERLINK}/StructureDefinition"
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
    phones = [{"system": "phone", "value": _e164(phone), "use": "mobile"}] if phone else []
    return [*phones, {"system": "email", "value": email, "use": "home"}] if email else phones


def _e164(phone: str) -> str:
    return f"+44{phone[1:]}" if phone.isdigit() and phone.strip("0") else phone
