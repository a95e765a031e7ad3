"""The linker: one writer for each linkage domain. Its answers are a pure function of the set of identities and
decisions it has read.

    identity.v1 -> link.map.v1 (record to person, with the evidence), review.v1 (doubtful pairs for a steward),
                   person.changes.v1 (what became of each person, and why)

Every record gets an answer, also one with no usable identity. Messages are answered one by one: an answer that a
reader may have acted on is computed again after a crash, so `formerly` never misses a person. Stewards' decisions
are in identity.v1 too, and so are the linker's messages to itself about another model (`model_rollout`). All are in
one log, so a message that comes again gets the answer it had.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

from linkage.answers import LINKED, Review
from linkage.changes import PersonChange, changes
from linkage.cluster import Decision, LinkAnswer, Member
from linkage.errors import LinkageError
from linkage.explain import explain
from linkage.model import Model
from linkage.tokens import EncodedIdentity
from schemas import canonical
from schemas.data_keys import BucketKeys, Family, KeyNotHeld
from schemas.errors import Unreadable
from schemas.keyring import Keyring, Purpose
from schemas.linking import DECISION, MODEL, TIER_RANK, Link, PairDecision, RecordIdentity, RelinkBatch, record_of_key
from schemas.revision import revision_of
from schemas.sealed_body import open_padded
from schemas.topics import LINK_MAP, PERSON_CHANGES, REVIEW, partition_of
from streams.steps.linker_state import ANSWER, MEMBER, OPEN, LinkerState
from streams.steps.model_rollout import BATCH_RECORDS, ModelRollout
from streams.steps.outcome import Change, Emit, Message, MessageByMessage, Outcome, Reject

__all__ = ["LinkerState", "LinkerStep"]

CLOCK_SKEW_MAX_MS = 24 * 3_600_000  # a decision dated later would outrank every decision after it


class LinkerStep(MessageByMessage):
    """Links one domain. It has the keys to read tokens and to name persons; it never sees a clear value.

    `model`: the model requested; a domain that was answered under another one changes to it. `one_record_each`: the
    sources that promise no two records of one person.
    """

    def __init__(
        self,
        keys: Keyring,
        model: Model,
        *,
        domain: int = 0,
        one_record_each: Collection[str] = (),
        batch_records: int = BATCH_RECORDS,
        generation: int = 0,
        data_keys: Callable[[], BucketKeys],
    ) -> None:
        self._keys = keys
        self._data_keys = data_keys
        self._model = model
        self._domain = domain
        self._one_record_each = frozenset(one_record_each)
        self._batch_records = batch_records
        self._generation = generation

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> LinkerState:
        """The domain's state from its changelog, under its active model and, if that is another, the requested one."""
        rollout = ModelRollout(self._model, domain=self._domain, batch_records=self._batch_records)
        state, members, decisions = LinkerState(rollout), dict[str, Member](), list[Decision]()
        active_model = None
        for key, value in elements:
            kind, _, name = key.decode().partition("/")
            if kind == MEMBER:
                members[name] = self._member(RecordIdentity.parse(name, value))
            elif kind == DECISION:
                decisions.append(_decision(PairDecision.parse(key.decode(), value)))
            elif kind == ANSWER:
                state.answers[name] = value
            elif kind == MODEL:
                active_model = value
            else:
                state.set_review(name, value)
        rollout.load(active_model, state.answers, members, decisions)
        return state

    def advance(self, state: LinkerState, message: Message) -> tuple[LinkerState, tuple[Outcome, ...]]:
        """The answers that change when one record's identity is new, corrected or gone, a pair is decided, or a batch
        of records is to be answered again.
        """
        if state.rollout.is_past(message.offset):
            return state, ()
        try:
            name = (message.key or b"").decode("ascii")
            if name.startswith(f"{MODEL}/"):
                return state, tuple(self._relink(state, name, message))
            if name.startswith(f"{DECISION}/"):
                return state, tuple(self._on_decision(state, name, message))
            return state, tuple(self._on_identity(state, record_of_key(message.key), message))
        except KeyNotHeld:
            return state, (Reject("epoch"),)
        except (Unreadable, LinkageError, UnicodeDecodeError):
            return state, (Reject("unreadable"),)

    # ------------------------------------------------------------ identities and decisions

    def _on_decision(self, state: LinkerState, key: str, message: Message) -> list[Outcome]:
        """Raises Unreadable, also for a decision dated after it came."""
        if message.value is None:
            raise Unreadable("decision", rule="is taken back by another, never by nothing")
        decision = PairDecision.parse(key, message.value)
        if decision.decided_ms > message.timestamp_ms + CLOCK_SKEW_MAX_MS:
            raise Unreadable("decided_at", rule="lies in the future")
        touched = state.rollout.update(lambda graph: graph.decide(_decision(decision)))
        return self._answer_touched(state, touched, message, key)

    def _on_identity(self, state: LinkerState, record_id: str, message: Message) -> list[Outcome]:
        if message.value is None:
            touched = state.rollout.update(lambda graph: graph.remove(record_id)) | {record_id}
        else:
            member = self._member(RecordIdentity.parse(record_id, message.value))
            touched = state.rollout.update(lambda graph: graph.put(record_id, member))
        return self._answer_touched(state, touched, message, f"{MEMBER}/{record_id}")

    def _answer_touched(
        self, state: LinkerState, touched: frozenset[str], message: Message, element: str
    ) -> list[Outcome]:
        """What changes for these records; a record that is not in the graph is gone."""
        after = self._answers(state, touched)
        # The other members of their persons too: then a record that comes again is not news to anybody.
        members = {member for answer in after.values() for member in answer.members}
        before = state.persons_of(touched | members)
        after |= self._answers(state, members - touched)
        outcomes, revision = state.rollout.begin(state.answers), revision_of(self._generation, message.offset)
        for record_id in sorted(touched):
            outcomes += _answered(state, record_id, after.get(record_id), revision)
        outcomes += self._changes(changes(before, after, model=state.rollout.model_name), revision)
        outcomes += self._reviews(state, touched)
        # Last: while the element is not in the changelog, the message that comes again touches the same records
        # again. In another order a crash in between would leave answers that were sent and never recorded.
        return [*outcomes, Change(element.encode(), message.value)]

    def _member(self, identity: RecordIdentity) -> Member:
        """Without tokens when there are none, or their key has not come or was destroyed. Raises KeyNotHeld."""
        encoded, data_key = None, None
        if identity.tokens_key is not None:
            data_key = identity.tokens_key.opened(identity.record_id, Family.TOKENS, self._data_keys())
        if identity.sealed_tokens is not None and data_key is not None:
            context = identity.record_id.encode()
            encoded = EncodedIdentity.from_bytes(open_padded(data_key, identity.sealed_tokens, context=context))
        return Member(
            tier_rank=TIER_RANK[identity.tier],
            encoded=encoded,
            merged_into=identity.merged_into,
            source=identity.source,
            unique_ids=identity.source in self._one_record_each,
        )

    def _answers(self, state: LinkerState, records: Iterable[str]) -> dict[str, LinkAnswer]:
        """The graph's answers, the anchor as the person's published name; without records that the graph lacks."""
        found = dict[str, LinkAnswer]()
        for record_id in sorted(records):
            with suppress(KeyError):
                answer = state.graph.answer(record_id)
                found[record_id] = answer._replace(anchor=self._keys.mac(Purpose.PERSON_ID, answer.anchor))
        return found

    def _changes(self, person_changes: Iterable[PersonChange], revision: int) -> Iterable[Outcome]:
        for change in person_changes:
            key = f"{change.person}/{revision}".encode()
            yield Emit(PERSON_CHANGES, self._domain, key, _change_value(change, revision))

    def _reviews(self, state: LinkerState, records: Collection[str]) -> list[Outcome]:
        """Open the pairs of these records that became doubtful, close (tombstone) those that no longer are."""
        before = {pair for record_id in records for pair in state.pairs_of.get(record_id, ())}
        now = {"|".join(review.pair): _review_value(review) for review in state.graph.reviews(records)}
        outcomes: list[Outcome] = []
        for pair in sorted(before | set(now)):
            value = now.get(pair)
            if value == state.open_pairs.get(pair):
                continue
            state.set_review(pair, value)
            outcomes.append(Emit(REVIEW, self._domain, pair.encode(), value))
            outcomes.append(Change(f"{OPEN}/{pair}".encode(), value))
        return outcomes

    # ------------------------------------------------------------ another model

    def _relink(self, state: LinkerState, key: str, message: Message) -> list[Outcome]:
        """Answer a batch again where it is due. Its message may also be a tombstone, which says nothing."""
        batch = RelinkBatch.parse(key, message.value) if message.value is not None else None
        rollout = state.rollout
        outcomes = rollout.begin(state.answers)
        if batch is None:
            return outcomes
        records = rollout.start(batch, message.offset, state.answers)
        if records is None:
            return outcomes + rollout.discard(batch)
        revision = revision_of(self._generation, message.offset)
        return outcomes + self._answer_batch(state, records, revision) + rollout.finish()

    def _answer_batch(self, state: LinkerState, records: Iterable[str], revision: int) -> list[Outcome]:
        """The answers of these records that differ from the last ones, and what follows from that."""
        after = self._answers(state, (record_id for record_id in records if record_id in state.answers))
        before = state.persons_of(after)
        moved = frozenset(record_id for record_id in after if before[record_id] != after[record_id].anchor)
        person_changes = self._changes_of_moved(state, moved, after)
        outcomes: list[Outcome] = []
        for record_id, answer in after.items():
            outcomes += _answered(state, record_id, answer, revision)
        return [*outcomes, *self._changes(person_changes, revision), *self._reviews(state, after)]

    def _changes_of_moved(
        self, state: LinkerState, moved: frozenset[str], answers: Mapping[str, LinkAnswer]
    ) -> Iterable[PersonChange]:
        """What became of the persons these records left or came to, with all records of both. A change in which
        several batches have a part is sent with each of them.
        """
        members = {member for record_id in moved for member in answers[record_id].members}
        records = members | state.rollout.records_of(set(state.persons_of(members).values()))
        after = self._answers(state, records)
        after |= self._answers(state, {member for a in after.values() for member in a.members} - records)
        before = state.persons_of(after)
        persons = {before[record_id] for record_id in moved if record_id in before}
        persons |= {after[record_id].anchor for record_id in moved}
        found = changes(before, after, model=state.rollout.model_name)
        return [change for change in found if change.person in persons]


def _decision(decision: PairDecision) -> Decision:
    return Decision(decision.records, decision.kind, decision.decided_at, decision.decision_id)


def _answered(state: LinkerState, record_id: str, answer: LinkAnswer | None, revision: int) -> list[Outcome]:
    """The record's answer, where it differs from the last one; None: the record is gone."""
    value, last = None, state.link_of(record_id)
    if answer is not None:
        former = {last.person_id, *last.formerly} if last is not None else set[str]()
        link = Link(
            person_id=answer.anchor,
            status="linked" if answer.status == LINKED else "held",
            reasons=answer.held_reasons,
            evidence=[explain(evidence) for evidence in answer.evidence],
            formerly=sorted(former - {answer.anchor}),
            revision=revision,
        )
        if last is not None and link.repeats(last):
            return []
        value = link.value()
    state.set_answer(record_id, value)
    return [
        Emit(LINK_MAP, partition_of(record_id), record_id.encode(), value),
        Change(f"{ANSWER}/{record_id}".encode(), value),
    ]


def _change_value(change: PersonChange, revision: int) -> bytes:
    """What became of a person: for dashboards inside the zone, never for recipients."""
    return canonical.dump(
        {
            "v": 1,
            "kind": change.kind,
            "person_id": change.person,
            "previous": list(change.previous),
            "records": list(change.records),
            "reason": change.reason,
            "evidence": [{"records": list(pair), **explain(evidence)} for pair, evidence in change.evidence],
            "model": change.model,
            "revision": revision,
        }
    )


def _review_value(review: Review) -> bytes:
    """For a steward: the two records, the weight in bits, and why the machine does not decide."""
    return canonical.dump(
        {"v": 1, "records": list(review.pair), "bits": review.bits / 1000, "rules": list(review.rules)}
    )
