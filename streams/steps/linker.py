"""The linker: one writer per linkage domain. Its answer is a pure function of the set of identities it has
read.

    identity.v1 -> link.map.v1 (record to person, with the evidence), review.v1 (doubtful pairs for a steward)

Every record gets an answer, also one with no usable identity. Message by message: each answer a reader may
have acted on is passed through again after a crash, so `formerly` never misses a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from linkage.cluster import LinkGraph, Review
from linkage.errors import LinkageError
from linkage.explain import explain
from linkage.partition import Member
from linkage.tokens import EncodedIdentity
from linkage.weights import Model
from schemas import canonical
from schemas.errors import Unreadable
from schemas.keyring import Keyring, Purpose
from schemas.linking import TIER_RANK, Link, RecordIdentity
from schemas.sealing import unseal
from schemas.topics import LINK_MAP, REVIEW, partition_of
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject

# State elements: `m/<record>` the identity as read, `a/<record>` the last answer, `r/<pair>` an open review
# pair.
MEMBER, ANSWER, OPEN = "m", "a", "r"


@dataclass(slots=True)
class LinkerState:
    """The graph, what was last answered for each record, and the open pairs by record."""

    graph: LinkGraph
    answers: dict[str, bytes] = field(
        default_factory=dict
    )  # as in the changelog: looked at when it may change
    open_pairs: dict[str, bytes] = field(default_factory=dict)
    pairs_of: dict[str, set[str]] = field(default_factory=dict)


class LinkerStep:
    """Links one domain. Holds the keys to read tokens and to name persons; it never sees a clear value."""

    def __init__(self, keys: Keyring, model: Model, *, domain: int = 0) -> None:
        self._keys = keys
        self._model = model
        self._domain = domain

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> LinkerState:
        """The domain's state from its changelog."""
        state, members = LinkerState(LinkGraph(self._model)), dict[str, Member]()
        for key, value in elements:
            kind, _, name = key.decode().partition("/")
            if kind == MEMBER:
                members[name] = self._member(RecordIdentity.parse(name, value))
            elif kind == ANSWER:
                state.answers[name] = value
            else:
                _open(state, name, value)
        state.graph.load(members)
        return state

    def advance(self, state: LinkerState, message: Message) -> tuple[LinkerState, tuple[Outcome, ...]]:
        """The answers that change when one record's identity is new, corrected or gone."""
        try:
            record_id = (message.key or b"").decode("ascii")
            if message.value is None:
                touched = state.graph.remove(record_id)
            else:
                touched = state.graph.put(
                    record_id, self._member(RecordIdentity.parse(record_id, message.value))
                )
        except (Unreadable, LinkageError, UnicodeDecodeError):
            return state, (Reject("unreadable"),)
        outcomes: list[Outcome] = []
        for one in sorted(touched | {record_id}):
            outcomes += self._answer(
                state, one, message.offset, gone=message.value is None and one == record_id
            )
        outcomes += self._reviews(state, touched | {record_id})
        # Last: while the member is not in the changelog, the message given again touches the same records
        # again. The other way round a crash between them would leave answers that were sent and never noted.
        outcomes.append(Change(f"{MEMBER}/{record_id}".encode(), message.value))
        return state, tuple(outcomes)

    def _member(self, identity: RecordIdentity) -> Member:
        encoded = None
        if identity.sealed_tokens is not None:
            context = identity.record_id.encode()
            encoded = EncodedIdentity.from_bytes(
                unseal(self._keys.key(Purpose.LINK_SEAL), identity.sealed_tokens, context=context)
            )
        return Member(tier_rank=TIER_RANK[identity.tier], encoded=encoded, merged_into=identity.merged_into)

    def _answer(self, state: LinkerState, record_id: str, revision: int, *, gone: bool) -> list[Outcome]:
        key, state_key = record_id.encode(), f"{ANSWER}/{record_id}".encode()
        if gone:
            state.answers.pop(record_id, None)
            return [Emit(LINK_MAP, partition_of(record_id), key, None), Change(state_key, None)]
        answer = state.graph.answer(record_id)
        content: dict[str, Any] = {
            "person_id": self._keys.mac(Purpose.PERSON_ID, answer.anchor),
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
        return [Emit(LINK_MAP, partition_of(record_id), key, value), Change(state_key, text)]

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
