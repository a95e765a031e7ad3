"""Whether a name is common: from a public table, the same whoever bears it."""

import pytest

from linkage.frequency import _COMMON_FORENAMES, _COMMON_SURNAMES, CLASSES, forename_class, surname_class


@pytest.mark.parametrize(
    ("name", "surname", "forename"),
    [
        ("SMITH", "common", "unlisted"),
        ("PATEL", "common", "unlisted"),
        ("THOMAS", "common", "common"),
        ("FEATHERSTONEHAUGH", "unlisted", "unlisted"),
        ("SUSAN", "unlisted", "common"),
        ("MOHAMMED", "unlisted", "common"),
        ("OBRIEN", "common", "unlisted"),
        ("", "unlisted", "unlisted"),
    ],
)
def test_a_name_has_one_class_as_a_surname_and_one_as_a_forename(name: str, surname: str, forename: str) -> None:
    assert (CLASSES[surname_class(name)], CLASSES[forename_class(name)]) == (surname, forename)


def test_the_tables_are_in_normal_form() -> None:
    for table, names in ((_COMMON_SURNAMES, 500), (_COMMON_FORENAMES, 364)):
        assert all(name.isascii() and name.isalpha() and name.isupper() for name in table)
        assert len(table) == names
