"""What comes in from outside in a simulated run, and what an undisturbed run makes of it: the oracle."""

from dataclasses import dataclass, replace
from functools import cache

from ops.lab.memory_engine.engine import Finals, MemoryEngine
from ops.lab.memory_engine.parts import (
    all_keys,
    door_session,
    intake_message,
    published,
    quick_step,
    record_id,
    sources,
)
from ops.lab.model_check.worlds import ERASED, NOBODYS, POISONED, TEMPLATES, TICKED, TICKS
from ops.verify.compare import RECEIPTS
from schemas import topics
from schemas.data_keys import bucket_of
from schemas.envelope import SESSION_HEADER, entry_id, entry_name
from schemas.erasures import Turn, erasure_message, turn_message
from schemas.identity import LocalId
from schemas.naming import local_id_parts
from schemas.pathway_in import SLICES, tick_message
from schemas.source_message import SourceMessage
from streams.steps.outcome import Emit
from streams.topology import STAGES


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message from outside. `entry`: the name under which its disposition is owed; `again`: may come twice."""

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


@cache
def world(name: str) -> ArrivalWorld:
    """The world of one template, or of several joined by `+`, with its oracle."""
    names = name.split("+")
    arrivals = [_arrival(slug, message, part) for part in names for slug, message in TEMPLATES[part]()]
    for slug, local_id in (ERASED[part] for part in names if part in ERASED):
        arrivals += _erasure(slug, local_id)
    if POISONED & set(names):
        arrivals += _poison()
    engine = MemoryEngine(steps={stage: quick_step(stage) for stage in STAGES})
    _arrive(engine, arrivals)
    if TICKED & set(names):
        ticks = _ticks(sorted(part for topic, part in engine.logs.partitions if topic == topics.PATHWAY_IN))
        _arrive(engine, ticks)
        arrivals += ticks
    entries = frozenset(arrival.entry for arrival in arrivals if arrival.entry is not None)
    finals = engine.finals()
    if ERASED.keys() & set(names):  # whether an entry came before the erasure or after it, its source is told
        finals = {topic: values for topic, values in finals.items() if not topic.startswith(RECEIPTS)}
    return ArrivalWorld(name, tuple(arrivals), finals, entries)


def _arrive(engine: MemoryEngine, arrivals: list[Arrival]) -> None:
    for arrival in arrivals:
        engine.put(arrival.emit)
    engine.run()


def _arrival(slug: str, message: SourceMessage, template: str) -> Arrival:
    """What a door publishes about one entry; message ids are unique among templates."""
    intake = intake_message(slug, replace(message, message_id=f"{template}-{message.message_id}"))
    return Arrival(published(slug, intake), entry_name(all_keys(), slug, intake.entry_id))


def _erasure(slug: str, local_id: str) -> list[Arrival]:
    """The record is erased; its bucket is turned to the epoch it has, as every body would differ under another."""
    record, place = record_id(slug, local_id), topics.intake_partition(local_id_parts(slug, LocalId(local_id)))
    turn = turn_message(Turn(bucket_of(record), 1))
    turns = [Arrival(Emit(topics.ERASURES, partition, *turn)) for partition in range(topics.PARTITIONS)]
    return [Arrival(Emit(topics.ERASURES, place, *erasure_message(record))), *turns]


def _ticks(partitions: list[int]) -> list[Arrival]:
    """The first day for all people of a partition at once, later days slice by slice."""
    first, *later = TICKS
    ticks = [(part, tick_message(part, first)) for part in partitions]
    ticks += [(part, tick_message(part, day, each)) for day in later for part in partitions for each in range(SLICES)]
    return [Arrival(Emit(topics.PATHWAY_IN, part, *tick)) for part, tick in ticks]


def _poison() -> list[Arrival]:
    """What no step can read, at every entrance, and what the check rejects; given twice it would rightly be two dead
    letters.
    """
    intake = sources()["gp-hub"].intake_topic
    identifier = entry_id("gp-hub", "poison")
    header = (SESSION_HEADER, door_session("gp-hub").header)
    place = topics.partition_of(identifier)
    unsealed = Emit(intake, place, identifier.encode(), b"\x00no envelope", (header,))
    return [
        replace(_arrival(*NOBODYS, "poison"), again=False),
        Arrival(unsealed, again=False),
        Arrival(Emit(topics.EVENTS, 3, b"no/such", b"{"), again=False),
        Arrival(Emit(topics.PATHWAY_IN, 7, b"nothing", b"[]"), again=False),
    ]
