"""What comes in from outside in a simulated run, and what a calm run makes of it: the oracle."""

import hashlib
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ops.lab.model_check.logs import Logs
from ops.lab.model_check.worlds import POISONED, TEMPLATES, TICKED, TICKS
from ops.runtime.paths import linkage_model, load_sources, packaged_all
from ops.verify.compare import final_topics, final_values
from schemas import canonical, topics
from schemas.envelope import ENTRY_ID_HEADER, Envelope, entry_id, record_reference, sealed
from schemas.fhir import write
from schemas.keyring import Keyring, derive
from schemas.pathway_in import tick_message
from schemas.source_message import SourceMessage
from schemas.sources import Source
from streams.settings import StepSettings, build_step, seal_dead_letter
from streams.steps.outcome import Emit, Message, Outcome, Reject, Stage, Step, dead_letter
from streams.topology import STAGES, stage

RECIPIENTS = ("demo",)
RECEIVED_AT = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
START_MS = int(RECEIVED_AT.timestamp() * 1000)
ROOT = hashlib.sha256(b"the root of every key in the simulation").digest()
Finals = dict[str, dict[bytes, Any]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message from outside. `entry`: the id under which its disposition is owed; `again`: may come twice."""

    emit: Emit
    entry: str | None = None
    again: bool = True


@dataclass(frozen=True)
class ArrivalWorld:
    """What arrives, and the final topics that have to come of it in whatever order and however often."""

    name: str
    arrivals: tuple[Arrival, ...]
    finals: Finals
    entries: frozenset[str]
    dead_letters: int


@cache
def all_keys() -> Keyring:
    """Every key of the simulated engine; the same in every run, so that equal seeds give equal bytes."""
    private = hashlib.sha256(ROOT + b"intake").digest()
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return derive(ROOT, version=1, recipients=RECIPIENTS, intake=(private, public))


@cache
def sources() -> Mapping[str, Source]:
    """The sources of the demonstration, test feeds among them."""
    return load_sources(None, test_mode=True)


@cache
def stages() -> tuple[Stage, ...]:
    """The rows of the topology."""
    return tuple(stage(name, sources=sources().values(), recipients=RECIPIENTS) for name in STAGES)


@cache
def real_step(name: str) -> Step[Any]:
    """The step of one stage with the keys of its own zone and nothing else. Steps hold no state: one serves all."""
    settings = StepSettings(
        keys=all_keys().zone(name),
        sources=sources(),
        recipients=RECIPIENTS,
        definitions=tuple(packaged_all("schemas.definitions", ".toml")),
        model=linkage_model(),
        test_mode=True,
    )
    return build_step(name, settings)


@cache
def quick_step(name: str) -> Step[Any]:
    """The real step; ingress opens each message once."""
    return Remembering(real_step(name)) if name == "ingress" else real_step(name)


class Remembering:
    """Ingress answers by the message's value alone: each message of a world is opened once per process."""

    def __init__(self, step: Step[Any]) -> None:
        """Around the real step."""
        self._step = step
        self._answers: dict[tuple[object, ...], tuple[Outcome, ...]] = {}

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> Any:
        """As the step does."""
        return self._step.restore(elements)

    def advance(self, state: Any, message: Message) -> tuple[Any, tuple[Outcome, ...]]:
        """As the step does."""
        asked = (message.topic, message.key, message.value, message.headers)
        if asked not in self._answers:
            self._answers[asked] = self._step.advance(state, message)[1]
        return state, self._answers[asked]


def intake_message(slug: str, message: SourceMessage) -> tuple[str, bytes, bytes]:
    """Entry id, key and value of what a door publishes about one entry; the seal differs at every making."""
    source, identifier = sources()[slug], entry_id(slug, message.message_id)
    local_id, zone = message.person.local_id, all_keys().zone("connector")
    key = record_reference(zone, slug, local_id, identifier)
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
    return identifier, key, sealed(envelope, keys=zone, topic=source.intake_topic, key=key)


def published(slug: str, intake: tuple[str, bytes, bytes]) -> Emit:
    """What `intake_message` made, as it stands on the topic."""
    identifier, key, value = intake
    header = (ENTRY_ID_HEADER, identifier.encode())
    return Emit(sources()[slug].intake_topic, topics.intake_partition(key), key, value, (header,))


def told(slug: str, message: SourceMessage) -> Arrival:
    """What a door publishes about one entry."""
    intake = intake_message(slug, message)
    return Arrival(published(slug, intake), intake[0])


@cache
def world(name: str) -> ArrivalWorld:
    """The world of one template, or of several joined by `+`, with its oracle."""
    names = name.split("+")
    entries = [(slug, _named(message, part)) for part in names for slug, message in TEMPLATES[part]()]
    arrivals = [told(slug, message) for slug, message in entries]
    if POISONED & set(names):
        arrivals += _poison()
    if TICKED & set(names):
        of_people = sorted(p for topic, p in calm(arrivals).of if topic == topics.PATHWAY_IN)
        arrivals += [
            Arrival(Emit(topics.PATHWAY_IN, part, *tick_message(part, day)))
            for day in TICKS
            for part in of_people
        ]
    owed = frozenset(one.entry for one in arrivals if one.entry is not None)
    logs = calm(arrivals)
    return ArrivalWorld(name, tuple(arrivals), finals(logs), owed, dead_letters(logs))


def _named(message: SourceMessage, template: str) -> SourceMessage:
    """Message ids are unique among templates."""
    return replace(message, message_id=f"{template}-{message.message_id}")


def _poison() -> list[Arrival]:
    """What no step can read, at every entrance; given twice it would rightly be two dead letters."""
    intake = sources()["gp-hub"].intake_topic
    identifier = entry_id("gp-hub", "poison")
    header = (ENTRY_ID_HEADER, identifier.encode())
    key = hashlib.sha256(b"poison").hexdigest().encode()
    return [
        Arrival(
            Emit(intake, topics.intake_partition(key), key, b"\x00no envelope", (header,)), identifier, False
        ),
        Arrival(Emit(topics.EVENTS, 3, b"no/such", b"{"), again=False),
        Arrival(Emit(topics.PATHWAY_IN, 7, b"nothing", b"[]"), again=False),
    ]


def calm(arrivals: Iterable[Arrival]) -> Logs:
    """The logs after each stage has read everything once, message by message, without any fault."""
    logs = Logs(random.Random(0))
    for one in arrivals:
        logs.append(one.emit, stamp_ms=START_MS)
    states: dict[tuple[str, int], Any] = {}
    read: dict[tuple[str, str, int], int] = {}
    while any(_calm_turn(logs, of, states, read) for of in stages()):
        pass
    return logs


def _calm_turn(
    logs: Logs, of: Stage, states: dict[tuple[str, int], Any], read: dict[tuple[str, str, int], int]
) -> bool:
    step, found = quick_step(of.name), False
    for topic, task in sorted(place for place in logs.of if place[0] in of.reads):
        log = logs.of[topic, task]
        done = read.get((of.name, topic, task), 0)
        read[of.name, topic, task] = len(log.messages)
        for message in log.messages[done:]:
            found = True
            state = states[of.name, task] if (of.name, task) in states else step.restore([])
            states[of.name, task], outcomes = step.advance(state, message)
            for one in outcomes:
                if isinstance(one, Emit):
                    logs.append(one, stamp_ms=START_MS)
                elif isinstance(one, Reject):
                    logs.append(dead_letter_of(of, message, one.code), stamp_ms=START_MS)
    return found


@cache
def _results() -> list[str]:
    names = final_topics(topics.registry(sources().values(), RECIPIENTS))
    return [name for name in names if name != topics.DEAD_LETTERS]


def finals(logs: Logs) -> Finals:
    """Topic -> key -> final value, by the definition of `compare`; dead letters are judged apart."""
    return {name: final_values(logs.read(name)) for name in _results()}


def dead_letters(logs: Logs) -> int:
    """How many messages were dead-lettered, however often."""
    return len({one.key for one in logs.read(topics.DEAD_LETTERS)})


def dead_letter_of(of: Stage, message: Message, code: str) -> Emit:
    """As the host writes it."""
    return dead_letter(of, message, code, seal_dead_letter(all_keys().zone(of.name), message, code))
