"""Person, Demographics and Death as one UK Core Patient."""

from schemas import uris
from schemas.facts import Death, Demographics
from schemas.fhir.dates import london_day
from schemas.fhir.extensions import extension, without_empty
from schemas.identity import Address, LocalId, Person, PersonName
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source

_ETHNIC_SYSTEM = {"2001": uris.ETHNIC_2001, "2021": uris.ETHNIC_2021, "dwmp": uris.ETHNIC_DWMP, None: None}


def patient(message: SourceMessage, *, source: Source) -> dict[str, object]:
    """The Patient of `message`: identity from its person, extensions from its Demographics, death from its Death."""
    person = message.person
    fact, demographics = _only(message, Demographics), None
    if fact is not None:
        assert isinstance(fact.body, Demographics)
        demographics = fact.body
    practice = demographics.practice_ods if demographics else None
    return without_empty(
        {
            "resourceType": "Patient",
            "extension": _extensions(message, fact, demographics),
            "identifier": _identifiers(person, source),
            "name": [_name(name) for name in person.names],
            "telecom": [{"system": "phone", "value": phone} for phone in person.phones]
            + [{"system": "email", "value": email} for email in person.emails],
            "gender": person.sex or (demographics.sex if demographics else None),
            "birthDate": _birth_date(person, demographics),
            **_deceased(_only(message, Death)),
            "address": [found for address in person.addresses if (found := _address(address))],
            "generalPractitioner": [_ods(practice)] if practice else None,
            "link": [
                {"type": "replaces", "other": {"identifier": _local(retired, source)}}
                for retired in person.retired_local_ids
            ],
        }
    )


def _only(message: SourceMessage, kind: type) -> SourceFact | None:
    return next((fact for fact in message.facts if isinstance(fact.body, kind)), None)


def _ods(code: str) -> dict[str, object]:
    return {"identifier": {"system": uris.ODS_ORGANISATION, "value": code}}


def _local(number: LocalId, source: Source) -> dict[str, str]:
    return {"system": uris.patient_system(source.slug, number.authority), "value": number.value}


def _identifiers(person: Person, source: Source) -> list[dict[str, str]]:
    found = [{"use": "old", "system": uris.NHS_NUMBER, "value": former.digits} for former in person.former_nhs_numbers]
    number = person.nhs_number.digits if person.nhs_number else person.nhs_number_claimed
    if number is not None:
        found.append({"system": uris.NHS_NUMBER, "value": number})
    if person.local_id is not None:
        found.append(_local(person.local_id, source))
    return found


def _name(name: PersonName) -> dict[str, object]:
    return without_empty({"use": name.use, "family": name.family, "given": list(name.given)})


def _address(address: Address) -> dict[str, object]:
    code = address.postcode.compact if address.postcode else None
    return without_empty(
        {
            "line": [address.line] if address.line else None,
            "city": address.city,
            "postalCode": f"{code[:-3]} {code[-3:]}" if code else None,
        }
    )


def _birth_date(person: Person, demographics: Demographics | None) -> str | None:
    if person.birth_date is not None:
        return person.birth_date.isoformat()
    return str(demographics.birth_year) if demographics and demographics.birth_year else None


def _deceased(death: SourceFact | None) -> dict[str, str]:
    if death is None:
        return {}
    return {"deceasedDateTime": (death.body.at or death.body.on).isoformat()}


def _extensions(
    message: SourceMessage, fact: SourceFact | None, demographics: Demographics | None
) -> list[dict[str, object]]:
    found = []
    # A reader makes Demographics of any gender or birth date; this says where the source meant none.
    if fact is None:
        if message.person.sex or message.person.birth_date:
            found.append(extension("demographics", False))
    else:
        found.append(extension("demographics-on", fact.body.on))
        if fact.body.at is not None:
            found.append(extension("demographics-at", fact.body.at))
        if fact.retracted:
            found.append(extension("demographics-retracted", True))
    death = _only(message, Death)
    if death is not None:
        if death.body.at is not None and london_day(death.body.at) != death.body.on:
            found.append(extension("death-on", death.body.on))
        if death.retracted:
            found.append(extension("death-retracted", True))
    return found + (_demographics(demographics) if demographics else [])


def _demographics(demographics: Demographics) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    if demographics.ethnic_category:
        system = _ETHNIC_SYSTEM[demographics.ethnic_system]
        coding = (
            {"system": system, "code": demographics.ethnic_category}
            if system
            else {"code": demographics.ethnic_category}
        )
        found.append({"url": uris.ETHNIC_CATEGORY, "valueCodeableConcept": {"coding": [coding]}})
    for name in ("lsoa", "lsoa_version", "imd_quintile", "imd_version", "council"):
        value = getattr(demographics, name)
        if value is not None:
            found.append(extension(name.replace("_", "-"), value))
    return found
