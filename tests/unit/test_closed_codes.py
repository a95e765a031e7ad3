"""One thing has one code: synonyms are one, definitions of ours can be named, categories fall into the census groups.

Sources: ONS, ethnic group classification 6a of the 2021 census (five groups, and not stated), and ethnic_group_tb_20b;
NHS Data Dictionary, ETHNIC CATEGORY (2001). Read November 2026.
"""

from pathlib import Path
from typing import get_args

import pytest

from schemas import codes
from schemas.facts import Attendance, Body, Comorbidity, RttStatus
from schemas.fhir.bodies import known_code
from schemas.sources import Source

HUB = Source("hub", "Y00001", "primary_care", "fhir_http", frozenset({"408289007"}))
ROOT = Path(__file__).resolve().parents[2]
# group -> what the census of 2021 counts in it, in each system
CENSUS_2021 = {
    "asian": {"2001": "H J K L R", "2021": "1 2 3 4 5", "dwmp": "Asian"},
    "black": {"2001": "M N P", "2021": "6 7 8", "dwmp": "Black"},
    "mixed": {"2001": "D E F G", "2021": "9 10 11 12", "dwmp": "Mixed"},
    "white": {"2001": "A B C", "2021": "13 14 15 16 17", "dwmp": "White"},
    "other": {"2001": "S", "2021": "18 19", "dwmp": "Other"},
}


def test_every_category_falls_into_its_group_of_the_2021_census() -> None:
    for group, systems in CENSUS_2021.items():
        for system, categories in systems.items():
            for category in categories.split():
                assert codes.ethnic_group_of(category, system) == group, (system, category)


def test_chinese_is_asian_in_2021_although_2001_counted_it_as_other() -> None:
    assert codes.ethnic_group_of("R", "2001") == codes.ethnic_group_of("2", "2021") == "asian"


@pytest.mark.parametrize(("category", "system"), [("Z", "2001"), ("99", "2001"), ("A1", "2021"), ("20", "2021")])
def test_what_says_no_group_has_none(category: str, system: str) -> None:
    assert codes.ethnic_group_of(category, system) is None


def test_a_category_without_its_system_is_one_of_2001() -> None:
    assert codes.ethnic_group_of("J", None) == "asian"


def test_every_category_that_a_fact_can_hold_has_a_group_or_says_none() -> None:
    without = {code for code in codes.ETHNIC_2001 if codes.ethnic_group_of(code, "2001") is None}
    assert without == {"Z", "99"}
    assert all(codes.ethnic_group_of(word, "dwmp") for word in codes.ETHNIC_DWMP)


@pytest.mark.parametrize(
    ("field", "code", "synonym"),
    [
        ("level", "1", "level-1"),
        ("level", "3", "level-3"),
        ("reason", "declined-by-person", "declined"),
        ("reason", "did-not-complete", "not-completed"),
        ("reason", "referred-on", "onward-referral"),
        ("reason", "returned-with-advice", "return-to-referrer-with-advice"),
    ],
)
def test_two_codes_for_one_thing_are_read_as_one(field: str, code: str, synonym: str) -> None:
    assert known_code(field, code, HUB) == known_code(field, synonym, HUB) == code


def test_no_list_holds_a_synonym_beside_its_code() -> None:
    lists = {"reason": codes.REASONS, "level": codes.TRIAGE_LEVELS}
    for field, synonyms in codes._SYNONYMS.items():
        assert not synonyms.keys() & lists[field]
        assert set(synonyms.values()) <= lists[field]


def test_who_declined_is_known_only_of_reasons_that_there_are() -> None:
    assert codes.DECLINED_BY.keys() <= codes.REASONS


def test_a_source_can_name_every_definition_of_ours() -> None:
    files = sorted((ROOT / "schemas/definitions").glob("*.toml"))
    names = [f"{stem}/{version}" for stem, _, version in (file.stem.rpartition("-") for file in files)]
    assert len(names) > 5
    assert [name for name in names if codes.definition(name) is None] == []


@pytest.mark.parametrize("text", ["nice-smith/1", "nice/1", "nice-bmi/1", "david-nice/1"])
def test_a_surname_in_a_definition_is_none(text: str) -> None:
    assert codes.definition(text) is None


def test_the_lists_of_codes_are_those_of_the_facts() -> None:
    def words(kind: type[Body], field: str) -> set[str]:
        annotation = kind.model_fields[field].annotation
        return {
            word for part in (annotation, *get_args(annotation)) for word in get_args(part) if isinstance(word, str)
        }

    assert words(Attendance, "medium") == codes.MEDIUMS
    assert words(Attendance, "purpose") == codes.PURPOSES
    assert words(RttStatus, "status") == codes.RTT_STATUSES
    assert words(Comorbidity, "condition") == codes.COMORBIDITY_CODE.keys()
