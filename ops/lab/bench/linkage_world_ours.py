"""The records of a world linked by our own linker: keyed encodings only, one record at a time."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from linkage.cluster import Decision, LinkGraph, Member
from linkage.compare import levels
from linkage.counts import Counts, counted
from linkage.index import BLOCK_MAX
from linkage.normalise import normalise
from linkage.tokens import EncodedIdentity, TokenKeys, encode
from linkage.weights import Model
from ops.lab.bench.linkage_world_keys import Clusters
from ops.lab.bench.linkage_world_records import TIER_RANK, LinkageWorld

BENCH_KEY = bytes(range(32))  # nothing here is anybody's: a key that makes runs repeatable

Pair = tuple[str, str]
Encoded = Mapping[str, EncodedIdentity]


@dataclass(frozen=True, slots=True, repr=False)
class Linked:
    """What our linker made of a world. `held`: records with an open review; `reviews`: the open pairs;
    `reviewed`: the clusters once an oracle has answered those; `renamed`: how often a record that had been
    answered got another person id while records arrived.
    """

    clusters: Clusters
    held: frozenset[str]
    reviews: tuple[Pair, ...]
    reviewed: Clusters
    renamed: int
    link_cpu_s: float


def encoded_world(world: LinkageWorld) -> Encoded:
    """Every identity of the world, encoded under a key of the bench."""
    keys = TokenKeys.from_bytes(BENCH_KEY, epoch=1)
    return {record.record_id: encode(normalise(record.identity), keys=keys) for record in world.records}


def link(world: LinkageWorld, encoded: Encoded, model: Model) -> Linked:
    """The records put in arrival order; then every open pair answered by who knows the truth, once."""
    graph, anchors, renamed = LinkGraph(model), dict[str, str](), 0
    started_s = time.process_time()
    for record in world.records:
        member = Member(TIER_RANK[record.tier], encoded[record.record_id], source=record.source)
        for other in graph.put(record.record_id, member):
            anchor = graph.answer(other).anchor
            renamed += anchors.get(other, anchor) != anchor
            anchors[other] = anchor
    link_cpu_s = time.process_time() - started_s
    held = frozenset(record_id for record_id in anchors if graph.answer(record_id).status == "held")
    reviews = tuple(review.pair for review in graph.reviews(anchors))
    answer_reviews(graph, reviews, {record.record_id: record.person for record in world.records})
    reviewed = {record_id: graph.answer(record_id).anchor for record_id in anchors}
    return Linked(anchors, held, reviews, reviewed, renamed, link_cpu_s)


def answer_reviews(graph: LinkGraph, reviews: tuple[Pair, ...], person_of: Mapping[str, str]) -> None:
    """A steward who never errs has decided these pairs."""
    for number, (a, b) in enumerate(reviews):
        kind = "link" if person_of[a] == person_of[b] else "apart"
        graph.decide(Decision((a, b), kind, "2026-07-01T09:00:00Z", f"{number:09d}"))  # type: ignore[arg-type]


def training_pairs(
    encoded: Encoded, *, cap: int = BLOCK_MAX
) -> Iterator[tuple[EncodedIdentity, EncodedIdentity, bytes]]:
    """Every pair of identities that shares a block of at most `cap` records, once each and in a fixed order,
    with the least block they share. Which that is says whose turn a pair is: nothing need be remembered.
    """
    standing: dict[bytes, list[str]] = {}
    for record_id in sorted(encoded):
        for token in encoded[record_id].tokens:
            standing.setdefault(token, []).append(record_id)
    live = {token: records for token, records in standing.items() if 1 < len(records) <= cap}
    tokens = {record_id: live.keys() & one.tokens for record_id, one in encoded.items()}
    for token in sorted(live):
        for a, b in combinations(live[token], 2):
            if token == min(tokens[a] & tokens[b]):
                yield encoded[a], encoded[b], token


def training_counts(encoded: Encoded, *, cap: int = BLOCK_MAX) -> Counts:
    """The agreement patterns of all `training_pairs`: what a model is fitted on. Counts of several worlds add
    up.
    """
    return counted(levels(a, b, block=block) for a, b, block in training_pairs(encoded, cap=cap))
