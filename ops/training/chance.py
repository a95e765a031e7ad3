"""How often two records agree by chance: pairs drawn from all pairs, compared though they share no block.

Comparison tokens can only be read through a block both records stand in. Whoever holds the key can give all of
them one: a telephone that everybody has. The telephone itself is then compared in the clear, which only the
command line, holding the file, may do.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from linkage.compare import LEVELS, Levels, look, pattern_of
from linkage.normalise import Identity, NormalisedIdentity, normalise
from linkage.tokens import TokenKeys, encode
from ops.training.candidates import Place

EVERYBODYS_PHONE = "447700900000"  # Ofcom's numbers for drama: nobody has it
PHONE = tuple(LEVELS).index("phone")


def agreements(
    identities: Sequence[NormalisedIdentity], pairs: Iterable[Place], *, keys: TokenKeys
) -> Iterator[Levels]:
    """The agreement of each pair, whether or not the two would be compared."""
    wanted = list(pairs)
    drawn = sorted({place for pair in wanted for place in pair})
    everybody = normalise(Identity(nhs_number=None, phones=(EVERYBODYS_PHONE,)))
    (everybodys,) = encode(everybody, keys=keys).tokens
    looks = {
        place: look(
            encode(replace(identity, phones=everybody.phones + identity.phones), keys=keys), everybodys
        )
        for place in drawn
        for identity in (identities[place],)
    }
    for a, b in wanted:
        shown = list(pattern_of(looks[a], looks[b]))
        shown[PHONE] = LEVELS["phone"].index(_phones(identities[a], identities[b]))
        yield Levels.of(tuple(shown))


def _phones(a: NormalisedIdentity, b: NormalisedIdentity) -> str:
    if not a.phones or not b.phones:
        return "missing"
    return "none" if set(a.phones).isdisjoint(b.phones) else "equal"
