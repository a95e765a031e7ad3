"""The model that ships, fitted from its seeds: the same code gives the same file, byte for byte.

Counts of pairs are whole numbers, so they add up in any order; the fit reads them in one fixed order. No clock, no
hash order and no file has an influence.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import linkage
from linkage.anchored import anchored
from linkage.counts import Counts, counted
from linkage.model import Origin, dump
from linkage.normalise import normalise
from linkage.tokens import TokenKeys, encode
from ops.lab.bench.linkage_world_records import LinkageWorld
from ops.training.candidates import candidates

SHIPPED = Path(linkage.__file__).parent / "models" / "shipped.json"
PEOPLE, SEEDS = 20_000, (901, 902, 903, 904)
NAME = "simulated-people"
COUNTED, CODE = "2026-11-28", "linkage/2"  # set by hand when a new fit is committed
_KEYS = TokenKeys.from_bytes(bytes(range(32)), epoch=1)  # the people are invented: nothing to hide
_PROVENANCE = (
    "Refit before real use. Fitted on invented people, not real ones: simulated populations of {people:,} people "
    "each (seeds {seeds} of this project's own simulator; rates in ops/lab/simulator/rates.toml, each with its "
    "source or marked an assumption), pairs of records that share a block and both carry a valid NHS number, equal "
    "numbers taken as one person and different ones as two, a half per cent of labels allowed to be wrong. Weights by "
    "penalised logistic regression on agreement patterns. Set by hand: the NHS number weights (they are the labels), "
    "missing = 0, and the thresholds (link at odds of 19 to 1, review from 1 to 4, ambiguous within 19 to 1). Tried on "
    "further seeds of the same simulator only, never on real people. A larger population has more chance agreements: "
    "refit on the population linked."
)


def fitted_text(
    *, people: int = PEOPLE, seeds: Sequence[int] = SEEDS, report: Callable[[str], None] = print
) -> str:
    """The text of the model file. Raises ModelRefused where the populations are too small to fit on."""
    counts = Counts()
    for seed in seeds:
        report(f"population {seed} of {people:,} people ...")
        counts += world_counts(LinkageWorld.of(people, seed=seed))
    provenance = _PROVENANCE.format(people=people, seeds=", ".join(map(str, seeds)))
    return dump(anchored(counts, origin=Origin(NAME, provenance, COUNTED, CODE)))


def world_counts(world: LinkageWorld) -> Counts:
    """The agreement patterns of all pairs of records in the world that the linker would compare."""
    encoded = [encode(normalise(record.identity), keys=_KEYS) for record in world.records]
    return counted(levels for _, levels in candidates(encoded))
