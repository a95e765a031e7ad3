"""The messages of `pathway.in.v1`: a person's entries, their withdrawal, and the passing of days.

    <person>/<record>/<entry>/<content>  entry       one entry of one record under its person, since a link revision
    <person>/<record>/k                  key         the record's data key for bodies, wrapped, since a link revision
    <person>/<record>/w                  withdrawal  entries of the record up to a link revision have left the person
    tick/<partition>                     tick        the day it is, so that what depends on waiting can be answered
    tick/<partition>/<slice>             tick        the same for the people of one slice

A slice is a fixed share of a partition's people. On many days something becomes due for a great part of all people, and
one message must not lead to hours of work.

A record's entries are a person's while their link revision is above the highest withdrawal of that record from that
person. Both only grow, so the answer is the same in any order of arrival.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schemas import canonical, elements
from schemas.data_keys import Family
from schemas.errors import Unreadable
from schemas.record_keys import WrappedKeys

KEY, WITHDRAWAL, TICK = "k", "w", "tick"
SLICES = 64  # of a partition: with a million people and 12 partitions some 1,300 people, 2 to 3 s of work
_ID = re.compile(r"[0-9a-f]{32}")
_SLICE = re.compile(r"[0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class EntryInput:
    """The entry `name` of `record_id` is under `person_id` since `link_revision`; `entry` is as in `events.v1`."""

    person_id: str
    record_id: str
    name: str
    link_revision: int
    entry: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyInput:
    """The data key for bodies of `record_id`, wrapped, as `person_id` has it since `link_revision`."""

    person_id: str
    record_id: str
    link_revision: int
    wrapped: WrappedKeys


@dataclass(frozen=True, slots=True)
class WithdrawalInput:
    """`record_id` left `person_id` at `link_revision`: what it brought up to then no longer counts."""

    person_id: str
    record_id: str
    link_revision: int


@dataclass(frozen=True, slots=True)
class TickInput:
    """It is at least `as_of`, for the people of one slice, or for all."""

    as_of: date
    slice: int | None = None

    def is_ahead_of(self, sent_on: date) -> bool:
        """True when it names a day later than the one after `sent_on`, the day in London when it was sent."""
        return self.as_of.toordinal() > sent_on.toordinal() + 1


PathwayInput = EntryInput | KeyInput | WithdrawalInput | TickInput


def entry_message(person_id: str, name: tuple[str, str], entry: bytes, *, link_revision: int) -> tuple[bytes, bytes]:
    """Key and value of one entry in canonical JSON, as in `events.v1`; its `name` is (record id, element's name)."""
    key = f"{person_id}/{name[0]}/{name[1]}"
    return key.encode("ascii"), b'{"entry":%b,"kind":"entry","link_revision":%d,"v":1}' % (entry, link_revision)


def key_message(person_id: str, record_id: str, wrapped: WrappedKeys, link_revision: int) -> tuple[bytes, bytes]:
    """Key and value of a record's data key for bodies under a person."""
    form = wrapped.only(Family.BODY).form()
    value = {"v": 1, "kind": "key", "link_revision": link_revision, **form}
    return f"{person_id}/{record_id}/{KEY}".encode("ascii"), canonical.dump(value)


def withdrawal_message(person_id: str, record_id: str, link_revision: int) -> tuple[bytes, bytes]:
    """Key and value that withdraw from a person what a record brought up to `link_revision`."""
    value = {"v": 1, "kind": "withdrawal", "link_revision": link_revision}
    return f"{person_id}/{record_id}/{WITHDRAWAL}".encode("ascii"), canonical.dump(value)


def tick_message(partition: int, as_of: date, slice_: int | None = None) -> tuple[bytes, bytes]:
    """Key and value with the day for one partition, or one slice of it; to be sent to exactly that partition."""
    value = {"v": 1, "kind": "tick", "as_of": as_of.isoformat()}
    name = f"{TICK}/{partition}" if slice_ is None else f"{TICK}/{partition}/{slice_}"
    return name.encode("ascii"), canonical.dump(value)


def slice_of(person_id: str) -> int:
    """The slice of a person: ids are keyed hashes, so all slices are about equal.

    >>> slice_of("ff" + 30 * "0"), slice_of("40" + 30 * "0")
    (63, 0)
    """
    return int(person_id[:2], 16) % SLICES


def parse(key: bytes | None, value: bytes | None) -> PathwayInput:
    """The content of one message. Raises Unreadable for anything the four functions above do not write."""
    if key is None or value is None:
        raise Unreadable("pathway input", rule="has no key or no value")
    parts = canonical.read_object(value)
    if parts.get("v") != 1:
        raise Unreadable("pathway input", rule="is of an unknown version")
    try:
        first, _, rest = key.decode("ascii").partition("/")
    except UnicodeDecodeError:
        raise _refused() from None
    if first == TICK:
        return _tick(rest, parts)
    record_id, _, name = rest.partition("/")
    revision, entry = parts.get("link_revision"), parts.get("entry")
    if not _ID.fullmatch(first) or not _ID.fullmatch(record_id) or type(revision) is not int or revision < 0:
        raise _refused()
    if parts.get("kind") == "withdrawal" and name == WITHDRAWAL:
        return WithdrawalInput(first, record_id, revision)
    if parts.get("kind") == "key" and name == KEY:
        return KeyInput(first, record_id, revision, WrappedKeys.of_form(parts, (Family.BODY,)))
    if parts.get("kind") != "entry" or not isinstance(entry, dict):
        raise _refused()
    elements.require_entry(name, entry)
    return EntryInput(first, record_id, name, revision, entry)


def _tick(place: str, parts: Mapping[str, object]) -> TickInput:
    as_of, (_, of_slice, slice_) = parts.get("as_of"), place.partition("/")
    if parts.get("kind") != TICK or not isinstance(as_of, str):
        raise _refused()
    if of_slice and not (_SLICE.fullmatch(slice_) and int(slice_) < SLICES):
        raise _refused()
    try:
        return TickInput(date.fromisoformat(as_of), int(slice_) if of_slice else None)
    except ValueError:
        raise _refused() from None


def _refused() -> Unreadable:
    return Unreadable("pathway input", rule="is not an entry, a key, a withdrawal or a tick")
