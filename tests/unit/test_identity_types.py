"""What may be called an NHS number, a local id, a postcode or an organisation, and that none shows itself."""

import pytest

from schemas.errors import InvalidField
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode, nhs_digits, parse_ods

GOOD = "9434765919"  # the Data Dictionary's example number


@pytest.mark.parametrize("text", [GOOD, "943 476 5919", " 943-476-5919 ", "4010232137", "3478526981"])
def test_ten_digits_with_their_check_digit_are_an_nhs_number(text: str) -> None:
    number = NHSNumber.parse(text, test_mode=False)
    assert len(number.digits) == 10


@pytest.mark.parametrize(
    "text",
    [
        "9434765918",  # one digit wrong
        "943476591",  # nine digits
        "94347659190",  # eleven
        "9434765919\u00b2",  # a superscript two is a digit to Python, not to the NHS
        "\u0669\u0664\u0663\u0664\u0667\u0666\u0665\u0669\u0661\u0669",  # Arabic digits
        "0000000000",
        "4444444444",
        "9876543210",
        "9.43477E+09",
        "",
        "unknown",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        NHSNumber.parse(text, test_mode=True)
    assert refused.value.field == "nhs_number"
    assert not text or text not in str(refused.value)


def test_the_test_range_exists_only_in_test_mode() -> None:
    assert NHSNumber.parse("9990000018", test_mode=True).digits == "9990000018"
    with pytest.raises(InvalidField, match="999 test range"):
        NHSNumber.parse("9990000018", test_mode=False)


def test_a_number_outside_the_issued_ranges_is_a_number_and_says_so() -> None:
    assert NHSNumber.parse(GOOD, test_mode=False).in_allocated_range
    assert not NHSNumber.parse("3478526981", test_mode=False).in_allocated_range


def test_one_wrong_digit_anywhere_is_always_noticed() -> None:
    for place in range(10):
        for digit in set("0123456789") - {GOOD[place]}:
            with pytest.raises(InvalidField):
                NHSNumber.parse(GOOD[:place] + digit + GOOD[place + 1 :], test_mode=True)


@pytest.mark.parametrize(
    "text",
    [
        "'9434765919", "\u20189434765919", '="9434765919"', "9434765919.0", "943\u00a0476\u00a05919", "943.476.5919",
        "\u200e943 476 5919\u202c", "9\u200b434765919",
        "\uff194\uff134765919", "943\u2013476\u20135919", "\t9434765919 ",
    ],
)  # fmt: skip
def test_ten_unambiguous_digits_are_ten_digits(text: str) -> None:
    assert nhs_digits(text) == GOOD


@pytest.mark.parametrize(
    "text", ["943476591", "9434765919.5", "9434765919 / 1", "NHS 9434765919", "94347659190.0", "", "="]
)
def test_digits_that_may_be_something_else_are_none(text: str) -> None:
    assert nhs_digits(text) is None


def test_a_local_id_is_an_issuer_and_a_value() -> None:
    assert LocalId.parse("1", " rxx ") == LocalId("1", "RXX") != LocalId("1", "RYY")
    assert LocalId.parse("1", "https://surgery.example/Id/patient").authority == "https://surgery.example/Id/patient"
    with pytest.raises(InvalidField, match="authority"):
        LocalId.parse("1", "x" * 201)


@pytest.mark.parametrize("text", ["", "  ", "x" * 65, "a\x00b", "a\nb"])
def test_a_local_id_is_one_to_sixty_four_printable_characters(text: str) -> None:
    assert LocalId.parse(" MRN-1 ").value == "MRN-1"
    with pytest.raises(InvalidField):
        LocalId.parse(text)


@pytest.mark.parametrize("text", ["LS1 4HR", "ls14hr", " SW1A 1AA ", "M1 1AE", "EC1A 1BB"])
def test_a_full_postcode_whatever_its_case_and_spaces(text: str) -> None:
    assert Postcode.parse(text).compact == text.replace(" ", "").upper()


@pytest.mark.parametrize("text", ["LS1", "LS1 4H", "1LS 4HR", "not known", "LS1 4HR, Leeds"])
def test_half_a_postcode_is_none(text: str) -> None:
    with pytest.raises(InvalidField):
        Postcode.parse(text)


def test_an_organisation_code_is_letters_and_digits() -> None:
    assert parse_ods(" rxx ") == "RXX"
    with pytest.raises(InvalidField):
        parse_ods("R-1")


def test_no_identity_shows_itself_in_a_repr_or_an_f_string() -> None:
    person = Person(
        local_id=LocalId("MRN-1"),
        nhs_number=NHSNumber.parse(GOOD, test_mode=False),
        names=(PersonName("Okafor", ("Grace",)),),
        addresses=(Address("1 Mill Lane", Postcode("LS14HR"), "Leeds"),),
        phones=("07700900123",),
    )
    shown = f"{person!r} {person} {person.nhs_number!r} {person.local_id} {person.names} {person.addresses}"
    for value in ("MRN-1", GOOD, "Okafor", "Grace", "Mill", "LS14HR", "Leeds", "07700900123"):
        assert value not in shown
    assert repr(person.nhs_number) == "NHSNumber(**********)"
