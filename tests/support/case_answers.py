"""The golden cases: what each file says by its `answers.toml`, and what the readers make of it."""

import csv
import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from linkage_tables import KEYS, MODEL
from memory_engine import all_keys

from connectors import mapping as mappings
from connectors.entry import SourceEntry
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from linkage.cluster import LinkGraph, Member
from linkage.normalise import Identity, Name, normalise
from linkage.tokens import encode
from schemas.check import check
from schemas.envelope import entry_id
from schemas.errors import Issue
from schemas.identity import nhs_digits
from schemas.source_message import SourceMessage
from schemas.sources import Source
from streams.steps.pseudonyms import Pseudonyms

CASES = Path(__file__).parents[1] / "golden" / "cases"
MAPPINGS = Path(mappings.__file__).parents[1] / "mappings"
RECEIVED_AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
SOURCES = {
    "hl7": Source("check-trust", "RXX", "tier3", "hl7_mllp", frozenset("*")),
    "fhir": Source("check-gp", "Y00001", "primary_care", "fhir_http", frozenset("*")),
    "csv": Source("check-council", "E10000", "tier2", "folder", frozenset("*"), mapping="council-east"),
}
_VERDICTS = {"rejected": "refused"}


@dataclass(frozen=True)
class Reading:
    """What was understood of one message or row."""

    entry: SourceEntry
    source: Source

    @property
    def message(self) -> SourceMessage:
        """The message in the Bundle that was made of it."""
        assert self.entry.bundle is not None, "refused"
        _, message = check(self.entry.bundle, source=self.source, test_mode=True, received_at=RECEIVED_AT)
        assert message is not None
        return message

    @property
    def entry_id(self) -> str:
        """What its receipt is under."""
        return entry_id(self.source.slug, self.entry.message_id, self.entry.position)

    @property
    def record_id(self) -> str:
        """The record it is about."""
        pseudonyms = Pseudonyms.of(all_keys().zone("ingress"))
        return pseudonyms.record_id(self.source, self.message.person, self.entry_id)

    def fact_ids(self) -> set[object]:
        """What its discharges and measurements are about."""
        facts = enumerate(self.message.facts)
        return {
            (fact.body.type, fact.business_id or (self.entry_id, place))
            for place, fact in facts
            if fact.body.type in ("discharge", "measurement")
        }


@dataclass(frozen=True)
class Case:
    """One case or group of cases of a door; `name` is how the list of cases not yet right calls it."""

    door: str
    name: str
    answer: Mapping[str, Any] = field(repr=False)

    def differences(self) -> list[str]:
        """What is read otherwise than the answer says."""
        if self.door == "link":
            return _link_differences(self.answer)
        if "group" in self.answer:
            return _group_differences(self.door, self.answer)
        if self.door == "csv":
            return _file_differences(self.answer)
        readings = readings_of(self.door, self.answer["file"])
        part = self.answer.get("part")
        if part is None and len(readings) != 1:
            return [f"{len(readings)} entries"]
        if part is not None and part > len(readings):
            return ["no such part"]
        return _entry_differences(readings[(part or 1) - 1].entry, self.answer)


def cases() -> Iterator[Case]:
    """Every case of every door."""
    for door in ("hl7", "fhir", "csv", "link"):
        answers = tomllib.loads((CASES / door / "answers.toml").read_text())
        for kind, tables in answers.items():
            for answer in tables:
                name = answer["file"] if "file" in answer else answer["files"][0]
                if kind == "case":
                    part = f"#{answer['part']}" if "part" in answer else ""
                    yield Case(door, f"{door}/{name}{part}", answer)
                elif kind == "links":
                    yield Case(door, f"{door}/{name}", answer)
                else:
                    yield Case(door, f"{door}/{kind}/{name}", {**answer, "group": kind})


def not_yet() -> frozenset[str]:
    """The cases that are not yet read rightly."""
    lines = (CASES / "not_yet.txt").read_text().splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def readings_of(door: str, name: str) -> list[Reading]:
    """The entries of one file, in order."""
    content, source = (CASES / door / name).read_bytes(), SOURCES[door]
    settings: dict[str, Any] = {"source": source, "test_mode": True, "received_at": RECEIVED_AT}
    if door == "fhir":
        return [Reading(entry, source) for entry in primary_care_fhir.read(content, **settings)]
    if door == "hl7":
        parts = tier3_hl7v2.split(content)
        return [Reading(entry, source) for part in parts for entry in _entries(part, settings)]
    return [Reading(entry, source) for entry in _csv_file(name, "council-east").entries]


def _entries(part: bytes, settings: dict[str, Any]) -> Sequence[SourceEntry]:
    found: object = tier3_hl7v2.read(part, **settings)
    return list(found) if isinstance(found, tuple | list) else [found]  # type: ignore[list-item]


@cache
def _csv_file(name: str, mapping: str) -> tier2_csv.FileReading:
    content = (CASES / "csv" / name).read_bytes()
    return tier2_csv.read(
        content,
        source=SOURCES["csv"],
        mapping=mappings.parse((MAPPINGS / f"{mapping}.toml").read_text()),
        file_id=hashlib.sha256(content).hexdigest(),
        test_mode=True,
        received_at=RECEIVED_AT,
    )


def _file_differences(answer: Mapping[str, Any]) -> list[str]:
    reading = _csv_file(answer["file"], answer["mapping"])
    disposition = "refused" if reading.refused else "accepted"
    found = _compared("disposition", disposition, answer["disposition"])
    found += _compared("file_issues", _places(reading.file_issues, csv_row=False), _sorted(answer["file_issues"]))
    rows = {entry.position: entry for entry in reading.entries}
    found += _compared("rows", sorted(rows), sorted(row["row"] for row in answer["rows"]))
    for row in answer["rows"]:
        if row["row"] in rows:
            differences = _entry_differences(rows[row["row"]], row, csv_row=True)
            found += [f"row {row['row']}: {difference}" for difference in differences]
    return found


def _entry_differences(entry: SourceEntry, answer: Mapping[str, Any], *, csv_row: bool = False) -> list[str]:
    checked = entry.checked
    verdict = _VERDICTS.get(checked.verdict.value, checked.verdict.value)
    found = _compared("disposition", verdict, answer["disposition"])
    found += _compared("issues", _places(checked.issues, csv_row=csv_row), _sorted(answer["issues"]))
    facts = list(checked.facts)
    for wanted in answer["facts"]:
        match = next((fact for fact in facts if _says(fact, wanted)), None)
        if match is None:
            found.append(f"missing fact {wanted}")
        else:
            facts.remove(match)
    found += [f"fact too many {dict(fact)}" for fact in facts]
    for key, value in answer.get("identity", {}).items():
        found_value = (checked.identity or {}).get(key)
        found += _compared(key, "none" if found_value is None else found_value, value)
    return found


def _says(fact: Mapping[str, object], wanted: Mapping[str, Any]) -> bool:
    return all(_equal(fact.get(key), value) for key, value in wanted.items())


def _equal(found: object, wanted: object) -> bool:
    if wanted == "none":
        return found is None
    if wanted in (False, []):
        return not found
    if isinstance(wanted, str) and isinstance(found, str) and found != wanted:
        try:
            return Decimal(found) == Decimal(wanted)
        except InvalidOperation:
            return False
    return found == wanted


def _places(issues: Sequence[Issue], *, csv_row: bool) -> list[list[str]]:
    found = []
    for issue in issues:
        place = issue.location
        column = re.fullmatch(r"row [0-9]+, column (.+)", place)
        if column:
            place = column[1]
        elif csv_row and re.fullmatch(r"row [0-9]+", place):
            place = "row"
        found.append([issue.severity.value, place])
    return _sorted(found)


def _sorted(issues: Sequence[Sequence[str]]) -> list[list[str]]:
    return sorted(map(list, issues))


def _compared(name: str, found: object, wanted: object) -> list[str]:
    return [] if found == wanted else [f"{name}: {found!r}, not {wanted!r}"]


def _group_differences(door: str, answer: Mapping[str, Any]) -> list[str]:
    if door == "csv":
        rows = {reading.entry.position: reading for reading in readings_of(door, answer["file"])}
        readings = [rows[row] for row in answer["rows"]]
    else:
        readings = [readings_of(door, name)[0] for name in answer["files"]]
    if any(reading.entry.bundle is None for reading in readings):
        return ["one of them is refused"]
    match answer["group"]:
        case "same_record" | "different_records":
            values: list[object] = [reading.record_id for reading in readings]
        case "same_names" | "different_names":
            values = [[(name.family, name.given) for name in reading.message.person.names] for reading in readings]
        case _:
            values = [reading.fact_ids() for reading in readings]
    if answer["group"].startswith("same"):
        return [] if all(value == values[0] for value in values) else ["they are not the same"]
    pairs = [(value, other) for place, value in enumerate(values) for other in values[place + 1 :]]
    different = all(value.isdisjoint(other) if isinstance(value, set) else value != other for value, other in pairs)
    entries = {reading.entry_id for reading in readings}
    return [] if different and len(entries) == len(readings) else ["they are not different"]


def _link_differences(answer: Mapping[str, Any]) -> list[str]:
    graph = LinkGraph(MODEL)
    with (CASES / "link" / answer["file"]).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            graph.put(row["id"], Member(2, encode(normalise(_identity(row)), keys=KEYS)))
    found = []
    for group in answer["linked"]:
        anchors = {graph.answer(record).anchor for record in group}
        found += [] if len(anchors) == 1 else [f"not linked: {group}"]
    for group in answer["apart"]:
        anchors = {graph.answer(record).anchor for record in group}
        found += [] if len(anchors) == len(group) else [f"linked: some of {group}"]
    return found


def _identity(row: Mapping[str, str]) -> Identity:
    return Identity(
        nhs_number=nhs_digits(row["nhs"]) if row["nhs"] else None,
        names=(Name(tuple(row["given"].split()), row["family"]),),
        birth_date=row["dob"] or None,
        sex=row["sex"] or None,
        postcodes=(row["postcode"],),
        houses=(row["house"],),
        phones=tuple(filter(None, (row.get("phone"),))),
        emails=tuple(filter(None, (row.get("email"),))),
    )
