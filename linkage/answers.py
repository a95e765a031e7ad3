"""What the link graph says of a record: whose it is, with what evidence, and what a person must judge."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from linkage.decide import Band, Rule, ScoredPair
from linkage.explain import Evidence, decided, merged
from linkage.graph_state import GraphState
from linkage.members import Pair, conflict, pair_of

LINKED, HELD = "linked", "held"
# A person has a handful of records. A number that 100 records share would otherwise make every new one rewrite
# 100 answers with 100 pieces of evidence each: 10 MB for one message.
EVIDENCE_MAX = 16

_SETTLED = (Rule.NUMBERS_DIFFER, Rule.DECIDED_APART)  # refusals that leave nothing to judge


class LinkAnswer(NamedTuple):
    """Who a record belongs to. `anchor` is the member least by (tier, record id); `evidence` is this record's
    own, by other record, and no more than the surest `EVIDENCE_MAX` of each kind.

    Held: a review pair touches the record and is open, or it has nothing to be compared on that is its own and
    nobody joined it to another. It is still in its cluster.
    """

    anchor: str
    members: tuple[str, ...]
    status: str
    held_reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A pair for a person to judge: its records (lesser id first), its weight in milli-bits (0 where only words
    join the two), why the machine would not.
    """

    pair: Pair
    bits: int
    rules: tuple[str, ...]


def answer(known: GraphState, slot: int) -> LinkAnswer:
    """The answer for the record of a slot in use."""
    cluster = known.clusters[slot]
    record_id = known.roll.ids[slot]
    if cluster is None and not known.has_pairs(slot) and not known.spoken_of(slot):
        alone = _beyond_compare(known, slot)
        return LinkAnswer(record_id, (record_id,), HELD if alone else LINKED, alone, ())
    reasons = {rule for review in reviews(known, [slot]) for rule in review.rules}
    if cluster is None:
        reasons.update(_beyond_compare(known, slot))
    return LinkAnswer(
        anchor=record_id if cluster is None else cluster.anchor,
        members=(record_id,) if cluster is None else cluster.members,
        status=HELD if reasons else LINKED,
        held_reasons=tuple(sorted(reasons)),
        evidence=_evidence(known, slot),
    )


def _beyond_compare(known: GraphState, slot: int) -> tuple[str, ...]:
    """Why no weight could ever join the record to another; () where one could."""
    encoded = known.encoded(slot)
    if encoded is None or not encoded.usable:
        return (Rule.NO_IDENTITY.value,)
    crowded = known.index.crowds() and not known.live_keys(slot)
    return (Rule.CROWDED.value,) if crowded else ()


def reviews(known: GraphState, slots: Iterable[int]) -> tuple[Review, ...]:
    """The open review pairs that touch any of these records, by pair."""
    ids = known.roll.ids
    found = {}
    for slot in slots:
        if _settled(known, slot):
            continue
        for other, judged in _in_question(known, slot):
            if is_open(known, slot, other, judged):
                rules = tuple(rule.value for rule in doubt(known, slot, other, judged))
                pair = pair_of(ids[slot], ids[other])
                found[pair] = Review(pair, judged.score.bits if judged else 0, rules)
    return tuple(found[pair] for pair in sorted(found))


def _settled(known: GraphState, slot: int) -> bool:
    """Whether all that is held of the record's pairs lies inside its cluster: by far the most frequent."""
    cluster = known.clusters[slot]
    if cluster is None or slot in known.refused:
        return False
    return all(known.clusters[other] is cluster for other, _ in known.near(slot))


def doubt(known: GraphState, a: int, b: int, judged: ScoredPair | None) -> tuple[Rule, ...]:
    """Why the pair is not simply linked or apart; () when it is."""
    refused = known.refusals(a).get(b)
    if refused is Rule.CONTRADICTION:
        return (refused,)
    if judged is None:
        return ()
    if judged.duplicate_number:
        return (Rule.DUPLICATE_NUMBER,)
    if judged.verdict.rules and judged.verdict.band is Band.REVIEW:
        return judged.verdict.rules
    return (refused,) if refused and refused not in _SETTLED else ()


def is_open(known: GraphState, a: int, b: int, judged: ScoredPair | None) -> bool:
    """In doubt, and not settled: not one cluster by other evidence, nor two that a steward keeps apart, nor two
    of different NHS numbers, but that the numbers themselves may be the doubt. Words that contradict each other
    stay open till one is taken back.
    """
    ours, theirs = known.clusters[a], known.clusters[b]
    if ours is not None and ours is theirs:
        return False
    why = doubt(known, a, b, judged)
    if not why or why == (Rule.CONTRADICTION,):
        return bool(why)
    if _kept_apart(known, a, b):
        return False
    return why == (Rule.DUPLICATE_NUMBER,) or not conflict(known.numbers(a), known.numbers(b))


def _kept_apart(known: GraphState, a: int, b: int) -> bool:
    """Whether a steward parted a record of the one's cluster from one of the other's."""
    if not len(known.decisions):
        return False
    theirs = {known.roll.ids[slot] for slot in known.mates(b)}
    return any(
        decision.kind == "apart" and other in theirs
        for slot in known.mates(a)
        for other, decision in known.decisions.about(known.roll.ids[slot]).items()
    )


def _in_question(known: GraphState, slot: int) -> Iterator[tuple[int, ScoredPair | None]]:
    """The other records a review may be about, with what is held of the pair."""
    near = list(known.near(slot))
    yield from near
    refusals = known.refusals(slot)
    if refusals:
        yield from ((other, None) for other in refusals.keys() - {other for other, _ in near})


def _evidence(known: GraphState, slot: int) -> tuple[Evidence, ...]:
    """What anybody said of the record beside another, links inside the cluster, open reviews, and numbers that
    differ though all else agrees: of many the surest `EVIDENCE_MAX`, ties by record id.
    """
    weighed = sorted(_weighed(known, slot)[:EVIDENCE_MAX], key=itemgetter(0))
    rows = [known.verdicts.evidence(other, judged) for other, judged in weighed]
    if known.spoken_of(slot):
        decided_rows = sorted(_said(known, slot), key=lambda row: (row.other, row.rules))
        rows = sorted([*decided_rows[:EVIDENCE_MAX], *rows], key=lambda row: row.other)  # words before weights
    return tuple(rows)


def _said(known: GraphState, slot: int) -> Iterator[Evidence]:
    """Merges by sources and decisions by stewards; one about a record that is not there waits."""
    record_id, member = known.roll.item(slot)
    for other in known.merges(record_id, member):
        if other != record_id and known.roll.slot(other) is not None:
            yield merged(other)
    for other, decision in known.decisions.about(record_id).items():
        if known.roll.slot(other) is None:
            yield decided(other, Rule.WAITING)
        else:
            yield decided(other, Rule.DECIDED_LINK if decision.kind == "link" else Rule.DECIDED_APART)


def _weighed(known: GraphState, slot: int) -> list[tuple[str, ScoredPair]]:
    """The scored pairs to tell of, the surest first; those that speak against inside the cluster come last."""
    ids, clusters = known.roll.ids, known.clusters
    cluster, found, linked = clusters[slot], list[tuple[int, str, ScoredPair]](), 0
    for other, held in known.near(slot):
        judged = held
        if cluster is not None and clusters[other] is cluster:
            linked += 1
            judged = _as_known(known, slot, other, held) if held.duplicate_number else held
        elif not held.duplicate_number and not is_open(known, slot, other, held):
            continue
        found.append((-judged.score.bits, ids[other], judged))
    found.sort(key=itemgetter(0, 1))
    if cluster is not None and linked + 1 < len(cluster.members) and len(found) < EVIDENCE_MAX:
        near = {other for other, _ in known.near(slot)}
        rest = [(ids[other], known.between(slot, other)) for other in known.mates(slot) - near - {slot}]
        against = [(-judged.score.bits, other, judged) for other, judged in rest if judged is not None]
        found += sorted(against, key=itemgetter(0, 1))
    return [(other, judged) for _, other, judged in found]


def _as_known(known: GraphState, a: int, b: int, judged: ScoredPair) -> ScoredPair:
    """A pair of one cluster as it counted: without its two numbers, where these were found to be one person's."""
    cluster = known.clusters[a]
    both = {known.roll.item(slot)[1].number for slot in (a, b)}
    return known.verdicts.set_aside(judged) if cluster and both <= cluster.numbers else judged
