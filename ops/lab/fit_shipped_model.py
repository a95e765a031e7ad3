"""The model that ships, fitted from its seeds: the same code gives the same file, byte for byte.

Counts of pairs are whole numbers, so they add up in any order; the fit reads them in one fixed order. No clock, no
hash order and no file has an influence.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import linkage
from linkage.anchored import anchored
from linkage.blocks import FULL_DATE, MAX_BLOCKS
from linkage.counts import Counts, counted
from linkage.index import BLOCK_MAX
from linkage.model import Origin, dump
from linkage.normalise import NormalisedIdentity, house_of, normalise
from linkage.spelling import distinct, sound_pairs, sounds
from linkage.tokens import TokenKeys
from ops.lab.bench.linkage_world import LinkageWorld
from ops.training.candidates import agreements

SHIPPED = Path(linkage.__file__).parent / "models" / "shipped.json"
PEOPLE, SEEDS = 20_000, (901, 902, 903, 904)
NAME = "simulated-people"
COUNTED, CODE = "2026-11-28", "linkage/2"  # set by hand when a new fit is committed
_KEYS = TokenKeys.from_bytes(bytes(range(32)), epoch=1)  # the people are invented: nothing to hide
_PROVENANCE = (
    "Refit before real use. Fitted on invented people, not real ones: simulated populations of {people:,} people "
    "each (seeds {seeds} of this project's own simulator; rates in the simulator's rates.toml, each with its "
    "source or marked an assumption), pairs of records that share a block made "
    "for training and both carry a valid NHS number, equal numbers taken as one person and "
    "different ones as two, a half per cent of labels allowed to be wrong. Weights by penalised logistic "
    "regression on agreement patterns. Set by hand: the NHS number weights (they are the labels), missing = 0, "
    "and the thresholds (link at odds of 19 to 1, review from 1 to 4, ambiguous within 19 to 1). Tried on "
    "further seeds of the same simulator only, never on real people. A larger population has more chance "
    "agreements: refit on the population linked."
)


def fitted_text(*, people: int = PEOPLE, seeds: Sequence[int] = SEEDS, report: Callable[[str], None] = print) -> str:
    """The text of the model file. Raises ModelRefused where the populations are too small to fit on."""
    counts = Counts()
    for seed in seeds:
        report(f"population {seed} of {people:,} people ...")
        counts += world_counts(LinkageWorld.of(people, seed=seed))
    provenance = _PROVENANCE.format(people=people, seeds=", ".join(map(str, seeds)))
    return dump(anchored(counts, origin=Origin(NAME, provenance, COUNTED, CODE)))


def world_counts(world: LinkageWorld) -> Counts:
    """The agreement patterns of all pairs of two records with a valid NHS number that share a training block."""
    identities = [normalise(record.identity) for record in world.records]
    blocks: dict[str, list[int]] = {}
    for place, identity in enumerate(identities):
        for text in training_blocks(identity):
            blocks.setdefault(text, []).append(place)
    pairs = {
        pair
        for places in blocks.values()
        if len(places) <= BLOCK_MAX
        for pair in combinations(places, 2)
        if all(identities[place].nhs_number for place in pair)
    }
    return counted(agreements(identities, sorted(pairs), keys=_KEYS))


def training_blocks(identity: NormalisedIdentity) -> list[str]:
    """Wider blocks than the linker's (linkage.blocks), each pair of which is among these: weights that are learnt only
    on pairs of the linker's narrow blocks see too few strangers who look alike.
    """
    heard, pairs = sounds(identity.names), sound_pairs(identity.names)
    texts = [f"nhs/{identity.nhs_number}"] if identity.nhs_number else []
    texts += [f"phone/{phone}" for phone in identity.phones] + [f"email/{email}" for email in identity.emails]
    if identity.birth_date is not None and len(identity.birth_date) == FULL_DATE:
        year, month, day = identity.birth_date.split("-")
        low, high = sorted((month, day))
        texts += [f"birth/{identity.birth_date}/{sound}" for sound in heard]
        texts += [f"{part}/{pair}" for pair in pairs for part in (f"y/{year}", f"md/{month}{day}")]
        texts += [f"swap/{year}/{low}/{high}/{code[:-3]}" for code in identity.postcodes if code]
    for postcode, line in zip(identity.postcodes, identity.houses, strict=True):
        house = house_of(line)
        texts += [f"home/{postcode}/{house}"] if postcode and house else []
        texts += [f"near/{postcode}/{sound}" for sound in heard if postcode]
        texts += [f"house/{house}/{pair}" for pair in pairs if house]
    return distinct(texts)[:MAX_BLOCKS]
