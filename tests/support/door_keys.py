"""Keys of doors that only one test has, and what they sealed, opened as ingress would."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from memory_engine import intake_keys

from connectors.sessions import DoorSessions
from ops.admin.intake_keys import write_key
from ops.runtime.paths import EnginePaths
from schemas.envelope import Envelope, IntakePlace, IntakeReader
from schemas.intake_keys import (
    DoorKey,
    DoorSeal,
    IntakeKeys,
    day_public,
    door_public,
    dump_doors,
    new_day_key,
    new_door_key,
)


def write_intake_keys(layout: EnginePaths) -> None:
    """The keys of the engine in memory, in files."""
    files = layout.intake_keys
    files.days.mkdir(parents=True, exist_ok=True)
    for day, private in intake_keys().days.items():
        if not files.private(day).exists():
            write_key(files.private(day), private, mode=0o400)
    files.registry.write_text(dump_doors(intake_keys().doors.values()))


ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class DoorKeys:
    """One signing key for whatever source asks, and a key of ingress for whatever day."""

    signing: bytes = field(default_factory=new_door_key)
    days: dict[date, bytes] = field(default_factory=dict)

    def seal_of(self, source: str, now: datetime) -> DoorSeal:
        """As the files give it."""
        day = now.astimezone(UTC).date()
        return DoorSeal(self.signing, day, day_public(self.days.setdefault(day, new_day_key())))

    def sessions(self) -> DoorSessions:
        """As a door process has them when it has started."""
        return DoorSessions(self.seal_of)

    def opened(
        self, topic: str, partition: int, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> Envelope:
        """The entry, as if it had come to the broker while its session began: the doors of tests have odd clocks."""
        source = topic.removeprefix("intake.").removesuffix(".v1")
        keys = IntakeKeys.of([DoorKey(source, door_public(self.signing), ALWAYS)], self.days)
        begins = int.from_bytes(dict(headers)["s"][35:43], "big")
        place = IntakePlace.of(source, (topic, partition), (key, value, headers), timestamp_ms=begins * 1000)
        return IntakeReader(lambda: keys).open(place)
