"""Who a row is about beyond number and name: telephones, mailboxes, towns and former names as councils type them."""

import pytest
from council_files import CLIENT, RECEIVED_AT, east, issues_of_row, line, read_east, sheet

from schemas.check import check
from schemas.identity import Person


def text(**cells: str) -> str:
    """A file of one referral row with these columns beside the usual ones."""
    filled = {**dict.fromkeys(sheet().strip().split(","), ""), **CLIENT, **cells}
    return line(list(filled)) + line(list(filled.values()))


def person(**cells: str) -> Person:
    """Who the only row is about, read back from its Bundle."""
    (entry,) = read_east(text(**cells)).entries
    assert entry.bundle is not None, entry.checked.issues
    _, message = check(entry.bundle, source=east(), test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    return message.person


def warned(**cells: str) -> list[str]:
    return [issue.location for issue in issues_of_row(text(**cells)) if issue.severity == "warning"]


@pytest.mark.parametrize(
    ("cell", "phones"),
    [
        ("07700900123", ("07700900123",)),
        ("07700 900123", ("07700 900123",)),
        ("+447700900123", ("+447700900123",)),
        ("+44 (0)7700 900123", ("+44 (0)7700 900123",)),
        ("(01632) 960001", ("(01632) 960001",)),
        ("07700 900123 / 01632 960001", ("07700 900123", "01632 960001")),
        ("", ()),
    ],
)
def test_a_telephone_is_kept_as_the_council_typed_it(cell: str, phones: tuple[str, ...]) -> None:
    assert person(mobile=cell).phones == phones
    assert warned(mobile=cell) == []


@pytest.mark.parametrize("cell", ["7700900123", "7700 900123", "7700 900 123"])
def test_a_mobile_whose_leading_zero_a_spreadsheet_took_has_it_again(cell: str) -> None:
    assert person(mobile=cell).phones == (f"0{cell}",)
    assert warned(mobile=cell) == ["row 2, column mobile"]


@pytest.mark.parametrize("cell", ["4.47701E+11", "ask her son", "12345", "07700 900123 ext. 4", "x" * 300])
def test_what_is_no_telephone_is_not_kept_and_the_row_stands(cell: str) -> None:
    assert person(mobile=cell).phones == ()
    assert warned(mobile=cell) == ["row 2, column mobile"]


def test_of_two_telephones_in_a_cell_the_one_that_is_one_is_kept() -> None:
    assert person(mobile="07700 900123; daughter").phones == ("07700 900123",)
    assert warned(mobile="07700 900123; daughter") == ["row 2, column mobile"]


@pytest.mark.parametrize("cell", ["DON'T CONTACT", "invalid", "home", "a@b", "@example.org", "ann@@example.org"])
def test_what_is_no_mailbox_is_not_kept_and_the_row_stands(cell: str) -> None:
    assert person(email=cell).emails == ()
    assert warned(email=cell) == ["row 2, column email"]


def test_a_mailbox_is_kept_as_the_council_typed_it() -> None:
    assert person(email="Ngozi.Okonkwo@Example.ORG").emails == ("Ngozi.Okonkwo@Example.ORG",)
    assert person(email="a@example.org, b@example.org").emails == ("a@example.org", "b@example.org")


def test_the_town_stands_beside_the_first_line_and_the_postcode() -> None:
    (home,) = person(address1="12 Test Street", town="Chelmsford").addresses
    assert (home.line, home.city, home.postcode is not None) == ("12 Test Street", "Chelmsford", True)
    (alone,) = person(town="Chelmsford", postcode="").addresses
    assert (alone.line, alone.city, alone.postcode) == ("", "Chelmsford", None)


def test_a_former_address_comes_after_the_present_one() -> None:
    items = {"address1": "12 Test Street", "prev_address1": "3 Old Road", "prev_town": "Witham"}
    homes = person(**items, prev_postcode="cm8 1aa").addresses
    assert [home.line for home in homes] == ["12 Test Street", "3 Old Road"]
    assert homes[1].city == "Witham"
    assert homes[1].postcode is not None
    assert warned(**items, prev_postcode="nowhere") == ["row 2, column prev_postcode"]


def test_a_former_surname_and_a_short_form_are_names_of_their_own() -> None:
    names = person(surname="OKONKWO", forename="Ngozi Ada", prev_surname="EZE", known_as="Zizi").names
    assert [(name.use, name.family, name.given) for name in names] == [
        ("official", "OKONKWO", ("Ngozi", "Ada")),
        ("old", "EZE", ("Ngozi", "Ada")),
        ("nickname", "OKONKWO", ("Zizi",)),
    ]


def test_a_file_without_these_columns_is_taken_as_before() -> None:
    (entry,) = read_east(sheet(line([CLIENT.get(key, "") for key in sheet().strip().split(",")]))).entries
    assert entry.checked.verdict == "accepted"


@pytest.mark.parametrize("column", ["mobile", "email", "prev_postcode"])
def test_no_issue_about_them_repeats_what_was_typed(column: str) -> None:
    said = " ".join(f"{issue.location} {issue.rule}" for issue in issues_of_row(text(**{column: "Zanphrolique"})))
    assert column in said
    assert "Zanphrolique" not in said


@pytest.mark.parametrize("cell", ["Susan N/A", "N/A Susan", "Susan (unknown)", "Susan  tbc"])
def test_a_word_for_not_known_beside_a_name_is_no_part_of_it(cell: str) -> None:
    assert person(forename=cell).names[0].given == ("Susan",)
    said = [issue.location for issue in issues_of_row(text(forename=cell)) if issue.severity == "information"]
    assert said == ["row 2, column forename"]
