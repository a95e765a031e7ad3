"""What the usual blocks bring together of a simulated county, and what strangers a record would meet in them among a
million others (decision 0014).
"""

from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations

from linkage.blocks import FULL_DATE, block_texts
from linkage.normalise import NormalisedIdentity, normalise
from linkage.spelling import surname_sounds
from ops.lab.bench.linkage_world import LinkageWorld, WorldRecord

PEOPLE = 6_000
MILLION = 1_000_000
Blocks = Callable[[NormalisedIdentity], Iterable[str]]


@cache
def county() -> tuple[tuple[WorldRecord, NormalisedIdentity], ...]:
    return tuple((record, normalise(record.identity)) for record in LinkageWorld.of(PEOPLE, seed=3).records)


def met(blocks: Blocks) -> set[tuple[int, int]]:
    """The pairs of records that share a block."""
    standing: dict[str, list[int]] = {}
    for number, (_, identity) in enumerate(county()):
        for text in blocks(identity):
            standing.setdefault(text, []).append(number)
    return {pair for numbers in standing.values() for pair in combinations(numbers, 2)}


def strangers_among_a_million(blocks: Blocks) -> float:
    """How many records of other people, of another home, a new record would meet: their number grows with that of
    records, as that of the people at home does not.
    """
    value = county()
    strangers = [
        (a, b)
        for a, b in met(blocks)
        if value[a][0].person != value[b][0].person and set(value[a][1].postcodes).isdisjoint(value[b][1].postcodes)
    ]
    return 2 * len(strangers) / len(value) * MILLION / len(value)


def test_records_of_one_person_meet() -> None:
    records_of: dict[str, list[int]] = {}
    for number, (record, _) in enumerate(county()):
        records_of.setdefault(record.person, []).append(number)
    pairs = {pair for numbers in records_of.values() for pair in combinations(numbers, 2)}
    assert len(pairs) > 7_000
    assert len(pairs - met(block_texts)) <= len(pairs) * 0.002


def test_a_record_meets_less_than_one_stranger_among_a_million() -> None:
    assert strangers_among_a_million(block_texts) < 1


def test_a_block_on_birth_date_and_surname_alone_would_bring_more() -> None:
    """The negative control."""

    def with_surnames(identity: NormalisedIdentity) -> list[str]:
        dated = len(identity.birth_date or "") == FULL_DATE
        alone = [f"birth/{identity.birth_date}/{sound}" for sound in surname_sounds(identity.names)] if dated else []
        return [*block_texts(identity), *alone]

    assert strangers_among_a_million(with_surnames) > 1
