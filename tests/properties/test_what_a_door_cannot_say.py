"""What of the allow-list HL7 and files cannot say, each with its reason; the rest is read of messages and mappings.

A field that becomes sayable must leave its table, and a new field of a fact must enter one or be read: both fail here.
"""

from collections.abc import Iterator
from types import UnionType
from typing import Literal, Union, get_args, get_origin

import pytest
from hl7_messages import EVERY_KIND, LOCAL, OBR, PV1, RF1, SCH, clinical, message, message_of, with_field

from connectors.mapping.fields import BODIES, FIELDS
from schemas import codes
from schemas.facts import Body, FactBody, Referral

# Of every fact: read back everywhere, or set where the fact is stored.
OF_EVERY_FACT = {"type", "on", "at", "referral"}

NOT_IN_HL7 = {
    "triage": "no event says that a referral was assessed; a level has no field in RF1",
    "decline": "RF1-1 R says that a referral was rejected and neither by whom nor why: it is information",
    "choice": "is made at e-RS before a trust hears of it",
    "programme_start": "no event begins a programme; the first attendance of Tier 3 is one",
    "completion": "is by a rule of the service that no field names",
    "withdrawal": "a patient who leaves is a discharge with its reason in PV1-36",
    "medicine": "RDE and RAS of chapter 4 are not read: trusts send them to pharmacies",
    "procedure": "PR1 is not read: Tier 4 reports by FHIR",
    "comorbidity": "DG1 is not read: it codes a visit's diagnosis, not that a condition was asked about or ruled out",
    "questionnaire_score": "no code of a total score is in the table of clinical codes",
    "suspension": "no field; a service that suspends a programme cancels its appointments",
    "eligibility": "is decided before a trust hears of the referral",
    "experience": "no field; forms of the Friends and Family Test travel without a patient's number",
    "referral.age_years": "is counted from PID-7 where the fact is stored",
    "referral.direction=sent": "REF^I12 reaches this engine at the receiver, by whom it is told as received",
    "referral.practice_ods": "PD1-3 says the practice, of the person",
    "referral.council": "no field; councils send files",
    "referral.referral_source": "no field says by which route, only by whom (PRD-7)",
    "referral.ubrn": "is keyed where the fact is stored; read in the clear beside the body",
    "referral.to_tier=primary_care": "is the tier of the source that receives",
    "referral.to_tier=tier2": "is the tier of the source that receives",
    "referral.to_tier=tier4": "is the tier of the source that receives",
    "attendance.attendance=6": "no status of table 0278 says late but seen: it is seen (5)",
    "attendance.provider_ods": "is the sender",
    "demographics.ethnic_system=2021": "PID-22 of the NHS is the 2001 list",
    "demographics.ethnic_system=dwmp": "PID-22 of the NHS is the 2001 list",
    "demographics.lsoa": "no field of PID holds an area smaller than the postcode",
    "demographics.lsoa_version": "goes with the LSOA",
    "demographics.imd_quintile": "goes with the LSOA",
    "demographics.imd_version": "goes with the LSOA",
    "demographics.council": "no field; councils send files",
}

NOT_IN_A_FILE = {
    "death": "an extract says that care ended; that a person died comes from those who know it",
    "referral.reasons": "several codes in a cell have no common spelling; Tier 2 takes anybody above a BMI",
}
# Not in a column, and yet in the fact.
MADE_OF_A_ROW = {
    "referral.council": "of the source",
    "referral.consultant_led": "of the source",
    "demographics.council": "of the source",
    "demographics.sex": "of [person]",
    "demographics.birth_year": "of [person]",
    "measurement.unit_given": "of the unit's column",
    "measurement.value_given": "of the value's column",
    "measurement.plausible": "of the value",
}
KINDS = {kind.model_fields["type"].default: kind for kind in get_args(FactBody)}


def words_of(annotation: object) -> tuple[str, ...]:
    """The words of a Literal, or of one that may be absent."""
    if get_origin(annotation) in (Union, UnionType):
        return tuple(word for part in get_args(annotation) for word in words_of(part))
    return tuple(map(str, get_args(annotation))) if get_origin(annotation) is Literal else ()


def sayable(kind: type[Body]) -> Iterator[str]:
    """`referral.priority` and `referral.priority=routine` of every field of a fact."""
    name = kind.model_fields["type"].default
    for field, about in kind.model_fields.items():
        if field not in OF_EVERY_FACT:
            yield f"{name}.{field}"
            yield from (f"{name}.{field}={word}" for word in words_of(about.annotation))


def messages() -> Iterator[bytes]:
    """HL7 messages that together say what HL7 can say."""
    person = "PID|1||700002^^^RXX^MR||Okonkwo^Ngozi||19800229|{}||||||||||||||N|||||||20260701|Y"
    for sex in "MFOU":
        yield message("ADT^A31", person.format(sex), "PD1|||SURGERY^^Y00001", PV1)
    for priority in ("R", "U", "A", "S", "2WW"):
        yield message("REF^I12", with_field(with_field(RF1, 2, priority), 10, "414916001"), *EVERY_KIND["REF^I12"][1:])
    for kind, status in (("S12", ""), ("S26", ""), ("S26", "LATE"), ("S15", "PAT"), ("S15", "PROV")):
        yield message(f"SIU^{kind}", with_field(SCH, 6, status), "AIS|1|A|WMS")
    yield message("ADT^A04", *EVERY_KIND["ADT^A04"])
    yield message("ADT^A03", "EVN|A03|20260714100000", with_field(PV1, 36, "completed"))
    for purpose in codes.PURPOSES:
        for medium in codes.MEDIUMS:
            yield message("SIU^S26", with_field(SCH, 8, purpose), f"ZAP|{medium}|yes", "AIS|1|A|WMS")
    for status in codes.RTT_STATUSES:
        yield message("ADT^A04", *EVERY_KIND["ADT^A04"], f"ZU1|{status}|20260714")
    for code, unit in (("29463-7", "kg"), ("3138-5", "cm"), ("8280-0", "cm"), ("39156-5", "kg/m2")):
        yield message("ORU^R01", PV1, OBR, f"OBX|1|NM|{code}||90|{unit}|||||F")


def said_in_hl7() -> set[str]:
    """What those messages say."""
    found = set()
    for raw in messages():
        for body in (fact.body for fact in message_of(raw, source=LOCAL).facts):
            said = body.model_dump(exclude=OF_EVERY_FACT, exclude_none=True)
            found |= {body.type, *(f"{body.type}.{name}" for name in said)}
            found |= {f"{body.type}.{name}={value}" for name, value in said.items()}
    return found


def test_what_hl7_cannot_say_is_listed_with_its_reason_and_everything_else_is_read() -> None:
    said = said_in_hl7()
    silent = {name for name, kind in KINDS.items() if name not in said}
    for name, kind in KINDS.items():
        if name in silent:
            continue
        fields = {field for field in sayable(kind) if field not in said}
        # of a field that cannot be said its words need no reason
        silent |= {field for field in fields if "=" not in field or field.partition("=")[0] not in fields}
    assert silent == NOT_IN_HL7.keys()


def test_what_a_file_cannot_say_is_listed_with_its_reason_and_every_other_field_has_a_column() -> None:
    silent = KINDS.keys() - FIELDS.keys()
    for name, columns in FIELDS.items():
        fields = BODIES[name].model_fields.keys() - OF_EVERY_FACT - columns.keys()
        silent |= {f"{name}.{field}" for field in fields}
    assert silent == NOT_IN_A_FILE.keys() | MADE_OF_A_ROW.keys()


@pytest.mark.parametrize("table", [NOT_IN_HL7, NOT_IN_A_FILE, MADE_OF_A_ROW])
def test_every_entry_has_a_reason(table: dict[str, str]) -> None:
    assert all(table.values())


def test_what_is_only_beside_the_body_is_read_too() -> None:
    (fact,) = clinical(message("REF^I12", RF1 + "||||000471005252^UBRN"))
    assert (type(fact.body), fact.ubrn, fact.business_id) == (Referral, "000471005252", "REF-9")
    kept, _ = clinical(message("SIU^S12", SCH, "AIS|1|A|WMS", RF1))
    assert kept.referral_business_id == "REF-9"
