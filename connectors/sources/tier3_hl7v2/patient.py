"""PID, PD1 and MRG: who the message is about.

An NHS number is known by its authority or type, never by its form: 25 of the 306 ten-digit hospital numbers
in the public simhospital messages pass the Modulus 11 check.
"""

import re
from dataclasses import replace
from datetime import date

from connectors.sources.tier3_hl7v2.local_codes import (
    GENDER,
    LOCAL_ID_TYPES,
    NAME_USE,
    NHS_NUMBER_AUTHORITIES,
    NHS_NUMBER_TYPES,
    NOT_THEIR_PHONE,
)
from connectors.sources.tier3_hl7v2.moments import birth_date, birth_year
from connectors.sources.tier3_hl7v2.reading import Reading
from connectors.sources.tier3_hl7v2.structure import Repetition, Segment
from schemas.codes import ETHNIC_2001, NUMBER_STATUS
from schemas.errors import InvalidField
from schemas.facts import Death, Demographics
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode
from schemas.source_message import SourceFact

# GP practice codes, and those of the Channel Islands and the Isle of Man. Source: DWMP hub validation, NHS ODS.
_PRACTICE = re.compile(r"[A-HJ-NP-TVWY][0-9]{5}|(?:ALD|GUE|JER)[0-9]{2}")
BIRTH_YEAR_MIN = 1880


def person_of(reading: Reading) -> Person:
    """The person in PID. Refuses a message without PID, and one about several people."""
    segments = reading.message.all("PID")
    if len(segments) != 1:
        rule, code = ("is required", "required") if not segments else ("stands more than once", "structure")
        reading.refuse("PID", rule, code=code)
        return Person()
    pid = segments[0]
    number, claimed = _nhs_number(reading, pid)
    return Person(
        local_id=_local_id(reading, pid),
        nhs_number=number,
        nhs_number_claimed=claimed,
        names=_names(pid),
        birth_date=_birth_date(reading, pid),
        sex=_gender(reading, pid),
        addresses=_addresses(reading, pid),
        phones=_phones(pid),
        emails=_emails(pid),
    )


def merged(reading: Reading, person: Person) -> Person:
    """`person` with the ids that MRG-1 retires: PID survives. Refuses a merge that retires nothing."""
    prior = reading.message.first("MRG")
    found = [_parsed_id(cx.value()) for cx in prior.repetitions(1) if not is_nhs(cx)] if prior else []
    retired = tuple(dict.fromkeys(number for number in found if number is not None and number != person.local_id))
    if len(reading.message.all("MRG")) > 1:
        reading.refuse("MRG", "stands more than once", code="structure")
    if person.local_id is None:
        reading.refuse("PID-3", "must hold the local id that survives the merge", code="required")
    if not retired:
        reading.refuse("MRG-1", "must hold a local id other than the one that survives", code="required")
    return replace(person, retired_local_ids=retired)


def facts_of(reading: Reading, person: Person) -> list[SourceFact]:
    """What figures are grouped by about the person, and that they have died, as PID and PD1 report it."""
    pid = reading.message.first("PID")
    if pid is None:
        return []
    ethnic = _ethnic_category(reading, pid)
    body = Demographics(
        on=reading.reported_on,
        sex=person.sex,  # type: ignore[arg-type]  # GENDER holds only FHIR's four words
        birth_year=person.birth_date.year if person.birth_date else _year_alone(reading, pid),
        ethnic_category=ethnic,
        ethnic_system="2001" if ethnic else None,
        practice_ods=_practice(reading),
    )
    reported = body.model_dump(exclude={"type", "on", "at", "referral"}, exclude_none=True)
    facts = [SourceFact(body, business_id="demographics")] if reported else []
    return facts + _death(reading, pid)


def is_nhs(identifier: Repetition) -> bool:
    """True when a CX says by its type, or without a type by its authority, that it is an NHS number."""
    kind = identifier.value(5).upper()
    authorities = {identifier.value(4, part).upper() for part in (1, 2)} - {""}
    if kind:
        return kind in NHS_NUMBER_TYPES
    return bool(authorities & NHS_NUMBER_AUTHORITIES)


def _nhs_number(reading: Reading, pid: Segment) -> tuple[NHSNumber | None, str | None]:
    sent = [cx.value() for cx in pid.repetitions(3) if is_nhs(cx) and cx.value()]
    valid: dict[NHSNumber, None] = {}
    for text in sent:
        try:
            valid[NHSNumber.parse(text, test_mode=reading.test_mode)] = None
        except InvalidField as broken:
            reading.warn("PID-3.1", f"NHS number {broken.rule}", code="value")
    if len(valid) > 1:
        reading.warn("PID-3", "holds two different NHS numbers; neither was used")
        return None, None
    number = next(iter(valid), None)
    if number is not None and NUMBER_STATUS.get(_number_status(pid), "verified") != "verified":
        reading.note("PID-32", "says that the NHS number is not verified")
    return number, None if number else next(iter(sent), None)


def _number_status(pid: Segment) -> str:
    return pid.value(32).upper().removeprefix("NSTS")


def _local_id(reading: Reading, pid: Segment) -> LocalId | None:
    local = [cx for cx in pid.repetitions(3) if cx.value() and not is_nhs(cx)]
    typed = [cx for cx in local if cx.value(5).upper() in LOCAL_ID_TYPES]
    former = [cx for cx in pid.repetitions(2) if cx.value() and not is_nhs(cx)]
    for location, cx in [*(("PID-3.1", cx) for cx in typed + local), *(("PID-2.1", cx) for cx in former)]:
        parsed = _parsed_id(cx.value())
        if parsed is not None:
            return parsed
        reading.warn(location, "must be 1 to 64 printable characters", code="value")
    reading.warn("PID-3", "holds no local patient id", code="required")
    return None


def _parsed_id(text: str) -> LocalId | None:
    try:
        return LocalId.parse(text)
    except InvalidField:
        return None


def _names(pid: Segment) -> tuple[PersonName, ...]:
    found = []
    for xpn in pid.repetitions(5):
        given = tuple(part for part in (xpn.value(2), *xpn.value(3).split()) if part)
        use = NAME_USE.get(xpn.value(7).upper(), "official")
        if xpn.value() or given:
            found.append(PersonName(family=xpn.value(), given=given, use=use))
    return tuple(found)


def _birth_date(reading: Reading, pid: Segment) -> date | None:
    text = pid.value(7)
    known = birth_date(text)
    if known is not None and known.year >= BIRTH_YEAR_MIN and known <= reading.reported_on:
        return known
    if text:
        reading.warn("PID-7", "is not a possible date of birth; it was left out", code="value")
    return None


def _year_alone(reading: Reading, pid: Segment) -> int | None:
    year = birth_year(pid.value(7))
    return year if year and BIRTH_YEAR_MIN <= year <= reading.reported_on.year else None


def _gender(reading: Reading, pid: Segment) -> str | None:
    text = pid.value(8).upper()
    if text and text not in GENDER:
        reading.warn("PID-8", "is not a gender code; it was left out", code="code-invalid")
    return GENDER.get(text)


def _addresses(reading: Reading, pid: Segment) -> tuple[Address, ...]:
    found = []
    for xad in pid.repetitions(11):
        postcode = None
        if xad.value(5):
            try:
                postcode = Postcode.parse(xad.value(5))
            except InvalidField as broken:
                reading.warn("PID-11.5", broken.rule, code="value")
        address = Address(line=xad.value(), postcode=postcode, city=xad.value(3))
        if address != Address():
            found.append(address)
    return tuple(found)


def _phones(pid: Segment) -> tuple[str, ...]:
    found = (_phone(xtn) for xtn in _telecoms(pid))
    return tuple(dict.fromkeys(phone for phone in found if phone))


def _phone(telecom: Repetition) -> str:
    """The number written whole, else put together from its parts; "" where the telecom is none of theirs.

    A mailbox may stand beside it in one repetition, or in its place.
    """
    if NOT_THEIR_PHONE & {telecom.value(2).upper(), telecom.value(3).upper()}:
        return ""
    whole = telecom.value() or telecom.value(12) or _in_parts(telecom)
    return "" if "@" in whole else whole


def _in_parts(telecom: Repetition) -> str:
    country, area, local = (telecom.value(part) for part in (5, 6, 7))
    if country and local:
        return f"{country}{area}{local}"
    # area codes are numbers to HL7, so they have lost their nought where no country stands before them
    return f"0{area.removeprefix('0')}{local}" if area and local else local


def _emails(pid: Segment) -> tuple[str, ...]:
    found = (text for xtn in _telecoms(pid) for text in (xtn.value(4), xtn.value()) if "@" in text)
    return tuple(dict.fromkeys(found))


def _telecoms(pid: Segment) -> list[Repetition]:
    return [xtn for field in (13, 14) for xtn in pid.repetitions(field)]


def _ethnic_category(reading: Reading, pid: Segment) -> str | None:
    text = pid.value(22).upper()
    # some systems add a local second character to the national letter (A1): the letter is the category
    code = text if text == "99" else text[:1] if len(text) <= 2 else ""
    if code in ETHNIC_2001:
        return code
    if text:
        reading.warn("PID-22", "is not an ethnic category; it was left out", code="code-invalid")
    return None


def _practice(reading: Reading) -> str | None:
    codes = (reading.value(place).upper() for place in ("PD1-3.10", "PD1-3.3", "PD1-3.1", "PD1-4.1"))
    return next((code for code in codes if _PRACTICE.fullmatch(code)), None)


def _death(reading: Reading, pid: Segment) -> list[SourceFact]:
    day, indicator = reading.moment("PID-29"), pid.value(30).upper()
    if day is None and indicator not in ("Y", "N"):
        return []
    # "not dead" retracts a death reported for the wrong patient; where none was reported it changes nothing
    body = Death(on=day.on, at=day.at) if day else Death(on=reading.reported_on)
    return [SourceFact(body, business_id="death", retracted=indicator == "N")]
