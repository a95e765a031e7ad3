"""Whether a new model may take the place of the old: no group of people may be linked worse for the sake of the
others (linkage design §4.7).
"""

from fractions import Fraction
from itertools import combinations
from math import ceil, sqrt
from statistics import NormalDist

from linkage.subgroups import Z_95, Group, PairTally, SubgroupReport, large, to_five, wilson

LOSS_MAX = Fraction(5, 1000)  # half a point of recall
GAP_MAX = Fraction(1, 100)  # one point of recall
CHANCE = 0.05  # of refusing a model for a gap although no two groups differ by more than GAP_MAX


def refuse(old: SubgroupReport | None, new: SubgroupReport) -> list[str]:
    """Why the new model may not take the place of the old; [] when it may. One sentence a reason, by group.

    Refused, for any group of GATED_MIN or more pairs of one person, when
    - its recall is lower than under the old model by more than half a point, or
    - its recall under the new model lies more than one point below another such group of its dimension, by more
      than chance explains and whatever the gap was before.
    Exactly half a point, or exactly one, is let through.

    A loss is counted on the same pairs under both models: these very pairs are lost, and half a point is half a
    point. A gap is between different people. With equal recall of 98.5 %, two groups of 400 differ by more than
    one point in a fifth of all drawings, and the best and the worst of five such groups in two thirds. So from
    each gap what chance may make of it is taken, down to the lower limit of `recall_difference`, and more than
    one point must be left. The limit is such that with all pairs of groups compared, in all dimensions, CHANCE
    is how often a model would be refused though no two groups differ by more than a point (Bonferroni). Where
    chance makes less than a point, the gap itself decides: at that recall two groups alone from some 1,500 pairs
    each, with fifty pairs of groups compared from some 4,500.

    Both reports must be of the same pairs: otherwise that is the only reason given. `old` is None where no model
    is in use: then only gaps count.
    """
    other = _measured_otherwise(old, new) if old else []
    if other:
        return [f"{_said(group)}: not measured on the same pairs under both models" for group in other]
    reasons = []
    judged, z = large(new), z_of_gaps(new)
    for groups in judged.values():
        for group, tally in groups:
            if old and (lost := _lost(old.tallies[group], tally)):
                reasons.append(f"{_said(group)}: {lost}")
            if behind := _behind(tally, [entry for entry in groups if entry[0] != group], z):
                reasons.append(f"{_said(group)}: {behind}")
    return reasons


def recall_difference(a: PairTally, b: PairTally, *, z: float = Z_95) -> tuple[float, float]:
    """The interval of the recall of `a` less that of `b`, from the Wilson intervals of both: with shares p and q
    and limits l to u, p - q - √((p - l_p)² + (u_q - q)²) to p - q + √((u_p - p)² + (q - l_q)²).

    Source: R. G. Newcombe, Statistics in Medicine 1998, 17:873, method 10. It takes the two for samples of
    different people: where groups overlap, as two sources of one pair do, what they share cannot differ, and the
    interval is wider than it need be.
    """
    p, q = (float(tally.recall or 0) for tally in (a, b))
    (p_low, p_high), (q_low, q_high) = (wilson(tally.found, tally.matches, z=z) for tally in (a, b))
    return p - q - sqrt((p - p_low) ** 2 + (q_high - q) ** 2), p - q + sqrt((p_high - p) ** 2 + (q - q_low) ** 2)


def z_of_gaps(of: SubgroupReport) -> float:
    """How many standard errors are taken for chance, where so many pairs of groups are compared:
    1.96 for one pair, 3.29 for fifty.
    """
    compared = sum(1 for groups in large(of).values() for _ in combinations(groups, 2))
    return NormalDist().inv_cdf(1 - CHANCE / 2 / max(1, compared))


def _behind(tally: PairTally, others: list[tuple[Group, PairTally]], z: float) -> str:
    """The farthest ahead of the others by more than a point and more than chance, in words; "" where none is."""
    recall, found = Fraction(tally.found, tally.matches), list[tuple[Fraction, float, Group]]()
    for group, other in others:
        gap = Fraction(other.found, other.matches) - recall
        low, _ = recall_difference(other, tally, z=z)
        by_chance = float(gap) - low
        if gap > GAP_MAX and (low > GAP_MAX or by_chance < GAP_MAX):
            found.append((gap, by_chance, group))
    if not found:
        return ""
    gap, by_chance, group = max(found)
    return (
        f"recall {_percent(recall)} would be {_points(gap)} below {_said(group)} ({_percent(recall + gap)}), of which "
        f"chance may explain {100 * by_chance:.2f}; no group may be more than {_points(GAP_MAX)} behind"
    )


def _lost(old: PairTally, new: PairTally) -> str:
    """What of recall would be lost, said in full; "" where it may be."""
    lost = Fraction(old.found - new.found, new.matches)
    if lost <= LOSS_MAX:
        return ""
    return (
        f"recall would fall from {_percent(Fraction(old.found, old.matches))} to "
        f"{_percent(Fraction(new.found, new.matches))}, by {_points(lost)} (of about {to_five(new.matches):,} "
        f"pairs); no group may lose more than {_points(LOSS_MAX)}"
    )


def _measured_otherwise(old: SubgroupReport, new: SubgroupReport) -> list[Group]:
    sizes = ({group: (tally.matches, tally.others) for group, tally in of.tallies.items()} for of in (old, new))
    return sorted({group for group, _ in set.symmetric_difference(*(set(size.items()) for size in sizes))})


def _said(group: Group) -> str:
    return " ".join(group)


def _percent(share: Fraction) -> str:
    return f"{float(100 * share):.2f} %"


def _points(share: Fraction) -> str:
    """To two places, upwards: what is over a limit never reads as the limit."""
    return f"{ceil(10_000 * share) / 100:.2f} points"
