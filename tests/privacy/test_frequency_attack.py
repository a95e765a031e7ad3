"""The frequency attack on encoded identities as the linker sees them, unsealed.

The attacker holds another population of the same country, so knows how often each name, birth date or street
occurs, and how identities are blocked; it does not know the keys. It lines up the tokens by how many records
bear them with the values by how many people do, and guesses the commonest value for whatever is left: so it is
never worse than who guesses the commonest for everybody. On tokens keyed for the whole population this finds
several times as many; on what is sent it must find no more.
"""

import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from random import Random

import pytest

from linkage.blocks import block_texts
from linkage.compare import look
from linkage.frequency import birth_date_class, forename_class, surname_class
from linkage.normalise import Identity, Name, NormalisedIdentity, house_of, normalise, street_of
from linkage.token_format import SINGLE_BYTES, EncodedIdentity
from linkage.tokens import TokenKeys, encode
from ops.lab.simulator import default_rates
from ops.lab.simulator.population import COUNTY, TOWN, NameLists, people

PEOPLE = 3_000
ALLOWED = 0.005  # half a percentage point above guessing the commonest
KEYS = TokenKeys.from_bytes(b"f" * 32, epoch=1)

FIELDS: dict[str, Callable[[NormalisedIdentity], str]] = {
    "forename": lambda identity: identity.names[0].given[0],
    "surname": lambda identity: identity.names[0].family,
    "birth date": lambda identity: identity.birth_date or "",
    "birth year": lambda identity: (identity.birth_date or "")[:4],
    "postcode": lambda item: item.postcodes[0],
    "district": lambda item: item.postcodes[0][:-3],
    "house": lambda item: house_of(item.houses[0]),
    "street": lambda item: street_of(item.houses[0]),
    "city": lambda item: item.cities[0],
    "sex": lambda item: item.sex or "",
}


@cache
def population(seed: int, count: int = PEOPLE, names: NameLists = TOWN) -> tuple[NormalisedIdentity, ...]:
    """What a perfect source would tell of each of `count` people."""
    return tuple(
        normalise(
            Identity(
                nhs_number=person.nhs_number,
                names=(Name((person.forename,), person.surname),),
                birth_date=person.birth_date.isoformat(),
                sex=person.sex,
                postcodes=(person.address.postcode,),
                houses=(person.address.line,),
                cities=(person.address.town,),
                phones=(person.phone,),
            )
        )
        for person in people(Random(seed), count, default_rates(), names=names)
    )


@cache
def encoded() -> tuple[EncodedIdentity, ...]:
    """The attacked population, as it travels."""
    return tuple(encode(item, keys=KEYS) for item in population(1))


def ranks(seen: Sequence[Iterable[bytes]]) -> list[int]:
    """Of each record the rank, by records that bear it, of the commonest token it bears. `seen`: the tokens of each
    record.
    """
    tokens = Counter(token for record in seen for token in set(record))
    rank = {token: at for at, token in enumerate(sorted(tokens, key=lambda item: (-tokens[item], item)))}
    return [min((rank[token] for token in record), default=len(rank)) for record in seen]


def recovered(rank: Sequence[int], truth: Sequence[str], known: Iterable[str]) -> float:
    """Share of records whose value the attacker names, who knows the values of a population of its own."""
    values = [value for value, _ in sorted(Counter(known).items(), key=lambda item: (-item[1], item[0]))]
    guesses = (values[at] if at < len(values) else values[0] for at in rank)
    return sum(guess == value for guess, value in zip(guesses, truth, strict=True)) / len(truth)


def baseline(truth: Sequence[str], known: Iterable[str]) -> float:
    """Share of records that bear the commonest value of the attacker's population."""
    (commonest, _), *_ = Counter(known).most_common(1)
    return sum(value == commonest for value in truth) / len(truth)


def columns() -> list[list[list[bytes]]]:
    """Every place of a comparison token: of each record, the tokens that stand there, one for each block."""
    found: list[list[list[bytes]]] = []
    for number, identity in enumerate(encoded()):
        for token in identity.tokens:
            flat = b"".join(look(identity, token).values)
            cut = [flat[at : at + SINGLE_BYTES] for at in range(0, len(flat), SINGLE_BYTES)]
            while len(found) < len(cut):
                found.append([[] for _ in encoded()])
            for place, piece in zip(found, cut, strict=False):
                place[number].append(piece)
    return found


def test_the_attack_works_on_tokens_that_are_keyed_for_the_whole_population() -> None:
    """The negative control: more people than are encoded below, since names need no encoding to be counted."""
    found = guessed = 0.0
    for field in ("forename", "surname"):
        truth, known = ([FIELDS[field](item) for item in population(seed, 12_000)] for seed in (1, 2))
        seen = [[hmac.digest(b"k" * 32, item.encode(), "sha256")[:SINGLE_BYTES]] for item in truth]
        found += recovered(ranks(seen), truth, known)
        guessed += baseline(truth, known)
    assert found > 2 * guessed


def test_no_comparison_token_tells_a_value_more_often_than_guessing_the_commonest() -> None:
    places = [ranks(seen) for seen in columns()]
    assert len(places) > 60
    for value in FIELDS.values():
        truth, known = ([value(item) for item in population(seed)] for seed in (1, 2))
        allowed = baseline(truth, known) + ALLOWED
        for rank in places:
            assert recovered(rank, truth, known) <= allowed


def test_no_comparison_token_stands_in_more_records_for_a_common_name_than_its_block_has() -> None:
    """Equal names meet within a block and nowhere else."""
    crowd = max(Counter(token for identity in encoded() for token in identity.tokens).values())
    for seen in columns():
        tokens = Counter(token for record in seen for token in set(record))
        assert max(tokens.values()) <= crowd + 2  # two more: chance equality of 24 bits


@pytest.mark.parametrize("kind", ["birth/", "y/", "md/", "home/", "near/"])
def test_no_block_token_tells_what_the_block_is_of(kind: str) -> None:
    """The attacker even knows which tokens are of which kind."""
    tokens, truth = [], []
    for item in population(1):
        texts = [text for text in block_texts(item) if text.startswith(kind)]
        tokens.append([KEYS.block(text)[0] for text in texts])
        truth.append(texts)
    known = [text for item in population(2) for text in block_texts(item) if text.startswith(kind)]
    flat = [text for texts in truth for text in texts]
    seen = [[token] for record in tokens for token in record]
    assert seen
    assert recovered(ranks(seen), flat, known) <= baseline(flat, known) + ALLOWED


def test_number_tokens_and_their_neighbourhoods_are_as_rare_as_numbers() -> None:
    """They are not salted; what nearly nobody shares has no frequency."""
    size = SINGLE_BYTES
    near = Counter(item.near[at : at + size] for item in encoded() for at in range(0, len(item.near), size))
    assert len({item.nhs for item in encoded()}) == PEOPLE
    assert sum(times > 2 for times in near.values()) < len(near) / 100


@pytest.mark.parametrize(("field", "class_of"), [("surname", surname_class), ("forename", forename_class)])
def test_whether_a_name_is_common_tells_no_more_than_guessing_the_commonest(
    field: str, class_of: Callable[[str], int]
) -> None:
    """The clear bit: who sees it guesses the commonest name of either class. Of a whole county, since few names
    make any class a giveaway.
    """
    truth, known = ([FIELDS[field](item) for item in population(seed, 12_000, COUNTY)] for seed in (1, 2))
    assert 0 < by_class(truth, known, class_of) - baseline(truth, known) <= ALLOWED


@pytest.mark.parametrize("field", ["surname", "forename", "birth date"])
def test_all_clear_bits_of_a_record_together_tell_no_more_than_guessing_the_commonest(field: str) -> None:
    """Whether each name is common, and whether many share the birth date and names."""

    def guessed(truth: Iterable[NormalisedIdentity], known: Iterable[NormalisedIdentity], *, blind: bool) -> float:
        def seen(identity: NormalisedIdentity) -> tuple[int, ...]:
            given, family = identity.names[0].given[0], identity.names[0].family
            crowded = birth_date_class(identity.birth_date or "", identity.names)
            return () if blind else (forename_class(given), surname_class(family), crowded)

        best: dict[tuple[int, ...], str] = {}
        for (bits, value), _ in reversed(Counter((seen(item), FIELDS[field](item)) for item in known).most_common()):
            best[bits] = value
        hits = [best.get(seen(item)) == FIELDS[field](item) for item in truth]
        return sum(hits) / len(hits)

    truth, known = (population(seed, 12_000, COUNTY) for seed in (1, 2))
    assert guessed(truth, known, blind=False) - guessed(truth, known, blind=True) <= ALLOWED


def test_four_classes_would_tell_more() -> None:
    """The negative control: names classed by how many bear them, as finely as two bits can."""
    truth, known = ([FIELDS["forename"](item) for item in population(seed, 12_000, COUNTY)] for seed in (1, 2))
    borne = Counter(known)
    limits = (0.01, 0.005, 0.001)
    found = by_class(truth, known, lambda name: sum(borne[name] < limit * len(known) for limit in limits))
    assert found > baseline(truth, known) + ALLOWED


def by_class(truth: Sequence[str], known: Iterable[str], class_of: Callable[[str], int]) -> float:
    """Share of records whose value the attacker names, who sees its class and guesses the commonest of that."""
    best: dict[int, str] = {}
    for name, _ in reversed(Counter(known).most_common()):
        best[class_of(name)] = name
    return sum(best.get(class_of(name)) == name for name in truth) / len(truth)
