"""Every rule is held by a journey: break the rule, and the journey that is about it comes out wrong.

The mutants stand in `journeys/mutants.toml`. Each quotes the words of the definition that it breaks; a sentence of a
definition that no mutant breaks fails here, unless the table says why no program can break it.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from journey_files import FOLDER, JourneyFile, read
from mutants import FOLD, PACKAGE, Mutant, complaints, fold_with, found_by, mutants, not_yet, stated
from pathway_journeys import DEFINITIONS

from schemas.definitions import LOSS_LAST, LOSS_NEAREST, PATHWAY_DEFINITIONS
from streams.steps import pathway_fold
from streams.steps.pathway_fold import clocks, fold

MUTANTS_LEAST = 60
CONTROL = Mutant(
    definition="waits/2", says="Whole days", wrong="A wait has one day more", file="clocks.py",
    old="return (end - start).days", new="return (end - start).days + 1", journey="66-all-nine-waits",
)  # fmt: skip


def journey_of(name: str) -> JourneyFile:
    return read((FOLDER / f"{name}.txt").read_text(encoding="utf-8"), name)


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: f"{mutant.definition} {mutant.wrong}")
def test_the_journey_comes_out_wrong_when_its_rule_is_broken(mutant: Mutant) -> None:
    assert found_by(mutant, journey_of(mutant.journey)), f"{mutant.journey} does not see it"


def test_the_same_journeys_come_out_right_when_the_fold_is_loaded_the_same_way_unchanged() -> None:
    with fold_with(f"{PACKAGE}.current_facts", (FOLD / "current_facts.py").read_text(encoding="utf-8")):
        assert sys.modules.get(f"{PACKAGE}.fold") is not fold
        for name in sorted({mutant.journey for mutant in mutants()}):
            assert complaints(journey_of(name), DEFINITIONS) == [], name


@pytest.mark.parametrize("definition", PATHWAY_DEFINITIONS)
def test_every_sentence_of_a_definition_is_broken_by_a_mutant(definition: str) -> None:
    text = DEFINITIONS.by_name[definition].text
    broken = [row.says for row in [*mutants(), *stated()] if row.definition == definition]
    if definition == LOSS_LAST:  # most of its sentences are those of the other rule, word for word, and one program
        broken += [row.says for row in mutants() if row.definition == LOSS_NEAREST and row.says in one_line(text)]
    known = [sentence for name, sentence in not_yet() if name == definition]
    assert sorted(not_quoted(text, broken)) == sorted(known)


def not_quoted(text: str, quotes: list[str]) -> Iterator[str]:
    """The sentences, and parts of one between semicolons, in which no quote lies. Each quote occurs in the text."""
    whole, places = one_line(text), set[int]()
    for quote in map(one_line, quotes):
        assert quote in whole, f"these words do not stand in it: {quote}"
        places |= {place for found in re.finditer(re.escape(quote), whole) for place in range(*found.span())}
    start = 0
    for end in [*(match.end() for match in re.finditer(r"[.;](?= )", whole)), len(whole)]:
        if not places & set(range(start, end)):
            yield whole[start:end].strip()
        start = end


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_there_are_enough_mutants_and_no_two_are_the_same() -> None:
    changes = [(mutant.file, mutant.old, mutant.new, mutant.definition) for mutant in mutants()]
    assert len(changes) >= MUTANTS_LEAST
    assert len(set(changes)) == len(changes)


def test_a_sentence_that_nobody_breaks_is_seen() -> None:
    assert list(not_quoted("One is so. Two is so; three\nis not.", ["Two is", "three is"])) == ["One is so."]
    with pytest.raises(AssertionError, match="do not stand in it"):
        list(not_quoted("One is so.", ["Two is"]))


@pytest.mark.parametrize(("old", "times"), [("no such text", 0), ("return", 1 + 1)])
def test_a_mutant_whose_text_does_not_occur_once_is_loud(old: str, times: int) -> None:
    stale = replace(CONTROL, old=old)
    with pytest.raises(AssertionError, match=r"clocks\.py: the text to replace occurs \d+ times") as failure:
        found_by(stale, journey_of(stale.journey))
    assert times or "occurs 0 times" in str(failure.value)


def test_afterwards_every_module_is_the_one_it_was() -> None:
    before, attributes, finders = dict(sys.modules), dict(vars(pathway_fold)), list(sys.meta_path)
    assert found_by(CONTROL, journey_of(CONTROL.journey))
    assert {name for name, module in before.items() if sys.modules.get(name) is not module} == set()
    assert {name for name in sys.modules.keys() - before.keys() if name.startswith(PACKAGE)} == set()
    assert vars(pathway_fold) == attributes
    assert sys.meta_path == finders
    assert sys.modules[f"{PACKAGE}.clocks"] is clocks
    assert complaints(journey_of(CONTROL.journey), DEFINITIONS) == []
