"""The link graph: which records are one person, kept up to date as records come, change and go.

What it answers is a function of the *set* of records and decisions it holds, never of how they came (linkage
design §4.4): a blocking token counts when at most `cap` records stand in it *now*; a pair is scored when it
shares such a token; a component of links is cut into people by linkage.partition. Everything held besides
records and decisions is memory of that function, recomputed where an input changed.
"""

from collections.abc import Iterable, Mapping

from linkage.answers import EVIDENCE_MAX, LinkAnswer, Review, answer, reviews
from linkage.components import Components
from linkage.decisions import Decision
from linkage.graph_state import GraphState, keys_of
from linkage.index import BLOCK_MAX, Met
from linkage.members import Member
from linkage.model import Model

__all__ = ["EVIDENCE_MAX", "Decision", "LinkAnswer", "LinkGraph", "Member", "Review"]


class LinkGraph:
    """All records of one linkage domain. Mutable; one owner, one call after another."""

    def __init__(self, model: Model, *, cap: int = BLOCK_MAX) -> None:
        """Empty. A blocking token more than `cap` records stand in is worth nothing, and all it alone
        supported is gone.
        """
        assert cap >= 2
        self._known = GraphState(model, cap)
        self._components = Components(self._known)

    def __len__(self) -> int:
        return len(self._known.roll)

    def put(self, record_id: str, member: Member) -> frozenset[str]:
        """The record as it now is, in place of what it was. Returns every id whose answer may have changed,
        `record_id` among them.
        """
        slot = self._known.roll.slot(record_id)
        if slot is None:
            return self._arrive(record_id, member)
        old = self._known.roll.members[slot]
        if old == member:
            return frozenset((record_id,))
        return self._change(slot, old, member)

    def remove(self, record_id: str) -> frozenset[str]:
        """The record is gone, as if it had never been put. Returns the ids of others whose answer may have changed."""
        slot = self._known.roll.slot(record_id)
        if slot is None:
            return frozenset()
        return self._change(slot, self._known.roll.members[slot], None) - {record_id}

    def decide(self, decision: Decision) -> frozenset[str]:
        """A steward's decision is known. Of each pair the last by (time decided, id) stands, whatever came
        first. Returns every id whose answer may have changed; a record that is not there is none of them.
        """
        known = self._known
        if not known.decisions.note(decision):
            return frozenset()
        slots = known.roll.slots(decision.pair)
        touched = set[int]().union(*(known.mates(slot) for slot in slots))
        return known.roll.names(touched | self._components.cut(slots))

    def load(self, records: Mapping[str, Member], decisions: Iterable[Decision] = ()) -> None:
        """An empty graph then holds these, as if each had been put and decided, in less time: every pair is
        scored once and every component cut once.
        """
        known = self._known
        assert not len(known.roll), "only an empty graph is loaded"
        for decision in decisions:
            known.decisions.note(decision)
        for record_id, member in records.items():
            slot = known.admit(record_id, member)
            self._note_merge(record_id, None, member.merged_into)
            known.index.enter(keys_of(member.encoded), slot)
        for slot in known.roll:
            for other, judged in known.candidates(slot, known.met(slot), beyond=slot).items():
                known.hold(slot, other, judged)
        self._components.cut(known.roll)

    def answer(self, record_id: str) -> LinkAnswer:
        """The answer for a record that was put. Raises KeyError for any other."""
        slot = self._known.roll.slot(record_id)
        if slot is None:
            raise KeyError("a record that was never put")
        return answer(self._known, slot)

    def reviews(self, record_ids: Iterable[str]) -> tuple[Review, ...]:
        """The open review pairs that touch any of these records, by pair."""
        return reviews(self._known, self._known.roll.slots(record_ids))

    # ------------------------------------------------------------ change

    def _arrive(self, record_id: str, member: Member) -> frozenset[str]:
        """A record that was not there is: what `_change` does, without asking what it was."""
        known = self._known
        slot = known.admit(record_id, member)
        self._note_merge(record_id, None, member.merged_into)
        company = known.index.enter(keys_of(member.encoded), slot)
        died = self._died(company) if company else []
        found = known.candidates(slot, company) if company else {}
        if not found and not died and not known.spoken_of(slot):
            return frozenset((record_id,))
        for other, judged in found.items():
            known.hold(slot, other, judged)
        buried = self._bury(sorted(died)) if died else set[int]()
        named = known.stated_with(slot)
        doubled = {other for other, judged in found.items() if judged.duplicate_number}
        changed = self._components.cut({slot, *named, *buried, *doubled})
        return known.roll.names({slot, *named, *found, *buried, *changed, *known.mates(slot)})

    def _change(self, slot: int, old: Member | None, new: Member | None) -> frozenset[str]:
        """The record of the slot becomes `new`; None: it is gone, and its slot free."""
        known, roll = self._known, self._known.roll
        record_id = roll.ids[slot]
        touched, seeds = {slot} | known.stated_with(slot), {slot} | known.joined(slot)
        renewed = (old.encoded if old else None) != (new.encoded if new else None)
        if renewed:
            touched |= known.mates(slot) | {other for other, _ in known.near(slot)}
        if renewed:
            known.renew(slot, new)
        else:
            roll.members[slot] = new
        self._note_merge(record_id, old.merged_into if old else None, new.merged_into if new else None)
        if renewed:
            changed = self._restand(slot, old, new)
            touched |= changed
            seeds |= changed
        if new is None:
            seeds.discard(slot)
            self._forget(slot, record_id)
        else:
            touched |= known.stated_with(slot)
            seeds |= known.joined(slot)
        touched |= self._components.cut(seeds)
        if new is not None and renewed:
            touched |= known.mates(slot)
        return roll.names(touched)

    def _forget(self, slot: int, record_id: str) -> None:
        known = self._known
        for other in known.refused.pop(slot, {}):
            self._unrefuse(other, slot)
        known.clusters[slot] = None
        known.roll.strike(slot)

    def _restand(self, slot: int, old: Member | None, new: Member | None) -> set[int]:
        """The record leaves and enters blocks, and pairs are held anew. Returns every record of a pair that is
        not what it was, or that may have lost or gained one that speaks against.
        """
        known = self._known
        before, after = (frozenset(keys_of(member.encoded if member else None)) for member in (old, new))
        revived = [key for key in before - after if known.index.leave(key, slot) == known.cap]
        died = self._died(known.index.enter(after - before, slot))
        changed = self._rehold(slot)
        return changed | self._bury(sorted(died)) | self._revive(sorted(revived))

    def _rehold(self, slot: int) -> set[int]:
        """Hold of the record's pairs what is to be held now. Returns the records of pairs that changed."""
        known = self._known
        last = dict(known.near(slot))
        now = known.candidates(slot, known.met(slot))
        for other in last.keys() - now:
            known.hold(slot, other, None)
        for other, judged in now.items():
            if last.get(other) is not judged:
                known.hold(slot, other, judged)
        return {other for other in last.keys() | now if last.get(other) is not now.get(other)}

    def _died(self, met: Iterable[Met]) -> list[int]:
        """The tokens that counted till the last record came."""
        known = self._known
        return [key for key, others in met if others is None and known.index.crowd(key) == known.cap + 1]

    def _bury(self, keys: list[int]) -> set[int]:
        """Tokens outgrew the cap: pairs that share no other live one are no longer held."""
        known = self._known
        buried = set[int]()
        for key in keys:
            standing = set(known.index.all(key))
            alive = {slot: known.live_keys(slot) for slot in standing}
            for slot in standing:
                for other, _ in list(known.near(slot)):
                    if other in alive and slot < other and alive[slot].isdisjoint(alive[other]):
                        known.hold(slot, other, None)
            buried |= standing
        return buried

    def _revive(self, keys: list[int]) -> set[int]:
        """Tokens are no longer above the cap: pairs that met in them alone are held again."""
        known = self._known
        for slot, other, judged in list(known.meetings_in(keys)):
            known.hold(slot, other, judged)
        return set[int]().union(*map(known.index.all, keys))

    def _note_merge(self, record_id: str, old: str | None, new: str | None) -> None:
        merged_from = self._known.merged_from
        if old:
            merged_from[old].discard(record_id)
            if not merged_from[old]:
                del merged_from[old]
        if new:
            merged_from.setdefault(new, set()).add(record_id)

    def _unrefuse(self, slot: int, other: int) -> None:
        refused = self._known.refused
        refused[slot].pop(other, None)
        if not refused[slot]:
            del refused[slot]
