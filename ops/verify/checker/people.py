"""Records put together here and apart in the oracle, and the other way round."""

from collections import defaultdict
from collections.abc import Mapping


def split_and_merged(here: Mapping[str, str], oracle: Mapping[str, str]) -> tuple[int, int]:
    """How many people of the oracle are several here, and how many people here are several in the oracle.

    Both map record to person. People's ids may differ; only who is together counts, and only records of both.
    """
    common = here.keys() & oracle.keys()
    found_here: dict[str, set[str]] = defaultdict(set)
    found_there: dict[str, set[str]] = defaultdict(set)
    for record in common:
        found_here[oracle[record]].add(here[record])
        found_there[here[record]].add(oracle[record])
    return _several(found_here), _several(found_there)


def _several(found: Mapping[str, set[str]]) -> int:
    return sum(len(people) > 1 for people in found.values())
