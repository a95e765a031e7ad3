"""A small world with everything in it that has ever made two runs differ.

Nine people at three sources: duplicates, corrections under new message ids, a merge, an NHS number that comes
late, an identity that is put right and splits a person, twins, somebody who is nobody, a patient of another
service.
"""

from dataclasses import replace
from datetime import date, timedelta

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
    number,
    referral,
    someone,
    weight,
    without_number,
)
from ops.verify.nobodies import Nobody
from schemas.facts import Acceptance, Completion, ProgrammeStart
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode

MILL, HIGH, PARK = ("12 Mill Lane", "LS14AP"), ("3 High Street", "BD99ZZ"), ("77 Park Row", "M11AE")
ANN = someone(100, ("Ann", "Okafor"), date(1971, 3, 14), MILL)
BEA = someone(200, ("Beatrice", "Hall"), date(1980, 5, 24), HIGH)
CAT = someone(300, ("Catherine", "Hall"), date(1980, 5, 24), HIGH)
DAN = someone(400, ("Daniel", "Reed"), date(1965, 11, 2), PARK, "male")
EVE = someone(500, ("Evelyn", "Marsh"), date(1990, 7, 7), ("5 Brook Close", "LS29JT"))
FAY = someone(600, ("Fatima", "Siddiqui"), date(1959, 12, 30), ("9 Castle Walk", "HD12QT"))
GUS = someone(700, ("Gustav", "Lindqvist"), date(1948, 8, 19), ("1 Quay Side", "HU11AA"), "male")
IVY = someone(800, ("Ivana", "Petrova"), date(1977, 4, 4), ("8 Moor Top", "HX15DQ"))
NOBODY = Person()


def _ann() -> list[SentMessage]:
    """Three tiers; a weight put right twice under new message ids; the number comes late at the council."""
    gp, council, trust = at_source(ANN, "G1"), at_source(without_number(ANN), "C1"), at_source(ANN, "T1")
    start, done = ProgrammeStart(on=day(20)), Completion(on=day(104), definition="as-reported/1")
    ref2, ref3 = (
        referral("UB1", 0, ubrn="000000000001"),
        referral("UB2", 110, to="tier3", ubrn="000000000002"),
    )
    return [
        message_from(GP, "g1", gp, ref2, weight("w1", 0, "120"), at=0),
        message_from(COUNCIL, "c1", council, referral("R1", 5, sent=False, ubrn="000000000001"), at=5),
        message_from(
            COUNCIL,
            "c2",
            council,
            milestone(Acceptance(on=day(8)), "R1/a", "R1"),
            weight("s1", 20, "119"),
            at=21,
        ),
        message_from(COUNCIL, "c3", council, milestone(start, "R1/s", "R1"), weight("s1", 20, "118.5"), at=30),
        message_from(COUNCIL, "c4", council, weight("s1", 20, "117"), at=31),
        message_from(COUNCIL, "c5", replace(council, nhs_number=ANN.nhs_number), weight("s2", 104, "110"), at=104),
        message_from(COUNCIL, "c6", council, milestone(done, "R1/c", "R1"), attended("a1", 20), at=105),
        message_from(GP, "g2", gp, ref3, at=110),
        message_from(TRUST, "t1", trust, referral("TR1", 115, to="tier3", sent=False, ubrn="000000000002"), at=115),
        message_from(TRUST, "t2", trust, attended("ta1", 130, "0"), at=116),
        message_from(TRUST, "t3", trust, attended("ta1", 137, "5"), weight(None, 137, "111"), at=137),
    ]


def _twins() -> list[SentMessage]:
    """The council has one of them without a number, then without a forename."""
    bea = at_source(without_number(BEA), "C2")
    unsure = replace(bea, names=(PersonName("Hall", ()),))
    return [
        message_from(GP, "g3", at_source(BEA, "G2"), referral("UB3", 1), at=1),
        message_from(GP, "g4", at_source(CAT, "G3"), referral("UB4", 1), at=1),
        message_from(COUNCIL, "c7", bea, referral("R2", 9, sent=False), at=9),
        message_from(COUNCIL, "c8", at_source(without_number(CAT), "C3"), referral("R3", 9, sent=False), at=9),
        message_from(COUNCIL, "c9", at_source(unsure, "C4"), attended("a9", 12), at=12),
    ]


def _merged() -> list[SentMessage]:
    """The trust had Dan twice; the merge may come before either record, and a correction after it under the
    new id.
    """
    first, second = at_source(DAN, "T2"), at_source(without_number(DAN), "T3", addresses=())
    moved = replace(second, names=(PersonName("Smith", ("David",)),), birth_date=date(1950, 1, 1))
    return [
        message_from(TRUST, "t4", first, referral("TR2", 3, to="tier3", sent=False), at=3),
        message_from(TRUST, "t5", moved, attended("ta2", 30), weight("tw2", 30, "140"), at=30),
        message_from(TRUST, "t6", replace(first, retired_local_ids=(LocalId("T3"),)), at=40, ours=False),
        message_from(TRUST, "t7", first, attended("ta2", 30, "3"), at=41),
    ]


def _split() -> list[SentMessage]:
    """The trust files Fay's letters under Eve's number, then puts it right: one person becomes two."""
    wrong = replace(at_source(FAY, "T4"), nhs_number=EVE.nhs_number)
    return [
        message_from(GP, "g5", at_source(EVE, "G4"), referral("UB5", 2, to="tier3"), at=2),
        message_from(GP, "g6", at_source(FAY, "G5"), referral("UB6", 2, to="tier3"), at=2),
        message_from(TRUST, "t8", replace(at_source(EVE, "T4")), referral("TR3", 6, to="tier3", sent=False), at=6),
        message_from(TRUST, "t9", wrong, attended("ta3", 20), at=20),
        message_from(TRUST, "t10", at_source(FAY, "T4"), weight("tw3", 20, "98"), at=50),
    ]


def _taken_back() -> list[SentMessage]:
    """Gus's attendance is taken back; all there ever was of Hal is taken back."""
    hal = replace(GUS, nhs_number=number(750), names=(PersonName("Brandt", ("Harald",)),), birth_date=date(1939, 1, 9))
    return [
        message_from(GP, "g7", at_source(GUS, "G6"), referral("UB7", 3), at=3),
        message_from(COUNCIL, "c10", at_source(GUS, "C5"), referral("R4", 9, sent=False), attended("a4", 15), at=15),
        message_from(COUNCIL, "c11", at_source(GUS, "C5"), attended("a4", 15, retracted=True), at=16),
        message_from(GP, "g8", at_source(hal, "G7"), weight("w7", 4, "101"), at=4),
        message_from(GP, "g9", at_source(hal, "G7"), weight("w7", 4, "101", retracted=True), at=5),
    ]


def _others() -> list[SentMessage]:
    """Another service's patient; one who became ours; two without a local id; one whom nothing identifies."""
    other = replace(IVY, nhs_number=number(850), names=(PersonName("Whitlock", ("Joan",)),))
    return [
        message_from(TRUST, "t11", at_source(other, "T5"), at=7, ours=False),
        message_from(TRUST, "t12", at_source(IVY, "T6"), at=7, ours=False),
        message_from(TRUST, "t13", at_source(IVY, "T6"), attended("ta6", 25), at=25),
        message_from(COUNCIL, "c12", at_source(IVY, None), attended("a6", 26), at=26),
        message_from(COUNCIL, "c13", at_source(IVY, None), attended("a7", 33), at=33),
        message_from(COUNCIL, "c14", at_source(NOBODY, "C6"), attended("a8", 34), at=34),
        message_from(COUNCIL, "c15", at_source(NOBODY, None), attended("a10", 35), at=35),
    ]


def _sent_again() -> list[SentMessage]:
    """Five duplicates, and one message id used twice for different content."""
    ann = _ann()
    again = [ann[0], ann[2], ann[6], _twins()[0], _merged()[2]]
    source, message = ann[8]
    moved = replace(
        message,
        source_version_at=message.source_version_at + timedelta(days=1),
        person=at_source(ANN, "T1", phones=("07700900123",)),
    )
    return [*again, (source, moved)]


def small_world() -> list[SentMessage]:
    """Every message, in the order of sending."""
    parts = (_ann(), _twins(), _merged(), _split(), _taken_back(), _others(), _sent_again())
    return [message for part in parts for message in part]


def canary(nobody: Nobody) -> Person:
    """A person all of whose values are improbable strings."""
    return Person(
        local_id=LocalId(nobody.local_id),
        nhs_number=NHSNumber(nobody.nhs_number),
        nhs_number_claimed=nobody.nhs_number,
        names=(PersonName(nobody.family, (nobody.given,)), PersonName(nobody.other, (), "old")),
        birth_date=date.fromisoformat(nobody.birth_date),
        sex="female",
        addresses=(Address(nobody.street, Postcode.parse(nobody.postcode), nobody.free_text),),
        phones=(nobody.phone,),
        emails=(nobody.mailbox,),
        retired_local_ids=(LocalId(nobody.business_id),),
    )
