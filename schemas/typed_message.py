"""The typed source message as it travels from door to ingress, and every rule it must keep to be taken there.

A door makes it of what it has read; ingress trusts no door and looks at each value again: types and closed lists as
`facts.py` and `codes.py` have them, numbers and postcodes by their own parsers, days within the span of the message.
Nothing is corrected: a value that our own readers would not have made refuses the message.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from schemas import canonical, codes
from schemas.errors import InvalidField, Unreadable
from schemas.facts import FactBody, Medicine, Procedure, Referral
from schemas.fhir.bodies import code_of
from schemas.fhir.dates import Span
from schemas.fhir.envelope import MESSAGE_ID_MAX
from schemas.fhir.node import TEXT_MAX
from schemas.fhir.read import FACTS_MAX
from schemas.fhir.structure import LIST_MAX
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode, has_mailbox_form
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source
from schemas.units import UNITS

_BUSINESS_ID_MAX = 2 * TEXT_MAX  # a panel's number and the quantity in it

Text = Annotated[str, Field(max_length=TEXT_MAX)]
Listed = Field(max_length=LIST_MAX)


class _Typed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class _TypedId(_Typed):
    value: Text
    authority: Text = ""


class _TypedName(_Typed):
    family: Text
    given: Annotated[tuple[Text, ...], Listed] = ()
    use: Literal["usual", "official", "temp", "nickname", "old", "maiden"]


class _TypedAddress(_Typed):
    line: Text = ""
    postcode: Text | None = None
    city: Text = ""


class _TypedPerson(_Typed):
    local_id: _TypedId | None = None
    nhs_number: Text | None = None
    nhs_number_claimed: Annotated[str, Field(max_length=64)] | None = None
    names: Annotated[tuple[_TypedName, ...], Listed] = ()
    birth_date: date | None = None
    sex: Literal["male", "female", "other", "unknown"] | None = None
    addresses: Annotated[tuple[_TypedAddress, ...], Listed] = ()
    phones: Annotated[tuple[Text, ...], Listed] = ()
    emails: Annotated[tuple[Text, ...], Listed] = ()
    retired_local_ids: Annotated[tuple[_TypedId, ...], Listed] = ()
    former_nhs_numbers: Annotated[tuple[Text, ...], Listed] = ()


class _TypedFact(_Typed):
    body: Annotated[FactBody, Field(discriminator="type")]
    business_id: Annotated[str, Field(max_length=_BUSINESS_ID_MAX)] | None = None
    referral_business_id: Annotated[str, Field(max_length=_BUSINESS_ID_MAX)] | None = None
    ubrn: Text | None = None
    retracted: bool = False


class _TypedMessage(_Typed):
    v: Literal[1]
    message_id: Annotated[str, Field(min_length=1, max_length=MESSAGE_ID_MAX)]
    source_version_at: AwareDatetime
    person: _TypedPerson
    facts: Annotated[tuple[_TypedFact, ...], Field(max_length=FACTS_MAX)] = ()
    service_named: bool = True


def dump(message: SourceMessage) -> bytes:
    """Canonical JSON of a message; what is absent is left out."""
    return canonical.dump(
        {
            "v": 1,
            "message_id": message.message_id,
            "source_version_at": canonical.instant(message.source_version_at),
            "person": _person_json(message.person),
            "facts": [_fact_json(fact) for fact in message.facts],
            "service_named": message.service_named,
        }
    )


def parse(text: bytes, *, source: Source, test_mode: bool) -> SourceMessage:
    """The message in `text`. Raises Unreadable with the rule broken: it is not what a reader of ours makes of an
    entry.
    """
    try:
        wire = _TypedMessage.model_validate_json(text)
        message = SourceMessage(
            message_id=wire.message_id,
            source_version_at=_within_years(wire.source_version_at),
            person=_person(wire.person, test_mode=test_mode),
            facts=tuple(_fact(fact, source) for fact in wire.facts),
            service_named=wire.service_named,
        )
    except ValidationError:
        raise _refused("has a value of another type or beyond its limit") from None
    except InvalidField as failure:
        raise _refused(f"{failure.field} {failure.rule}") from None
    _require_possible(message)
    return message


def _refused(rule: str) -> Unreadable:
    return Unreadable("typed message", rule=rule)


# ---------------------------------------------------------------- the person


def person_bytes(person: Person) -> bytes:
    """Canonical JSON of who somebody is: clear, to be sealed at once."""
    return canonical.dump(_person_json(person))


def _person_json(person: Person) -> dict[str, object]:
    return _present(
        local_id=_id_json(person.local_id) if person.local_id else None,
        nhs_number=person.nhs_number.digits if person.nhs_number else None,
        nhs_number_claimed=person.nhs_number_claimed,
        names=[{"family": name.family, "given": list(name.given), "use": name.use} for name in person.names],
        birth_date=person.birth_date.isoformat() if person.birth_date else None,
        sex=person.sex,
        addresses=[
            _present(
                line=address.line,
                postcode=address.postcode.compact if address.postcode else None,
                city=address.city,
            )
            for address in person.addresses
        ],
        phones=list(person.phones),
        emails=list(person.emails),
        retired_local_ids=[_id_json(number) for number in person.retired_local_ids],
        former_nhs_numbers=[number.digits for number in person.former_nhs_numbers],
    )


def _id_json(number: LocalId) -> dict[str, object]:
    return _present(value=number.value, authority=number.authority)


def _present(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value or value is False}


def _person(wire: _TypedPerson, *, test_mode: bool) -> Person:
    for mailbox in wire.emails:
        _require(has_mailbox_form(mailbox), "email", "is no mailbox")
    return Person(
        local_id=_local_id(wire.local_id) if wire.local_id is not None else None,
        nhs_number=_nhs_number(wire.nhs_number, test_mode=test_mode) if wire.nhs_number is not None else None,
        nhs_number_claimed=wire.nhs_number_claimed,
        names=tuple(PersonName(name.family, name.given, name.use) for name in wire.names),
        birth_date=wire.birth_date,
        sex=wire.sex,
        addresses=tuple(
            Address(part.line, _postcode(part.postcode) if part.postcode is not None else None, part.city)
            for part in wire.addresses
        ),
        phones=wire.phones,
        emails=wire.emails,
        retired_local_ids=tuple(map(_local_id, wire.retired_local_ids)),
        former_nhs_numbers=tuple(_nhs_number(digits, test_mode=test_mode) for digits in wire.former_nhs_numbers),
    )


def _local_id(wire: _TypedId) -> LocalId:
    number = LocalId.parse(wire.value, wire.authority)
    _require((number.value, number.authority) == (wire.value, wire.authority), "local_id", "is not in its one spelling")
    return number


def _nhs_number(digits: str, *, test_mode: bool) -> NHSNumber:
    number = NHSNumber.parse(digits, test_mode=test_mode)
    _require(number.digits == digits, "nhs_number", "is not in its one spelling")
    return number


def _postcode(text: str) -> Postcode:
    postcode = Postcode.parse(text)
    _require(postcode.compact == text, "postcode", "is not in its one spelling")
    return postcode


# ---------------------------------------------------------------- the facts


def _fact_json(fact: SourceFact) -> dict[str, object]:
    body = {"type": fact.body.type, **fact.body.model_dump(mode="json", exclude_defaults=True)}
    return _present(
        body=body,
        business_id=fact.business_id,
        referral_business_id=fact.referral_business_id,
        ubrn=fact.ubrn,
        retracted=fact.retracted,
    )


def _fact(wire: _TypedFact, source: Source) -> SourceFact:
    _require_codes(wire.body, source)
    # keyed references are made at ingress; one that came along could point at anybody's referral
    _require(wire.body.referral is None, "referral", "is for ingress to say")
    if isinstance(wire.body, Referral):
        _require(wire.body.ubrn is None, "ubrn", "is for ingress to say")
    else:
        _require(wire.ubrn is None, "ubrn", "belongs to a referral")
    return SourceFact(
        body=wire.body,
        business_id=wire.business_id,
        referral_business_id=wire.referral_business_id,
        ubrn=wire.ubrn,
        retracted=wire.retracted,
    )


def _require_codes(body: FactBody, source: Source) -> None:
    """Every code is one that our readers know: else a door could write a name into a code."""
    for name in type(body).model_fields:
        value = getattr(body, name)
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and name != "type":
                known = text in UNITS if name == "unit_given" else code_of(type(body), name, text, source) == text
                _require(known, name, "is not a code of ours")
    if isinstance(body, Procedure):
        _require(codes.procedure(body.code, body.system), "code", "is not a code of ours")
    if isinstance(body, Medicine):
        _require(codes.medicine(body.dmd_code), "dmd_code", "is not a code of ours")


def _require_possible(message: SourceMessage) -> None:
    """Somebody is named, and every day lies between their birth and the message."""
    person = message.person
    named = any(name.family for name in person.names) and (person.birth_date or person.addresses)
    if not (person.nhs_number or person.local_id or named):
        raise _refused("names nobody")
    born = person.birth_date
    if born is not None and not date(1880, 1, 1) <= born <= message.source_version_at.date():
        raise _refused("birth_date is no day of birth")
    span = Span(born, message.source_version_at)
    for fact in message.facts:
        if any(span.faults(fact.body)):
            raise _refused("has a fact of an impossible day")


def _within_years(moment: datetime) -> datetime:
    # later than any version time that ingress takes, and earlier than any that has no UTC
    _require(1900 <= moment.year <= 9998, "source_version_at", "is before 1900 or has no UTC")
    return moment


def _require(holds: bool, field: str, rule: str) -> None:
    if not holds:
        raise InvalidField(field, rule=rule)
