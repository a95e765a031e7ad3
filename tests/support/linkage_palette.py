"""A palette of awkward identities: three related people (a woman, her twin, a namesake) and the ways they get
recorded: number shared, missing or wrong, one household, married, moved, nearly nothing said.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import linkage
from linkage.members import Member
from linkage.model import Model, parse
from linkage.normalise import Identity, Name, normalise
from linkage.tokens import EncodedIdentity, TokenKeys, encode

NUMBERS = ("9434765919", "9434765870", "4010232137")
Recipe = tuple[int, int, str | None]  # tier, number in the palette, merged into


@cache
def model() -> Model:
    """The first packaged model."""
    return parse((Path(linkage.__file__).parent / "models" / "shipped.json").read_text())


@cache
def palette() -> tuple[EncodedIdentity | None, ...]:
    """None, and the ways in which three related people get recorded."""
    ann = Identity(
        NUMBERS[0],
        names=(Name(("Ann",), "Hall"),),
        birth_date="1971-05-24",
        sex="female",
        postcodes=("LS1 4AP",),
        houses=("12 High St",),
        phones=("07700900123",),
    )
    twin = replace(ann, nhs_number=NUMBERS[1], names=(Name(("Sue",), "Hall"),), phones=())
    namesake = replace(ann, nhs_number=NUMBERS[2], birth_date="1996-02-03", phones=())
    people = (ann, twin, namesake)
    ways = [
        *people,
        *(replace(person, nhs_number=None) for person in people),
        *(replace(person, nhs_number=None, phones=(), birth_date=None) for person in people),
        *(replace(person, postcodes=("BD9 9ZZ",), houses=("4",), nhs_number=None, phones=()) for person in people),
        replace(ann, names=(Name(("Ann",), "Byron"), Name(("Ann",), "Hall", "maiden")), nhs_number=None),
        replace(ann, names=(Name(("Hall",), "Ann"),), nhs_number=None),
        replace(ann, names=(Name(("Anne",), "Hal"),), nhs_number=None, nhs_number_claimed="9434765918"),
        replace(twin, nhs_number=NUMBERS[0]),
        replace(namesake, nhs_number=NUMBERS[0], names=(Name(("Tom",), "Reed"),)),
        replace(ann, nhs_number=NUMBERS[1], phones=("07700900999",)),
        replace(ann, nhs_number=None, names=(Name(("A",), "Hall"),), phones=()),
        replace(ann, nhs_number=None, birth_date="1971-05-25", postcodes=("BD9 9ZZ",), houses=("4",), phones=()),
        Identity(NUMBERS[0]),
        Identity(None, names=(Name((), "Hall"),), postcodes=("LS1 4AP",), birth_date="1971-05-24"),
        Identity(None, phones=("07700900123",)),
        replace(ann, nhs_number=NUMBERS[1], former_numbers=(NUMBERS[0],), phones=()),
        replace(namesake, former_numbers=(NUMBERS[1],)),
    ]
    keys = TokenKeys.from_bytes(b"t" * 32, epoch=1)
    return (None, *(encode(normalise(way), keys=keys) for way in ways))


def member(recipe: Recipe) -> Member:
    """The record of a recipe. Those of tier 3 come from a source that promises one record a person."""
    tier, number, merged_into = recipe
    return Member(
        tier,
        palette()[number % len(palette())],
        merged_into,
        source=f"source-{tier}",
        unique_ids=tier == 3,
    )
