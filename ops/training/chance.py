"""How often two records agree by chance: pairs drawn from all pairs, compared though they share no block.

Comparison tokens can only be read through a block both records stand in. Whoever holds the key can give all of
them one: a telephone that everybody has. The telephone itself is then compared in the clear, which only the
command line, holding the file, may do.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from linkage.compare import LEVELS, Levels, look, pattern_of
from linkage.normalise import Identity, normalise
from linkage.tokens import TokenKeys, encode
from ops.training.candidates import Place

EVERYBODYS_PHONE = "447700900000"  # Ofcom's numbers for drama: nobody has it
PHONE = tuple(LEVELS).index("phone")


def agreements(
    identities: Sequence[Identity], pairs: Iterable[Place], *, keys: TokenKeys
) -> Iterator[Levels]:
    """The agreement of each pair, whether or not the two would be compared."""
    wanted = list(pairs)
    drawn = sorted({place for pair in wanted for place in pair})
    clean = {place: normalise(identities[place]) for place in drawn}
    shared = replace(_NOBODY, phones=(EVERYBODYS_PHONE,))
    (everybodys,) = encode(shared, keys=keys).tokens
    looks = {
        place: look(encode(replace(one, phones=(EVERYBODYS_PHONE, *one.phones)), keys=keys), everybodys)
        for place, one in clean.items()
    }
    for a, b in wanted:
        shown = list(pattern_of(looks[a], looks[b]))
        shown[PHONE] = LEVELS["phone"].index(_phones(clean[a], clean[b]))
        yield Levels.of(tuple(shown))


def _phones(a: Identity, b: Identity) -> str:
    if not a.phones or not b.phones:
        return "missing"
    return "none" if set(a.phones).isdisjoint(b.phones) else "equal"


_NOBODY = Identity(nhs_number=None)
