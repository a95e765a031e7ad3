"""The link graph: which records are one person, kept up to date as records come, change and go.

What it answers is a function of the *set* of records it holds, never of how they came (linkage design §4.4):
a blocking token counts when at most `cap` records stand in it *now*; a pair is scored when it shares such a
token; a component of links is cut into people by linkage.partition. Everything held besides the records is
memory of that function, recomputed where an input changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from linkage.decide import Band, Rule, judge
from linkage.explain import Evidence, evidence, merged
from linkage.partition import Cluster, Judged, Member, Pair, conflict, pair_of, partition
from linkage.weights import Model, score

__all__ = ["Answer", "LinkGraph", "Member", "Review"]

LINKED, HELD = "linked", "held"
# A person has a handful of records. A number that 300 records share would otherwise make every new one rewrite
# 300 answers with 300 pieces of evidence each: 50 MB for one message, measured at 200.
EVIDENCE_MAX = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """Who a record belongs to. `anchor` is the member least by (tier, record id); `evidence` is this record's
    own, by other record, and no more than the surest `EVIDENCE_MAX` of each kind.

    Held: a review pair touches the record and is open, or it has no usable identity and no source merged it.
    It is still in its cluster.
    """

    anchor: str
    members: tuple[str, ...]
    status: str
    held_reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A pair for a person to judge: its records (lesser id first), its weight in milli-bits, why the machine
    would not.
    """

    pair: Pair
    bits: int
    rules: tuple[str, ...]


class LinkGraph:
    """All records of one linkage domain. Mutable; one owner, one call after another."""

    def __init__(self, model: Model, *, cap: int = 300) -> None:
        """Empty. A blocking token more than `cap` records stand in is worth nothing, and all it alone
        supported is gone.
        """
        assert cap >= 2
        self._model, self._cap = model, cap
        self._records: dict[str, Member] = {}
        self._standing: dict[bytes, set[str]] = {}
        self._merged_from: dict[str, set[str]] = {}
        self._pairs: dict[Pair, Judged] = {}
        self._near: dict[str, set[str]] = {}
        self._cluster: dict[str, Cluster] = {}
        self._refused: dict[Pair, Rule] = {}

    def __len__(self) -> int:
        return len(self._records)

    def put(self, record_id: str, member: Member) -> frozenset[str]:
        """The record as it now is, in place of what it was. Returns every id whose answer may have changed,
        `record_id` among them.
        """
        return self._change(record_id, member) | {record_id}

    def load(self, records: Mapping[str, Member]) -> None:
        """An empty graph then holds these records, as if each had been put, in a fraction of the time: every
        pair is scored once and every component cut once.
        """
        assert not self._records, "only an empty graph is loaded"
        self._records = dict(records)
        for record_id, member in self._records.items():
            self._note_merge(record_id, None, member.merged_into)
            for token in member.encoded.tokens if member.encoded else ():
                self._standing.setdefault(token, set()).add(record_id)
        for token, standing in self._standing.items():
            if 1 < len(standing) <= self._cap:
                for pair in combinations(sorted(standing), 2):
                    if pair not in self._pairs:
                        self._know(pair, self._judged(pair, token))
        for record_id in self._records:
            if record_id not in self._cluster:
                self._settle(self._component(record_id))

    def remove(self, record_id: str) -> frozenset[str]:
        """The record is gone, as if it had never been put. Returns the ids of others whose answer may have
        changed.
        """
        return self._change(record_id, None) - {record_id}

    def answer(self, record_id: str) -> Answer:
        """The answer for a record that was put. Raises KeyError for any other."""
        cluster = self._cluster[record_id]
        member = self._records[record_id]
        reasons = {rule for review in self.reviews([record_id]) for rule in review.rules}
        if len(cluster.members) == 1 and not (member.encoded and member.encoded.usable):
            reasons.add(Rule.NO_IDENTITY.value)
        return Answer(
            anchor=cluster.anchor,
            members=cluster.members,
            status=HELD if reasons else LINKED,
            held_reasons=tuple(sorted(reasons)),
            evidence=tuple(self._evidence(record_id)),
        )

    def reviews(self, record_ids: Iterable[str]) -> tuple[Review, ...]:
        """The open review pairs that touch any of these records, by pair."""
        pairs = {pair_of(record, other) for record in record_ids for other in self._near.get(record, ())}
        return tuple(self._review(pair) for pair in sorted(pairs) if self._is_open(pair))

    # ------------------------------------------------------------ answers

    def _doubt(self, pair: Pair) -> tuple[Rule, ...]:
        """Why the pair is not simply linked or apart; () when it is."""
        verdict = self._pairs[pair].verdict
        refused = self._refused.get(pair)
        if verdict.band is Band.REVIEW:
            return verdict.rules
        return (refused,) if refused and refused is not Rule.NUMBERS_DIFFER else ()

    def _is_open(self, pair: Pair) -> bool:
        """In doubt, and not settled: not one cluster by other evidence, nor two that different NHS numbers
        keep apart.
        """
        a, b = (self._cluster[record] for record in pair)
        return a is not b and bool(self._doubt(pair)) and not conflict(a.numbers, b.numbers)

    def _review(self, pair: Pair) -> Review:
        return Review(pair, self._pairs[pair].score.bits, tuple(rule.value for rule in self._doubt(pair)))

    def _evidence(self, record_id: str) -> Iterable[Evidence]:
        """Links inside the cluster, open reviews, and numbers that differ though all else agrees: of many the
        surest `EVIDENCE_MAX`, ties by record id.
        """
        members = set(self._cluster[record_id].members)
        merges = self._merges(record_id)
        told: list[tuple[int, str, Judged]] = []
        for other in self._near.get(record_id, set()):
            pair = pair_of(record_id, other)
            judged = self._pairs[pair]
            if other in members or Rule.DUPLICATE_NUMBER in judged.verdict.rules or self._is_open(pair):
                told.append((-judged.score.bits, other, judged))
        surest = {other: judged for _, other, judged in sorted(told, key=lambda one: one[:2])[:EVIDENCE_MAX]}
        for other in sorted(surest.keys() | set(sorted(merges)[:EVIDENCE_MAX])):
            if other in merges:
                yield merged(other)
            if other in surest:
                yield evidence(self._model, other, surest[other].score, surest[other].verdict)

    # ------------------------------------------------------------ change

    def _change(self, record_id: str, new: Member | None) -> frozenset[str]:
        old = self._records.get(record_id)
        if new == old:
            return frozenset()
        touched = {record_id} | self._merges(record_id)
        stale = self._stand(record_id, _tokens(old), _tokens(new))
        if new is None:
            del self._records[record_id]
        else:
            self._records[record_id] = new
        self._note_merge(record_id, old.merged_into if old else None, new.merged_into if new else None)
        touched |= self._merges(record_id)
        same_identity = old is not None and new is not None and old.encoded == new.encoded
        for pair in stale if not same_identity else ():
            if self._evaluate(pair, again=record_id in pair):
                touched.update(pair)
        return self._recompute(touched)

    def _stand(self, record_id: str, old: frozenset[bytes], new: frozenset[bytes]) -> set[Pair]:
        """The record leaves and enters blocks. Returns the pairs that may not be what they were."""
        stale = {pair_of(record_id, other) for other in self._near.get(record_id, ())}
        for token in old - new:
            standing = self._standing[token]
            standing.discard(record_id)
            if len(standing) == self._cap:
                stale.update(combinations(sorted(standing), 2))
            if not standing:
                del self._standing[token]
        for token in new - old:
            standing = self._standing.setdefault(token, set())
            standing.add(record_id)
            if len(standing) == self._cap + 1:
                stale.update(pair for pair in combinations(sorted(standing), 2) if pair in self._pairs)
        for token in new:
            if len(self._standing[token]) <= self._cap:
                stale.update(
                    pair_of(record_id, other) for other in self._standing[token] if other != record_id
                )
        return stale

    def _evaluate(self, pair: Pair, *, again: bool) -> bool:
        """Score the pair if it shares a live token, else forget it. True when what is known of it changed."""
        before = self._pairs.get(pair)
        block = self._live_block(pair)
        if before and block and not again:
            return False
        after = self._judged(pair, block) if block else None
        self._know(pair, after)
        return before != after

    def _know(self, pair: Pair, judged: Judged | None) -> None:
        """Remember the pair, or forget it."""
        if judged is None:
            self._pairs.pop(pair, None)
            self._refused.pop(pair, None)
        else:
            self._pairs[pair] = judged
        for record, other in (pair, pair[::-1]):
            near = self._near.setdefault(record, set())
            near.add(other) if judged else near.discard(other)
            if not near:
                del self._near[record]

    def _live_block(self, pair: Pair) -> bytes | None:
        """The least token both stand in and that is not outgrown."""
        a, b = (self._records.get(record) for record in pair)
        if a is None or b is None or a.encoded is None or b.encoded is None:
            return None
        shared = set(a.encoded.tokens).intersection(b.encoded.tokens)
        return min((token for token in shared if len(self._standing[token]) <= self._cap), default=None)

    def _judged(self, pair: Pair, block: bytes) -> Judged:
        a, b = (self._records[record].encoded for record in pair)
        assert a is not None
        assert b is not None
        found = score(self._model, a, b, block=block)
        assert found is not None
        return Judged(found, judge(self._model, found))

    def _note_merge(self, record_id: str, old: str | None, new: str | None) -> None:
        if old:
            self._merged_from[old].discard(record_id)
            if not self._merged_from[old]:
                del self._merged_from[old]
        if new:
            self._merged_from.setdefault(new, set()).add(record_id)

    def _merges(self, record_id: str) -> set[str]:
        """The records present that a source merge joins to this one, either way."""
        member = self._records.get(record_id)
        named = {member.merged_into} if member and member.merged_into else set()
        return {
            other
            for other in named | self._merged_from.get(record_id, set())
            if other in self._records and other != record_id
        }

    # ------------------------------------------------------------ components

    def _recompute(self, touched: set[str]) -> frozenset[str]:
        """Cut anew every component that has a touched record. Returns all whose answer may have changed."""
        changed = set(touched)
        present = sorted(record for record in touched if record in self._records)
        for record in touched.difference(present):
            self._cluster.pop(record, None)
        done: set[str] = set()
        for seed in present:
            if seed not in done:
                component = self._component(seed)
                done |= component
                changed |= self._settle(component)
        return frozenset(record for record in changed if record in self._records)

    def _component(self, seed: str) -> set[str]:
        """All records that links or merges join to the seed, however far."""
        found, open_ = {seed}, [seed]
        while open_:
            record = open_.pop()
            linked = {
                other
                for other in self._near.get(record, ())
                if self._pairs[pair_of(record, other)].verdict.band is Band.AUTO
            }
            new = (linked | self._merges(record)) - found
            found |= new
            open_ += new
        return found

    def _settle(self, component: set[str]) -> set[str]:
        """Partition one component and remember it. Returns records whose cluster, and pairs whose refusal, is
        not what it was.
        """
        if len(component) == 1:
            return self._settle_alone(*component)
        known = {
            pair_of(record, other)
            for record in component
            for other in self._near.get(record, ())
            if other in component
        }
        result = partition(
            self._model,
            {record: self._records[record] for record in component},
            {pair: self._pairs[pair] for pair in known},
        )
        changed: set[str] = set()
        for pair in known:
            if self._refused.get(pair) != result.refused.get(pair):
                changed.update(pair)
            self._refused.pop(pair, None)
        self._refused.update(result.refused)
        for cluster in result.clusters:
            for record in cluster.members:
                if self._cluster.get(record) != cluster:
                    changed.add(record)
                    changed.update(
                        other for other in self._near.get(record, ()) if self._doubt(pair_of(record, other))
                    )
                self._cluster[record] = cluster
        return changed

    def _settle_alone(self, record: str) -> set[str]:
        """As `_settle`, of a record that nothing joins to another: the most frequent component by far."""
        number = self._records[record].number
        cluster = Cluster(record, (record,), frozenset((number,)) if number else frozenset())
        if self._cluster.get(record) == cluster:
            return set()
        self._cluster[record] = cluster
        doubted = (other for other in self._near.get(record, ()) if self._doubt(pair_of(record, other)))
        return {record, *doubted}


def _tokens(member: Member | None) -> frozenset[bytes]:
    return frozenset(member.encoded.tokens) if member and member.encoded else frozenset()
