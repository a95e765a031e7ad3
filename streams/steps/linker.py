"""The linker: one writer per linkage domain. Its answer is a pure function of the set of identities it has
read.

    identity.v1 -> link.map.v1 (record to person, with the evidence), review.v1 (doubtful pairs for a steward),
                   person.changes.v1 (what became of whom, and why)

Every record gets an answer, also one with no usable identity. Message by message: each answer a reader may
have acted on is passed through again after a crash, so `formerly` never misses a person. Stewards' decisions
stand in identity.v1 too, and so does the linker's own word that another model counts (`relinking`): one log, so that
the answer to a message given again is the answer it had.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from linkage.changes import PersonChange, changes
from linkage.cluster import Decision, LinkAnswer, LinkGraph, Member
from linkage.errors import LinkageError
from linkage.explain import explain
from linkage.tokens import EncodedIdentity
from linkage.weights import Model
from schemas import canonical
from schemas.errors import Unreadable
from schemas.keyring import Keyring, Purpose
from schemas.linking import DECISION, MODEL, TIER_RANK, Link, ModelTurn, PairDecision, RecordIdentity
from schemas.sealing import unseal
from schemas.topics import IDENTITY, LINK_MAP, PERSON_CHANGES, REVIEW, partition_of
from streams.steps.linker_state import ANSWER, MEMBER, OPEN, LinkerState, standing_of
from streams.steps.linker_values import change_value, review_value
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject
from streams.steps.relinking import SHARE_RECORDS, ActiveModel, changes_told, digest_of, shares_of

__all__ = ["LinkerState", "LinkerStep"]

CLOCKS_APART_MS = 24 * 3_600_000  # a decision dated later than it came by more would outrank every later one


class LinkerStep:
    """Links one domain. Holds the keys to read tokens and to name persons; it never sees a clear value.

    `model`: the one asked for; a domain that was answered under another goes over to it. `one_record_each`: the
    sources that promise no two records of one person.
    """

    def __init__(
        self,
        keys: Keyring,
        model: Model,
        *,
        domain: int = 0,
        one_record_each: Collection[str] = (),
        share_records: int = SHARE_RECORDS,
    ) -> None:
        self._keys = keys
        self._model = model
        self._digest = digest_of(model)
        self._domain = domain
        self._one_record_each = frozenset(one_record_each)
        self._share_records = share_records

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> LinkerState:
        """The domain's state from its changelog, under the model that counted, beside it under the one asked for."""
        state, members = LinkerState(LinkGraph(self._model)), dict[str, Member]()
        decisions: list[Decision] = []
        for key, value in elements:
            kind, _, name = key.decode().partition("/")
            if kind == MEMBER:
                members[name] = self._member(RecordIdentity.parse(name, value))
            elif kind == DECISION:
                decisions.append(_decision(PairDecision.parse(key.decode(), value)))
            elif kind == ANSWER:
                state.answers[name] = value
            elif kind == MODEL:
                state.standing = standing_of(value)
            else:
                state.mark(name, value)
        state.load(self._model, self._digest, members, decisions)
        return state

    def advance(self, state: LinkerState, message: Message) -> tuple[LinkerState, tuple[Outcome, ...]]:
        """The answers that change when one record's identity is new, corrected or gone, a pair is decided, or a share
        of the records is to be answered anew.
        """
        if state.standing is not None and message.offset < state.standing.since:
            return state, ()  # given again: answered under a former model, and all of it is in the state
        try:
            name = (message.key or b"").decode("ascii")
            if name.startswith(f"{MODEL}/"):
                return state, tuple(self._turned(state, name, message))
            decided = name.startswith(f"{DECISION}/")
            touched = _decide(state, name, message) if decided else self._told(state, name, message)
        except (Unreadable, LinkageError, UnicodeDecodeError):
            return state, (Reject("unreadable"),)
        gone = None if decided or message.value is not None else name
        after = {one: self._answer(state, one) for one in sorted(touched) if one != gone}
        # With those beside them, whom nothing happened to: a record told again comes to nobody anew.
        beside = {member for answer in after.values() for member in answer.members}
        before = state.persons_of(touched | beside)
        after |= {one: self._answer(state, one) for one in sorted(beside - touched)}
        outcomes = self._opened(state)
        for one in sorted(touched):
            if one == gone:
                outcomes += _gone(state, one)
            else:
                outcomes += _answered(state, one, after[one], message.offset)
        told = changes(before, after, model=self._counting(state).name)
        outcomes += self._changes(told, message.offset)
        outcomes += self._reviews(state, touched)
        # Last: while the member is not in the changelog, the message given again touches the same records
        # again. The other way round a crash between them would leave answers that were sent and never noted.
        element = name if decided else f"{MEMBER}/{name}"
        outcomes.append(Change(element.encode(), message.value))
        return state, tuple(outcomes)

    def _told(self, state: LinkerState, record_id: str, message: Message) -> frozenset[str]:
        """The record is as the message says. Returns every record whose answer may have changed."""
        if message.value is None:
            return state.both(lambda graph: graph.remove(record_id)) | {record_id}
        member = self._member(RecordIdentity.parse(record_id, message.value))
        return state.both(lambda graph: graph.put(record_id, member))

    def _member(self, identity: RecordIdentity) -> Member:
        encoded = None
        if identity.sealed_tokens is not None:
            context = identity.record_id.encode()
            encoded = EncodedIdentity.from_bytes(
                unseal(self._keys.key(Purpose.LINK_SEAL), identity.sealed_tokens, context=context)
            )
        return Member(
            tier_rank=TIER_RANK[identity.tier],
            encoded=encoded,
            merged_into=identity.merged_into,
            source=identity.source,
            unique_ids=identity.source in self._one_record_each,
        )

    def _answers(self, state: LinkerState, records: Iterable[str]) -> dict[str, LinkAnswer]:
        """By record id; without those the graph lacks: a death may leave an answer without its member."""
        found = dict[str, LinkAnswer]()
        for one in sorted(records):
            with suppress(KeyError):
                found[one] = self._answer(state, one)
        return found

    def _answer(self, state: LinkerState, record_id: str) -> LinkAnswer:
        """What the graph says, the anchor under its person's name."""
        answer = state.graph.answer(record_id)
        return answer._replace(anchor=self._keys.mac(Purpose.PERSON_ID, answer.anchor))

    def _changes(self, told: Iterable[PersonChange], revision: int) -> Iterable[Outcome]:
        for one in told:
            key = f"{one.person}/{revision}".encode()
            yield Emit(PERSON_CHANGES, self._domain, key, change_value(one, revision))

    def _reviews(self, state: LinkerState, touched: Iterable[str]) -> list[Outcome]:
        """Open what became doubtful, close (tombstone) what no longer is."""
        touched = frozenset(touched)
        before = {pair for record_id in touched for pair in state.pairs_of.get(record_id, ())}
        now = {"|".join(one.pair): review_value(one) for one in state.graph.reviews(touched)}
        outcomes: list[Outcome] = []
        for pair in sorted(before | set(now)):
            value = now.get(pair)
            if value == state.open_pairs.get(pair):
                continue
            state.mark(pair, value)
            outcomes.append(Emit(REVIEW, self._domain, pair.encode(), value))
            outcomes.append(Change(f"{OPEN}/{pair}".encode(), value))
        return outcomes

    # ------------------------------------------------------------ another model

    def _counting(self, state: LinkerState) -> Model:
        return state.standing.model if state.standing is not None else self._model

    def _word(self, turn: ModelTurn) -> Emit:
        return Emit(IDENTITY, self._domain, turn.key(), turn.value())

    def _opened(self, state: LinkerState) -> list[Outcome]:
        """With the first message of a life: that another model is asked for; of a new domain, which one counts.

        Before all else among the changes: no answer stands in the changelog without the model it was made under.
        """
        if state.opened:
            return []
        state.opened = True
        shares = shares_of(len(state.answers), of=self._share_records)
        if state.wanted is not None:
            return [self._word(ModelTurn(state.wanted.digest, 0, shares))]
        standing = ActiveModel(self._model, self._digest, 0, 0, shares if state.answers else 0)
        state.standing = standing
        if state.ahead is None:
            return [standing.change()]
        state.ahead.cut(state.answers, shares)  # answers made under nobody knows which model
        return [self._word(standing.turn()), standing.change()]

    def _turned(self, state: LinkerState, name: str, message: Message) -> list[Outcome]:
        """From share 0 on the model asked for counts; each share is answered anew, and the next one called for."""
        turn = ModelTurn.parse(name, message.value) if message.value is not None else None
        opening = self._opened(state)
        if turn is None:
            return opening
        if state.wanted is not None and (turn.digest, turn.share) == (state.wanted.digest, 0):
            state.switch(turn, message.offset)
        standing = state.standing
        if standing is None or state.ahead is None or turn != standing.turn():
            goes_on = standing is not None and standing.digest == turn.digest and not standing.is_done
            return opening if goes_on else [*opening, Emit(IDENTITY, self._domain, turn.key(), None)]
        outcomes = self._share(state, state.ahead.by_share[turn.share], message.offset)
        state.standing = standing = replace(standing, share=turn.share + 1)
        if standing.is_done:
            state.ahead = None if state.wanted is None else state.ahead
            outcomes.append(Emit(IDENTITY, self._domain, turn.key(), None))
        else:
            outcomes.append(self._word(standing.turn()))
        # Last: while it is not in the changelog, the share given again is answered again.
        return [*opening, *outcomes, standing.change()]

    def _share(self, state: LinkerState, records: Iterable[str], revision: int) -> list[Outcome]:
        """The answers of these records that are not what was last said, and what follows from that."""
        after = self._answers(state, (one for one in records if one in state.answers))
        moved = [one for one in after if state.person_of(one) != after[one].anchor]
        told = self._told_of_moved(state, moved, after)
        outcomes = [one for record in after for one in _answered(state, record, after[record], revision)]
        return [*outcomes, *self._changes(told, revision), *self._reviews(state, after)]

    def _told_of_moved(
        self, state: LinkerState, moved: Collection[str], answers: Mapping[str, LinkAnswer]
    ) -> Iterable[PersonChange]:
        """What became of the persons these records left or came to, both looked at whole."""
        assert state.ahead is not None
        beside = {member for one in moved for member in answers[one].members}
        persons = set(state.persons_of(beside).values())
        company = beside.union(*(state.ahead.of_person[person] for person in persons))
        after = self._answers(state, company)
        rest = {member for answer in after.values() for member in answer.members} - company
        after |= self._answers(state, rest)
        before = state.persons_of(after)
        return changes_told(frozenset(moved), before, after, model=self._counting(state).name)


def _decide(state: LinkerState, key: str, message: Message) -> frozenset[str]:
    """The decision is known. Raises Unreadable, also for one dated after it came."""
    if message.value is None:
        raise Unreadable("decision", rule="is taken back by another, never by nothing")
    told = PairDecision.parse(key, message.value)
    if told.decided_ms > message.timestamp_ms + CLOCKS_APART_MS:
        raise Unreadable("decided_at", rule="lies in the future")
    return state.both(lambda graph: graph.decide(_decision(told)))


def _decision(told: PairDecision) -> Decision:
    return Decision(told.records, told.kind, told.decided_at, told.decision_id)


def _answered(state: LinkerState, record_id: str, answer: LinkAnswer, revision: int) -> list[Outcome]:
    """The record's answer, where it is not what was last said."""
    content: dict[str, Any] = {
        "person_id": answer.anchor,
        "status": answer.status,
        "reasons": list(answer.held_reasons),
        "evidence": [explain(one) for one in answer.evidence],
    }
    last = state.answers.get(record_id)
    known = canonical.load_object(last) if last is not None else None
    if known is not None and {name: known[name] for name in content} == content:
        return []
    former = {known["person_id"], *known["formerly"]} if known is not None else set()
    kept = {**content, "formerly": sorted(former - {content["person_id"]})}
    text = canonical.dump(kept)
    state.keep(record_id, text)
    value = Link(**kept, revision=revision).value()
    key = record_id.encode()
    return [
        Emit(LINK_MAP, partition_of(record_id), key, value),
        Change(f"{ANSWER}/{record_id}".encode(), text),
    ]


def _gone(state: LinkerState, record_id: str) -> list[Outcome]:
    state.keep(record_id, None)
    return [
        Emit(LINK_MAP, partition_of(record_id), record_id.encode(), None),
        Change(f"{ANSWER}/{record_id}".encode(), None),
    ]
