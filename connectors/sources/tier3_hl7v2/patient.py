"""PID, PD1 and MRG: who the message is about.

An NHS number is known by its authority or type, never by its form: 25 of the 306 ten-digit hospital numbers
in the public simhospital messages pass the Modulus 11 check.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from connectors.sources.tier3_hl7v2.death import death_of
from connectors.sources.tier3_hl7v2.local_codes import (
    ETHNIC_WORDS,
    GENDER,
    LOCAL_ID_TYPES,
    NAME_IS_NOT_THEIRS,
    NAME_USE,
    NHS_NUMBER_AUTHORITIES,
    NHS_NUMBER_TYPES,
    SEX_WORDS,
    authority_name,
)
from connectors.sources.tier3_hl7v2.moments import birth_date, birth_year, moment
from connectors.sources.tier3_hl7v2.reading import Reading
from connectors.sources.tier3_hl7v2.structure import Repetition, Segment
from connectors.sources.tier3_hl7v2.telecoms import emails, phones
from schemas.codes import ETHNIC_2001, NUMBER_STATUS
from schemas.errors import InvalidField
from schemas.facts import Demographics
from schemas.identity import (
    NOT_FOR_TESTS,
    Address,
    LocalId,
    NHSNumber,
    Person,
    PersonName,
    Postcode,
    nhs_digits,
    normalised_authority,
)
from schemas.ods import practice
from schemas.placeholders import is_day, is_number, is_word
from schemas.source_message import SourceFact

BIRTH_YEAR_MIN = 1880


def person_of(reading: Reading) -> Person:
    """The person in PID. Refuses a message without PID, and one about several people."""
    segments = reading.message.all("PID")
    if len(segments) != 1:
        twice = ("stands more than once: send each patient in a message of their own", "structure")
        rule, code = twice if segments else ("is required", "required")
        reading.refuse("PID", rule, code=code)
        return Person()
    pid = segments[0]
    number, claimed, former = _nhs_number(reading, pid)
    if pid.value(6):
        reading.note("PID-6", "is the mother's maiden name, which is not used")
    return Person(
        local_id=_local_id(reading, pid),
        nhs_number=number,
        nhs_number_claimed=claimed,
        former_nhs_numbers=former,
        names=_names(reading, pid),
        birth_date=_birth_date(reading, pid),
        sex=_gender(reading, pid),
        addresses=_addresses(reading, pid),
        phones=phones(reading, pid),
        emails=emails(reading, pid),
    )


def merged(reading: Reading, person: Person) -> Person:
    """`person` with the ids that MRG-1 retires: PID survives.

    An id that PID-3 still holds (same authority, same value) goes on and is not retired. A merge that retires nothing
    is an error.
    """
    prior, pid = reading.message.first("MRG"), reading.message.first("PID")
    found = [_parsed_id(reading, cx) for cx in prior.repetitions(1) if not is_nhs(cx)] if prior else []
    # only the comparison: what is wrong with these was reported when the person was read
    kept = {_same_id(reading, cx) for cx in pid.repetitions(3) if not is_nhs(cx)} if pid else set()
    kept.add(person.local_id)
    retired = tuple(dict.fromkeys(number for number in found if number is not None and number not in kept))
    if len(reading.message.all("MRG")) > 1:
        reading.refuse("MRG", "stands more than once: send each pair in a message of its own", code="structure")
    if person.local_id is None:
        reading.error("PID-3", "must hold the local id that survives the merge", code="required")
    elif person.local_id.authority and any(not number.authority for number in retired):
        reading.warn(
            "MRG-1.4", "names no issuer, and PID-3 does: the number is not that of PID-3's issuer", code="required"
        )
    if not retired:
        reading.error("MRG-1", "must hold a local id other than the one that survives", code="required")
    if person.local_id is None:
        return person
    former = _former_of_merge(reading, prior, person) if prior else person.former_nhs_numbers
    return replace(person, retired_local_ids=retired, former_nhs_numbers=former)


def _former_of_merge(reading: Reading, prior: Segment, person: Person) -> tuple[NHSNumber, ...]:
    """The superseded NHS numbers with those that MRG-1 retires: any but the one that PID-3 holds."""
    found = dict.fromkeys(person.former_nhs_numbers)
    for cx in filter(is_nhs, prior.repetitions(1)):
        try:
            found[NHSNumber.parse(cx.value(), test_mode=reading.test_mode)] = None
        except InvalidField as broken:
            reading.warn("MRG-1.1", f"NHS number {broken.rule}; left out", code="value")
    return tuple(number for number in found if number != person.nhs_number)


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
    return facts + death_of(reading, pid)


def is_nhs(identifier: Repetition) -> bool:
    """True when a CX says by its authority (CX.4, name or OID), or by its type, that it is an NHS number.

    What type the NHS's own number is given (NI, PI, MR, HN ...) says nothing against it.
    """
    kind = authority_name(identifier.value(5))
    authorities = {authority_name(identifier.value(4, part)) for part in (1, 2)} - {""}
    return bool(authorities & NHS_NUMBER_AUTHORITIES) or kind in NHS_NUMBER_TYPES


def _nhs_number(reading: Reading, pid: Segment) -> tuple[NHSNumber | None, str | None, tuple[NHSNumber, ...]]:
    """The number, what was sent in its place where it is none, and the numbers that are no longer theirs."""
    valid: dict[NHSNumber, None] = {}
    former: dict[NHSNumber, None] = {}
    claimed = []
    for place, cx in _said_to_be_nhs(reading, pid):
        if is_number(cx.value(), reading.source.placeholders) and nhs_digits(cx.value()) is None:
            reading.note(place, "says that there is no NHS number")
            continue
        if _issued_elsewhere(cx):
            reading.warn(f"{place.partition('.')[0]}.4", "is not the NHS; read as an NHS number by its type")
        try:
            number = NHSNumber.parse(cx.value(), test_mode=reading.test_mode)
        except InvalidField as broken:
            reading.warn(place, f"NHS number {broken.rule}", code="value")
            claimed.append(nhs_digits(cx.value()) or cx.value())
            continue
        if reading.test_mode and number.may_be_real:
            reading.warn(place, NOT_FOR_TESTS)
        if _has_expired(reading, cx):
            former[number] = None
        else:
            valid[number] = None
    superseded = tuple(number for number in former if number not in valid)
    if len(valid) > 1:
        reading.warn("PID-3", "holds two different NHS numbers; neither was used")
        return None, None, superseded
    found = next(iter(valid), None)
    if found is not None and NUMBER_STATUS.get(_number_status(pid), "verified") != "verified":
        reading.note("PID-32", "says that the NHS number is not verified")
    return found, None if found else next(iter(claimed), None), superseded


def _said_to_be_nhs(reading: Reading, pid: Segment) -> Iterator[tuple[str, Repetition]]:
    """The identifiers of PID that are NHS numbers by what they say, or by the source's word for the field."""
    for field in (3, 2, 4, 19):
        by_setting = f"PID-{field}" in reading.source.nhs_number_fields
        for cx in pid.repetitions(field):
            if cx.value() and (is_nhs(cx) or by_setting):
                yield (f"PID-{field}.1" if field == 3 else f"PID-{field}"), cx
            elif cx.value() and field == 19:
                reading.warn("PID-19", "does not say who issued it, so it is no NHS number; left out")


def _issued_elsewhere(cx: Repetition) -> bool:
    """True when only the type of a CX says NHS, and its authority is somebody else."""
    issuers = [text for text in (cx.value(4, 1), cx.value(4, 2)) if text]
    return bool(issuers) and NHS_NUMBER_AUTHORITIES.isdisjoint(map(authority_name, issuers))


def _has_expired(reading: Reading, cx: Repetition) -> bool:
    """True when CX.8 lies before the message (HL7 2.5: expiration date)."""
    ended = moment(cx.value(8))
    return ended is not None and ended.on < reading.reported_on


def _number_status(pid: Segment) -> str:
    return pid.value(32).upper().removeprefix("NSTS")


def _local_id(reading: Reading, pid: Segment) -> LocalId | None:
    local = _in_force(reading, [cx for cx in pid.repetitions(3) if cx.value() and not is_nhs(cx)])
    typed = [cx for cx in local if cx.value(5).upper() in LOCAL_ID_TYPES]
    former = [cx for cx in pid.repetitions(2) if cx.value() and not is_nhs(cx)]
    if "PID-2" in reading.source.nhs_number_fields:
        former = []
    for location, group in (("PID-3.1", typed), ("PID-3.1", local), ("PID-2.1", former)):
        parsed = [_parsed_id(reading, cx, location) for cx in group]
        found = reading.source.record_local_id(number for number in parsed if number is not None)
        if found is not None:
            if len({number.value for number in parsed if number and number.authority == found.authority}) > 1:
                reading.warn("PID-3", "holds two numbers of one issuer; one names the record, the other was left out")
            return found
    rule = "holds no local patient id"
    if local and reading.source.authorities:
        rule += " of an authority that the source names"
    reading.warn("PID-3", rule, code="required")
    return None


def _in_force(reading: Reading, numbers: list[Repetition]) -> list[Repetition]:
    """Those that have not expired (CX.8); all, with a warning, where every one has: they still say who it is."""
    current = [cx for cx in numbers if not _has_expired(reading, cx)]
    if len(current) == len(numbers):
        return numbers
    if current:
        reading.note("PID-3.8", "says that a number has expired; it was left out")
        return current
    reading.warn("PID-3.8", "says that every local number has expired; read all the same")
    return numbers


def _same_id(reading: Reading, cx: Repetition) -> LocalId | None:
    issuer = reading.source.issuer(_issuer(reading, cx))
    try:
        return None if issuer is None else LocalId.parse(cx.value(), issuer)
    except InvalidField:
        return None


def _issuer(reading: Reading, cx: Repetition) -> str:
    """Who issued a CX: CX.4 (namespace, else universal id), else the facility CX.6 if the source lists it.

    Both parts of a CX.4 name the same issuer (HL7 2.4, HD): one that the source lists counts before one it does not.
    """
    named = [text for text in (cx.value(4), cx.value(4, 2)) if text]
    facility = cx.value(6) or cx.value(6, 2)
    listed = [text for text in (*named, *([] if named else [facility])) if _is_listed(reading, text)]
    return next(iter(listed + named), "")


def _is_listed(reading: Reading, authority: str) -> bool:
    """True when the source names this issuer, by whichever of its names."""
    source = reading.source
    return (
        source.authority(authority) in source.authorities or normalised_authority(authority) in source.authority_aliases
    )


def _parsed_id(reading: Reading, cx: Repetition, location: str = "MRG-1.1") -> LocalId | None:
    """CX.1 with its authority."""
    issuer = reading.source.issuer(_issuer(reading, cx))
    if issuer is None:
        reading.warn(location, "has no assigning authority, and the source no default; left out", code="required")
        return None
    if is_number(cx.value(), reading.source.placeholders):
        reading.note(location, "says that the number is not known; it is no local id")
        return None
    try:
        return LocalId.parse(cx.value(), issuer)
    except InvalidField:
        reading.warn(location, "must be 1 to 64 printable characters", code="value")
        return None


def _names(reading: Reading, pid: Segment) -> tuple[PersonName, ...]:
    """The names of PID-5, and of PID-9 (alias, kept by HL7 for older senders)."""
    found = []
    for field, otherwise in ((5, "official"), (9, "nickname")):
        for xpn in pid.repetitions(field):
            name = _name(reading, xpn, f"PID-{field}", otherwise)
            if name is not None:
                found.append(name)
    return tuple(found)


def _name(reading: Reading, xpn: Repetition, place: str, otherwise: str) -> PersonName | None:
    kind = xpn.value(7).upper()
    if kind in NAME_IS_NOT_THEIRS:
        reading.note(place, "holds a pseudonym or a masked name, which is not used")
        return None
    if kind not in NAME_USE:
        reading.warn(f"{place}.7", "is not a type of name; read as the official one", code="code-invalid")
    words, middle = reading.source.placeholders, xpn.value(3)
    sent = (xpn.value(), xpn.value(2), *((middle,) if is_word(middle, words) else middle.split()))
    family, *given = ("" if is_word(part, words) else part for part in sent)
    if (family, *given) != sent:
        reading.note(place, "holds a word that says that the name is not known; it was left out")
    if not family and not any(given):
        return None
    use = NAME_USE.get(kind, "official") if kind else otherwise
    return PersonName(family=family, given=tuple(part for part in given if part), use=use)


def _birth_date(reading: Reading, pid: Segment) -> date | None:
    text = pid.value(7)
    known = birth_date(text)
    if known is not None and is_day(known):
        reading.note("PID-7", "is a day that systems write where they know none; it was left out")
        return None
    if known is not None and known.year >= BIRTH_YEAR_MIN and known <= reading.reported_on:
        return known
    if text:
        reading.warn("PID-7", "is not a possible date of birth; it was left out", code="value")
    return None


def _year_alone(reading: Reading, pid: Segment) -> int | None:
    year = birth_year(pid.value(7))
    return year if year and BIRTH_YEAR_MIN <= year <= reading.reported_on.year else None


def _gender(reading: Reading, pid: Segment) -> str | None:
    text = pid.value(8)
    known = reading.source.code("sex", text) or GENDER.get(text.upper()) or SEX_WORDS.get(text.casefold())
    if known is None and text:
        reading.warn("PID-8", "is not a gender code; it was left out", code="code-invalid")
    return known


def _addresses(reading: Reading, pid: Segment) -> tuple[Address, ...]:
    found = []
    for xad in pid.repetitions(11):
        if xad.value(7).upper() == "BA":
            reading.note("PID-11.7", "says that the address is a bad one; it was left out")
            continue
        address = Address(line=xad.value(), postcode=_postcode(reading, xad), city=xad.value(3))
        if address != Address():
            found.append(address)
    return tuple(found)


def _postcode(reading: Reading, xad: Repetition) -> Postcode | None:
    """XAD.5; or XAD.4, where some systems write it, with a warning."""
    if not xad.value(5):
        try:
            found = Postcode.parse(xad.value(4))
        except InvalidField:
            return None  # a county
        reading.warn("PID-11.4", "holds the postcode, whose place is PID-11.5; read all the same")
        return found
    try:
        return Postcode.parse(xad.value(5))
    except InvalidField as broken:
        reading.warn("PID-11.5", broken.rule, code="value")
        return None


def _ethnic_category(reading: Reading, pid: Segment) -> str | None:
    text = pid.value(22).upper()
    # some systems add a local digit to the national letter (A1): the letter is the category
    code = text if text == "99" else text[:1] if re.fullmatch("[A-Z][0-9]?", text) else ""
    known = reading.source.code("ethnic_category", text) or ETHNIC_WORDS.get(_letters(text), code)
    if known in ETHNIC_2001:
        return known
    if text:
        reading.warn("PID-22", "is not an ethnic category; it was left out", code="code-invalid")
    return None


def _letters(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.casefold()))


def _practice(reading: Reading) -> str | None:
    sent = [reading.value(place) for place in ("PD1-3.10", "PD1-3.3", "PD1-3.1", "PD1-4.1")]
    known = next(filter(None, map(practice, sent)), None)
    if known is None and any(sent[:3]):
        reading.warn("PD1-3", "holds no code of a practice; left out", code="code-invalid")
    elif known is None and sent[3]:
        reading.note("PD1-4", "names a doctor and no practice; not used")
    return known
