"""Who is taken to be one person: pairs of records, each with what is right and why, reasoned before it was run.

`link`: one person without being asked; `hold`: a steward is asked; `apart`: two people, and nobody is asked. Columns:
number, forenames, surname, birth date, sex, postcode, address line, telephone, mailbox; "-" is missing, and so is what
is left out at the end. "N1<N2" is a number that superseded another. Every person is invented.
"""

import pytest
from linkage_tables import KEYS, MODEL, NUMBERS

from linkage.cluster import LinkGraph, Member
from linkage.normalise import Identity, Name, normalise
from linkage.tokens import encode

HOME, AWAY = "LS1 4AP | 12 High Street", "BD9 9ZZ | 3 Mill Lane"
MINE, YOURS = "07700900123", "07700900456"
CASES: dict[str, tuple[str, str, str]] = {  # what is right, and the two records
    # Twins: one birth date and one home prove nothing where the forename is another.
    "twins, each with a telephone": (
        "hold",
        f"- | Sarah | Hall | 1971-05-24 | female | {HOME} | {MINE}",
        f"- | Ngozi | Hall | 1971-05-24 | female | {HOME} | {YOURS}",
    ),
    "twins who share their mother's telephone and mailbox": (
        "hold",
        f"- | Sarah | Hall | 2009-05-24 | female | {HOME} | {MINE} | hall@example.org",
        f"- | Ngozi | Hall | 2009-05-24 | female | {HOME} | {MINE} | hall@example.org",
    ),
    "twins with a number each": (
        "apart",
        f"N1 | Sarah | Hall | 2009-05-24 | female | {HOME} | {MINE}",
        f"N2 | Ngozi | Hall | 2009-05-24 | female | {HOME} | {MINE}",
    ),
    "twins of two sexes": (  # another forename and another sex: nobody is known by both
        "apart",
        f"- | Sarah | Hall | 1971-05-24 | female | {HOME}",
        f"- | David | Hall | 1971-05-24 | male | {HOME}",
    ),
    "Sikh twins, whose religious name is one": (  # Kaur is the middle name of a third of all Sikh women
        "hold",
        f"- | Harpreet Kaur | Gill | 1994-05-09 | female | {HOME}",
        f"- | Ravinder Kaur | Gill | 1994-05-09 | female | {HOME}",
    ),
    "twins in Chinese letters": (
        "hold",
        f"- | 芳 | 王 | 1994-05-09 | female | {HOME}",
        f"- | 强 | 王 | 1994-05-09 | female | {HOME}",
    ),
    "twins in Arabic letters": (
        "hold",
        f"- | زينب | خان | 1994-05-09 | female | {HOME}",
        f"- | مريم | خان | 1994-05-09 | female | {HOME}",
    ),
    "twins who have no names yet": (
        "hold",
        f"- | Twin One | Hall | 2024-05-24 | female | {HOME}",
        f"- | Twin Two | Hall | 2024-05-24 | female | {HOME}",
    ),
    "the number of a twin with a slip, and another telephone": (
        "hold",
        f"N1 | Sarah | Hall | 1971-05-24 | female | {HOME} | {MINE}",
        f"9434765918 | Ngozi | Hall | 1971-05-24 | female | {HOME} | {YOURS}",
    ),
    # A forename that is another word for the same person.
    "known by another forename, the number with a slip": (  # a twin has a number of their own
        "link",
        f"N1 | Margaret | Hall | 1971-05-24 | female | {HOME}",
        f"9434765918 | Jane | Hall | 1971-05-24 | female | {HOME}",
    ),
    "Maggie for Margaret, who moved": (  # the commonest short form of its name
        "link",
        f"- | Margaret | Pemberly | 1971-05-24 | female | {HOME}",
        f"- | Maggie | Pemberly | 1971-05-24 | female | {AWAY}",
    ),
    "Chris for Christopher, who moved": (
        "link",
        f"- | Christopher | Pemberly | 1971-05-24 | male | {HOME}",
        f"- | Chris | Pemberly | 1971-05-24 | male | {AWAY}",
    ),
    "Rick for Richard, who moved": (
        "link",
        f"- | Richard | Pemberly | 1971-05-24 | male | {HOME}",
        f"- | Rick | Pemberly | 1971-05-24 | male | {AWAY}",
    ),
    "a child that has its name now": (  # one home, one birth date, and no other child is known there
        "link",
        f"- | Baby Girl | Hall | 2024-05-24 | female | {HOME}",
        f"- | Olivia | Hall | 2024-05-24 | female | {HOME}",
    ),
    # One household, two generations.
    "father and son of one name": (
        "apart",
        f"- | John | Hall | 1950-01-17 | male | {HOME}",
        f"- | John | Hall | 1978-11-09 | male | {HOME}",
    ),
    "father and son of one name and one telephone": (
        "hold",
        f"- | John | Hall | 1950-01-17 | male | {HOME} | {MINE}",
        f"- | John | Hall | 1978-11-09 | male | {HOME} | {MINE}",
    ),
    "a son under his father's number": (
        "hold",
        f"N1 | John | Hall | 1950-01-17 | male | {HOME} | {MINE}",
        f"N1 | John | Hall | 1978-11-09 | male | {HOME} | {MINE}",
    ),
    "one number and name, day and month of birth wrong": (  # no father has a son in the year of his own birth
        "link",
        f"N1 | John | Hall | 1950-01-17 | male | {HOME}",
        f"N1 | John | Hall | 1950-11-08 | male | {HOME}",
    ),
    "day and month of birth wrong, and no number": (  # cousins under one roof may be named after one grandfather
        "hold",
        f"- | John | Hall | 1950-01-17 | male | {HOME} | {MINE}",
        f"- | John | Hall | 1950-11-08 | male | {HOME} | {MINE}",
    ),
    "husband and wife on one telephone": (
        "apart",
        f"- | Sarah | Hall | 1971-05-24 | female | {HOME} | {MINE}",
        f"- | David | Hall | 1970-08-30 | male | {HOME} | {MINE}",
    ),
    "brothers whose birth is written as 1 January": (  # names that sound alike, and a day that says little
        "hold",
        f"- | Hassan | Noori | 1990-01-01 | male | {HOME}",
        f"- | Hussain | Noori | 1990-01-01 | male | {HOME}",
    ),
    # A crowded birth date: what strangers share, and what no two of one household do.
    "Mohammed Khan of 1 January, two homes": (
        "hold",
        f"- | Mohammed | Khan | 1980-01-01 | male | {HOME}",
        f"- | Mohammed | Khan | 1980-01-01 | male | {AWAY}",
    ),
    "Mohammed Khan of 1 January, one home and a new telephone": (
        "link",
        f"- | Mohammed | Khan | 1980-01-01 | male | {HOME} | {MINE}",
        f"- | Mohammed | Khan | 1980-01-01 | male | {HOME} | {YOURS}",
    ),
    "Margaret Davies, one home and a new telephone": (
        "link",
        f"- | Margaret | Davies | 1948-10-14 | female | {HOME} | {MINE}",
        f"- | Margaret | Davies | 1948-10-14 | female | {HOME} | {YOURS}",
    ),
    "Margaret Davies, two homes and one telephone": (  # her own number went with her
        "link",
        f"- | Margaret | Davies | 1948-10-14 | female | {HOME} | {MINE}",
        f"- | Margaret | Davies | 1948-10-14 | female | {AWAY} | {MINE}",
    ),
    "an initial, a surname and a birth date, two homes": (  # twins named Sarah and Susan have all three in common
        "hold",
        f"- | Sarah | Hall | 1971-05-24 | female | {HOME}",
        f"- | S | Hall | 1971-05-24 | female | {AWAY}",
    ),
    # Placeholders say nothing.
    "nobody's name and nobody's birth date": (
        "apart",
        f"- | Unknown | Unknown | 1900-01-01 | male | {HOME}",
        f"- | Not Known | Unknown | 1900-01-01 | male | {AWAY}",
    ),
    "John Smith without a birth date, two homes": (
        "apart",
        f"- | John | Smith | 1900-01-01 | male | {HOME}",
        f"- | John | Smith | 1900-01-01 | male | {AWAY}",
    ),
    "nobody's telephone is shared by everybody": (
        "apart",
        f"- | Ruth | Okafor | 1964-02-11 | female | {HOME} | 07000000000",
        f"- | Wei | Zhang | 1988-09-30 | female | {AWAY} | 07000000000",
    ),
    "a hostel's address, telephone and mailbox": (  # of themselves they have nothing in common
        "apart",
        f"- | Ruth | Okafor | 1964-02-11 | female | {HOME} | {MINE} | hostel@example.org",
        f"- | Wei | Zhang | 1988-09-30 | male | {HOME} | {MINE} | hostel@example.org",
    ),
    # Lives: marriage, removal.
    "married, at one front door": (
        "link",
        f"- | Sarah | Hall | 1971-05-24 | female | {HOME}",
        f"- | Sarah | Okafor | 1971-05-24 | female | {HOME}",
    ),
    "married, and her flat is left out": (  # some 15 homes share a postcode: no two women there are that alike
        "link",
        "- | Sarah | Hall | 1971-05-24 | female | LS1 4AP | Flat 3, 12 High Street",
        "- | Sarah | Okafor | 1971-05-24 | female | LS1 4AP | 12 High Street",
    ),
    "married and moved, with her own telephone": (
        "link",
        f"- | Sarah | Hall | 1971-05-24 | female | {HOME} | {MINE}",
        f"- | Sarah | Okafor | 1971-05-24 | female | {AWAY} | {MINE}",
    ),
    "married and moved, nothing else": (
        "hold",
        f"- | Sarah | Pemberly | 1971-05-24 | female | {HOME}",
        f"- | Sarah | Okafor | 1971-05-24 | female | {AWAY}",
    ),
    "both surnames with a hyphen": (
        "link",
        f"- | Sarah | Hall-Okafor | 1971-05-24 | female | {HOME}",
        f"- | Sarah | Okafor | 1971-05-24 | female | {HOME}",
    ),
    # Spelling.
    "Müller and Mueller, who moved": (  # ü is written ue where a keyboard has none (ICAO 9303)
        "link",
        f"- | Jürgen | Müller | 1971-05-24 | male | {HOME}",
        f"- | Juergen | Mueller | 1971-05-24 | male | {AWAY}",
    ),
    "Zoë and Zoe, who moved": (
        "link",
        f"- | Zoë | Llŷr-Brontë | 1971-05-24 | female | {HOME}",
        f"- | Zoe | Llyr Bronte | 1971-05-24 | female | {AWAY}",
    ),
    "Mary Jane and Mary-Jane, who moved": (
        "link",
        f"- | Mary Jane | Pemberly | 1971-05-24 | female | {HOME}",
        f"- | Mary-Jane | Pemberly | 1971-05-24 | female | {AWAY}",
    ),
    "Иван in Cyrillic and Ivan in Latin letters": (
        "link",
        f"- | Иван | Петров | 1971-05-24 | male | {HOME}",
        f"- | Ivan | Petrov | 1971-05-24 | male | {HOME}",
    ),
    "family name first, as in Chinese": (
        "link",
        f"- | Xiaoling | Zhang | 1971-05-24 | female | {HOME}",
        f"- | Zhang | Xiaoling | 1971-05-24 | female | {HOME}",
    ),
    # NHS numbers.
    "a digit of the number wrong, and moved": (
        "link",
        f"N1 | Sarah | Hall | 1971-05-24 | female | {HOME}",
        f"9434765918 | Sarah | Hall | 1971-05-24 | female | {AWAY}",
    ),
    "a number superseded by another": (
        "link",
        f"N1<N2 | Sarah | Hall | 1971-05-24 | female | {HOME}",
        f"N2 | Sarah | Hall | 1971-05-24 | female | {HOME}",
    ),
    "two numbers on one person": (
        "hold",
        f"N1 | Sarah | Hall | 1971-05-24 | female | {HOME}",
        f"N2 | Sarah | Hall | 1971-05-24 | female | {HOME}",
    ),
    "one number on two people": (
        "hold",
        f"N1 | Sarah | Hall | 1971-05-24 | female | {HOME}",
        f"N1 | Kwame | Boateng | 1950-02-17 | male | {AWAY}",
    ),
}


def _member(row: str) -> Member:
    cells = [cell.strip() for cell in row.split("|")]
    number, given, family, born, sex, postcode, house, phone, email = (
        None if cell == "-" else cell for cell in (cells + ["-"] * 9)[:9]
    )
    current, _, former = (number or "").partition("<")
    identity = Identity(
        nhs_number=NUMBERS.get(current),
        nhs_number_claimed=current if current and current not in NUMBERS else None,
        former_numbers=(NUMBERS[former],) if former else (),
        names=(Name(tuple((given or "").split()), family or ""),),
        birth_date=born,
        sex=sex,
        postcodes=(postcode or "",),
        houses=(house or "",),
        phones=(phone,) if phone else (),
        emails=(email,) if email else (),
    )
    return Member(2, encode(normalise(identity), keys=KEYS))


def _graph(*rows: str) -> LinkGraph:
    graph = LinkGraph(MODEL)
    for record, row in zip("abc", rows, strict=False):
        graph.put(record, _member(row))
    return graph


def _found(*rows: str) -> str:
    answer = _graph(*rows).answer("b")
    if "a" in answer.members:
        return "link"
    return "hold" if answer.status == "held" else "apart"


@pytest.mark.parametrize("case", CASES)
def test_what_is_done_with(case: str) -> None:
    right, first, second = CASES[case]
    assert _found(first, second) == right
    assert _found(second, first) == right, "whichever came first"


@pytest.mark.parametrize("silent", ["S", "Baby", "-"])
def test_a_record_that_may_be_either_twin_joins_neither_nor_the_twins(silent: str) -> None:
    rest = f"Hall | 1971-05-24 | female | {HOME}"
    graph = _graph(f"- | Sarah | {rest}", f"- | Susan | {rest}", f"- | {silent} | {rest}")
    assert [graph.answer(record).members for record in "abc"] == [("a",), ("b",), ("c",)]
    assert "ambiguous" in graph.answer("c").held_reasons


def test_the_initial_of_one_twin_alone_says_which_it_is() -> None:
    rest = f"Hall | 1971-05-24 | female | {HOME}"
    graph = _graph(f"- | Sarah | {rest}", f"- | Ngozi | {rest}", f"- | S | {rest}")
    assert graph.answer("c").members == ("a", "c")
