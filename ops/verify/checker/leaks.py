"""Leaked: identifiers in clear anywhere behind the seal, of people of the run and of the planted people.

The former are taken from the intake, opened with the key that only ingress and operations hold, whoever made the load;
the latter cannot exist. Only what cannot be in a topic for another reason is searched for: an NHS number, a postcode,
a telephone number, a mailbox, a first line of an address, a long family name. A word that stands where nothing is
known ("Not known") names nobody, and the reasons of a receipt may hold it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ops.admin.topic_reader import TopicMessage
from ops.verify.checker.run_view import RunView
from ops.verify.leak_search import CONSUMER_OFFSETS, TEXT_BYTES, files_of, seen, text_of
from ops.verify.ledger import Reader
from ops.verify.nobodies import NOBODIES
from schemas import canonical
from schemas.envelope import IntakePlace, IntakeReader
from schemas.errors import Unreadable
from schemas.placeholders import is_word
from schemas.topics import source_of_intake

PEOPLE_MAX = 40  # of each intake; what leaks one person of a kind leaks the others
EVERY = 50  # messages between two whose identifiers are taken
LETTERS_MIN = 9  # shorter names meet by chance in base64
POSTCODE_LETTERS_MIN = 8  # with its space; shorter ones are slow to search for
LONG_TEXT = 1_024  # bytes from which on a text is worth remembering
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"


def intake_place(message: TopicMessage) -> IntakePlace:
    """An intake message as the reader of the intake takes it."""
    return IntakePlace.of(
        source_of_intake(message.topic),
        (message.topic, message.partition),
        (message.key, message.value, message.headers),
        timestamp_ms=message.timestamp_ms,
    )


class IdentifierSample:
    """Identifiers of some people of the intake; the values stay in memory and are never shown."""

    def __init__(self, reader: IntakeReader) -> None:
        """Nobody yet."""
        self._reader = reader
        self._read: Counter[str] = Counter()
        self._values: set[str] = set()

    def take(self, message: TopicMessage) -> None:
        """Take one message of an intake topic; the identifiers of every fiftieth are kept."""
        number = self._read[message.topic]
        self._read[message.topic] += 1
        if number % EVERY or number >= EVERY * PEOPLE_MAX:
            return
        with suppress(Unreadable, LookupError, TypeError, AttributeError):  # poison has any shape
            envelope = self._reader.open(intake_place(message))
            self._values.update(identifiers(canonical.load_object(envelope.bundle) if envelope.bundle else {}))

    def values(self) -> tuple[str, ...]:
        """What to search for: these, and everything of the planted people."""
        planted = {value for nobody in NOBODIES.values() for value in nobody.values()}
        return tuple(sorted(self._values | planted))


def identifiers(bundle: Mapping[str, Any]) -> Iterator[str]:
    """What identifies the patient of a message Bundle and is nowhere for another reason."""
    return (text for text in _said_of_patients(bundle) if not is_word(text))


def _said_of_patients(bundle: Mapping[str, Any]) -> Iterator[str]:
    resources = (entry["resource"] for entry in bundle["entry"])
    for patient in (resource for resource in resources if resource["resourceType"] == "Patient"):
        numbers = (entry["value"] for entry in patient.get("identifier", ()) if entry["system"] == NHS_NUMBER)
        families = (name.get("family", "") for name in patient.get("name", ()))
        yield from (text for text in (*numbers, *families) if len(text) >= LETTERS_MIN)
        contacts = (contact["value"] for contact in patient.get("telecom", ()))
        yield from (text for text in contacts if len(text) >= LETTERS_MIN)
        for address in patient.get("address", ()):
            lines = (address.get("postalCode", ""), *address.get("line", ()))
            yield from (line for line in lines if " " in line and len(line) >= POSTCODE_LETTERS_MIN)


class Search:
    """Searches one text after another for the values; `hits` counts them by place."""

    def __init__(self, values: Sequence[str]) -> None:
        """Nothing searched yet."""
        self._values = tuple(values)
        self.hits: Counter[str] = Counter()
        self.bytes_scanned = 0
        self._long: set[int] = set()

    def is_new(self, text: bytes) -> bool:
        """False for a long text that was scanned before: tokens go through five topics unchanged."""
        if len(text) < LONG_TEXT:
            return True
        number, before = hash(text), len(self._long)
        self._long.add(number)
        return len(self._long) > before

    def scan(self, texts: Iterable[tuple[str, bytes]]) -> None:
        """Search texts, each with its place."""
        for place, text in texts:
            self.bytes_scanned += len(text)
            found = len(seen(self._values, text))
            if found:
                self.hits[place] += found


class TopicSearch:
    """Gathers the messages of one topic and searches them some megabytes at a time."""

    def __init__(self, search: Search, place: str) -> None:
        """Nothing gathered."""
        self._search, self._place = search, place
        self._texts: list[bytes] = []
        self._size = 0

    def take(self, message: TopicMessage) -> None:
        """Take one more message."""
        if message.value is not None and not self._search.is_new(message.value):
            message = replace(message, value=None)
        text = text_of(message)
        self._texts.append(text)
        self._size += len(text)
        if self._size > TEXT_BYTES:
            self.close()

    def close(self) -> None:
        """Search what was gathered."""
        self._search.scan([(self._place, b"\n".join(self._texts))])
        self._texts, self._size = [], 0


def search_elsewhere(search: Search, run: RunView, read: Reader) -> None:
    """Everything but the registry's topics: committed offsets, logs, worker directories, pages, reports."""
    offsets = TopicSearch(search, f"topic {CONSUMER_OFFSETS}")
    for message in read([CONSUMER_OFFSETS]):
        offsets.take(message)
    offsets.close()
    search.scan((f"metrics of {name}", text.encode()) for name, text in run.pages())
    search.scan(files_of(run.layout))
