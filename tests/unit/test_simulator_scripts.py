"""Some people's names have a script of their own, and one of their sources writes them in it."""

from collections import Counter
from functools import cache

from ops.lab.simulator import PersonTruth, default_rates, simulate
from ops.lab.simulator.scripts import SCRIPTS


@cache
def everyone() -> tuple[PersonTruth, ...]:
    return simulate(5, 600, rates=default_rates()).truth


def in_latin(person: PersonTruth) -> dict[str, set[bool]]:
    written: dict[str, set[bool]] = {}
    for record in person.records:
        identity = record.identity
        written.setdefault(record.source, set()).add((identity.surname + identity.forename).isascii())
    return written


def test_a_few_people_in_a_hundred_are_written_in_another_script_by_one_source_of_several() -> None:
    of_scripts = [written for person in everyone() if {False} in (written := in_latin(person)).values()]
    assert 0.01 <= len(of_scripts) / len(everyone()) <= 0.04
    for written in of_scripts:
        assert sum(False in letters for letters in written.values()) == 1
        assert len(written) > 1


def test_the_trust_the_council_and_the_practices_hub_each_write_some_names_in_their_script() -> None:
    sources = Counter(
        source for person in everyone() for source, letters in in_latin(person).items() if False in letters
    )
    assert set(sources) == {"gp-hub", "council-east", "trust-wm"}


def test_no_name_of_one_script_is_written_in_the_letters_of_another() -> None:
    first, last = (
        {"arabic": "\u0600", "cyrillic": "\u0400", "greek": "\u0370"},
        {
            "arabic": "\u06ff",
            "cyrillic": "\u04ff",
            "greek": "\u03ff",
        },
    )
    for name, script in SCRIPTS.items():
        for names in (script.surnames, *script.forenames.values()):
            assert all(latin.isascii() and latin.isalpha() for latin in names)
            assert all(first[name] <= letter <= last[name] for written in names.values() for letter in written)
