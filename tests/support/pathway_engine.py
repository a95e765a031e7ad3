"""The pathway step without Kafka: messages in, the last value of every published key out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pathway_journeys import DEFINITIONS, facts, keyed, keyring

from ops.admin.topic_reader import TopicMessage
from ops.lab.known_keys import known_bucket_keys, known_keys
from ops.verify.checker.histories import History
from ops.verify.compare import without_history
from schemas import canonical, pathway_in, topics
from schemas.data_keys import BucketKeys, Family
from schemas.elements import EntryContent, entry_element
from schemas.errors import Unreadable
from schemas.facts import StoredFact
from schemas.field_sets import FIELD_SETS
from schemas.keyring import Keyring
from schemas.pathway_in import EntryInput, TickInput, entry_message, key_message
from schemas.recipients import Agreement
from schemas.record_keys import WrappedKeys
from streams.steps.outcome import Emit, Message, Outcome, Reject, keep
from streams.steps.pathway import PathwayState, PathwayStep

KeyValue = tuple[bytes | None, bytes | None]
BUCKET_KEYS = known_bucket_keys("journeys")
INGRESS_KEYS = known_keys("journeys", recipients=()).zone("ingress")
LEFT_OUT = ("revision", "known_at", "as_of")
PERSON = keyed("person", "1")
EPOCH = date(1970, 1, 1)
RECEIVED_MS = 1_767_600_000_000  # 5 January 2026, 08:00 UTC


def agreement(slug: str, fields: str = "full", **changes: date) -> Agreement:
    """An agreement of a recipient that covers every day there is, but for `changes`."""
    found = FIELD_SETS[fields]
    return replace(Agreement(slug, min(found.uses), found, date.min, date.max), **changes)


def step(recipients: Iterable[str | Agreement] = ("demo",), kind: type[PathwayStep] = PathwayStep) -> PathwayStep:
    """A pathway step with the real definitions; a recipient that is only named reads everything."""
    agreements = tuple(agreement(each) if isinstance(each, str) else each for each in recipients)
    return kind(keyring(*(each.slug for each in agreements)), agreements, DEFINITIONS, data_keys=lambda: BUCKET_KEYS)


@dataclass(frozen=True)
class EngineKeys:
    """What ingress names and seals with."""

    ingress: Keyring
    buckets: BucketKeys


KNOWN = EngineKeys(INGRESS_KEYS, BUCKET_KEYS)


def entry_input(
    person_id: str, facts: Sequence[StoredFact], link_revision: int, keys: EngineKeys = KNOWN
) -> tuple[bytes, bytes]:
    """Key and value of an entry of the person with these facts, which are of one record and version time."""
    first = facts[0]
    content = EntryContent(
        record_id=first.record_id,
        entry=keyed("entry", *(fact.fact_id for fact in facts)),
        source=first.source,
        tier=first.tier,
        source_version_at=first.source_version_at,
        identity=keyed("identity"),
        service_named=True,
        facts=facts,
    )
    key, text = entry_element(content, keys.ingress, keys.buckets.made(Family.BODY, first.record_id, 1))
    record_id, _, name = key.split("/", 2)
    return entry_message(person_id, (record_id, name), text, link_revision=link_revision)


def fact_input(person_id: str, fact: StoredFact, link_revision: int, keys: EngineKeys = KNOWN) -> tuple[bytes, bytes]:
    """Key and value of an entry that says this one thing."""
    return entry_input(person_id, [fact], link_revision, keys)


def inputs(table: str, *, person: str = PERSON, revision: int = 1) -> list[KeyValue]:
    """The facts of a journey's table as messages."""
    return [fact_input(person, fact, revision) for fact in facts(table)]


def key_input(person_id: str, record_id: str, link_revision: int, keys: EngineKeys = KNOWN) -> tuple[bytes, bytes]:
    """Key and value of the record's data key under the person."""
    data_keys = {Family.BODY: keys.buckets.made(Family.BODY, record_id, 1)}
    return key_message(person_id, record_id, WrappedKeys.of(record_id, data_keys, 1, keys.buckets), link_revision)


def message(pair: KeyValue, offset: int, *, sent_ms: int | None = None) -> Message:
    """One message of pathway.in.v1; a tick is sent on the day it names, all else on 5 January 2026."""
    stamp_ms = _sent_ms(pair) + offset if sent_ms is None else sent_ms
    return Message(topics.PATHWAY_IN, 0, offset, pair[0], pair[1], (), stamp_ms)


def _sent_ms(pair: KeyValue) -> int:
    try:
        received = pathway_in.parse(*pair)
    except Unreadable:
        return RECEIVED_MS
    if not isinstance(received, TickInput):
        return RECEIVED_MS
    return (received.as_of - EPOCH).days * 86_400_000


@dataclass
class Run:
    """What one task sent and kept."""

    sent: list[Emit] = field(default_factory=list)
    changelog: dict[bytes, bytes] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)

    def take(self, outcomes: Iterable[Outcome]) -> None:
        """Note what one message led to, as the host would send it."""
        outcomes = tuple(outcomes)
        keep(self.changelog, outcomes)
        for outcome in outcomes:
            match outcome:
                case Emit():
                    self.sent.append(outcome)
                case Reject(code=code):
                    self.rejected.append(code)

    def published(self) -> dict[tuple[str, bytes], Any]:
        """The last value of every key; tombstones and retracted events count as absent."""
        last = {(emit.topic, emit.key): emit.value for emit in self.sent}
        values = {key: canonical.load_object(value) for key, value in last.items() if value is not None}
        return {
            key: {name: part for name, part in value.items() if name not in LEFT_OUT}
            for key, value in values.items()
            if value.get("status") != "retracted"
        }

    def kept(self) -> dict[bytes, Any]:
        """The changelog without revisions of what was published, which tell of the order of arrival."""
        values = {key: canonical.load(value) for key, value in self.changelog.items() if not key.endswith(b"/f")}
        return {key: without_history(value) for key, value in values.items()}

    def anomalies(self) -> dict[str, int]:
        """What the checker finds in the history of each published key, of what is not 0."""
        counts: Counter[str] = Counter()
        for topic in {emit.topic for emit in self.sent}:
            history = History(topic)
            for offset, emit in enumerate(self.sent):
                if emit.topic == topic:
                    history.take(TopicMessage(topic, 0, offset, emit.key, emit.value, emit.headers, 0))
            counts.update(history.tally().counts)
        return {kind: count for kind, count in counts.items() if count}

    def events(self) -> list[str]:
        """The kinds of the current events."""
        return sorted(value["event"] for (topic, _), value in self.published().items() if "events" in topic)

    def snapshot(self) -> Any:
        """The current snapshot, or None."""
        snapshots = [value for (topic, _), value in self.published().items() if "state" in topic]
        assert len(snapshots) <= 1
        return snapshots[0] if snapshots else None


def answer(engine: PathwayStep, state: PathwayState, *messages: Message) -> tuple[PathwayState, tuple[Outcome, ...]]:
    """What a batch of these messages leads to; a record's data key comes before each of its entries."""
    outcomes: list[Outcome] = []
    for received in (each for last in messages for each in (*_key_before(last), last)):
        state, found = engine.advance(state, received)
        outcomes += found
    return state, (*outcomes, *(outcome for _, found in engine.finish(state) for outcome in found))


def _key_before(received: Message) -> Iterable[Message]:
    try:
        parsed = pathway_in.parse(received.key, received.value)
    except Unreadable:
        return
    if isinstance(parsed, EntryInput):
        key, value = key_input(parsed.person_id, parsed.record_id, parsed.link_revision)
        yield received._replace(key=key, value=value)


def run(pairs: Sequence[KeyValue], *, by: PathwayStep | None = None, restart_after: Iterable[int] = ()) -> Run:
    """Every message in this order, each a batch; after each of `restart_after` the task is restored from its
    changelog.
    """
    engine, restarts, done = by or step(), frozenset(restart_after), Run()
    state = engine.restore([])
    for offset, pair in enumerate(pairs):
        state, outcomes = answer(engine, state, message(pair, offset))
        done.take(outcomes)
        if offset in restarts:
            state = engine.restore(list(done.changelog.items()))
    return done
