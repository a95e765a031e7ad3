"""Cleaning: what is one value is spelt one way, and what says nothing is gone."""

import pytest

from linkage.normalise import Identity, Name, NormalisedIdentity, house_of, name_parts, normalise, street_of


def identity(**fields: object) -> Identity:
    return Identity(**{"nhs_number": None, **fields})  # type: ignore[arg-type]


def test_one_name_has_one_spelling_whatever_its_accents_case_and_punctuation() -> None:
    spelt = [
        Name(("zoë",), "o'neill"),
        Name(("ZOE",), "O’Neill"),
        Name(("  Zoe\N{COMBINING DIAERESIS} ",), "ONEILL"),
    ]
    assert len({normalise(identity(names=(name,))) for name in spelt}) == 1
    assert normalise(identity(names=tuple(spelt))).names == (Name(("ZOE",), "ONEILL"),)


def test_letters_that_unicode_does_not_take_apart_become_the_usual_latin_ones() -> None:
    assert normalise(identity(names=(Name(("Łucja",), "Sørensen-Ægir"),))).names == (
        Name(("LUCJA",), "SORENSEN-AEGIR"),
    )


def test_compound_names_keep_their_parts_and_titles_go() -> None:
    cleaned = normalise(identity(names=(Name(("Mrs Mary-Jane", "Ann Rose Sue"), "van der Berg"),)))
    assert cleaned.names == (Name(("MARY-JANE", "ANN", "ROSE"), "VAN-DER-BERG"),)
    assert name_parts("VAN-DER-BERG") == ("VAN", "DER", "BERG")


@pytest.mark.parametrize("family", ["UNKNOWN", "Test", "not known", "XX", "zzztest", "aaaa", "123", "…", ""])
def test_a_name_that_is_a_placeholder_is_no_name(family: str) -> None:
    assert normalise(identity(names=(Name((), family),))).names == ()


def test_a_newborn_without_a_forename_keeps_the_surname() -> None:
    assert normalise(identity(names=(Name(("Baby",), "Okafor"),))).names == (Name((), "OKAFOR"),)


@pytest.mark.parametrize(
    "text",
    [
        "1900-01-01",
        "1899-12-30",
        "2001-02-30",
        "01/02/1971",
        "19711",
        "1971-5-2",
        "9999-12-31",
        "1900",
        "0000",
        "",
    ],
)
def test_a_birth_date_that_is_a_placeholder_or_no_day_at_all_is_missing(text: str) -> None:
    assert normalise(identity(birth_date=text)).birth_date is None


@pytest.mark.parametrize("text", ["1971", "1971-05"])
def test_part_of_a_birth_date_is_kept_as_it_is_known(text: str) -> None:
    assert normalise(identity(birth_date=text)).birth_date == text


def test_a_very_old_person_and_a_leap_day_are_not_placeholders() -> None:
    assert normalise(identity(birth_date="1901-07-08")).birth_date == "1901-07-08"
    assert normalise(identity(birth_date="2004-02-29")).birth_date == "2004-02-29"


@pytest.mark.parametrize("text", ["ZZ99 3VZ", "zz993wz", "UNKNOWN", "LS1", "12345678", ""])
def test_a_postcode_of_no_place_is_missing(text: str) -> None:
    assert normalise(identity(postcodes=(text,))).postcodes == ()


def test_addresses_stay_in_step_with_their_houses_and_cities() -> None:
    cleaned = normalise(
        identity(
            postcodes=("ZZ99 3VZ", "ls1 4ap", ""),
            houses=("", "Flat 3, 12b High St.", ""),
            cities=("", "", "kings  lynn"),
        )
    )
    assert cleaned.postcodes == ("LS14AP", "")
    assert cleaned.houses == ("3 12B HIGH STREET", "")
    assert cleaned.cities == ("", "KINGS LYNN")


@pytest.mark.parametrize(
    ("line", "house", "street"),
    [
        ("14 High St", "14", "HIGH STREET"),
        ("Flat 3, 12b High St", "3 12B", "HIGH STREET"),
        ("12b high street, flat 3", "12B 3", "HIGH STREET"),
        ("Rose Cottage", "ROSECOTTAGE", ""),
        ("12-14 Mill Rd", "12 14", "MILL ROAD"),
        ("St John's Ave", "", "ST JOHNS AVENUE"),
        ("7", "7", ""),
        ("", "", ""),
    ],
)
def test_a_line_is_a_house_and_a_street(line: str, house: str, street: str) -> None:
    cleaned = normalise(identity(postcodes=("LS1 4AP",), houses=(line,))).houses
    assert (house_of(cleaned[0]), street_of(cleaned[0])) == (house, street)


@pytest.mark.parametrize("city", ["Unknown", "123", "…", ""])
def test_a_city_that_is_no_place_is_missing(city: str) -> None:
    assert normalise(identity(cities=(city,))).cities == ()


def test_a_superseded_number_is_kept_beside_the_number_that_replaced_it() -> None:
    value = identity(nhs_number="9434765919", former_numbers=("943 476 5870", "9434765919", "", "12", "9434765870"))
    assert normalise(value).former_numbers == ("9434765870",)


def test_only_a_mobile_telephone_is_a_persons_own() -> None:
    phones = ("07700 900123", "+44 (0)7700 900123", "0044 7700 900123", "0113 496 0000", "07000000000", "?")
    assert normalise(identity(phones=phones)).phones == ("447700900123",)


def test_a_mailbox_of_nobody_is_missing() -> None:
    emails = (" Ada.King@Mail.UK ", "noreply@mail.uk", "none@none.uk", "not an address")
    assert normalise(identity(emails=emails)).emails == ("ada.king@mail.uk",)


def test_an_nhs_number_is_ten_digits_and_not_one_digit_ten_times() -> None:
    assert normalise(identity(nhs_number="943 476 5919")).nhs_number == "9434765919"
    assert normalise(identity(nhs_number="0000000000")).nhs_number is None
    assert normalise(identity(nhs_number_claimed="943476591")).nhs_number_claimed == "943476591"
    assert normalise(identity(nhs_number_claimed="12")).nhs_number_claimed is None


def test_an_identity_with_nothing_but_placeholders_says_nothing() -> None:
    empty = identity(
        nhs_number="0000000000",
        names=(Name(("UNKNOWN",), "UNKNOWN"),),
        birth_date="1900-01-01",
        postcodes=("ZZ99 3VZ",),
        sex="unknown",
        phones=("n/a",),
        emails=("none@x.uk",),
    )
    assert normalise(empty) == NormalisedIdentity(None)


def test_a_value_of_a_hundred_thousand_letters_is_cut_short() -> None:
    long = "ab cd-" * 20_000
    cleaned = normalise(
        identity(
            names=(Name((long,) * 1000, long),) * 1000,
            birth_date=long,
            postcodes=(long,) * 1000,
            houses=(long,) * 1000,
            cities=(long,) * 1000,
            phones=("07" * 50_000,) * 1000,
            emails=(long + "@mail.uk",) * 1000,
            former_numbers=("12" * 50_000,) * 1000,
        )
    )
    (name,) = cleaned.names
    assert max(map(len, name.given)) <= 4 * 41
    assert len(name.family) <= 4 * 41
    assert max(map(len, (*cleaned.houses, *cleaned.cities))) <= 5 * 41
    assert (cleaned.birth_date, cleaned.phones, cleaned.emails) == (None, (), ())


def test_a_name_and_an_identity_hide_themselves() -> None:
    name = Name(("Ada",), "King")
    assert "Ada" not in repr(name) + repr(identity(names=(name,), nhs_number="9434765919"))
    assert "9434765919" not in repr(identity(nhs_number="9434765919"))


@pytest.mark.parametrize(
    ("given", "family", "expected"),
    [
        ("Анна", "Петрова", (("ANNA",), "PETROVA")),
        ("芳", "王", (("FANG",), "WANG")),
        ("Ngọc", "Nguyễn", (("NGOC",), "NGUYEN")),
        ("Peter", "Taylor (DO NOT USE)", (("PETER",), "TAYLOR")),
        ("Stephanie", "Null", (("STEPHANIE",), "NULL")),
        ("Na", "Li", (("NA",), "LI")),
        ("Baby of Smith", "Smith", ((), "SMITH")),
        ("Twin 2", "Smith", ((), "SMITH")),
        ("😀", "Smith", ((), "SMITH")),
    ],
)
def test_a_name_of_any_script_compares_by_its_letters_and_a_placeholder_is_missing(
    given: str, family: str, expected: tuple[tuple[str, ...], str]
) -> None:
    (found,) = normalise(Identity(None, names=(Name((given,), family),))).names
    assert (found.given, found.family) == expected


@pytest.mark.parametrize("word", ["N/A", "n.a.", "TBC", "UNK", "NK", "Not known", "Null", "???", "Twin A", "🎃"])
def test_a_word_that_says_nothing_is_no_name(word: str) -> None:
    assert normalise(Identity(None, names=(Name((word,), word),))).names == ()


def test_two_letters_that_nobody_can_transliterate_stay_two_names() -> None:
    first, second = (normalise(Identity(None, names=(Name((name,), "Smith"),))).names for name in "𐤀𐤁")
    assert first != second


def test_a_source_has_its_own_words_for_not_known() -> None:
    identity = Identity(None, names=(Name(("Unbekannt",), "Unbekannt"),))
    assert normalise(identity, placeholder_words={"unbekannt"}).names == ()
