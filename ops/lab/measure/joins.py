"""How many of its own records a hostile council can name in the topics of the linkage zone, and by what.

It reads keys, values, headers, sizes and times of every linkage topic, holds its own files, entry ids, receipts and
times of sending, and runs a copy of this program. A record is named by a trait when the trait of one record of the
copy is that of exactly one record of the run. It counts whatever is clear: where values are sealed, none are found.
"""

import base64
import hashlib
import json
import re
import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ops.admin.topic_reader import TopicMessage
from ops.lab.measure.council_world import CouncilView, CouncilWorld, words_of
from schemas.topics import EVENTS

LETTERS_MIN = 6  # of a word that names anything; a shorter one stands everywhere
HASH_BYTES = 8  # the first of a hash: enough to know it by
_WORD = re.compile(rb"[A-Za-z0-9_.:-]{%d,}" % LETTERS_MIN)
_HEX = re.compile(rb"[0-9a-fA-F]{%d,}" % (2 * HASH_BYTES))
_SEALED = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_ID = re.compile(r"[0-9a-f]{32}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT")
_HASHES: tuple[Callable[[bytes], Any], ...] = (
    hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512, hashlib.blake2b, hashlib.blake2s, hashlib.sha3_256,
)  # fmt: skip
_NAMESPACES = (uuid.NAMESPACE_DNS, uuid.NAMESPACE_URL, uuid.NAMESPACE_OID, uuid.NAMESPACE_X500)


@dataclass(frozen=True)
class JoinFigures:
    """Of `records` of the council, how many are named by each, rightly; `by_all` by every trait together."""

    records: int
    messages: int
    by_id: int
    by_hash: int
    by_size: int
    by_elements: int
    by_value: int
    by_time: int
    by_all: int

    def as_json(self) -> dict[str, int]:
        """Every figure by its name."""
        return asdict(self)


def measure(world: CouncilWorld) -> JoinFigures:
    """The figures of one run."""
    messages = list(world.run.messages())
    words, hashes = words_in(messages), hashes_in(messages)
    common = hashes & hashes_in(world.copy.messages())
    run, copy = traits(world.run), traits(world.copy)

    def named(trait: Callable[["Traits"], Hashable]) -> int:
        return len(named_by(trait, copy, run, world.truth))

    return JoinFigures(
        records=len(world.copy.entries),
        messages=len(messages),
        by_id=sum(_any(words_of, entries, words) for entries in world.copy.entries.values()),
        by_hash=max(
            sum(_any(hashes_of, entries, hashes) for entries in world.copy.entries.values()),
            len({record for record in copy if copy[record].hashes & common}),
        ),
        by_size=named(lambda found: tuple(sorted(found.sizes))),
        by_elements=named(lambda found: tuple(sorted(found.elements))),
        by_value=named(lambda found: tuple(sorted(found.values))),
        by_time=named(lambda found: (tuple(sorted(found.moments)), tuple(sorted(found.windows)))),
        by_all=named(lambda found: tuple(tuple(sorted(part)) for part in found.parts())),
    )


def _any(kind: Callable[[Any], Iterable[Any]], entries: Iterable[Any], known: set[Any]) -> bool:
    return any(candidate in known for entry in entries for candidate in kind(entry))


def words_in(messages: Iterable[TopicMessage]) -> set[str]:
    """Every word that stands in clear in these messages."""
    return {word.decode() for text in texts_of(messages) for word in _WORD.findall(text)}


def hashes_in(messages: Iterable[TopicMessage]) -> set[bytes]:
    """The first bytes of whatever may be a hash in these messages, in hexadecimal, as a UUID or in base64."""
    found = set()
    for text in texts_of(messages):
        found |= {bytes.fromhex(word[: 2 * HASH_BYTES].decode()) for word in _HEX.findall(text.replace(b"-", b""))}
        found |= {base64.b64decode(word[:12])[:HASH_BYTES] for word in _SEALED.findall(text.decode("latin-1"))}
    return found


def texts_of(messages: Iterable[TopicMessage]) -> Iterator[bytes]:
    """Keys, values and headers."""
    for message in messages:
        yield from (message.key or b"", message.value or b"", *(value for _, value in message.headers))


def hashes_of(entry: Any) -> Iterator[bytes]:
    """The first bytes of every hash the council may think of, of its words and of the entry itself."""
    texts = [word.encode() for word in words_of(entry) if len(word) >= LETTERS_MIN]
    for text in (*texts, entry.original):
        yield from (make(text).digest()[:HASH_BYTES] for make in _HASHES)
    for word in texts:
        yield from (uuid.uuid5(space, word.decode()).bytes[:HASH_BYTES] for space in _NAMESPACES)


@dataclass
class Traits:
    """What can be seen of one record without a key."""

    sizes: list[int]  # of what is sealed
    elements: list[str]  # kinds
    values: list[str]  # clear ones, without ids and moments
    moments: list[str]  # what the source says about time
    windows: set[int]  # between which two deliveries of the council it was written
    hashes: set[bytes]

    def parts(self) -> tuple[Iterable[Any], ...]:
        """All but the hashes."""
        return self.sizes, self.elements, self.values, self.moments, self.windows


def traits(view: CouncilView) -> dict[str, Traits]:
    """Record id -> its traits in the system of record, of every record whose messages do not say another source."""
    found: dict[str, Traits] = defaultdict(lambda: Traits([], [], [], [], set(), set()))
    for message in view.engine.read([EVENTS]):
        record, kind = (message.key or b"").decode().split("/")[:2]
        seen = found[record]
        seen.elements.append(kind)
        seen.windows.add(bisect_right(view.submitted_ms, message.timestamp_ms))
        seen.hashes |= hashes_in([message])
        for name, leaf in leaves(_parsed(message.value or b"")):
            if isinstance(leaf, str) and _SEALED.fullmatch(leaf) and not _ID.fullmatch(leaf):
                seen.sizes.append(len(leaf))
            elif isinstance(leaf, str) and _MOMENT.match(leaf):
                seen.moments.append(f"{name}={leaf}")
            elif not isinstance(leaf, str) or not _ID.fullmatch(leaf):
                seen.values.append(f"{name}={leaf}")
    return found


def _parsed(value: bytes) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return base64.b64encode(value).decode()


def leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf of a JSON value with the name it stands under."""
    if isinstance(value, dict):
        for inner, part in value.items():
            yield from leaves(part, inner)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, name)
    else:
        yield name, value


def named_by(
    trait: Callable[[Traits], Hashable], copy: Mapping[str, Traits], run: Mapping[str, Traits], truth: Mapping[str, str]
) -> set[str]:
    """Records of the copy whose trait is had by no other of the copy, and in the run by the same record alone."""
    known, seen = _by(trait, copy), _by(trait, run)
    return {
        records[0]
        for look, records in known.items()
        if len(records) == 1 and look != () and seen.get(look) == [truth.get(records[0])]
    }


def _by(trait: Callable[[Traits], Hashable], records: Mapping[str, Traits]) -> dict[Hashable, list[str]]:
    found: dict[Hashable, list[str]] = defaultdict(list)
    for record, seen in records.items():
        found[trait(seen)].append(record)
    return found
