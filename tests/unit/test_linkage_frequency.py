"""How common a name is: from a public table, the same whoever bears it."""

import pytest

from linkage.frequency import _FORENAME_CLASS, _SURNAME_CLASS, CLASSES, forename_class, surname_class


@pytest.mark.parametrize(
    ("name", "surname", "forename"),
    [
        ("SMITH", "commonest", "rare"),
        ("PATEL", "common", "rare"),
        ("THOMAS", "commonest", "commonest"),
        ("FEATHERSTONEHAUGH", "rare", "rare"),
        ("SUSAN", "rare", "commonest"),
        ("MOHAMMED", "rare", "uncommon"),
        ("OBRIEN", "uncommon", "rare"),
        ("", "rare", "rare"),
    ],
)
def test_a_name_has_one_class_as_a_surname_and_one_as_a_forename(
    name: str, surname: str, forename: str
) -> None:
    assert (CLASSES[surname_class(name)], CLASSES[forename_class(name)]) == (surname, forename)


def test_the_tables_are_in_normal_form_and_fill_every_class() -> None:
    for table in (_SURNAME_CLASS, _FORENAME_CLASS):
        assert all(name.isascii() and name.isalpha() and name.isupper() for name in table)
        assert set(table.values()) == {0, 1, 2}
        sizes = [sum(rank == wanted for rank in table.values()) for wanted in range(3)]
        assert sizes == sorted(sizes)
        assert 300 < len(table) < 600
