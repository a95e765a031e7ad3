"""Making and destroying the keys between doors and ingress: a pair a day, a signing key a door."""

import base64
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ops.admin.whole_files import destroy_file
from ops.runtime.intake_key_files import IntakeKeyFiles
from schemas.door_session import SESSION_SECONDS_MAX
from schemas.intake_keys import (
    DoorKey,
    day_public,
    destroyed_on,
    door_public,
    dump_doors,
    new_day_key,
    new_door_key,
)

TURN_SECONDS = (
    3_600.0  # between two turns of a process that stays: the day changes while it waits, or the machine sleeps
)
DAYS_AHEAD = 7  # a turn may fail for a week before a door has no key to seal with


def turn(keys: Path, today: date) -> tuple[int, int]:
    """Every day from today to a week ahead has its pair, and those past day 15 are gone: how many were made, destroyed.

    Repeating it changes nothing. A destroyed file is overwritten first; what a drive keeps of it is not reached.
    """
    files, made = IntakeKeyFiles(keys), 0
    files.days.mkdir(parents=True, exist_ok=True, mode=0o700)
    for day in (today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)):
        if not files.private(day).exists():
            private = new_day_key()
            write_key(files.private(day), private, mode=0o400)  # first: nothing is sealed that cannot be opened
            write_key(files.public(day), day_public(private), mode=0o444)
            made += 1
    old = destroyed_on(today, files.held_days())
    for day in old:
        destroy_file(files.private(day))
        files.public(day).unlink(missing_ok=True)
    return made, len(old)


def turns(keys: Path, today: Callable[[], date], ended: Callable[[float], bool]) -> Iterator[tuple[int, int]]:
    """What each turn made and destroyed: the first at once, then one an hour. `ended` waits so many seconds and says
    whether to end.
    """
    yield turn(keys, today())
    while not ended(TURN_SECONDS):
        yield turn(keys, today())


def add_doors(keys: Path, sources: Iterable[str], now: datetime) -> int:
    """Each of these sources has a signing key for its door; how many were made. Those that are there stay."""
    missing = [source for source in sources if not IntakeKeyFiles(keys).signing(source).exists()]
    for source in missing:
        replace_door(keys, source, now)
    return len(missing)


def replace_door(keys: Path, source: str, now: datetime, *, at_once: bool = False) -> None:
    """The door of `source` has a new signing key from `now` on.

    The old ones are good for what a running session may still send, or with `at_once` (a key that others have) for
    nothing that the broker gets from now on.
    """
    files, private = IntakeKeyFiles(keys), new_door_key()
    until = now if at_once else now + timedelta(seconds=2 * SESSION_SECONDS_MAX)
    rows = [_ended(row, until) if row.source == source else row for row in files.registered()]
    since = datetime.fromtimestamp(int(now.timestamp()), UTC) - timedelta(minutes=5)  # clocks differ
    rows.append(DoorKey(source, door_public(private), since))
    files.doors.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = files.registry.with_suffix(".part")
    part.write_text(dump_doors(rows))
    part.replace(files.registry)  # first: a door must not sign with a key that nobody knows
    files.signing(source).unlink(missing_ok=True)
    write_key(files.signing(source), private, mode=0o400)


def write_key(path: Path, key: bytes, *, mode: int) -> None:
    """One key in base64, whole or not at all."""
    part = path.with_suffix(path.suffix + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(key).decode())
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _ended(row: DoorKey, until: datetime) -> DoorKey:
    end = until if row.valid_to is None else min(row.valid_to, until)
    return DoorKey(row.source, row.public, row.valid_from, end)
