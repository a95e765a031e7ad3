"""Small worlds: a few entries about one to three people, each with something that has made two runs differ."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from schemas.facts import (
    Acceptance,
    Attendance,
    Completion,
    Discharge,
    FactBody,
    Measurement,
    ProgrammeStart,
    Referral,
)
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode
from schemas.source_message import SourceFact, SourceMessage

GP, COUNCIL, TRUST = "gp-hub", "council-east", "trust-wm"
DAY_0 = datetime(2026, 1, 5, 9, tzinfo=UTC)
Told = tuple[str, SourceMessage]


def _number(tail: int) -> NHSNumber:
    """A number of the 999 test range with its check digit."""
    nine = f"999{tail:06d}"
    check = 11 - sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True)) % 11
    return NHSNumber(nine + str(check % 11)) if check != 10 else _number(tail + 1)


def _person(tail: int, name: tuple[str, str], born: date, place: tuple[str, str]) -> Person:
    return Person(
        nhs_number=_number(tail),
        names=(PersonName(name[1], (name[0],)),),
        birth_date=born,
        sex="female",
        addresses=(Address(place[0], Postcode(place[1])),),
    )


ANN = _person(11, ("Ann", "Okafor"), date(1971, 3, 14), ("12 Mill Lane", "LS14AP"))
DEE = _person(22, ("Deirdre", "Reed"), date(1965, 11, 2), ("77 Park Row", "M11AE"))
FAY = _person(33, ("Fatima", "Siddiqui"), date(1959, 12, 30), ("9 Castle Walk", "HD12QT"))


def _at(person: Person, local: str | None, *, number: bool = True, **changes: object) -> Person:
    known = person if number else replace(person, nhs_number=None)
    return replace(known, local_id=LocalId(local) if local else None, **changes)  # type: ignore[arg-type]


def _told(source: str, message: str, person: Person, *facts: SourceFact, at: int, ours: bool = True) -> Told:
    return source, SourceMessage(message, DAY_0 + timedelta(days=at), person, facts, service_named=ours)


def _on(day: int) -> date:
    return (DAY_0 + timedelta(days=day)).date()


def _referral(
    business: str, day: int, *, to: str = "tier2", ubrn: str | None = None, sent: bool = True
) -> SourceFact:
    direction = "sent" if sent else "received"
    body = Referral.model_validate({"on": _on(day), "direction": direction, "to_tier": to})
    return SourceFact(body, business, ubrn=ubrn)


def _weight(business: str, day: int, kg: str, *, retracted: bool = False) -> SourceFact:
    value = Decimal(kg)
    body = Measurement(on=_on(day), quantity="weight", value=value, unit_given="kg", value_given=value)
    return SourceFact(body, business, retracted=retracted)


def _attended(business: str, day: int, code: str = "5", *, retracted: bool = False) -> SourceFact:
    body = Attendance.model_validate({"on": _on(day), "attendance": code})
    return SourceFact(body, business, retracted=retracted)


def _under(body: FactBody, business: str, referral: str) -> SourceFact:
    return SourceFact(body, business, referral)


def _correction() -> list[Told]:
    """A weight put right twice under new message ids, an attendance once."""
    ann = _at(ANN, "C1")
    return [
        _told(COUNCIL, "c1", ann, _referral("R1", 1, sent=False), _weight("w", 20, "119"), at=20),
        _told(COUNCIL, "c2", ann, _weight("w", 20, "118.5"), _attended("a", 20, "0"), at=21),
        _told(COUNCIL, "c3", ann, _weight("w", 20, "117"), at=22),
        _told(COUNCIL, "c4", ann, _attended("a", 20), at=23),
    ]


def _late() -> list[Told]:
    """A referral and its receipt at another source; the milestones come in the wrong order."""
    gp, council = _at(ANN, "G1"), _at(ANN, "C1")
    return [
        _told(GP, "g1", gp, _referral("UB1", 0, ubrn="000000000001"), at=0),
        _told(
            COUNCIL,
            "c1",
            council,
            _under(Completion(on=_on(104), definition="as-told/1"), "R1/c", "R1"),
            at=104,
        ),
        _told(
            COUNCIL,
            "c2",
            council,
            _under(ProgrammeStart(on=_on(20)), "R1/s", "R1"),
            _attended("a", 20),
            at=105,
        ),
        _told(COUNCIL, "c3", council, _referral("R1", 5, sent=False, ubrn="000000000001"), at=106),
        _told(COUNCIL, "c4", council, _under(Acceptance(on=_on(8)), "R1/a", "R1"), at=107),
    ]


def _late_number() -> list[Told]:
    """The council learns the NHS number, and a record moves to another person."""
    unsure = _at(ANN, "C1", number=False, addresses=())
    return [
        _told(GP, "g1", _at(ANN, "G1"), _referral("UB1", 0), at=0),
        _told(COUNCIL, "c1", unsure, _attended("a", 9), _weight("w", 9, "121"), at=9),
        _told(COUNCIL, "c2", _at(ANN, "C1"), _attended("b", 16), at=16),
    ]


def _merge() -> list[Told]:
    """The trust had her twice (A40), and tells more under the old id before and the new one after it."""
    first, second = _at(DEE, "T1"), _at(DEE, "T2", number=False, addresses=())
    moved = replace(second, names=(PersonName("Smith", ("Dora",)),), birth_date=date(1950, 1, 1))
    return [
        _told(TRUST, "t1", first, _referral("TR1", 3, to="tier3", sent=False), at=3),
        _told(TRUST, "t2", moved, _attended("ta", 30), _weight("tw", 30, "140"), at=30),
        _told(TRUST, "t3", replace(first, retired_local_ids=(LocalId("T2"),)), at=40, ours=False),
        _told(TRUST, "t4", first, _attended("ta", 30, "3"), at=41),
    ]


def _split() -> list[Told]:
    """One is filed under another's number, then put right: one person becomes two."""
    wrong = replace(_at(FAY, "T1"), nhs_number=DEE.nhs_number)
    return [
        _told(GP, "g1", _at(DEE, "G1"), _referral("UB1", 2, to="tier3"), at=2),
        _told(GP, "g2", _at(FAY, "G2"), _referral("UB2", 2, to="tier3"), at=2),
        _told(TRUST, "t1", wrong, _attended("ta", 20), at=20),
        _told(TRUST, "t2", _at(FAY, "T1"), _weight("tw", 20, "98"), at=50),
    ]


def _taken_back() -> list[Told]:
    """An attendance is taken back; so is all there ever was of another person."""
    return [
        _told(COUNCIL, "c1", _at(ANN, "C1"), _referral("R1", 1, sent=False), _attended("a", 15), at=15),
        _told(COUNCIL, "c2", _at(ANN, "C1"), _attended("a", 15, retracted=True), at=16),
        _told(GP, "g1", _at(FAY, "G1"), _weight("w", 4, "101"), at=4),
        _told(GP, "g2", _at(FAY, "G1"), _weight("w", 4, "101", retracted=True), at=5),
    ]


def _strangers() -> list[Told]:
    """Another service's patient, one who becomes ours, one without a local id, one whom nothing identifies."""
    return [
        _told(TRUST, "t1", _at(DEE, "T1"), at=7, ours=False),
        _told(TRUST, "t2", _at(FAY, "T2"), at=7, ours=False),
        _told(TRUST, "t3", _at(FAY, "T2"), _attended("ta", 25), at=25),
        _told(COUNCIL, "c1", _at(FAY, None), _attended("a", 26), at=26),
        _told(COUNCIL, "c2", Person(local_id=LocalId("C9")), _attended("b", 34), at=34),
    ]


def _overdue() -> list[Told]:
    """A referral nobody receives until late, while the days are told."""
    return [
        _told(GP, "g1", _at(ANN, "G1"), _referral("UB1", 0, to="tier3", ubrn="000000000007"), at=0),
        _told(COUNCIL, "c1", _at(ANN, "C1"), _under(Discharge(on=_on(-3)), "R0/d", "R0"), at=1),
        _told(
            TRUST,
            "t1",
            _at(ANN, "T1"),
            _referral("TR1", 90, to="tier3", sent=False, ubrn="000000000007"),
            at=90,
        ),
    ]


TEMPLATES: Mapping[str, Callable[[], list[Told]]] = {
    "correction": _correction,
    "late": _late,
    "late_number": _late_number,
    "merge": _merge,
    "split": _split,
    "taken_back": _taken_back,
    "strangers": _strangers,
    "overdue": _overdue,
}
POISONED = frozenset({"taken_back", "correction"})  # unreadable messages among them
TICKED = frozenset({"overdue", "split"})  # told which day it is, by the days below
TICKS = (_on(30), _on(80), _on(120))
