"""Records that fit two people about equally well: whose they are would be the toss of a coin.

Two others are two people where their numbers conflict, or where they are not linked and differ in what lasts a
lifetime: the forename or the birth date. A record that tells no forename fits either twin, and so does the initial of
both; one that tells any is no toss of a coin: its weight with each says which. Source: linkage design §4.3.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations

from linkage.decide import ScoredPair
from linkage.levels import UNRELATED_BIRTH
from linkage.members import Numbers, Pair, conflict, pair_of

_DIFFER = {"given": ("none",), "birth_date": UNRELATED_BIRTH}
_SILENT = ("missing", "initial")  # levels that do not tell which of two it is
Fits = Mapping[str, Mapping[str, int]]  # by record: the others it fits, with the bits


def ambiguous(
    links: Mapping[Pair, int],
    pairs: Mapping[Pair, ScoredPair],
    numbers: Mapping[str, Numbers],
    *,
    margin: int,
) -> list[Pair]:
    """The links of records that fit two people within `margin` milli-bits, but for those that are surer than
    either by the margin. `links` are in milli-bits; `pairs` all that is known; `numbers` those every record is
    known by, of records that have any.
    """
    fits: dict[str, dict[str, int]] = defaultdict(dict)
    for (a, b), bits in links.items():
        fits[a][b] = fits[b][a] = bits
    unsure: dict[str, int] = {}
    for record, first, second in (*_of_two_numbers(fits, numbers), *_of_two_lives(fits, pairs)):
        mine = fits[record]
        if abs(mine[first] - mine[second]) < margin:
            unsure[record] = max(unsure.get(record, 0), mine[first] + margin, mine[second] + margin)
    return [pair for pair, bits in links.items() if any(bits < unsure.get(record, bits) for record in pair)]


def _of_two_numbers(fits: Fits, numbers: Mapping[str, Numbers]) -> Iterator[tuple[str, str, str]]:
    """A record without a number, and two it fits whose numbers conflict."""
    if len(set(numbers.values())) < 2:
        return
    for record, others in fits.items():
        if record in numbers:
            continue
        numbered = [second for second in others if second in numbers]
        if len({numbers[second] for second in numbered}) < 2:
            continue  # none differs: the common case, and with 100 records 5,000 comparisons each
        for first, second in combinations(numbered, 2):
            if conflict(numbers[first], numbers[second]):
                yield record, first, second


def _of_two_lives(fits: Fits, pairs: Mapping[Pair, ScoredPair]) -> Iterator[tuple[str, str, str]]:
    """A record, and two it fits that are not linked and differ in what lasts, of which it says nothing."""
    for (first, second), judged in pairs.items():
        if judged.is_link:
            continue
        differing = [field for field, levels in _DIFFER.items() if _level(judged, field) in levels]
        if not differing:
            continue
        for record in fits.get(first, {}).keys() & fits.get(second, {}).keys():
            beside = [pairs[pair_of(record, each)] for each in (first, second)]
            if all(_level(each, field) in _SILENT for field in differing for each in beside):
                yield record, first, second


def _level(judged: ScoredPair, field: str) -> str:
    level: str = getattr(judged.score.levels, field)
    return level
