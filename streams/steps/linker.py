"""The linker: one writer per linkage domain. Its answer is a pure function of the set of identities it has
read.

    identity.v1 -> link.map.v1 (record to person, with the evidence), review.v1 (doubtful pairs for a steward),
                   person.changes.v1 (what became of whom, and why)

Every record gets an answer, also one with no usable identity. Message by message: each answer a reader may
have acted on is passed through again after a crash, so `formerly` never misses a person. Stewards' decisions
stand in identity.v1 too: one log, so that the answer to a message given again is the answer it had.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from linkage.changes import PersonChange, changes
from linkage.cluster import Answer, Decision, LinkGraph, Member, Review
from linkage.errors import LinkageError
from linkage.explain import explain
from linkage.tokens import EncodedIdentity
from linkage.weights import Model
from schemas import canonical
from schemas.errors import Unreadable
from schemas.keyring import Keyring, Purpose
from schemas.linking import DECISION, TIER_RANK, Link, PairDecision, RecordIdentity
from schemas.sealing import unseal
from schemas.topics import LINK_MAP, PERSON_CHANGES, REVIEW, partition_of
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject

# State elements: `m/<record>` the identity as read, `a/<record>` the last answer, `r/<pair>` an open review
# pair, `decision/<pair>/<id>` a decision as read.
MEMBER, ANSWER, OPEN = "m", "a", "r"
CLOCKS_APART_MS = 24 * 3_600_000  # a decision dated later than it came by more would outrank every later one


@dataclass(slots=True)
class LinkerState:
    """The graph, what was last answered for each record, and the open pairs by record."""

    graph: LinkGraph
    answers: dict[str, bytes] = field(
        default_factory=dict
    )  # as in the changelog: looked at when it may change
    open_pairs: dict[str, bytes] = field(default_factory=dict)
    pairs_of: dict[str, set[str]] = field(default_factory=dict)

    def person_of(self, record_id: str) -> str:
        """Whose it was last said to be. Raises KeyError where nothing was."""
        return str(canonical.load_object(self.answers[record_id])["person_id"])


class LinkerStep:
    """Links one domain. Holds the keys to read tokens and to name persons; it never sees a clear value.

    `one_record_each`: the sources that promise no two records of one person.
    """

    def __init__(
        self,
        keys: Keyring,
        model: Model,
        *,
        domain: int = 0,
        one_record_each: Collection[str] = (),
    ) -> None:
        self._keys = keys
        self._model = model
        self._domain = domain
        self._one_record_each = frozenset(one_record_each)

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> LinkerState:
        """The domain's state from its changelog."""
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
            else:
                _open(state, name, value)
        state.graph.load(members, decisions)
        return state

    def advance(self, state: LinkerState, message: Message) -> tuple[LinkerState, tuple[Outcome, ...]]:
        """The answers that change when one record's identity is new, corrected or gone, or a pair is decided."""
        try:
            name = (message.key or b"").decode("ascii")
            decided = name.startswith(f"{DECISION}/")
            touched = _decide(state, name, message) if decided else self._told(state, name, message)
        except (Unreadable, LinkageError, UnicodeDecodeError):
            return state, (Reject("unreadable"),)
        gone = None if decided or message.value is not None else name
        after = {one: self._answer(state, one) for one in sorted(touched) if one != gone}
        # With those beside them, whom nothing happened to: a record told again comes to nobody anew.
        beside = {member for answer in after.values() for member in answer.members}
        before = {one: state.person_of(one) for one in touched | beside if one in state.answers}
        after |= {one: self._answer(state, one) for one in sorted(beside - touched)}
        outcomes: list[Outcome] = []
        for one in sorted(touched):
            if one == gone:
                outcomes += _gone(state, one)
            else:
                outcomes += _answered(state, one, after[one], message.offset)
        outcomes += self._changes(before, after, message.offset)
        outcomes += self._reviews(state, touched)
        # Last: while the member is not in the changelog, the message given again touches the same records
        # again. The other way round a crash between them would leave answers that were sent and never noted.
        element = name if decided else f"{MEMBER}/{name}"
        outcomes.append(Change(element.encode(), message.value))
        return state, tuple(outcomes)

    def _told(self, state: LinkerState, record_id: str, message: Message) -> frozenset[str]:
        """The record is as the message says. Returns every record whose answer may have changed."""
        if message.value is None:
            return state.graph.remove(record_id) | {record_id}
        return state.graph.put(record_id, self._member(RecordIdentity.parse(record_id, message.value)))

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

    def _answer(self, state: LinkerState, record_id: str) -> Answer:
        """What the graph says, the anchor under its person's name."""
        answer = state.graph.answer(record_id)
        return replace(answer, anchor=self._keys.mac(Purpose.PERSON_ID, answer.anchor))

    def _changes(
        self, before: Mapping[str, str], after: Mapping[str, Answer], revision: int
    ) -> Iterable[Outcome]:
        for one in changes(before, after, model=self._model.name):
            key = f"{one.person}/{revision}".encode()
            yield Emit(PERSON_CHANGES, self._domain, key, _change(one, revision))

    def _reviews(self, state: LinkerState, touched: Iterable[str]) -> list[Outcome]:
        """Open what became doubtful, close (tombstone) what no longer is."""
        touched = frozenset(touched)
        before = {pair for record_id in touched for pair in state.pairs_of.get(record_id, ())}
        now = {"|".join(one.pair): _review(one) for one in state.graph.reviews(touched)}
        outcomes: list[Outcome] = []
        for pair in sorted(before | set(now)):
            value = now.get(pair)
            if value == state.open_pairs.get(pair):
                continue
            _open(state, pair, value)
            outcomes.append(Emit(REVIEW, self._domain, pair.encode(), value))
            outcomes.append(Change(f"{OPEN}/{pair}".encode(), value))
        return outcomes


def _decide(state: LinkerState, key: str, message: Message) -> frozenset[str]:
    """The decision is known. Raises Unreadable, also for one dated after it came."""
    if message.value is None:
        raise Unreadable("decision", rule="is taken back by another, never by nothing")
    told = PairDecision.parse(key, message.value)
    if told.decided_ms > message.timestamp_ms + CLOCKS_APART_MS:
        raise Unreadable("decided_at", rule="lies in the future")
    return state.graph.decide(_decision(told))


def _decision(told: PairDecision) -> Decision:
    return Decision(told.records, told.kind, told.decided_at, told.decision_id)


def _answered(state: LinkerState, record_id: str, answer: Answer, revision: int) -> list[Outcome]:
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
    text = state.answers[record_id] = canonical.dump(kept)
    value = Link(**kept, revision=revision).value()
    key = record_id.encode()
    return [
        Emit(LINK_MAP, partition_of(record_id), key, value),
        Change(f"{ANSWER}/{record_id}".encode(), text),
    ]


def _gone(state: LinkerState, record_id: str) -> list[Outcome]:
    state.answers.pop(record_id, None)
    return [
        Emit(LINK_MAP, partition_of(record_id), record_id.encode(), None),
        Change(f"{ANSWER}/{record_id}".encode(), None),
    ]


def _change(one: PersonChange, revision: int) -> bytes:
    """What became of a person: for dashboards inside the zone, never for recipients."""
    return canonical.dump(
        {
            "v": 1,
            "kind": one.kind,
            "person_id": one.person,
            "previous": list(one.previous),
            "records": list(one.records),
            "reason": one.reason,
            "evidence": [{"records": list(pair), **explain(told)} for pair, told in one.evidence],
            "model": one.model,
            "revision": revision,
        }
    )


def _review(pair: Review) -> bytes:
    """What a steward is shown: the two records, the weight in bits, and why the machine would not decide."""
    return canonical.dump(
        {"v": 1, "records": list(pair.pair), "bits": pair.bits / 1000, "rules": list(pair.rules)}
    )


def _open(state: LinkerState, pair: str, value: bytes | None) -> None:
    for record_id in pair.split("|"):
        pairs = state.pairs_of.setdefault(record_id, set())
        if value is None:
            pairs.discard(pair)
        else:
            pairs.add(pair)
    if value is None:
        state.open_pairs.pop(pair, None)
    else:
        state.open_pairs[pair] = value
