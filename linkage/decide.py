"""What to do with one pair: link it, show it to a person, or leave it apart, and by which rule.

Weights alone decide most pairs. The rules below say where they may not: each exists because a plausible score
has joined two people. Source: linkage design §4.3. Rules on whole clusters (V1 between any members, V6) are
in linkage.cluster.
"""

from dataclasses import dataclass
from enum import Enum

from linkage.compare import Levels
from linkage.weights import UNRELATED_BIRTH, Model, Score


class Band(Enum):
    """What is done with a pair."""

    AUTO = "auto"
    REVIEW = "review"
    APART = "apart"


class Rule(Enum):
    """Reason codes. They are published: a code keeps its meaning for ever."""

    NUMBERS_DIFFER = "V1"  # two different valid NHS numbers: cannot be linked, by any path
    CONFUSION = (
        "V2"  # one NHS number, but birth date and a name are unrelated: two people may share the number
    )
    TWIN = "V3"  # one household, one birth date, another forename
    FATHER_SON = "V4"  # one household, one forename, another birth date
    UNSURE = "unsure"  # the weight lies between review and link
    GIANT = "V6"  # the pair stands in a component so large that only surer pairs count
    DUPLICATE_NUMBER = "possible-duplicate-number"  # V1, though all else says one person
    AMBIGUOUS = "ambiguous"  # fits two people who are not one, about equally well
    POOLED = "pooled"  # fits one member of a cluster, but the members together say no
    MUST_LINK = "merge"  # the source itself merged the two records
    NO_IDENTITY = "no-usable-identity"  # nothing any other record could be compared on


@dataclass(frozen=True, slots=True)
class Verdict:
    """The band of one pair and the rules that moved it there; no rule when the weights alone did."""

    band: Band
    rules: tuple[Rule, ...] = ()


def judge(model: Model, score: Score) -> Verdict:
    """The verdict on one pair by itself. V1 outranks V2, V2 is never below review, V3 and V4 never let a pair
    above it.

    V3 gives way to one NHS number on both unless their sex differs: twins share it far less often than one
    person is known by another forename.
    """
    at = score.levels
    if at.nhs_number == "differ":
        otherwise = score.bits - model.weights["nhs_number"]["differ"]
        doubt = (Rule.DUPLICATE_NUMBER,) if otherwise >= model.link and not _guards(score) else ()
        return Verdict(Band.APART, (Rule.NUMBERS_DIFFER, *doubt))
    if at.nhs_number == "equal" and _another_person(at):
        return Verdict(Band.REVIEW, (Rule.CONFUSION,))
    if score.bits < model.review:
        return Verdict(Band.APART)
    guards = _guards(score)
    if guards:
        return Verdict(Band.REVIEW, guards)
    return Verdict(Band.AUTO) if score.bits >= model.link else Verdict(Band.REVIEW, (Rule.UNSURE,))


_SAME_GIVEN = ("exact", "nickname", "edit", "sounds_begins")


def _another_person(at: Levels) -> bool:
    """What is left when the number is set aside speaks of someone else: most often one of the household."""
    if at.birth_date in UNRELATED_BIRTH:
        return at.given not in _SAME_GIVEN or at.family == "none"
    return at.birth_date == "missing" and at.given == "none"


def _guards(score: Score) -> tuple[Rule, ...]:
    at = score.levels
    if "father_son" in score.interactions:
        return (Rule.FATHER_SON,)
    one_number = at.nhs_number == "equal" and at.sex != "none"
    return (Rule.TWIN,) if "twin" in score.interactions and not one_number else ()
