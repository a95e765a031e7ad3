"""The settings of Splink for each kind of table: how fields are compared, which pairs are tried, what it is trained on.

Settings that favour it: every field the table has, forename and surname compared together so that crossed names are
seen, term frequencies, and blocking as broad as ours. Read in an environment of its own (ops.lab.bench.splink_process).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import splink.comparison_level_library as level  # type: ignore[import-not-found]  # only in Splink's own environment
import splink.comparison_library as compare  # type: ignore[import-not-found]  # likewise
from splink import block_on

LINK_AT = 0.95  # as our default: odds of 19 to 1
PROBABILITIES = (0.05, 0.2, 0.5, 0.8, 0.9, LINK_AT, 0.99, 0.999, 0.9999)


@dataclass(frozen=True)
class SplinkPlan:
    """How one kind of table is linked. `sure` are rules for estimating how many pairs match, and `found` the share
    of matches they find; `trained_on` blocks of expectation maximisation; `thresholds` are tried for the best
    partition. Of a source in `one_each` no two records are one person: the table then has a column "source".
    """

    comparisons: Sequence[object]
    blocks: Sequence[object]
    sure: Sequence[object]
    found: float
    trained_on: Sequence[object]
    frequencies_apart: bool = True
    names: tuple[str, str] = ("given_name", "surname")
    one_each: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = PROBABILITIES


def _febrl(*, with_id: bool) -> SplinkPlan:
    comparisons = [
        _names("given_name", "surname"),
        compare.DateOfBirthComparison(
            "date_of_birth", input_is_string=True, datetime_format="%Y%m%d", invalid_dates_as_null=False
        ),
        compare.ExactMatch("street_number").configure(term_frequency_adjustments=True),
        compare.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        compare.JaroWinklerAtThresholds("address_1", [0.9, 0.7]),
        compare.JaroWinklerAtThresholds("suburb", [0.9, 0.7]).configure(term_frequency_adjustments=True),
    ]
    blocks = [
        block_on("date_of_birth"),
        block_on("given_name", "surname"),
        "l.given_name = r.surname and l.surname = r.given_name",
        block_on("postcode", "substr(surname,1,2)"),
        block_on("postcode", "substr(given_name,1,2)"),
        block_on("street_number", "substr(address_1,1,6)"),
        block_on("postcode", "substr(address_1,1,6)"),
        block_on("surname", "substr(date_of_birth,1,6)"),
        block_on("given_name", "substr(date_of_birth,1,6)"),
        block_on("suburb", "surname"),
    ]
    if with_id:
        comparisons.append(compare.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]))
        blocks.append(block_on("soc_sec_id"))
    sure = [block_on("given_name", "surname", "date_of_birth")]
    trained_on = [block_on("date_of_birth"), block_on("postcode")]
    return SplinkPlan(comparisons, blocks, sure, 0.8 if with_id else 0.45, trained_on)


def _fake() -> SplinkPlan:
    return SplinkPlan(
        comparisons=[
            _names("first_name", "surname"),
            compare.DateOfBirthComparison("dob", input_is_string=True),
            compare.ExactMatch("city").configure(term_frequency_adjustments=True),
            compare.EmailComparison("email"),
        ],
        blocks=[
            block_on("dob"),
            block_on("email"),
            block_on("first_name"),
            block_on("surname"),
            "l.first_name = r.surname",
            "l.surname = r.first_name",
            block_on("substr(email,1,7)"),
            block_on("substr(dob,1,4)", "city"),
        ],
        sure=[
            block_on("first_name", "dob"),
            "l.surname = r.surname and levenshtein(r.dob, l.dob) <= 1",
            "l.first_name = r.first_name and levenshtein(r.surname, l.surname) <= 2 and l.dob = r.dob",
            block_on("email"),
        ],
        found=0.7,
        trained_on=[block_on("first_name", "surname"), block_on("dob")],
        names=("first_name", "surname"),
    )


def _world() -> SplinkPlan:
    """The simulator's records as ops.lab.bench.linkage_world exports them: names and addresses with the former
    ones, and address as one comparison, since its parts are no independent evidence.
    """
    return SplinkPlan(
        comparisons=[
            _comparison("names", ("given", "family"), _WORLD_NAMES),
            _comparison("birth_date", ("birth_date",), _WORLD_BIRTH_DATE),
            _comparison("address", ("postcode", "house"), _WORLD_ADDRESS),
            compare.ExactMatch("middle"),
            compare.ExactMatch("gender"),
            compare.ExactMatch("phone").configure(term_frequency_adjustments=True),
            compare.EmailComparison("email"),
            compare.DamerauLevenshteinAtThresholds("nhs_number", [1]),
        ],
        blocks=[
            block_on("nhs_number"),
            block_on("birth_date", "substr(family,1,2)"),
            block_on("birth_date", "substr(given,1,2)"),
            block_on("birth_date", "postcode"),
            block_on("postcode", "substr(family,1,3)"),
            block_on("postcode", "substr(given,1,3)"),
            block_on("given", "family", "substr(birth_date,1,4)"),
            block_on("given", "family", "city"),
            block_on("phone"),
            block_on("email"),
            "l.given = r.family and l.family = r.given and l.birth_date = r.birth_date",
            "l.postcode_former = r.postcode and l.given = r.given",
            "l.postcode = r.postcode_former and l.given = r.given",
        ],
        sure=[block_on("nhs_number")],
        found=0.66,
        trained_on=[block_on("nhs_number"), block_on("birth_date", "family"), block_on("postcode", "given")],
        names=("given", "family"),
        one_each=("gp_hub",),
        thresholds=(0.5, 0.9, LINK_AT, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 0.99999),
    )


# Levels from the surest down: (what must hold, the column whose commonness counts).
Levels = tuple[tuple[str, str | None], ...]

_WORLD_NAMES: Levels = (
    ("both_names_l = both_names_r", "both_names"),
    ("given_l = family_r and family_l = given_r", None),
    ("given_l = given_r and (family_l = family_old_r or family_old_l = family_r)", "given"),
    ("family_l = family_r and (given_l = known_as_r or known_as_l = given_r)", "family"),
    (
        "jaro_winkler_similarity(given_l, given_r) >= 0.92 and jaro_winkler_similarity(family_l, family_r) >= 0.92",
        None,
    ),
    (
        "jaro_winkler_similarity(given_l, given_r) >= 0.8 and jaro_winkler_similarity(family_l, family_r) >= 0.8",
        None,
    ),
    ("given_l = given_r", "given"),
    ("family_l = family_r", "family"),
    ("jaro_winkler_similarity(given_l, given_r) >= 0.9", None),
    ("jaro_winkler_similarity(family_l, family_r) >= 0.9", None),
)
_WORLD_BIRTH_DATE: Levels = (
    ("birth_date_l = birth_date_r", "birth_date"),
    ("damerau_levenshtein(birth_date_l, birth_date_r) <= 1", None),
    (  # day and month swapped
        "birth_date_l = substr(birth_date_r, 1, 5) || substr(birth_date_r, 9) || substr(birth_date_r, 5, 3)",
        None,
    ),
    ("substr(birth_date_l, 5) = substr(birth_date_r, 5)", None),
    ("substr(birth_date_l, 1, 7) = substr(birth_date_r, 1, 7)", None),
    ("substr(birth_date_l, 1, 4) = substr(birth_date_r, 1, 4)", None),
)
_WORLD_ADDRESS: Levels = (
    ("postcode_l = postcode_r and house_l = house_r", "postcode"),
    ("postcode_l = postcode_former_r or postcode_former_l = postcode_r", None),
    ("house_l = house_r and city_l = city_r", None),
    ("postcode_l = postcode_r", "postcode"),
    ("substr(postcode_l, 1, length(postcode_l) - 2) = substr(postcode_r, 1, length(postcode_r) - 2)", None),
    ("city_l = city_r", None),
)


def _comparison(name: str, columns: tuple[str, ...], levels: Levels) -> object:
    """Levels of our own; a pair that none of the columns can compare counts neither for nor against."""
    missing = [level.NullLevel(column) for column in columns]
    comparison_levels = [level.And(*missing) if len(missing) > 1 else missing[0]]
    for condition, common in levels:
        custom = level.CustomLevel(condition)
        comparison_levels.append(custom.configure(tf_adjustment_column=common) if common else custom)
    return compare.CustomComparison([*comparison_levels, level.ElseLevel()], output_column_name=name)


def _names(given: str, family: str) -> object:
    return compare.ForenameSurnameComparison(given, family, forename_surname_concat_col_name="both_names")


PLANS = {
    "febrl4": lambda: _febrl(with_id=False),
    "febrl4_id": lambda: _febrl(with_id=True),
    "febrl3": lambda: _febrl(with_id=False),
    "fake": _fake,
    "world": _world,
}
