"""Deliveries that change an identity: a new surname, address or NHS number, and records that are merged.

Made from good deliveries by rewriting their bytes, as the same sender would send them a little later.
"""

import csv
import io
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random

from ops.lab.simulator.model import COUNCIL, TRUST, Delivery, EntryTruth
from ops.lab.simulator.population import check_digit
from ops.lab.simulator.render.tier2_csv import FIRST_ROW, file_text
from ops.lab.simulator.render.tier3_hl7v2 import message_identifier

_SURNAMES = ("Ashdown", "Okoro", "Birchall", "Rahim", "Lindqvist", "Marlowe", "Teague", "Vasquez")
_STREETS = ("Harbour Row", "Larch Hill", "Tannery Lane", "Weir Bank", "Quarry Rise")
_POSTCODES = ("SS2 4QA", "CM1 7TB", "CO4 3WD", "SS9 1HN", "CM20 2PR")
_UPDATED = "%d/%m/%Y %H:%M"  # how the council's extract writes when a row was changed
_SENT_AT = "%Y%m%d%H%M%S"
_NHS_NUMBER = re.compile(r"\^NHS[&^]|\.2\.1\.4\.1&")  # issued by the NHS, by name or by the number's OID
_LINE_END = "\r"


@dataclass(frozen=True)
class Numbering:
    """Names of messages and files that the simulator has not given: `prefix` and a number of their own."""

    prefix: str
    number: int

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return f"{self.prefix}{self.number:08d}"


def identity_change(rng: Random, named: Numbering, original: Delivery) -> Sequence[Delivery]:
    """The content of `original`, sent again with one detail of the person changed.

    A wrong NHS number is corrected by a second delivery. Of a file, the rows of one client are sent again.
    """
    what = rng.choice(("surname", "address", "nhs_number"))
    changes = [_IdentityChange.drawn(rng, what)]
    if what == "nhs_number":
        changes.append(_IdentityChange())
    return [
        _RESEND[original.kind](rng, replace(named, prefix=f"{named.prefix}{step}"), original, change, step + 1)
        for step, change in enumerate(changes)
    ]


def merge(rng: Random, named: Numbering, original: Delivery, other: Delivery) -> Sequence[Delivery]:
    """A second registration of the person of `original`, a message under it, and its merge (A40 or A34).

    One in eight retires the record of `other` instead: a clerk confuses two people.
    """
    kind = rng.choice(("A40", "A34"))
    if rng.random() < 1 / 8 and _local_id(other) != _local_id(original):
        return [_merged(named, original, retired=_local_id(other), kind=kind)]
    second = f"WT{named.number:07d}"
    content = original.content.decode().replace(_local_id(original), second)
    again = _hl7_delivery(original, content, replace(named, prefix=f"{named.prefix}T"), minutes=1, local_id=second)
    return [again, _merged(named, original, retired=second, kind=kind)]


@dataclass(frozen=True, repr=False)
class _IdentityChange:
    """Which details change; with none, the person is sent unchanged."""

    surname: str | None = None
    address: tuple[str, str] | None = None
    nhs_number: str | None = None

    @classmethod
    def drawn(cls, rng: Random, what: str) -> "_IdentityChange":
        if what == "surname":
            return cls(surname=rng.choice(_SURNAMES))
        if what == "address":
            return cls(address=(f"{rng.randrange(1, 200)} {rng.choice(_STREETS)}", rng.choice(_POSTCODES)))
        while (digit := check_digit(nine := f"999{rng.randrange(10**6):06d}")) is None:
            continue
        return cls(nhs_number=f"{nine}{digit}")


def _version_after(original: Delivery, minutes: int) -> datetime:
    source_version_at = original.entries[0].source_version_at
    assert source_version_at is not None
    return source_version_at + timedelta(minutes=minutes)


def _fhir(rng: Random, _: Numbering, original: Delivery, change: _IdentityChange, minutes: int) -> Delivery:
    document = json.loads(original.content)
    message_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    source_version_at = _version_after(original, minutes)
    document["identifier"]["value"] = message_id
    document["timestamp"] = f"{source_version_at:%Y-%m-%dT%H:%M:%SZ}"
    resources = [entry["resource"] for entry in document["entry"]]
    patient = next(entry for entry in resources if entry["resourceType"] == "Patient")
    if change.surname:
        patient["name"].append({**patient["name"][0], "use": "old"})
        patient["name"][0]["family"] = change.surname
    if change.address:
        line, postcode = change.address
        patient["address"][0] |= {"line": [line], "postalCode": postcode}
    if change.nhs_number:
        numbers = [number for number in patient["identifier"] if number["system"].endswith("nhs-number")]
        for number in numbers:
            number["value"] = change.nhs_number
    content = json.dumps(document, separators=(",", ":")).encode()
    entry = replace(original.entries[0], message_id=message_id, source_version_at=source_version_at, correction=False)
    return replace(original, content=content, entries=(entry,))


def _hl7(_rng: Random, named: Numbering, original: Delivery, change: _IdentityChange, minutes: int) -> Delivery:
    """ADT^A31: the person's identity and nothing else."""
    segments = [
        _with_fields(segment, {9: "ADT^A31^ADT_A05"}, first=2) if segment.startswith("MSH") else segment
        for segment in original.content.decode().split(_LINE_END)
        if segment.startswith(("MSH", "PID", "PD1"))
    ]
    segments = [_changed(segment, change) if segment.startswith("PID") else segment for segment in segments]
    text = "".join(f"{segment}{_LINE_END}" for segment in segments)
    return _hl7_delivery(original, text, named, minutes=minutes)


def _changed(pid: str, change: _IdentityChange) -> str:
    fields = pid.split("|")
    if change.surname:
        name = fields[5].split("~")[0].split("^")
        old = "^".join((*name[:6], "P"))
        fields[5] = f"{'^'.join((change.surname, *name[1:]))}~{old}"
    if change.address:
        line, postcode = change.address
        address = fields[11].split("^")
        address[0], address[4] = line, postcode
        fields[11] = "^".join(address)
    if change.nhs_number:
        others = [identifier for identifier in fields[3].split("~") if not _NHS_NUMBER.search(identifier)]
        fields[3] = "~".join((f"{change.nhs_number}^^^NHS^NH", *others))
    return "|".join(fields)


def _merged(named: Numbering, original: Delivery, *, retired: str, kind: str) -> Delivery:
    structure = {"A40": "ADT_A39", "A34": "ADT_A30"}[kind]
    segments = [
        segment for segment in original.content.decode().split(_LINE_END) if segment.startswith(("MSH", "PID", "PD1"))
    ]
    header = _with_fields(segments[0], {9: f"ADT^{kind}^{structure}"}, first=2)
    text = "".join(f"{segment}{_LINE_END}" for segment in (header, *segments[1:], f"MRG|{retired}^^^RXX^MR"))
    return _hl7_delivery(original, text, named, minutes=5)


def _hl7_delivery(original: Delivery, text: str, named: Numbering, *, minutes: int, local_id: str = "") -> Delivery:
    header, rest = text.split(_LINE_END, 1)
    sent_at = datetime.strptime(header.split("|")[6], _SENT_AT) + timedelta(minutes=minutes)  # noqa: DTZ007
    header = _with_fields(header, {7: f"{sent_at:{_SENT_AT}}", 10: named.control_id}, first=2)
    entry = replace(
        original.entries[0],
        message_id=message_identifier(named.control_id, f"{sent_at:{_SENT_AT}}"),
        source_version_at=_version_after(original, minutes),
        correction=False,
        local_id=local_id or original.entries[0].local_id,
    )
    return Delivery(TRUST, "hl7", f"{header}{_LINE_END}{rest}".encode(), (entry,), "good")


def _with_fields(segment: str, values: Mapping[int, str], *, first: int = 1) -> str:
    """`segment` with these fields; `first` is the number of the field after the segment's name."""
    fields = segment.split("|")
    for number, value in values.items():
        fields[number - first + 1] = value
    return "|".join(fields)


def _local_id(of: Delivery) -> str:
    return of.entries[0].local_id


def _csv(_rng: Random, named: Numbering, original: Delivery, change: _IdentityChange, minutes: int) -> Delivery:
    rows = list(csv.DictReader(io.StringIO(original.content.decode(), newline="")))
    of_one = next(entry.local_id for entry in original.entries if entry.expected == "accepted")
    changed_rows = [
        (_changed_row(row, change, minutes), entry)
        for row, entry in zip(rows, original.entries, strict=True)
        if entry.expected == "accepted" and entry.local_id == of_one
    ]
    content = file_text([row for row, _ in changed_rows]).encode()
    message_id = sha256(content).hexdigest()
    entries: list[EntryTruth] = []
    for position, (_, entry) in enumerate(changed_rows, FIRST_ROW):
        assert entry.source_version_at is not None
        source_version_at = entry.source_version_at + timedelta(minutes=minutes)
        entries.append(
            replace(
                entry,
                message_id=message_id,
                position=position,
                source_version_at=source_version_at,
                correction=False,
            )
        )
    name = f"council-east-changed-{named.control_id}.csv"
    return Delivery(COUNCIL, "csv_file", content, tuple(entries), "good", file_name=name)


def _changed_row(row: dict[str, str], change: _IdentityChange, minutes: int) -> dict[str, str]:
    updated = datetime.strptime(row["last_updated"], _UPDATED) + timedelta(minutes=minutes)  # noqa: DTZ007
    changed = {**row, "last_updated": f"{updated:{_UPDATED}}"}
    if change.surname:
        changed["surname"] = change.surname.upper()
    if change.address:
        changed["address1"], changed["postcode"] = change.address
    if change.nhs_number and row["nhs_no"]:
        changed["nhs_no"] = change.nhs_number
    return changed


_RESEND: Mapping[str, Callable[[Random, Numbering, Delivery, _IdentityChange, int], Delivery]] = {
    "fhir": _fhir,
    "hl7": _hl7,
    "csv_file": _csv,
}
