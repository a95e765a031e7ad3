"""Who a message is about: NHS numbers by authority and never by look, tolerant dates, honest gaps."""

from datetime import date

import pytest
from hl7_messages import PID, entry_of, issues, message, message_of, only, verdict

from schemas.facts import Demographics
from schemas.identity import NHSNumber

FIELDS = PID.split("|")


def pid(**changed: str) -> bytes:
    """An A31 whose PID has other fields: pid(_7="1965")."""
    fields = list(FIELDS) + [""] * 20
    for name, value in changed.items():
        fields[int(name[1:])] = value
    return message("ADT^A31", "|".join(fields))


def number(raw: bytes) -> str | None:
    found = message_of(raw).person.nhs_number
    return found.digits if found else None


@pytest.mark.parametrize(
    "spelling",
    ["9990000018^^^NHS", "9990000018^^^NHS^NH", "9990000018^^^NHSNBR^NHSNMBR", "9990000018^^^NHSNMBR",
     "999 000 0018^^^NHS^NH", "999-000-0018^^^^NH", "9990000018^^^&2.16.840.1.113883.2.1.4.1&ISO^NH",
     "9990000018^^^X&2.16.840.1.113883.2.1.4.1&ISO", "9990000018^^^nhs^nh"],
)  # fmt: skip
def test_an_nhs_number_is_known_by_its_authority_or_type(spelling: str):
    assert number(pid(_3=f"{spelling}~700002^^^RXX^MR")) == "9990000018"


@pytest.mark.parametrize(
    "spelling",
    [
        "9990000018",
        "9990000018^^^RXX^MR",
        "9990000018^^^SIMULATOR MRN^MRN",
        "9990000018^^^NHS^MR",
        "9990000018^^^^PI",
    ],
)
def test_ten_digits_that_pass_the_check_are_a_hospital_number_unless_they_say_otherwise(spelling: str):
    person = message_of(pid(_3=spelling)).person
    assert person.nhs_number is None
    assert person.nhs_number_claimed is None
    assert person.local_id is not None
    assert person.local_id.value == "9990000018"
    NHSNumber.parse("9990000018", test_mode=True)  # it does pass


@pytest.mark.parametrize("sent", ["9990000019", "0000000000", "12345", "٩٩٩٠٠٠٠٠١٨", "nil"])
def test_a_wrong_nhs_number_is_reported_and_kept_only_as_a_claim(sent: str):
    raw = pid(_3=f"{sent}^^^NHS^NH~700002^^^RXX^MR")
    assert number(raw) is None
    assert message_of(raw).person.nhs_number_claimed == sent
    assert ("warning", "value", "PID-3.1") in issues(raw)


def test_two_different_nhs_numbers_are_a_question_and_no_answer():
    raw = pid(_3="9990000018^^^NHS^NH~9990000026^^^NHS^NH~700002^^^RXX^MR")
    assert number(raw) is None
    assert ("warning", "business-rule", "PID-3") in issues(raw)


def test_the_test_range_of_nhs_numbers_is_for_test_mode():
    raw = pid()
    assert issues(raw) == []
    assert any(issue[2].startswith("PID-3") for issue in issues(raw, test_mode=False))


@pytest.mark.parametrize(
    ("third", "second", "local_id"),
    [
        ("9990000018^^^NHS^NH~X1^^^RXX^XX~M1^^^RXX^MR", "", "M1"),
        ("9990000018^^^NHS^NH~X1^^^RXX^XX", "P2", "X1"),
        ("9990000018^^^NHS^NH", "P2", "P2"),
        ("", "P2^^^RXX^PI", "P2"),
        ("9990000018^^^NHS^NH~" + "x" * 65 + "^^^RXX^MR~X1", "", "X1"),
    ],
)
def test_the_local_id_is_the_medical_record_number(third: str, second: str, local_id: str):
    found = message_of(pid(_3=third, _2=second)).person.local_id
    assert found is not None
    assert found.value == local_id


def test_a_patient_without_a_local_id_is_taken_with_a_warning():
    raw = pid(_3="9990000018^^^NHS^NH")
    assert message_of(raw).person.local_id is None
    assert ("warning", "required", "PID-3") in issues(raw)


def test_names_addresses_and_telecoms_are_read_repetition_by_repetition():
    person = message_of(
        pid(
            _5="Okonkwo^Ngozi^Ada Mary^^Ms^^L~Eze^Ngozi^^^^^M~Ng^^^^^^N",
            _11="1 A St^^Townton^^ZZ99 3GZ^GBR^H~2 B St^^Cityham^^bad^GBR^BA",
            _14="01632 960002^WPN^PH~^NET^Internet^work@example.org",
        )
    ).person
    assert [(name.family, name.given, name.use) for name in person.names] == [
        ("Okonkwo", ("Ngozi", "Ada", "Mary"), "official"),
        ("Eze", ("Ngozi",), "maiden"),
        ("Ng", (), "nickname"),
    ]
    assert [
        (address.line, address.city, address.postcode and address.postcode.compact) for address in person.addresses
    ] == [
        ("1 A St", "Townton", "ZZ993GZ"),
        ("2 B St", "Cityham", None),
    ]
    assert person.phones == ("01632 960001", "01632 960002")
    assert person.emails == ("work@example.org",)


@pytest.mark.parametrize(
    ("sent", "phones", "emails"),
    [
        ("07700900123", ["07700900123"], []),
        ("07700 900123^PRN^CP", ["07700 900123"], []),
        ("07700900123^PRN^CP~^NET^Internet^a.b@example.org", ["07700900123"], ["a.b@example.org"]),
        ("07700900123^PRN^CP^a.b@example.org", ["07700900123"], ["a.b@example.org"]),
        ("a.b@example.org^NET^Internet", [], ["a.b@example.org"]),
        ("^PRN^CP^^44^7700^900123", ["447700900123"], []),
        ("^PRN^CP^^^7700^900123", ["07700900123"], []),
        ("^PRN^CP^^^07700^900123", ["07700900123"], []),
        ("^PRN^CP^^^^900123", ["900123"], []),
        ("^PRN^CP^^44", [], []),
        ("^PRN^CP^^^^^^^^^07700900123", ["07700900123"], []),
        ("07700900123^EMR^CP", [], []),
        ("01632 960009^WPN^FX", [], []),
        ("^NET^Internet^not given", [], []),
        ("o\\T\\b@example.org^NET^Internet", [], ["o&b@example.org"]),
        ('""', [], []),
    ],
)
def test_telephone_and_mailbox_are_read_from_the_shapes_trusts_send(sent: str, phones: list[str], emails: list[str]):
    person = message_of(pid(_13=sent, _14="")).person
    assert (list(person.phones), list(person.emails)) == (phones, emails)


def test_the_number_of_the_mobile_in_two_fields_is_one_number():
    assert message_of(pid(_13="07700900123^PRN^CP", _14="07700900123^WPN^PH")).person.phones == ("07700900123",)


@pytest.mark.parametrize("sent", ["196513121515", "00000000", "20991231", "18000101", "yesterday"])
def test_an_impossible_date_of_birth_is_left_out_with_a_warning(sent: str):
    raw = pid(_7=sent)
    assert message_of(raw).person.birth_date is None
    assert ("warning", "value", "PID-7") in issues(raw)


def test_a_year_of_birth_alone_is_no_birthday_but_gives_an_age_band():
    raw = pid(_7="1980")
    assert message_of(raw).person.birth_date is None
    assert only(raw, "demographics").birth_year == 1980


@pytest.mark.parametrize(
    ("sent", "sex"),
    [
        ("M", "male"),
        ("f", "female"),
        ("1", "male"),
        ("2", "female"),
        ("9", "other"),
        ("U", "unknown"),
        ("", None),
    ],
)
def test_gender_is_read_from_hl7_and_from_nhs_codes(sent: str, sex: str | None):
    assert message_of(pid(_8=sent)).person.sex == sex
    assert issues(pid(_8=sent)) == []


def test_slices_come_from_PID_and_the_practice_from_PD1():
    raw = message("ADT^A31", PID, "PD1|||SURGERY^^Y00001|G123^A^GP")
    assert only(raw, "demographics") == Demographics(
        on=date(2026, 7, 15),
        sex="female",
        birth_year=1980,
        ethnic_category="N",
        ethnic_system="2001",
        practice_ods="Y00001",
    )


@pytest.mark.parametrize(
    ("sent", "category"),
    [("R^Other - Chinese", "R"), ("99", "99"), ("z", "Z"), ("A1", "A"), ("British", None), ("", None)],
)
def test_the_ethnic_category_is_its_national_letter(sent: str, category: str | None):
    assert only(pid(_22=sent), "demographics").ethnic_category == category
    assert bool(issues(pid(_22=sent))) == (sent == "British")


@pytest.mark.parametrize("surgery", ["FAMILY PRACTICE^^12345", "SMITH^^SMITH", "^^9990000018"])
def test_a_practice_is_only_what_has_the_shape_of_a_practice_code(surgery: str):
    assert only(message("ADT^A31", PID, f"PD1|||{surgery}"), "demographics").practice_ods is None


@pytest.mark.parametrize(
    ("day", "indicator", "retracted"),
    [("20260710", "Y", False), ("20260710", "", False), ("", "Y", False), ("", "N", True)],
)
def test_a_death_is_told_and_can_be_taken_back(day: str, indicator: str, retracted: bool):
    (death,) = [fact for fact in message_of(pid(_29=day, _30=indicator)).facts if fact.body.type == "death"]
    assert (death.business_id, death.retracted) == ("death", retracted)
    assert death.body.on == date(2026, 7, 10 if day else 15)


def test_nothing_is_said_of_death_where_the_message_does_not():
    assert [fact.body.type for fact in message_of(pid()).facts] == ["demographics"]


@pytest.mark.parametrize(
    ("status", "noted"), [("01", False), ("NSTS01", False), ("", False), ("02", True), ("NSTS04", True)]
)
def test_an_unverified_nhs_number_is_noted_and_used(status: str, noted: bool):
    raw = pid(_32=status)
    assert any(issue.location == "PID-32" for issue in entry_of(raw).checked.issues) == noted
    assert number(raw) == "9990000018"
    assert verdict(raw) == "accepted"
