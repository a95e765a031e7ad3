"""Which levels of a field share one weight.

Levels that few pairs showed share a neighbour's weight, and so do levels whose weights fall against the order of
LEVELS: closer agreement never weighs less. Both are isotonic regression by pooling adjacent violators.
"""

from collections.abc import Callable, Mapping

from linkage.compare import LEVELS

Group = tuple[str, ...]


def weighing_most_first(field: str) -> Group:
    """The levels of a field that can weigh anything, the one expected to weigh most first: closest agreement, and
    rarest name.
    """
    told = tuple(level for level in LEVELS[field] if level != "missing")
    return told[::-1] if field.endswith("_frequency") else told


def scarce_together(field: str, pairs: Mapping[str, int], *, at_least: int) -> list[Group]:
    """The levels in weighing order, each with the next ones until the group holds `at_least` pairs; what is left
    over joins the last group. So a level nobody showed weighs as the next farther one: the careful side.
    """
    groups: list[Group] = []
    gathering: Group = ()
    for level in weighing_most_first(field):
        gathering = (*gathering, level)
        if sum(pairs.get(each, 0) for each in gathering) >= at_least:
            groups, gathering = [*groups, gathering], ()
    if not groups:
        return [gathering]
    return [*groups[:-1], groups[-1] + gathering]


def never_rising(groups: list[Group], weight_of: Callable[[Group], float]) -> list[Group]:
    """The groups, neighbours pooled until no group weighs more than the one before it. `weight_of` tells the weight
    of a group and of groups pooled.
    """
    kept: list[Group] = []
    for group in groups:
        kept.append(group)
        while len(kept) > 1 and weight_of(kept[-1]) > weight_of(kept[-2]):
            last = kept.pop()
            kept[-1] = kept[-1] + last
    return kept
