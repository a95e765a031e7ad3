"""Small worlds: a few entries about one to three people, each with something that has made two runs differ."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from ops.lab.model_check.message_source import (
    COUNCIL,
    GP,
    TRUST,
    SentMessage,
    at_source,
    attended,
    day,
    message_from,
    milestone,
    referral,
    someone,
    weight,
    without_number,
)
from schemas.facts import (
    Acceptance,
    Completion,
    Discharge,
    ProgrammeStart,
)
from schemas.identity import LocalId, Person, PersonName

ANN = someone(11, ("Ann", "Okafor"), date(1971, 3, 14), ("12 Mill Lane", "LS14AP"))
DEE = someone(22, ("Deirdre", "Reed"), date(1965, 11, 2), ("77 Park Row", "M11AE"))
FAY = someone(33, ("Fatima", "Siddiqui"), date(1959, 12, 30), ("9 Castle Walk", "HD12QT"))


def _correction() -> list[SentMessage]:
    """A weight put right twice under new message ids, an attendance once."""
    ann = at_source(ANN, "C1")
    return [
        message_from(COUNCIL, "c1", ann, referral("R1", 1, sent=False), weight("w", 20, "119"), at=20),
        message_from(COUNCIL, "c2", ann, weight("w", 20, "118.5"), attended("a", 20, "0"), at=21),
        message_from(COUNCIL, "c3", ann, weight("w", 20, "117"), at=22),
        message_from(COUNCIL, "c4", ann, attended("a", 20), at=23),
    ]


def _late() -> list[SentMessage]:
    """A referral and its receipt at another source; the milestones come in the wrong order."""
    gp, council = at_source(ANN, "G1"), at_source(ANN, "C1")
    return [
        message_from(GP, "g1", gp, referral("UB1", 0, ubrn="000000000001"), at=0),
        message_from(
            COUNCIL,
            "c1",
            council,
            milestone(Completion(on=day(104), definition="as-reported/1"), "R1/c", "R1"),
            at=104,
        ),
        message_from(
            COUNCIL,
            "c2",
            council,
            milestone(ProgrammeStart(on=day(20)), "R1/s", "R1"),
            attended("a", 20),
            at=105,
        ),
        message_from(COUNCIL, "c3", council, referral("R1", 5, sent=False, ubrn="000000000001"), at=106),
        message_from(COUNCIL, "c4", council, milestone(Acceptance(on=day(8)), "R1/a", "R1"), at=107),
    ]


def _late_number() -> list[SentMessage]:
    """The council learns the NHS number, and a record moves to another person."""
    unsure = at_source(without_number(ANN), "C1", addresses=())
    return [
        message_from(GP, "g1", at_source(ANN, "G1"), referral("UB1", 0), at=0),
        message_from(COUNCIL, "c1", unsure, attended("a", 9), weight("w", 9, "121"), at=9),
        message_from(COUNCIL, "c2", at_source(ANN, "C1"), attended("b", 16), at=16),
    ]


def _merge() -> list[SentMessage]:
    """The trust had her twice (A40). It sends facts under the old id before the merge, under the new one after it."""
    first, second = at_source(DEE, "T1"), at_source(without_number(DEE), "T2", addresses=())
    moved = replace(second, names=(PersonName("Smith", ("Dora",)),), birth_date=date(1950, 1, 1))
    return [
        message_from(TRUST, "t1", first, referral("TR1", 3, to="tier3", sent=False), at=3),
        message_from(TRUST, "t2", moved, attended("ta", 30), weight("tw", 30, "140"), at=30),
        message_from(TRUST, "t3", replace(first, retired_local_ids=(LocalId("T2"),)), at=40, ours=False),
        message_from(TRUST, "t4", first, attended("ta", 30, "3"), at=41),
    ]


def _split() -> list[SentMessage]:
    """One is filed under another's number, then put right: one person becomes two."""
    wrong = replace(at_source(FAY, "T1"), nhs_number=DEE.nhs_number)
    return [
        message_from(GP, "g1", at_source(DEE, "G1"), referral("UB1", 2, to="tier3"), at=2),
        message_from(GP, "g2", at_source(FAY, "G2"), referral("UB2", 2, to="tier3"), at=2),
        message_from(TRUST, "t1", wrong, attended("ta", 20), at=20),
        message_from(TRUST, "t2", at_source(FAY, "T1"), weight("tw", 20, "98"), at=50),
    ]


def _taken_back() -> list[SentMessage]:
    """An attendance is taken back; so is all there ever was of another person."""
    return [
        message_from(COUNCIL, "c1", at_source(ANN, "C1"), referral("R1", 1, sent=False), attended("a", 15), at=15),
        message_from(COUNCIL, "c2", at_source(ANN, "C1"), attended("a", 15, retracted=True), at=16),
        message_from(GP, "g1", at_source(FAY, "G1"), weight("w", 4, "101"), at=4),
        message_from(GP, "g2", at_source(FAY, "G1"), weight("w", 4, "101", retracted=True), at=5),
    ]


def _strangers() -> list[SentMessage]:
    """Another service's patient, one who becomes ours, one without a local id, one whom nothing identifies."""
    return [
        message_from(TRUST, "t1", at_source(DEE, "T1"), at=7, ours=False),
        message_from(TRUST, "t2", at_source(FAY, "T2"), at=7, ours=False),
        message_from(TRUST, "t3", at_source(FAY, "T2"), attended("ta", 25), at=25),
        message_from(COUNCIL, "c1", at_source(FAY, None), attended("a", 26), at=26),
        message_from(COUNCIL, "c2", Person(local_id=LocalId("C9")), attended("b", 34), at=34),
    ]


def _overdue() -> list[SentMessage]:
    """A referral that is received late, while ticks of the day arrive."""
    return [
        message_from(GP, "g1", at_source(ANN, "G1"), referral("UB1", 0, to="tier3", ubrn="000000000007"), at=0),
        message_from(COUNCIL, "c1", at_source(ANN, "C1"), milestone(Discharge(on=day(-3)), "R0/d", "R0"), at=1),
        message_from(
            TRUST,
            "t1",
            at_source(ANN, "T1"),
            referral("TR1", 90, to="tier3", sent=False, ubrn="000000000007"),
            at=90,
        ),
    ]


def _erased() -> list[SentMessage]:
    """The council's record of a person at three tiers is erased, between any of its entries."""
    council = at_source(ANN, "C7")
    return [
        message_from(GP, "g1", at_source(ANN, "G7"), referral("UB1", 0, ubrn="000000000009"), at=0),
        message_from(COUNCIL, "c1", council, referral("R1", 5, sent=False, ubrn="000000000009"), at=5),
        message_from(COUNCIL, "c2", replace(council, phones=("07700900123",)), attended("a", 20), at=20),
        message_from(COUNCIL, "c3", council, weight("w", 20, "119"), at=21),
        message_from(TRUST, "t1", at_source(ANN, "T7"), weight("w", 40, "117"), at=40),
    ]


NOBODYS = message_from(COUNCIL, "nobody", Person(), attended("d", 35), at=35)  # rejected by the check
TEMPLATES: Mapping[str, Callable[[], list[SentMessage]]] = {
    "correction": _correction,
    "late": _late,
    "late_number": _late_number,
    "merge": _merge,
    "split": _split,
    "taken_back": _taken_back,
    "strangers": _strangers,
    "overdue": _overdue,
    "erased": _erased,
}
POISONED = frozenset({"taken_back", "correction"})  # unreadable messages among them
TICKED = frozenset({"overdue", "split"})  # they get a tick of each day below
ERASED: Mapping[str, tuple[str, str]] = {"erased": (COUNCIL, "C7")}  # they erase this record, and turn its bucket
TICKS = (day(30), day(80), day(120))
