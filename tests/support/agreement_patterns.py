"""Agreement patterns drawn from made-up worlds: what a fit is given, with the truth known."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from random import Random

from linkage.compare import LEVELS, Levels
from linkage.counts import Counts

Shares = Mapping[str, Mapping[str, float]]  # how often each level of each field, among the pairs that tell it

NOTHING_TOLD = Levels(**{field: "no" if field == "crossed" else "missing" for field in LEVELS})

# Two records of one person; two strangers; two people of one household, as candidates of a block they share.
ONE_PERSON: Shares = {
    "given": {"exact": 0.92, "edit": 0.05, "none": 0.03},
    "family": {"exact": 0.93, "edit": 0.04, "none": 0.03},
    "birth_date": {"exact": 0.97, "edit": 0.02, "none": 0.01},
    "postcode": {"exact": 0.65, "edit": 0.05, "none": 0.30},
    "house": {"equal": 0.65, "none": 0.35},
    "sex": {"equal": 0.99, "none": 0.01},
}
STRANGERS: Shares = {
    "given": {"exact": 0.004, "edit": 0.006, "none": 0.99},
    "family": {"exact": 0.003, "edit": 0.004, "none": 0.993},
    "birth_date": {"exact": 0.0001, "edit": 0.001, "none": 0.9989},
    "postcode": {"exact": 0.0005, "edit": 0.003, "none": 0.9965},
    "house": {"equal": 0.02, "none": 0.98},
    "sex": {"equal": 0.5, "none": 0.5},
}
CHANCE_CANDIDATES: Shares = STRANGERS | {
    "birth_date": {"exact": 0.7, "edit": 0.1, "none": 0.2},
    "family": {"exact": 0.1, "edit": 0.02, "none": 0.88},
}
HOUSEHOLD: Shares = {
    "given": {"exact": 0.01, "edit": 0.02, "none": 0.97},
    "family": {"exact": 0.93, "edit": 0.02, "none": 0.05},
    "birth_date": {"exact": 0.01, "edit": 0.02, "none": 0.97},
    "postcode": {"exact": 0.99, "edit": 0.01},
    "house": {"equal": 0.99, "none": 0.01},
    "sex": {"equal": 0.45, "none": 0.55},
}


def drawn(
    shares: Shares, pairs: int, *, seed: int, label: str = "missing", known_share: float = 1.0
) -> Counter[Levels]:
    """`pairs` patterns, each field by itself; a field is known with chance `known_share`; the number says `label`."""
    chance, found = Random(seed), Counter[Levels]()
    for _ in range(pairs):
        levels = {
            field: chance.choices(list(of), list(of.values()))[0]
            for field, of in shares.items()
            if chance.random() < known_share
        }
        found[replace(NOTHING_TOLD, **levels, nhs_number=label)] += 1
    return found


def together(parts: Iterable[Counter[Levels]], *, random: Mapping[Levels, int], pairs_in_all: int) -> Counts:
    """Counts of several kinds of candidates."""
    candidates = Counter[Levels]()
    for part in parts:
        candidates.update(part)
    return Counts(dict(candidates), dict(random), pairs_in_all)


@cache
def strangers_world() -> Counts:
    """Candidates are one person's, or meet by chance; every pair is labelled."""
    return together(
        [
            drawn(ONE_PERSON, 2_000, seed=1, label="equal"),
            drawn(CHANCE_CANDIDATES, 6_000, seed=2, label="differ"),
        ],
        random=drawn(STRANGERS, 20_000, seed=3) + drawn(ONE_PERSON, 4, seed=8),
        pairs_in_all=10_000_000,
    )


@cache
def household_world() -> Counts:
    """Three in four candidates live together and few are one person: where a mixture finds households."""
    return together(
        [
            drawn(ONE_PERSON, 750, seed=4, label="equal"),
            drawn(HOUSEHOLD, 3_000, seed=5, label="differ"),
            drawn(CHANCE_CANDIDATES, 3_000, seed=6, label="differ"),
        ],
        random=drawn(STRANGERS, 10_000, seed=7) + drawn(ONE_PERSON, 1, seed=9),
        pairs_in_all=10_000_000,
    )
