"""The parts of production that an engine in memory is made of: keys, sources, stages, steps, sealed intake messages."""

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import ClassVar, NamedTuple, cast

from connectors.entry import SourceEntry
from connectors.intake import envelope_of
from linkage.record_name import record_parts
from ops.lab.known_keys import known_bucket_keys, known_keys
from ops.runtime.paths import linkage_model, load_recipients, load_sources, packaged_all
from schemas import canonical, topics
from schemas.check import check
from schemas.data_keys import FAMILIES, BucketKeys
from schemas.definitions import Definitions, parse
from schemas.door_session import Refusal, Session, open_session
from schemas.envelope import SESSION_HEADER, Envelope, sealed
from schemas.fhir import write
from schemas.identity import LocalId
from schemas.intake_keys import DoorKey, DoorSeal, IntakeKeys, day_public, door_public
from schemas.keyring import Keyring
from schemas.naming import record_of_local_id
from schemas.source_message import SourceMessage
from schemas.sources import Source
from streams.settings import StepSettings, build_step, seal_dead_letter
from streams.steps.ingress import IngressStep
from streams.steps.outcome import Emit, Message, Stage, Step, dead_letter
from streams.steps.pathway import PathwayStep
from streams.steps.pseudonyms import PseudonymousEntry
from streams.topology import STAGES, stage

RECIPIENTS = ("demo",)
RECEIVED_AT = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
START_MS = int(RECEIVED_AT.timestamp() * 1000)

KeysOfZone = Callable[[str], Keyring]
BucketKeysOfZone = Callable[[str], Callable[[], BucketKeys]]


@cache
def all_keys() -> Keyring:
    """Every key of the engine in memory; the same in every run, so that equal seeds give equal bytes."""
    return known_keys("simulation", recipients=RECIPIENTS)


@cache
def all_bucket_keys() -> BucketKeys:
    """Every bucket key of the engine in memory: also the same in every run."""
    return known_bucket_keys("simulation")


@cache
def bucket_keys_of(zone: str) -> Callable[[], BucketKeys]:
    """What a zone holds of them."""
    held = all_bucket_keys().only(FAMILIES.get(zone, ()))
    return lambda: held


def door_seal(slug: str) -> DoorSeal:
    """What the door of a source seals with: also the same in every run."""
    return DoorSeal(_key_of(f"door {slug}"), RECEIVED_AT.date(), day_public(_key_of("day")))


@cache
def door_session(slug: str) -> Session:
    """The one session of a source's door in this process: an hour from RECEIVED_AT."""
    return open_session(door_seal(slug), slug, now=RECEIVED_AT, random=os.urandom)


@cache
def intake_keys() -> IntakeKeys:
    """What ingress holds: every source's door, and the key of the day of RECEIVED_AT."""
    doors = (DoorKey(slug, door_public(door_seal(slug).signing), RECEIVED_AT - timedelta(days=1)) for slug in sources())
    return IntakeKeys.of(doors, {RECEIVED_AT.date(): _key_of("day")})


def _key_of(name: str) -> bytes:
    return hashlib.sha256(f"simulation/{name}".encode()).digest()


@cache
def sources() -> Mapping[str, Source]:
    """The sources of the demonstration, test feeds among them."""
    return load_sources(None, test_mode=True)


@cache
def stages() -> tuple[Stage, ...]:
    """The rows of the topology."""
    return tuple(stage(name, sources=sources().values(), recipients=RECIPIENTS) for name in STAGES)


def pathway_step(kind: type[PathwayStep]) -> Step[object]:
    """A pathway step of another kind, with the keys and definitions of `real_step`."""
    agreements, data_keys = tuple(load_recipients(None).values()), bucket_keys_of("pathway")
    return cast(Step[object], kind(all_keys().zone("pathway"), agreements, definitions(), data_keys=data_keys))


@cache
def definitions() -> Definitions:
    """Those that the program ships."""
    return parse(packaged_all("schemas.definitions", ".toml"))


def step_with(name: str, keys_of: KeysOfZone, data_keys_of: BucketKeysOfZone = bucket_keys_of) -> Step[object]:
    """The production step of one stage with the keys of its zone and nothing else."""
    settings = StepSettings(
        keys=keys_of(name),
        sources=sources(),
        recipients=load_recipients(None),
        definitions=tuple(packaged_all("schemas.definitions", ".toml")),
        model=linkage_model(),
        intake=intake_keys,
        data_keys=data_keys_of(name),
        test_mode=True,
    )
    return build_step(name, settings)


@cache
def real_step(name: str) -> Step[object]:
    """The production step under `all_keys`. Steps hold no state: all engines of a process share it."""
    return step_with(name, all_keys().zone)


@cache
def quick_step(name: str) -> Step[object]:
    """As `real_step`, but ingress opens each message once per process."""
    return cast(Step[object], quick_ingress()) if name == "ingress" else real_step(name)


@cache
def quick_ingress() -> "QuickIngress":
    """One for the process: all worlds share what it has read."""
    return QuickIngress(
        all_keys().zone("ingress"),
        sources(),
        intake=intake_keys,
        data_keys=bucket_keys_of("ingress"),
        test_mode=True,
    )


class RefusedMessage(NamedTuple):
    """What a Refusal said. One that is kept would keep, by its traceback, all it was ever raised through."""

    code: str
    rule: str


class QuickIngress(IngressStep):
    """What it reads follows from the message alone, so each message of a world is opened once per process."""

    _known: ClassVar[dict[tuple[object, ...], tuple[Envelope, PseudonymousEntry | None] | RefusedMessage]] = {}

    def read(self, source: Source, message: Message) -> tuple[Envelope, PseudonymousEntry | None]:
        """As the step does; what was refused is refused again."""
        content = (message.topic, message.partition, message.key, message.value, message.headers)
        if content not in self._known:
            try:
                self._known[content] = super().read(source, message)
            except Refusal as refusal:
                self._known[content] = RefusedMessage(refusal.code, refusal.rule)
        known = self._known[content]
        if isinstance(known, RefusedMessage):
            raise Refusal(known.code, rule=known.rule)
        return known


class IntakeMessage(NamedTuple):
    """What a door publishes about one entry."""

    entry_id: str
    partition: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def intake_message(slug: str, message: SourceMessage, *, position: int = 0) -> IntakeMessage:
    """What a door of `slug` publishes when this is told: made, checked and sealed as it does; the seal differs each
    time.

    `position` is that of the entry in its message. What the check refuses is sealed as a refused row of a file is.
    """
    source = sources()[slug]
    document = write.bundle(message, source=source)
    checked, known = check(document, source=source, test_mode=True, received_at=RECEIVED_AT)
    original = canonical.dump(document)
    return sealed_entry(slug, SourceEntry(message.message_id, position, "fhir", original, document, known, checked))


def sealed_entry(slug: str, entry: SourceEntry) -> IntakeMessage:
    """As `intake_message`, of an entry that a reader has read."""
    source, session = sources()[slug], door_session(slug)
    envelope = envelope_of(source, entry, RECEIVED_AT)
    person = entry.message.person if envelope.typed and entry.message else None
    partition = topics.intake_partition(record_parts(slug, person, envelope.entry_id))
    return sealed_envelope(envelope, session, partition)


def sealed_envelope(envelope: Envelope, session: Session, partition: int) -> IntakeMessage:
    """Any envelope, sealed in any session for any partition of its source's topic."""
    topic = sources()[envelope.source].intake_topic
    value = sealed(envelope, session, topic=topic, partition=partition, random=os.urandom)
    return IntakeMessage(envelope.entry_id, partition, value, ((SESSION_HEADER, session.header),))


def published(slug: str, intake: IntakeMessage) -> Emit:
    """What `intake_message` made, as a message on its topic."""
    return Emit(sources()[slug].intake_topic, intake.partition, intake.entry_id.encode(), intake.value, intake.headers)


def dead_letter_of(rejecting: Stage, message: Message, code: str) -> Emit:
    """As the host writes it."""
    sealed_original = seal_dead_letter(all_keys().zone(rejecting.name), message, code)
    return dead_letter(rejecting, message, code, sealed_original)


def record_id(slug: str, local_id: str) -> str:
    """The id under which the engine keeps the record of one patient of one source."""
    return record_of_local_id(all_keys(), slug, LocalId(local_id))
