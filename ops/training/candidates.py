"""Which pairs of a set of records are compared, and what their fields show: what a fit and a score rest on.

`candidates` are the pairs the link graph would compare: those that share a blocking token that no more than BLOCK_MAX
records stand in. `agreements` is for pairs drawn from all pairs, to learn how often two records agree by chance: though
they share no block, whoever holds the key can give all of them one, a telephone that everybody has. The telephone
itself is then compared in the clear, which only the command line, holding the file, may do.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

from linkage.compare import LEVELS, Levels, look, pattern_of
from linkage.index import BLOCK_MAX
from linkage.normalise import Identity, NormalisedIdentity, normalise
from linkage.tokens import EncodedIdentity, TokenKeys, encode

SAMPLE_MAX = 3_000  # records that pairs by chance are drawn from: each of them is encoded once more
EVERYBODYS_PHONE = "447700900000"  # Ofcom's numbers for drama: nobody has it
PHONE = tuple(LEVELS).index("phone")

Place = tuple[int, int]  # positions of two records, the lesser first


def candidates(
    encoded: Sequence[EncodedIdentity], *, files: Sequence[str] | None = None, cap: int = BLOCK_MAX
) -> Iterator[tuple[Place, Levels]]:
    """Every pair that shares a live block, once, with its agreement; with `files`, only pairs of two files."""
    standing: dict[bytes, list[int]] = {}
    for place, record in enumerate(encoded):
        for token in record.tokens:
            standing.setdefault(token, []).append(place)
    met: set[Place] = set()
    for token, places in standing.items():
        if 1 < len(places) <= cap:
            views = {place: look(encoded[place], token) for place in places}
            for pair in combinations(places, 2):
                if pair in met or (files is not None and files[pair[0]] == files[pair[1]]):
                    continue
                met.add(pair)
                yield pair, Levels.of(pattern_of(views[pair[0]], views[pair[1]]))


def random_pairs(rng: Random, count: int, *, among: int, files: Sequence[str] | None = None) -> Iterator[Place]:
    """At most `count` pairs, drawn evenly from a sample of `among` records, or all pairs where there are no more;
    with `files`, only pairs of two files.
    """
    sample = sorted(rng.sample(range(among), min(among, SAMPLE_MAX)))
    pairs: Iterable[Place] = combinations(sample, 2)
    if count < pairs_in_all(len(sample)):
        pairs = (_drawn(rng, sample) for _ in range(count))
    return (pair for pair in pairs if files is None or files[pair[0]] != files[pair[1]])


def _drawn(rng: Random, sample: Sequence[int]) -> Place:
    a, b = rng.sample(sample, 2)
    return (a, b) if a < b else (b, a)


def pairs_in_all(among: int, files: Sequence[str] | None = None) -> int:
    """How many pairs `among` records make; with `files`, of two files."""
    whole = among * (among - 1) // 2
    sizes = [files.count(name) for name in set(files)] if files is not None else []
    return whole - sum(size * (size - 1) // 2 for size in sizes)


def agreements(
    identities: Sequence[NormalisedIdentity], pairs: Iterable[Place], *, keys: TokenKeys
) -> Iterator[Levels]:
    """The agreement of each pair, whether or not the two would be compared."""
    wanted = list(pairs)
    drawn = sorted({place for pair in wanted for place in pair})
    everybody = normalise(Identity(nhs_number=None, phones=(EVERYBODYS_PHONE,)))
    (everybodys,) = encode(everybody, keys=keys).tokens
    views = {
        place: look(encode(replace(identity, phones=everybody.phones + identity.phones), keys=keys), everybodys)
        for place in drawn
        for identity in (identities[place],)
    }
    for a, b in wanted:
        shown = list(pattern_of(views[a], views[b]))
        shown[PHONE] = LEVELS["phone"].index(_phones(identities[a], identities[b]))
        yield Levels.of(tuple(shown))


def _phones(a: NormalisedIdentity, b: NormalisedIdentity) -> str:
    if not a.phones or not b.phones:
        return "missing"
    return "none" if set(a.phones).isdisjoint(b.phones) else "equal"
