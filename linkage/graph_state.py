"""All that a link graph holds, and the questions that one record or one pair answers.

Held of pairs are only those that may matter outside their component: links, doubts, and numbers that differ
though all else agrees. A pair that speaks against is worked out where it is needed: the more records there are the
more candidates are such, and few are ever asked.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from linkage.compare import look
from linkage.decide import Rule, ScoredPair
from linkage.decisions import Decision, Decisions
from linkage.explain import Verdicts
from linkage.index import BlockIndex, Met
from linkage.members import NO_NUMBERS, Member, Numbers, Pair, RecordTable, pair_of
from linkage.model import Model
from linkage.partition import Cluster
from linkage.token_format import TOKEN_BYTES
from linkage.tokens import EncodedIdentity

Near = tuple[int | ScoredPair, ...]  # other slot, verdict, other slot, verdict ...: half the room of a dict
_NONE: Mapping[int, Rule] = {}
ASIDE_MAX, ASIDE_FROM = 1 << 17, 8  # pairs that speak against, remembered in components of more records


def keys_of(encoded: EncodedIdentity | None) -> tuple[int, ...]:
    """The tokens of an identity's blocks as the numbers the index knows them under, rising."""
    return encoded.keys if encoded is not None else ()


def token_of(key: int) -> bytes:
    """The token of a number of the index."""
    return key.to_bytes(TOKEN_BYTES)


class GraphState:
    """Records, blocks, pairs, clusters and decisions. `slots` are those of the roll."""

    def __init__(self, model: Model, cap: int) -> None:
        self.model, self.cap = model, cap
        self.verdicts = Verdicts(model)
        self.roll, self.index, self.decisions = RecordTable(), BlockIndex(cap), Decisions()
        self.merged_from: dict[str, set[str]] = {}
        self.clusters: list[Cluster | None] = []  # by slot; None of a record that is alone
        self.refused: dict[int, dict[int, Rule]] = {}
        self._near: list[Near] = []
        self._identities = array("L")  # by slot: how often its identity was another
        self._aside: dict[tuple[int, int], tuple[int, int, ScoredPair]] = {}

    # ------------------------------------------------------------ records

    def admit(self, record_id: str, member: Member) -> int:
        """The record, not there before, is. Returns its slot."""
        slot = self.roll.add(record_id, member)
        if slot == len(self.clusters):
            self.clusters.append(None)
            self._near.append(())
            self._identities.append(0)
        return slot

    def renew(self, slot: int, member: Member | None) -> None:
        """The record is this from now on, with another identity; None: it is about to be struck."""
        self.roll.members[slot] = member
        self._identities[slot] += 1

    def encoded(self, slot: int) -> EncodedIdentity | None:
        """The identity of a record, None where it has none."""
        member = self.roll.members[slot]
        return member.encoded if member is not None else None

    def joined(self, slot: int) -> set[int]:
        """The records present that a source merge or a steward's link joins to this one, either way."""
        if not self.spoken_of(slot):
            return set()
        record_id, member = self.roll.item(slot)
        about = self.decisions.about(record_id)
        others = {other for other, decision in about.items() if decision.kind == "link"}
        return self.roll.slots(others | self.merges(record_id, member)) - {slot}

    def merges(self, record_id: str, member: Member) -> set[str]:
        """The records that a source merge joins to this one, either way, present or not."""
        named = {member.merged_into} if member.merged_into else set()
        return named | self.merged_from.get(record_id, set())

    def spoken_of(self, slot: int) -> bool:
        """Whether anybody, source or steward, said anything of the record beside another."""
        record_id, member = self.roll.item(slot)
        if member.merged_into is not None or record_id in self.merged_from:
            return True
        return bool(self.decisions.about(record_id))

    def stated_with(self, slot: int) -> set[int]:
        """The records present that somebody said anything of beside this one: merges and decisions."""
        if not self.spoken_of(slot):
            return set()
        record_id, member = self.roll.item(slot)
        return self.roll.slots({*self.merges(record_id, member), *self.decisions.about(record_id)}) - {slot}

    def mates(self, slot: int) -> set[int]:
        """The records of its cluster, itself among them."""
        cluster = self.clusters[slot]
        return {slot} if cluster is None else self.roll.slots(cluster.members)

    def numbers(self, slot: int) -> Numbers:
        """The NHS numbers its cluster stands for."""
        cluster, member = self.clusters[slot], self.roll.members[slot]
        if cluster is not None:
            return cluster.numbers
        return member.one_persons_numbers if member is not None else NO_NUMBERS

    # ------------------------------------------------------------ pairs

    def near(self, slot: int) -> Iterator[tuple[int, ScoredPair]]:
        """The pairs held of a record."""
        held = iter(self._near[slot])
        return zip(held, held, strict=True)  # type: ignore[arg-type]  # slots and verdicts take turns

    def has_pairs(self, slot: int) -> bool:
        """Whether anything is held of the record's pairs."""
        return bool(self._near[slot])

    def hold(self, a: int, b: int, judged: ScoredPair | None) -> None:
        """Hold this of the pair, in place of what was; None: nothing."""
        for slot, other in ((a, b), (b, a)):
            near = self._near[slot]
            others = near[::2]
            if other in others:
                at = 2 * others.index(other)
                near = near[:at] + near[at + 2 :]
            self._near[slot] = near if judged is None else (*near, other, judged)

    def number_in_doubt(self, slot: int) -> bool:
        """Whether the record looks like somebody of another NHS number, and no steward said that they are two."""
        doubles = [other for other, judged in self.near(slot) if judged.duplicate_number]
        if not doubles:
            return False
        about = self.decisions.about(self.roll.ids[slot])
        return any((said := about.get(self.roll.ids[other])) is None or said.kind == "link" for other in doubles)

    def held(self, a: int, b: int) -> ScoredPair | None:
        """What is held of a pair."""
        near = self._near[a]
        others = near[::2]
        return near[2 * others.index(b) + 1] if b in others else None  # type: ignore[return-value]

    def met(self, slot: int) -> Iterator[Met]:
        """The tokens a record stands under, rising, and who does with it."""
        for key in keys_of(self.encoded(slot)):
            yield key, self.index.live(key) or None

    def candidates(self, slot: int, met: Iterable[Met], *, beyond: int = -1) -> dict[int, ScoredPair]:
        """What is to be held of the record's pairs with every record it met in a block that counts and that has a
        slot greater than `beyond`. `met`: by rising token; blocks where nobody else is may be left out.

        A pair is looked at through the least token it shares, live or not, so that its verdict cannot depend on
        which blocks were live when it was met: short tokens agree by chance in one block and not in another.
        """
        encoded = self.encoded(slot)
        found: dict[int, ScoredPair] = {}
        if encoded is None:
            return found
        crowded = self.index.crowded
        members, verdict = self.roll.members, self.verdicts.of
        seen, passed = {slot}, list[int]()
        for key, others in met:
            if others is None:
                passed.append(key)
                continue
            mine, token = None, b""
            for other in others:
                if other in seen or other <= beyond:
                    continue
                seen.add(other)
                theirs: EncodedIdentity = members[other].encoded  # type: ignore[union-attr, assignment]  # in a block
                lesser = next((crowd for crowd in passed if crowded(crowd, other)), None)
                if lesser is not None:
                    before = token_of(lesser)
                    judged = verdict(look(encoded, before), look(theirs, before))
                else:
                    if mine is None:
                        token = token_of(key)
                        mine = look(encoded, token)
                    judged = verdict(mine, look(theirs, token))
                if judged.kept:
                    found[other] = judged
        return found

    def meetings_in(self, keys: Iterable[int]) -> Iterator[tuple[int, int, ScoredPair]]:
        """Every pair that stands under one of these live tokens, is to be held and is not."""
        seen: set[tuple[int, int]] = set()
        for key in keys:
            slots = sorted(self.index.live(key))
            for at, slot in enumerate(slots):
                near = {other for other, _ in self.near(slot)}
                for other in slots[at + 1 :]:
                    if other not in near and (slot, other) not in seen:
                        seen.add((slot, other))
                        judged = self._against(slot, other, remember=True)
                        if judged.kept:
                            yield slot, other, judged

    def between(self, a: int, b: int, *, met: bool = False) -> ScoredPair | None:
        """The verdict on a pair, through the least token it shares; None when it shares no live one. `met`: it is
        known to.
        """
        left, right = self.encoded(a), self.encoded(b)
        if left is None or right is None:
            return None
        ours = frozenset(keys_of(left))
        shared = [key for key in keys_of(right) if key in ours]
        if not met and not any(self.index.counts(key) for key in shared):
            return None
        least = token_of(shared[0])
        return self.verdicts.of(look(left, least), look(right, least))

    def live_keys(self, slot: int) -> set[int]:
        """The live tokens a record stands under."""
        return {key for key in keys_of(self.encoded(slot)) if self.index.counts(key)}

    def within(self, component: set[int]) -> dict[Pair, ScoredPair]:
        """Every pair of the component that shares a live token, with its verdict, by record ids."""
        ids = self.roll.ids
        found = {
            pair_of(ids[slot], ids[other]): judged
            for slot in component
            for other, judged in self.near(slot)
            if slot < other and other in component
        }
        if len(found) < len(component) * (len(component) - 1) // 2:
            for a, b in self._meetings(component):
                pair = pair_of(ids[a], ids[b])
                if pair not in found:
                    found[pair] = self._against(a, b, remember=len(component) > ASIDE_FROM)
        return found

    def _meetings(self, component: set[int]) -> Iterator[tuple[int, int]]:
        """The pairs of the component that meet in a live token, some more than once."""
        standing: dict[int, list[int]] = {}
        for slot in sorted(component):
            for key in keys_of(self.encoded(slot)):
                standing.setdefault(key, []).append(slot)
        for key, slots in standing.items():
            if len(slots) > 1 and self.index.counts(key):
                yield from combinations(slots, 2)

    def _against(self, a: int, b: int, *, remember: bool) -> ScoredPair:
        """The verdict on a pair that meets and is not held. Remembered until one has another identity."""
        versions = (self._identities[a], self._identities[b])
        last = self._aside.get((a, b)) if remember else None
        if last is not None and last[:2] == versions:
            return last[2]
        judged = self.between(a, b, met=True)
        assert judged is not None
        if remember:
            if len(self._aside) >= ASIDE_MAX:
                self._aside.clear()
            self._aside[a, b] = (*versions, judged)
        return judged

    # ------------------------------------------------------------ words

    def decided(self, slots: Iterable[int]) -> list[Decision]:
        """The standing decisions among these records."""
        names = {self.roll.ids[slot] for slot in slots}
        return [
            decision
            for name in sorted(names)
            for other, decision in sorted(self.decisions.about(name).items())
            if name < other and other in names
        ]

    def refusals(self, slot: int) -> Mapping[int, Rule]:
        """Why links of a record were refused, by the other record."""
        return self.refused.get(slot, _NONE)

    def surely_linked(self, a: int, b: int) -> bool:
        """Whether a link by weight joins the two, and no weaker than not."""
        judged = self.held(a, b)
        return judged is not None and judged.is_link and judged.score.bits >= 0

    def linked(self, slot: int) -> Iterator[int]:
        """The records that a link by weight joins to this one."""
        return (other for other, judged in self.near(slot) if judged.is_link)
