"""The parts of production that an engine in memory is made of: keys, sources, stages, steps, sealed intake messages."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import cast

from ops.lab.known_keys import known_keys
from ops.runtime.paths import linkage_model, load_recipients, load_sources, packaged_all
from schemas import canonical, topics
from schemas.definitions import parse
from schemas.envelope import ENTRY_ID_HEADER, Envelope, entry_id, record_reference, sealed
from schemas.fhir import write
from schemas.identity import LocalId
from schemas.keyring import Keyring
from schemas.naming import record_of_local_id
from schemas.source_message import SourceMessage
from schemas.sources import Source
from streams.settings import StepSettings, build_step, seal_dead_letter
from streams.steps.outcome import Emit, Message, MessageByMessage, Outcome, Stage, Step, dead_letter
from streams.steps.pathway import PathwayStep
from streams.topology import STAGES, stage

RECIPIENTS = ("demo",)
RECEIVED_AT = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
START_MS = int(RECEIVED_AT.timestamp() * 1000)

KeysOfZone = Callable[[str], Keyring]


@cache
def all_keys() -> Keyring:
    """Every key of the engine in memory; the same in every run, so that equal seeds give equal bytes."""
    return known_keys("simulation", recipients=RECIPIENTS)


@cache
def sources() -> Mapping[str, Source]:
    """The sources of the demonstration, test feeds among them."""
    return load_sources(None, test_mode=True)


@cache
def stages() -> tuple[Stage, ...]:
    """The rows of the topology."""
    return tuple(stage(name, sources=sources().values(), recipients=RECIPIENTS) for name in STAGES)


@cache
def pathway_step(kind: type[PathwayStep]) -> Step[object]:
    """A pathway step of another kind, with the keys and definitions of `real_step`."""
    definitions = parse(packaged_all("schemas.definitions", ".toml"))
    return cast(Step[object], kind(all_keys().zone("pathway"), tuple(load_recipients(None).values()), definitions))


def step_with(name: str, keys_of: KeysOfZone) -> Step[object]:
    """The production step of one stage with the keys of its zone and nothing else."""
    settings = StepSettings(
        keys=keys_of(name),
        sources=sources(),
        recipients=load_recipients(None),
        definitions=tuple(packaged_all("schemas.definitions", ".toml")),
        model=linkage_model(),
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
    return CachedIngress(real_step(name)) if name == "ingress" else real_step(name)


class CachedIngress(MessageByMessage):
    """Ingress answers by the message alone, so each message of a world is opened once per process."""

    def __init__(self, step: Step[object]) -> None:
        """Around the production step."""
        self._step = step
        self._answers: dict[tuple[object, ...], tuple[Outcome, ...]] = {}

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> object:
        """As the step does."""
        return self._step.restore(elements)

    def advance(self, state: object, message: Message) -> tuple[object, tuple[Outcome, ...]]:
        """As the step does."""
        content = (message.topic, message.key, message.value, message.headers)
        if content not in self._answers:
            self._answers[content] = self._step.advance(state, message)[1]
        return state, self._answers[content]


def intake_message(
    slug: str, message: SourceMessage, *, position: int = 0, keys: Keyring | None = None
) -> tuple[str, bytes, bytes]:
    """Entry id, key and value of what a door publishes about one entry; the seal differs each time it is made.

    `position` is that of the entry in its message; `keys` are a connector's, else those of `all_keys`.
    """
    source, identifier = sources()[slug], entry_id(slug, message.message_id, position)
    local_id, connector_keys = message.person.local_id, keys or all_keys().zone("connector")
    key = record_reference(connector_keys, slug, local_id, identifier)
    document = write.bundle(message, source=source)
    envelope = Envelope(
        source=slug,
        message_id=message.message_id,
        entry_id=identifier,
        form="fhir",
        received_at=RECEIVED_AT,
        bundle=document,
        original=canonical.dump(document),
    )
    return identifier, key, sealed(envelope, keys=connector_keys, topic=source.intake_topic, key=key)


def published(slug: str, intake: tuple[str, bytes, bytes]) -> Emit:
    """What `intake_message` made, as a message on its topic."""
    identifier, key, value = intake
    header = (ENTRY_ID_HEADER, identifier.encode())
    return Emit(sources()[slug].intake_topic, topics.intake_partition(key), key, value, (header,))


def dead_letter_of(rejecting: Stage, message: Message, code: str) -> Emit:
    """As the host writes it."""
    sealed_original = seal_dead_letter(all_keys().zone(rejecting.name), message, code)
    return dead_letter(rejecting, message, code, sealed_original)


def record_id(slug: str, local_id: str) -> str:
    """The id under which the engine keeps the record of one patient of one source."""
    return record_of_local_id(all_keys(), slug, LocalId(local_id))
