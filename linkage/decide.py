"""What to do with one pair: link it, show it to a person, or leave it apart, and by which rule.

Weights alone decide most pairs. The rules below say where they may not: each exists because a plausible score
has joined two people. Source: linkage design §4.3. Rules on whole clusters (V1 between any members, V6) are
in linkage.cluster.
"""

from dataclasses import dataclass, field, replace
from enum import Enum

from linkage.compare import Levels
from linkage.levels import UNRELATED_BIRTH
from linkage.model import Model, Score, weigh


class Band(Enum):
    """What is done with a pair."""

    AUTO = "auto"
    REVIEW = "review"
    APART = "apart"


class Rule(Enum):
    """Reason codes. They are published: a code keeps its meaning for ever."""

    NUMBERS_DIFFER = "V1"  # two different valid NHS numbers: cannot be linked, by any path
    CONFUSION = "V2"  # one NHS number, but the rest, or a third record, says that it may be somebody else's on one
    TWIN = "V3"  # one household, one birth date, another forename
    FATHER_SON = "V4"  # one household, one forename, another birth date
    UNSURE = "unsure"  # the weight lies between review and link
    GIANT = "V6"  # the pair stands in a component so large that only surer pairs count
    DUPLICATE_NUMBER = "possible-duplicate-number"  # V1, though all else says one person
    AMBIGUOUS = "ambiguous"  # fits two people who are not one, about equally well
    POOLED = "pooled"  # fits one member of a cluster, but the members together say no
    MUST_LINK = "merge"  # the source itself merged the two records
    DECIDED_LINK = "V5-link"  # a steward decided: one person; outranks V1 and every weight
    DECIDED_APART = "V5-apart"  # a steward decided: two people; outranks everything, by any path
    CONTRADICTION = "V5-contradiction"  # a steward or a source joins what a steward's other words keep apart
    WAITING = "V5-waiting"  # a steward decided about a record that is not there
    SUPERSEDED = "superseded-number"  # the two numbers differ, and are known to be one person's
    ONE_ID_EACH = "V7"  # their one source promises one record for each person, and the rest does not outweigh it
    NAMESAKES = "V8"  # a name and birth date that many share, or half of them, and nothing else that agrees
    NO_IDENTITY = "no-usable-identity"  # nothing any other record could be compared on
    CROWDED = "crowded"  # all it could be compared on is shared by too many to be anybody's own


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """The band of one pair and the rules that moved it there; no rule when the weights alone did."""

    band: Band
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPair:
    """A scored pair and its verdict. All pairs of one agreement pattern share one, so being the same is being
    the same object, and what is asked of millions of pairs is worked out here once.

    `is_link`: it is to be linked; `duplicate_number`: all but the NHS numbers says one person; `kept`: it may matter
    outside its component, as a link, a doubt or one person with two numbers.
    """

    score: Score
    verdict: PairVerdict
    is_link: bool = field(init=False)
    duplicate_number: bool = field(init=False)
    kept: bool = field(init=False)

    def __post_init__(self) -> None:
        """What follows from the verdict is set."""
        band, rules = self.verdict.band, self.verdict.rules
        object.__setattr__(self, "is_link", band is Band.AUTO)
        object.__setattr__(self, "duplicate_number", Rule.DUPLICATE_NUMBER in rules)
        object.__setattr__(self, "kept", band is not Band.APART or Rule.DUPLICATE_NUMBER in rules)


def judge(model: Model, score: Score) -> PairVerdict:
    """The verdict on one pair by itself. V1 outranks V2, V2 is never below review, V3, V4 and V8 never let it above.

    V3 gives way to one NHS number on both, whole or with a slip, unless their telephones differ too: twins share one
    far less often than one person is known by another forename; linkage.partition sees to the twins. V4 gives way to
    the whole number within one year of birth: no parent has a child in the year of their own birth.
    """
    at = score.levels
    if at.nhs_number == "differ":
        otherwise = score.bits - model.weights["nhs_number"]["differ"]
        doubt = (Rule.DUPLICATE_NUMBER,) if otherwise >= model.link and not _guards(model, score) else ()
        return PairVerdict(Band.APART, (Rule.NUMBERS_DIFFER, *doubt))
    if at.nhs_number == "equal" and _another_person(at):
        return PairVerdict(Band.REVIEW, (Rule.CONFUSION,))
    if score.bits < model.review or _strangers(model, score):
        return PairVerdict(Band.APART)
    guards = _guards(model, score)
    if guards:
        return PairVerdict(Band.REVIEW, guards)
    return PairVerdict(Band.AUTO) if score.bits >= model.link else PairVerdict(Band.REVIEW, (Rule.UNSURE,))


def number_set_aside(model: Model, judged: ScoredPair) -> ScoredPair:
    """The pair as it is judged where its two numbers are known to be one person's."""
    score = weigh(model, replace(judged.score.levels, nhs_number="missing"))
    verdict = judge(model, score)
    return ScoredPair(score, PairVerdict(verdict.band, (*verdict.rules, Rule.SUPERSEDED)))


def leans_on_number(model: Model, score: Score) -> bool:
    """Whether the pair would not be linked if its one NHS number were set aside."""
    weight = model.weights["nhs_number"]["equal"]
    return score.levels.nhs_number == "equal" and score.bits - weight < model.link


_SAME_GIVEN = ("exact", "nickname", "edit", "sounds_begins")


def _another_person(at: Levels) -> bool:
    """What is left when the number is set aside speaks of someone else: most often one of the household."""
    if at.birth_date in UNRELATED_BIRTH:
        return at.given not in _SAME_GIVEN or at.family == "none"
    return at.given == "none" and (at.birth_date == "missing" or at.sex == "none")


def _strangers(model: Model, score: Score) -> bool:
    """Neither name nor the birth date agrees, nor the number: a telephone and mailbox in common are a hostel's."""
    at = score.levels
    unrelated = "unrelated_names" in score.interactions and model.interactions["unrelated_names"] != 0
    return unrelated and at.birth_date in UNRELATED_BIRTH and at.nhs_number not in ("equal", "near")


def _guards(model: Model, score: Score) -> tuple[Rule, ...]:
    """V3, V4 and V8, of a model that has learnt households: one fitted without labels knows none, and weighs
    nothing.
    """
    at = score.levels
    held = [name for name in score.interactions if model.interactions[name]]
    if "father_son" in held and not (at.nhs_number == "equal" and at.birth_date == "year"):
        return (Rule.FATHER_SON,)
    twin = "twin" in held or ("household" in held and at.birth_date_frequency == "nameless")
    if twin and (at.nhs_number not in ("equal", "near") or _reached_otherwise(at)):
        return (Rule.TWIN,)
    return (Rule.NAMESAKES,) if model.interactions["twin"] and _namesakes(at) else ()


def _reached_otherwise(at: Levels) -> bool:
    """Both have a telephone, not the same, and no mailbox in common: whoever is known by another forename keeps one."""
    return at.phone == "none" and at.email not in ("exact", "close")


def _namesakes(at: Levels) -> bool:
    """Nothing but a birth date and names agrees, and many share them, or one of the names is not there."""
    vouched = (
        at.nhs_number in ("equal", "near")
        or at.postcode in ("exact", "edit")
        or (at.house == "equal" and at.street == "exact")
        or at.phone == "equal"
        or at.email in ("exact", "close")
    )
    many = (
        at.birth_date_frequency in ("crowded", "nameless")
        or "missing" in (at.given, at.family)
        or at.given == "initial"
    )
    return not vouched and many
