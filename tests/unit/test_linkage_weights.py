"""The model file and the score: every weight is there, whole and explained, or the model is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest

import linkage
from linkage.compare import LEVELS, Levels, levels
from linkage.errors import ModelInvalid
from linkage.model import REMEMBERED_MAX, dump, parse, score, weigh
from linkage.normalise import Identity, Name, normalise
from linkage.regression import weighing_most_first
from linkage.tokens import TokenKeys, encode

FIRST = (Path(linkage.__file__).parent / "models" / "shipped.json").read_text()
MODEL = parse(FIRST)
TEXT = dump(MODEL)
KEYS = TokenKeys.from_bytes(b"k" * 32, epoch=1)


def identity(given: str, family: str, **fields: object) -> Identity:
    usual: dict[str, Any] = {"nhs_number": None, "birth_date": "1971-05-24", "postcodes": ("LS1 4AP",)}
    return Identity(**{**usual, "names": (Name(tuple(given.split()), family),), **fields})


def level(a: Identity, b: Identity, field: str) -> str:
    left, right = encode(normalise(a), keys=KEYS), encode(normalise(b), keys=KEYS)
    block = min(left.by_token.keys() & right.by_token.keys())
    assert levels(left, right, block=block) == levels(right, left, block=block)
    return str(getattr(levels(left, right, block=block), field))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Robert", "ROBERT", "exact"),
        ("Robert", "Bob", "nickname"),
        ("Robert", "Robret", "edit"),
        ("Robert", "Roberto", "edit"),
        ("Muhammad", "Mohammed", "sounds"),
        ("Catherine", "Cathryn", "sounds_begins"),
        ("Ann Robert", "Robert", "part"),
        ("R", "Robert", "initial"),
        ("R", "R", "initial"),
        ("Robert", "Susan", "none"),
        ("Li", "Lo", "sounds"),
        ("", "Robert", "missing"),
    ],
)
def test_forenames_agree_as_far_as_a_reader_would_say(a: str, b: str, expected: str) -> None:
    assert level(identity(a, "King"), identity(b, "King"), "given") == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("King", "King", "exact"),
        ("King Noel", "KINGNOEL", "exact"),
        ("King", "Kingg", "edit"),
        ("King-Noel", "Noel", "part"),
        ("Smith", "Byron", "none"),
    ],
)
def test_surnames_agree_as_far_as_a_reader_would_say(a: str, b: str, expected: str) -> None:
    assert level(identity("Ada", a), identity("Ada", b), "family") == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("1971-05-24", "exact"),
        ("1971-05-25", "edit"),
        ("1971-05-18", "two_of_three"),
        ("1971-11-09", "year"),
        ("1962-11-09", "none"),
        (None, "missing"),
    ],
)
def test_birth_dates_agree_by_their_parts(other: str | None, expected: str) -> None:
    assert level(identity("Ada", "King"), identity("Ada", "King", birth_date=other), "birth_date") == expected


def test_day_and_month_swapped_is_a_near_agreement() -> None:
    a, b = identity("Ada", "King", birth_date="1971-05-11"), identity("Ada", "King", birth_date="1971-11-05")
    assert level(a, b, "birth_date") == "edit"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("ls14ap", "exact"),
        ("LS1 4AQ", "edit"),
        ("LS1 4ZZ", "sector"),
        ("LS1 9ZZ", "district"),
        ("BD9 9ZZ", "none"),
    ],
)
def test_postcodes_agree_by_their_parts(other: str, expected: str) -> None:
    assert level(identity("Ada", "King"), identity("Ada", "King", postcodes=(other,)), "postcode") == expected


def test_any_of_several_names_and_addresses_may_agree() -> None:
    married = identity("Ada", "Byron", postcodes=("BD9 9ZZ", "LS1 4AP"))
    both = Identity(
        None,
        names=(*married.names, Name(("Ada",), "King", "maiden")),
        birth_date="1971-05-24",
        postcodes=married.postcodes,
    )
    assert level(both, identity("Ada", "King"), "family") == "exact"
    assert level(both, identity("Ada", "King"), "postcode") == "exact"


def test_forename_and_surname_in_each_others_place_are_found_crossed() -> None:
    assert level(identity("Hussain", "Tariq"), identity("Tariq", "Hussain"), "crossed") == "yes"
    assert level(identity("Hussain", "Tariq"), identity("Tariq", "Hussain"), "family") == "exact"


def test_a_number_one_digit_wrong_is_near_the_right_one() -> None:
    right = identity("Ada", "King", nhs_number="9434765919")
    for wrong in ("9434765918", "9434756919", "943476591", "94347659199"):
        assert level(right, identity("Ada", "King", nhs_number_claimed=wrong), "nhs_number") == "near"
    assert level(right, identity("Ada", "King", nhs_number_claimed="1234567890"), "nhs_number") == "missing"


def test_two_records_that_share_no_block_have_no_score() -> None:
    a, b = identity("Ada", "King"), identity("Tom", "Smith", birth_date="1930-01-02", postcodes=())
    assert score(MODEL, encode(normalise(a), keys=KEYS), encode(normalise(b), keys=KEYS)) is None


def test_more_agreement_never_weighs_less_in_the_shipped_model() -> None:
    given = MODEL.weights["given"]
    assert given["exact"] > given["edit"] > given["none"]
    birth = MODEL.weights["birth_date"]
    assert birth["exact"] > birth["edit"] > birth["none"]
    for field, weights in MODEL.weights.items():
        if field not in ("crossed", "nhs_number"):
            most_first = weighing_most_first(field)
            assert weights[most_first[0]] >= weights[most_first[-1]]
    assert MODEL.weights["nhs_number"]["equal"] > 0 > MODEL.weights["nhs_number"]["differ"]
    assert all(weights.get("missing", 0) == 0 for weights in MODEL.weights.values())


def test_the_shipped_model_says_where_its_numbers_come_from() -> None:
    assert len(MODEL.provenance) > 200


def test_a_model_remembers_scores_and_never_more_than_its_bound() -> None:
    model = replace(MODEL)
    fields = list(LEVELS)
    some = Levels(*("no" if field == "crossed" else "missing" for field in fields))
    first = weigh(model, some)
    known = {field: LEVELS[field] for field in fields[:7]}
    for item in islice(product(*known.values()), REMEMBERED_MAX):
        weigh(model, Levels(*item, *("no" if field == "crossed" else "missing" for field in fields[7:])))
    assert 0 < len(model.remembered) <= REMEMBERED_MAX
    assert weigh(model, some) == first
    assert weigh(model, some) is weigh(model, some)


HARM: dict[str, Callable[[Any], str]] = {
    "not JSON": lambda tree: "{",
    "a fraction": lambda tree: TEXT.replace('"prior": ', '"prior": 0.5e0, "x": '),
    "not a number": lambda tree: TEXT.replace('"prior": ', '"prior": NaN, "x": '),
    "another format": lambda tree: json.dumps({**tree, "format": "linkage-model/9"}),
    "a missing field": lambda tree: json.dumps({**tree, "weights": {"given": tree["weights"]["given"]}}),
    "an unknown level": lambda tree: json.dumps({**tree, "interactions": {**tree["interactions"], "x": 1}}),
    "a weight out of range": lambda tree: json.dumps({**tree, "prior": 10**6}),
    "a weight that is a truth value": lambda tree: json.dumps({**tree, "prior": True}),
    "thresholds crossed": lambda tree: json.dumps({**tree, "thresholds": {"link": 0, "review": 1, "ambiguous": 0}}),
    "no provenance": lambda tree: json.dumps({**tree, "provenance": " "}),
    "a list": lambda tree: "[]",
}


@pytest.mark.parametrize("harm", HARM)
def test_a_model_that_is_not_whole_is_refused_by_field_and_rule(harm: str) -> None:
    with pytest.raises(ModelInvalid) as refused:
        parse(HARM[harm](json.loads(TEXT)))
    assert refused.value.field
    assert refused.value.rule
