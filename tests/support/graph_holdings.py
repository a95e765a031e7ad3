"""How much a linkage graph holds, counted over every record."""

from dataclasses import dataclass

from linkage.cluster import LinkGraph
from linkage.graph_state import GraphState


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much a graph holds: a function of its set of records and decisions, so what was taken back leaves no
    trace here. `standings`: records in blocks; `crowds`: tokens that outgrew the cap; `pairs`: links, doubts
    and possible duplicates.
    """

    records: int
    standings: int
    crowds: int
    pairs: int
    clusters_of_several: int
    refused: int
    merges: int
    decisions: int


def holdings(graph: LinkGraph) -> Holdings:
    """What the graph holds."""
    known = graph._known
    clusters = {id(cluster) for cluster in known.clusters if cluster is not None}
    return Holdings(
        records=len(known.roll),
        standings=len(known.index),
        crowds=known.index.crowds(),
        pairs=pairs_held(known),
        clusters_of_several=len(clusters),
        refused=sum(len(others) for others in known.refused.values()) // 2,
        merges=sum(len(others) for others in known.merged_from.values()),
        decisions=len(known.decisions),
    )


def pairs_held(known: GraphState) -> int:
    """How many pairs are held; each stands at both its records, in two places."""
    return sum(len(near) for near in known._near) // 4
