"""Which records a linkage got wrong, by what had happened to them: what to mend first.

Kinds are words and levels of agreement, never a value.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations

from linkage.compare import common_block, levels
from linkage.decide import judge
from linkage.tokens import EncodedIdentity
from linkage.weights import Model, weigh
from ops.lab.bench.linkage_world_keys import Clusters
from ops.lab.bench.linkage_world_records import LinkageWorld, WorldRecord

Kinds = Counter[tuple[str, str]]  # what happened, how the two records agree


def false_links(
    world: LinkageWorld, clusters: Clusters, encoded: Mapping[str, EncodedIdentity], model: Model
) -> Kinds:
    """Pairs of two people's records in one cluster, by kind; the most frequent first with `most_common`."""
    members: dict[str, list[WorldRecord]] = {}
    for record in world.records:
        members.setdefault(clusters[record.record_id], []).append(record)
    return Counter(
        (_who(world, a, b), _agreement(encoded, model, a, b))
        for records in members.values()
        for a, b in combinations(records, 2)
        if a.person != b.person
    )


def missed_links(
    world: LinkageWorld, clusters: Clusters, encoded: Mapping[str, EncodedIdentity], model: Model
) -> Kinds:
    """Tier 2 and 3 records that are not with their person's primary-care record, by kind."""
    primary = {record.person: record for record in world.records if record.tier == "primary_care"}
    return Counter(
        (_both(home, record), _agreement(encoded, model, home, record))
        for record, home in _with_home(world, primary)
        if clusters[record.record_id] != clusters[home.record_id]
    )


def _with_home(
    world: LinkageWorld, primary: Mapping[str, WorldRecord]
) -> Iterator[tuple[WorldRecord, WorldRecord]]:
    for record in world.records:
        if record.tier != "primary_care" and record.person in primary:
            yield record, primary[record.person]


def _who(world: LinkageWorld, a: WorldRecord, b: WorldRecord) -> str:
    relation = world.relation.get(a.person) or "strangers"
    return f"{relation}: {_both(a, b)}"


def _both(a: WorldRecord, b: WorldRecord) -> str:
    return ", ".join(sorted({*a.happened, *b.happened})) or "nothing"


def _agreement(encoded: Mapping[str, EncodedIdentity], model: Model, a: WorldRecord, b: WorldRecord) -> str:
    """The levels that say something, and what the pair by itself would come to."""
    left, right = encoded[a.record_id], encoded[b.record_id]
    block = common_block(left, right)
    if block is None:
        return "share no block"
    at = levels(left, right, block=block)
    told = [f"{field} {level}" for field, level in at.pairs() if level not in ("missing", "no")]
    verdict = judge(model, weigh(model, at))
    rules = "".join(f" {rule.value}" for rule in verdict.rules)
    return f"{', '.join(one for one in told if '_frequency' not in one)} ({verdict.band.value}{rules})"


def listed(kinds: Kinds, *, most: int = 15) -> str:
    """The most frequent kinds, one a line with its count."""
    return "\n".join(
        f"{count:6d}  {happened} | {agreement}" for (happened, agreement), count in kinds.most_common(most)
    )
