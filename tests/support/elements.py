"""Messages taken apart into the elements that carry something, so that a test can replace any one of them.

An element is named by the place that an issue about it names: `PID-3.1`, `Bundle.entry[1].resource.birthDate`,
`row 2, column weight`.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from case_answers import RECEIVED_AT, SOURCES
from council_files import CLIENT, HEADERS, SESSION, east, read_east, row, sheet
from fhir_plain import PLAIN, Path, at, leaves, spelt, with_value
from fhir_samples import every_fact
from hl7_messages import EVERY_KIND, OPEN, entry_of, message
from workbooks import workbook

from schemas import canonical
from schemas.check import check
from schemas.disposition import Verdict
from schemas.errors import Issue
from schemas.fhir.write import bundle
from schemas.source_message import SourceMessage
from schemas.sources import Source

ABSENT = None
# every kind of fact, with every extension of ours; no part of it is the same object as another
RICH = canonical.load_object(canonical.dump(bundle(every_fact(), source=SOURCES["fhir"])))


@dataclass(frozen=True)
class Understood:
    """What a reader made of a message: the message itself, None where it was refused or ignored, and every issue."""

    verdict: Verdict
    message: SourceMessage | None
    issues: tuple[Issue, ...]

    @property
    def kinds(self) -> list[str]:
        """The types of the facts, sorted; taken back is another type."""
        facts = self.message.facts if self.message else ()
        return sorted(f"{'not ' * fact.retracted}{fact.body.type}" for fact in facts)


@dataclass(frozen=True)
class Element:
    """One element of one message; `read` gives what is understood once another value, or none, stands in it."""

    door: str
    message: str
    place: str
    value: str
    read: Callable[[Any], Understood]

    def __str__(self) -> str:
        return f"{self.door} {self.message} {self.place}"

    def plain(self) -> Understood:
        """What is understood of the message as it is."""
        return plain_of(self.door, self.message)


def understood_fhir(document: Mapping[str, object], source: Source) -> Understood:
    """As the FHIR door and ingress read it."""
    checked, value = check(document, source=source, test_mode=True, received_at=RECEIVED_AT)
    refused = checked.verdict in (Verdict.REJECTED, Verdict.IGNORED)
    return Understood(checked.verdict, None if refused else value, checked.issues)


def fhir_elements(name: str, document: Mapping[str, object], source: Source) -> Iterator[Element]:
    """Every leaf of a Bundle."""
    for path in leaves(document):
        yield Element("fhir", name, spelt(path), str(at(document, path)), partial(_fhir, document, source, path))


def _fhir(document: Mapping[str, object], source: Source, path: Path, value: object) -> Understood:
    if value is not ABSENT:
        return understood_fhir(with_value(document, path, value), source)
    changed: Any = deepcopy(document)
    del at(changed, path[:-1])[path[-1]]
    return understood_fhir(changed, source)


def understood_hl7(raw: bytes, source: Source = OPEN) -> Understood:
    """As the MLLP door reads it, and ingress after it."""
    entry = entry_of(raw, source=source)
    message_of = None
    if entry.bundle is not None and entry.checked.verdict not in (Verdict.REJECTED, Verdict.IGNORED):
        _, message_of = check(entry.bundle, source=source, test_mode=True, received_at=RECEIVED_AT)
    return Understood(entry.checked.verdict, message_of, entry.checked.issues)


def hl7_elements(kind: str) -> Iterator[Element]:
    """Every filled component of every field of a message of that kind, but the delimiters."""
    lines = message(kind, *EVERY_KIND[kind]).decode().rstrip("\r").split("\r")
    for number, line in enumerate(lines):
        name, *fields = line.split("|")
        place = f"{name}[1]" if name in ("OBX", "AIS") else name
        for position, text in enumerate(fields):
            field = position + (2 if name == "MSH" else 1)
            if (name, field) == ("MSH", 2) or not text:
                continue
            for repetition, part in enumerate(text.split("~")):
                for component, value in enumerate(part.split("^"), 1):
                    if value:
                        spot = (number, position, repetition, component - 1)
                        yield Element("hl7", kind, f"{place}-{field}.{component}", value, partial(_hl7, lines, spot))


def _hl7(lines: list[str], spot: tuple[int, int, int, int], value: str | None) -> Understood:
    number, position, repetition, component = spot
    name, *fields = lines[number].split("|")
    parts = [part.split("^") for part in fields[position].split("~")]
    parts[repetition][component] = value or ""
    fields[position] = "~".join("^".join(part) for part in parts)
    changed = [*lines[:number], "|".join([name, *fields]), *lines[number + 1 :]]
    return understood_hl7("".join(f"{line}\r" for line in changed).encode())


def hl7_with(kind: str, segment: str, field: int, text: str | None) -> Understood:
    """The message of that kind with this text as a whole field; None leaves it as it is."""
    lines = message(kind, *EVERY_KIND[kind]).decode().rstrip("\r").split("\r")
    for number, line in enumerate(lines):
        name, *fields = line.split("|")
        if name == segment and text is not None:
            fields += [""] * (field - len(fields))
            fields[field - 1] = text
            lines[number] = "|".join([name, *fields])
    return understood_hl7("".join(f"{line}\r" for line in lines).encode())


def csv_elements(door: str = "csv") -> Iterator[Element]:
    """Every filled cell of a row of the eastern council: a client and a session; `xlsx` is the same in a workbook."""
    for header, value in (CLIENT | SESSION).items():
        yield Element(door, "row", f"row 2, column {header}", value, partial(_row, door, header))


def _row(door: str, header: str, value: str | None) -> Understood:
    cells = SESSION | {header: value or ""}
    both = CLIENT | cells
    table = [list(HEADERS), [both.get(name, "") for name in HEADERS]]
    reading = read_east(sheet(row(**cells)) if door == "csv" else workbook(table))
    (entry,) = reading.entries
    message_of = None
    if entry.bundle is not None and entry.checked.verdict not in (Verdict.REJECTED, Verdict.IGNORED):
        _, message_of = check(entry.bundle, source=east(), test_mode=True, received_at=RECEIVED_AT)
        assert message_of is not None
        message_of = replace(message_of, message_id="of this row")  # by the bytes of the file
    return Understood(entry.checked.verdict, message_of, entry.checked.issues)


@cache
def plain_of(door: str, name: str) -> Understood:
    """What is understood of a golden message as it is."""
    if door == "fhir":
        return understood_fhir(PLAIN if name == "plain" else RICH, SOURCES["fhir"])
    return hl7_with(name, "", 0, None) if door == "hl7" else _row(door, "surname", CLIENT["surname"])
