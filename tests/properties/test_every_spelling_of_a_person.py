"""Who a message is about, in every spelling of HL7 that can say it, is read back as who was meant.

The tables are written from HL7, from the NHS Data Dictionary and from what spreadsheets do to numbers.
"""

from datetime import date

import pytest
from hl7_messages import PV1, clinical, message, message_of, with_field
from spellings import ETHNIC_CATEGORIES, NHS_NUMBER, NHS_SPELLINGS

from connectors.sources.tier3_hl7v2 import local_codes
from schemas import codes
from schemas.facts import Demographics
from schemas.identity import LocalId

# HL7 table 0001, PERSON STATED GENDER CODE of the NHS Data Dictionary, and the words.
SEXES = {
    "male": "M m 1 Male MALE man boy", "female": "F f 2 Female woman girl",
    "other": "O A 9 other ambiguous Indeterminate", "unknown": "U X 0 unknown",
}  # fmt: skip
PID_FIELDS = "PID|1||700002^^^RXX^MR||Okonkwo^Ngozi||19800229|F"


def demographics(pid: str, *more: str) -> Demographics:
    """The demographics of a message about this patient."""
    (body,) = (fact.body for fact in message_of(message("ADT^A31", pid, *more, PV1)).facts if fact.body.type != "death")
    assert isinstance(body, Demographics)
    return body


def plain_person(**fields: object) -> Demographics:
    """The demographics of PID_FIELDS with these instead."""
    return Demographics(**({"on": date(2026, 7, 15), "sex": "female", "birth_year": 1980} | fields))


def test_hl7_every_word_for_the_sex() -> None:
    for sex, words in SEXES.items():
        for word in (*words.split(), *{"other": ["not specified"], "unknown": ["Not Known"]}.get(sex, [])):
            assert demographics(with_field(PID_FIELDS, 8, word)) == plain_person(sex=sex), word


def test_hl7_every_ethnic_category_by_code_and_by_its_national_description() -> None:
    for code, words in ETHNIC_CATEGORIES.items():
        for text in (code, code.lower(), f"{code}^{words}", words, words.upper(), words.replace(" - ", ": ")):
            meant = plain_person(ethnic_category=code, ethnic_system="2001")
            assert demographics(with_field(PID_FIELDS, 22, text)) == meant, text
    local = demographics(with_field(PID_FIELDS, 22, "A1"))  # a local second character
    assert local == plain_person(ethnic_category="A", ethnic_system="2001")


@pytest.mark.parametrize("text", ["19800229", "19800229000000", "198002292359", "19800229000000+0100", "19800229^D"])
def test_hl7_every_form_of_a_birth_date(text: str) -> None:
    raw = message("ADT^A31", with_field(PID_FIELDS, 7, text), PV1)
    assert message_of(raw).person.birth_date == date(1980, 2, 29)
    assert demographics(with_field(PID_FIELDS, 7, text)) == plain_person()


@pytest.mark.parametrize("text", ["1980", "198002", "19800200"])
def test_hl7_a_year_of_birth_alone(text: str) -> None:
    assert demographics(with_field(PID_FIELDS, 7, text)) == plain_person(birth_year=1980)


@pytest.mark.parametrize("pd1", ["PD1|||SURGERY^^Y00001", "PD1|||Y00001", "PD1|||X^^^^^^^^^Y00001", "PD1||||Y00001^DR"])
def test_hl7_every_place_of_the_practice(pd1: str) -> None:
    assert demographics(PID_FIELDS, pd1) == plain_person(practice_ods="Y00001")


def test_hl7_a_death_by_day_by_word_and_taken_back() -> None:
    def death(day: str, word: str) -> tuple[date, bool]:
        raw = message("ADT^A31", with_field(with_field(PID_FIELDS, 29, day), 30, word), PV1)
        (fact,) = clinical(raw)
        return fact.body.on, fact.retracted

    for word in ("Y", "y", "Yes", "TRUE", "1", ""):
        assert death("20260701", word) == (date(2026, 7, 1), False)
        assert death("20260701231500", word) == (date(2026, 7, 1), False)
        assert not word or death("", word) == (date(2026, 7, 15), False)
    for month in ("2026", "202606", "20260600"):  # on or before the day of the message
        assert death(month, "") == (date(2026, 7, 15), False)
    for word in ("N", "No", "FALSE", "0"):
        assert death("", word) == (date(2026, 7, 15), True)


@pytest.mark.parametrize("text", NHS_SPELLINGS, ids=ascii)
def test_hl7_every_spelling_of_an_nhs_number_under_every_name_of_its_issuer(text: str) -> None:
    issuers = ["^^^NHS", "^^^NHS^NH", "^^^NHSNBR^NHSNMBR", "^^^NHSNMBR", "^^^&2.16.840.1.113883.2.1.4.1&ISO"]
    issuers += [f"^^^NHS^{kind}" for kind in ("HN", "NI", "NNGBR", "PI", "MR", "PRN", "SS")]
    issuers += ["^^^^NH", "^^^^NHS", "^^^https://fhir.nhs.uk/Id/nhs-number", "^^^NHS&2.16.840.1.113883.2.1.4.1&ISO^NH"]
    for issuer in issuers:
        for ids in (f"{text}{issuer}~700002^^^RXX^MR", f"700002^^^RXX^MR~{text}{issuer}"):
            person = message_of(message("ADT^A31", with_field(PID_FIELDS, 3, ids), PV1)).person
            assert person.nhs_number is not None, issuer
            assert (person.nhs_number.digits, person.local_id) == (NHS_NUMBER, LocalId("700002", "RXX")), issuer


def test_the_tables_hold_every_word_that_the_reader_knows() -> None:
    assert set(ETHNIC_CATEGORIES) == codes.ETHNIC_2001
    known = {word.upper() for words in SEXES.values() for word in words.split()}
    assert set(local_codes.GENDER) <= known
    assert {word.upper() for word in local_codes.SEX_WORDS} <= known | {"NOT SPECIFIED", "NOT KNOWN"}
