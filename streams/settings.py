"""What a worker is given: keys of its zone, sources, recipients, definitions and the model, read by the caller."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from linkage.model import parse as parse_model
from schemas import definitions
from schemas.data_keys import BucketKeys
from schemas.errors import UnknownName
from schemas.intake_keys import IntakeKeys
from schemas.keyring import Keyring, Purpose, recipient_purpose
from schemas.recipients import Agreement
from schemas.sources import Source
from streams.steps.ingress import IngressStep
from streams.steps.linker import LinkerStep
from streams.steps.outcome import Message, Step
from streams.steps.pathway import PathwayStep
from streams.steps.records import RecordsStep


def no_intake_keys() -> IntakeKeys:
    """What every stage but ingress holds of the keys between doors and ingress."""
    return IntakeKeys.of((), {})


@dataclass(frozen=True)
class StepSettings:
    """Everything a step is built from; texts are already read, nothing here opens a file.

    `intake` gives the keys between doors and ingress as they are now: new ones come each day, old ones go;
    `data_keys` the bucket keys of the zone, which change when a bucket is turned or old ones are destroyed. With
    `recheck` ingress reads each Bundle again and refuses an entry whose typed message says something else. By
    `quintiles` (`schemas.deprivation`) it adds that of an area that came without one.
    """

    keys: Keyring
    sources: Mapping[str, Source]
    recipients: Mapping[str, Agreement]
    definitions: Sequence[str]
    model: str
    intake: Callable[[], IntakeKeys]
    data_keys: Callable[[], BucketKeys]
    test_mode: bool
    recheck: bool = False
    generation: int = 0
    quintiles: Mapping[str, int] = field(default_factory=dict)


def build_step(stage: str, settings: StepSettings) -> Step[Any]:
    """The step of `stage`, with the keys of its zone only.

    Raises UnknownName for a stage that does not exist, InvalidField for a recipient without a key.
    """
    if stage == "ingress":
        return IngressStep(
            settings.keys,
            settings.sources,
            intake=settings.intake,
            data_keys=settings.data_keys,
            test_mode=settings.test_mode,
            recheck=settings.recheck,
            quintiles=settings.quintiles,
        )
    if stage == "records":
        return RecordsStep(generation=settings.generation)
    if stage == "linker":
        promising = [source.slug for source in settings.sources.values() if source.one_record_each]
        model, generation = parse_model(settings.model), settings.generation
        return LinkerStep(
            settings.keys, model, one_record_each=promising, generation=generation, data_keys=settings.data_keys
        )
    if stage == "pathway":
        parsed = definitions.parse(settings.definitions)
        for slug in settings.recipients:
            settings.keys.key(recipient_purpose(slug))  # at the start rather than at the first person
        agreements, generation = tuple(settings.recipients.values()), settings.generation
        return PathwayStep(settings.keys, agreements, parsed, data_keys=settings.data_keys, generation=generation)
    raise UnknownName("stage")


def seal_dead_letter(keys: Keyring, message: Message, code: str) -> bytes:
    """The sealed original of a dead letter: bound to its place, so a redelivered poison gives the same bytes."""
    context = f"{message.topic}/{message.partition}/{message.offset}".encode()
    return keys.seal(Purpose.DEAD_LETTER, message.value or b"", context=context)
