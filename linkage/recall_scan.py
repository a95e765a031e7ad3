"""How well groups of people are linked where the linker runs: the hold-out estimate of linkage.subgroups over a
graph, a small piece at a time.

A graph knows of a record its source, its tier and whether it has an NHS number, so only by these can it tell.
Looked at are pairs that share a number and are held as links or doubts, which nearly all such pairs are (10,525
of 10,525, measured on 25,251 simulated records). Recall alone: pairs of two people are not held.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from linkage.cluster import LinkGraph
from linkage.graph_state import GraphState
from linkage.members import Member
from linkage.subgroups import (
    GATED_MIN,
    STANDARD,
    WHOLE,
    Group,
    HeldOut,
    SubgroupReport,
    held_out,
    met_without_number,
    report,
    widest_gaps,
    without_number,
)

SAMPLE_RECORDS = 16_384  # of more, one person in two, four, eight ... : the interval of a recall is then 0.4 points
RECORDS_EACH_MAX = 16  # a number on more records is no person's: a test patient, or a mistake that spread
SLOTS_AT_ONCE = 4_096  # looked at: 1 ms
PAIRS_AT_ONCE = 32  # judged: 2 ms


@dataclass(frozen=True, slots=True)
class RecallScan:
    """How far a walk over a graph's records has come, and what it has counted. The empty one is its beginning."""

    one_in: int = 1  # people of this many are in the sample, by the bytes of their number's token
    at: int = 0
    pairs: Counter[HeldOut] = field(default_factory=Counter, repr=False)
    records: Counter[Group] = field(default_factory=Counter, repr=False)
    numberless: Counter[Group] = field(default_factory=Counter, repr=False)
    done: bool = False


def walk_on(graph: LinkGraph, so_far: RecallScan) -> RecallScan:
    """The walk a piece further: at most SLOTS_AT_ONCE records looked at, and no further one begun after
    PAIRS_AT_ONCE pairs; `done` when all were looked at, and a done one begins anew.

    A whole walk over a graph that stands still is a function of its set of records. One that changes meanwhile is
    seen as it is when the walk comes by.
    """
    known = graph._known
    begun = RecallScan(one_in(len(graph))) if so_far.done or so_far.at == 0 else so_far
    pairs, records, numberless = begun.pairs.copy(), begun.records.copy(), begun.numberless.copy()
    members = known.roll.members
    at, end, judged = begun.at, min(len(members), begun.at + SLOTS_AT_ONCE), 0
    while at < end and judged < PAIRS_AT_ONCE:
        member = members[at]
        if member is not None and member.encoded is not None:
            if member.encoded.nhs is None:
                numberless.update(_groups(member))
            elif int.from_bytes(member.encoded.nhs[:4]) % begun.one_in == 0:
                records.update((*_groups(member), WHOLE))
                found = list(_held_out(known, at))
                pairs.update(found)
                judged += len(found)
        at += 1
    return RecallScan(begun.one_in, at, pairs, records, numberless, done=at >= len(members))


def report_of(graph: LinkGraph, walk: RecallScan) -> SubgroupReport:
    """The report by group of a walk that is done."""
    assert walk.done, "part of the records is no sample of them"
    name = graph._known.model.name
    return report(walk.pairs, model=name, records=walk.records, numberless=walk.numberless)


def gaps_for_metrics(of: SubgroupReport) -> dict[str, float]:
    """The widest gap of recall in points by source and by tier, and how far people without a number are expected to
    lie below those with one; a dimension too small to be judged is not there.
    """
    found, absent, present = widest_gaps(of), without_number(of), of.tallies.get(WHOLE)
    enough = sum(count for group, count in of.numberless.items() if group[0] == STANDARD) >= GATED_MIN
    if absent and present and present.recall is not None and present.matches >= GATED_MIN and enough:
        found[WHOLE[0]] = round(max(0.0, 100 * (float(present.recall) - absent.recall)), 1)
    return found


def one_in(records: int) -> int:
    """One person in how many is in the sample of a graph of so many records: a power of two, so that the people of
    a smaller sample are among those of a larger one.

    >>> one_in(16_384), one_in(16_385), one_in(1_000_000)
    (1, 2, 64)
    """
    return 1 << max(0, (records - 1) // SAMPLE_RECORDS).bit_length()


def _groups(member: Member) -> tuple[Group, ...]:
    tier = ("tier", str(member.tier_rank))
    return (tier,) if member.source is None else (tier, (STANDARD, member.source))


def _held_out(known: GraphState, slot: int) -> Iterator[HeldOut]:
    """The record's pairs of one number, each told by the record of the lesser slot."""
    _, mine = known.roll.item(slot)
    others = [
        (other, theirs, judged.score.levels)
        for other, judged in known.near(slot)
        if (theirs := known.roll.item(other)[1]).number == mine.number
    ]
    if len(others) >= RECORDS_EACH_MAX:
        return
    for other, theirs, at in others:
        if slot < other and mine.encoded is not None and theirs.encoded is not None:
            shared = len(known.live_keys(slot) & known.live_keys(other))
            met = met_without_number(mine.encoded, theirs.encoded, live_blocks_shared=shared)
            found = held_out(known.model, at, (*_groups(mine), *_groups(theirs)), met=met)
            assert found is not None, "both carry a number"
            yield found
