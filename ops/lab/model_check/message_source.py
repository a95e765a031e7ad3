"""Short builders of the messages that sources send: small worlds are made of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ops.lab.simulator.population import check_digit
from schemas.facts import Attendance, FactBody, Measurement, Referral
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode
from schemas.source_message import SourceFact, SourceMessage

GP, COUNCIL, TRUST = "gp-hub", "council-east", "trust-wm"
DAY_0 = datetime(2026, 1, 5, 9, tzinfo=UTC)
SentMessage = tuple[str, SourceMessage]  # source, message


def number(tail: int) -> NHSNumber:
    """A number of the 999 test range."""
    nine = f"999{tail:06d}"
    check = check_digit(nine)
    return NHSNumber(f"{nine}{check}") if check is not None else number(tail + 1)


def day(count: int) -> date:
    """Day `count`; day 0 is 5 January 2026."""
    return (DAY_0 + timedelta(days=count)).date()


def someone(tail: int, name: tuple[str, str], born: date, place: tuple[str, str], sex: str = "female") -> Person:
    """A person with a number, a forename and surname, and an address line with its postcode."""
    return Person(
        nhs_number=number(tail),
        names=(PersonName(name[1], (name[0],)),),
        birth_date=born,
        sex=sex,
        addresses=(Address(place[0], Postcode(place[1])),),
    )


def message_from(
    source: str, message_id: str, person: Person, *facts: SourceFact, at: int, ours: bool = True
) -> SentMessage:
    """The message that `source` sends on day `at`; `ours`: it names a service of this programme."""
    return source, SourceMessage(message_id, DAY_0 + timedelta(days=at), person, facts, service_named=ours)


def at_source(person: Person, local: str | None, **changes: object) -> Person:
    """The person as one source knows them."""
    return replace(person, local_id=LocalId(local) if local else None, **changes)  # type: ignore[arg-type]


def without_number(person: Person) -> Person:
    """As a source that does not know the number."""
    return replace(person, nhs_number=None)


def referral(business: str, on: int, *, to: str = "tier2", ubrn: str | None = None, sent: bool = True) -> SourceFact:
    """A referral, sent or received."""
    direction = "sent" if sent else "received"
    body = Referral.model_validate({"on": day(on), "direction": direction, "to_tier": to})
    return SourceFact(body, business, ubrn=ubrn)


def weight(business: str | None, on: int, kg: str, *, retracted: bool = False) -> SourceFact:
    """A weight in kg."""
    value = Decimal(kg)
    body = Measurement(on=day(on), quantity="weight", value=value, unit_given="kg", value_given=value)
    return SourceFact(body, business, retracted=retracted)


def attended(business: str, on: int, code: str = "5", *, retracted: bool = False) -> SourceFact:
    """An appointment."""
    body = Attendance.model_validate({"on": day(on), "attendance": code})
    return SourceFact(body, business, retracted=retracted)


def milestone(body: FactBody, business: str, under: str) -> SourceFact:
    """A milestone of a referral."""
    return SourceFact(body, business, under)
