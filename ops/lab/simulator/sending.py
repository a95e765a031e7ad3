"""From the entries of sources to what the doors are handed, in sending order, with the noise of real senders.

Trust and hub send as they learn; the council saves a file a month. Entries overtake one another, are sent
twice, and come with broken ones; `truth.noise` measures how much of each there really is.
"""

import hashlib
import math
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from random import Random

from ops.lab.simulator.faults import BROKEN, broken_row, entry_number, foreign
from ops.lab.simulator.model import COUNCIL, GP, TRUST, Delivery, EntryTruth, Expected, SimulatedEntry
from ops.lab.simulator.rates import Rates
from ops.lab.simulator.render import primary_care_fhir, tier2_csv, tier3_hl7v2
from ops.lab.simulator.spellings import as_usual

_ROWS_MIN, _ROWS_MAX = 40, 80
_OVERTAKEN_BY_MAX = 3


@dataclass(frozen=True, slots=True, repr=False)
class _Sending:
    """An entry and the moment it leaves its source."""

    entry: SimulatedEntry
    at: datetime
    expected: Expected = "accepted"
    repeated: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class _Posting:
    """A delivery and the moment it arrives."""

    delivery: Delivery
    at: datetime


def numbered(rng: Random, entries: Sequence[SimulatedEntry]) -> tuple[SimulatedEntry, ...]:
    """The same entries with the senders' message ids: UUIDs at the hub, a running number at the trust,
    none in files.
    """
    running = 0
    with_ids = []
    for entry in sorted(entries, key=lambda entry: (entry.source_version_at, entry_number(entry))):
        if entry.source == GP:
            entry = replace(entry, message_id=str(uuid.UUID(int=rng.getrandbits(128), version=4)))
        elif entry.source == TRUST:
            running += 1
            entry = replace(entry, message_id=f"WM{running:08d}")
        with_ids.append(entry)
    return tuple(with_ids)


def deliveries(rng: Random, entries: Sequence[SimulatedEntry], rates: Rates) -> tuple[Delivery, ...]:
    """Everything that is handed to the doors, in order: good, overtaking, repeated, broken and foreign."""
    sent = _overtaking(rng, entries, rates)
    messages = [sending for sending in sent if sending.entry.source != COUNCIL]
    rows = [sending for sending in sent if sending.entry.source == COUNCIL]
    broken = math.ceil(len(entries) * rates.noise["rejects"])
    bad_rows = rng.sample(rows, min(len(rows), broken * 2 // 5))
    posted = [
        *(_Posting(_message(message), message.at) for message in messages),
        *_broken_messages(rng, messages, broken - len(bad_rows)),
        *_foreign(rng, messages, math.ceil(len(entries) * rates.noise["foreign"])),
        *_files(rng, _with_repeats(rng, rows, rates), bad_rows),
    ]
    posted.extend(_twice(rng, posted, rates))
    posted.sort(key=lambda posting: posting.at)
    return tuple(posting.delivery for posting in posted)


def _overtaking(rng: Random, entries: Sequence[SimulatedEntry], rates: Rates) -> list[_Sending]:
    """Each entry leaves at its source version time; some wait until later entries of the same record have left."""
    records: dict[tuple[str, str], list[SimulatedEntry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.source_version_at):
        records.setdefault((entry.source, entry.local_id), []).append(entry)
    leaves = {entry_number(entry): entry.source_version_at for entry in entries}
    late: set[str] = set()
    _corrections_first(rng, entries, leaves, late=late, share=rates.noise["corrections_first"])
    late_count = math.ceil(len(entries) * rates.noise["out_of_order"])
    for record, place in _places(rng, records):
        numbers = [entry_number(entry) for entry in record]
        if len(late) >= late_count or any(number in late for number in numbers[max(0, place - 1) : place + 2]):
            continue
        after = min(place + rng.randrange(1, _OVERTAKEN_BY_MAX + 1), len(record) - 1)
        overtaken_by = max(leaves[numbers[after]], leaves[numbers[place + 1]])
        leaves[numbers[place]] = overtaken_by + timedelta(seconds=1)
        late.add(numbers[place])
    return sorted((_Sending(entry, leaves[entry_number(entry)]) for entry in entries), key=lambda sending: sending.at)


def _corrections_first(
    rng: Random,
    entries: Sequence[SimulatedEntry],
    leaves: dict[str, datetime],
    *,
    late: set[str],
    share: float,
) -> None:
    """Some corrections leave before the entry they correct."""
    for entry in entries:
        if entry.corrects is not None and rng.random() < share:
            leaves[entry.corrects] = entry.source_version_at + timedelta(seconds=1)
            late.add(entry.corrects)


def _places(
    rng: Random, records: dict[tuple[str, str], list[SimulatedEntry]]
) -> Iterator[tuple[list[SimulatedEntry], int]]:
    """Every place in a record that has a later one, in random order."""
    places = [(record, place) for record in records.values() for place in range(len(record) - 1)]
    rng.shuffle(places)
    yield from places


def _message(sent: _Sending) -> Delivery:
    entry = sent.entry
    content = primary_care_fhir.bundle_bytes(entry) if entry.source == GP else tier3_hl7v2.message(entry)
    kind: str = "fhir" if entry.source == GP else "hl7"
    message_id = entry.message_id if entry.source == GP else tier3_hl7v2.identifier_of(entry)
    return Delivery(entry.source, kind, content, (_truth(entry, message_id, 0),), "good")  # type: ignore[arg-type]


def _truth(
    entry: SimulatedEntry,
    message_id: str,
    position: int,
    *,
    expected: Expected = "accepted",
    repeated: bool = False,
) -> EntryTruth:
    return EntryTruth(
        message_id=message_id,
        position=position,
        person=entry.person,
        expected=expected,
        local_id=entry.local_id,
        source_version_at=entry.source_version_at,
        correction=entry.corrects is not None,
        repeated=repeated,
    )


def _broken_messages(rng: Random, messages: Sequence[_Sending], count: int) -> Iterator[_Posting]:
    """Spoilt copies, each a moment before the good message of the same id that follows it."""
    # a message with nothing but the person cannot be about somebody else than it says
    spoilable = [message for message in messages if any(fact.kind != "death" for fact in message.entry.facts)]
    for message in rng.sample(spoilable, min(count, len(spoilable))):
        good = _message(message)
        truth = replace(good.entries[0], person="", expected="refused", correction=False)
        content = BROKEN[message.entry.source](rng, as_usual(message.entry))
        yield _Posting(
            replace(good, content=content, entries=(truth,), tag="broken"), message.at - timedelta(seconds=1)
        )


def _foreign(rng: Random, messages: Sequence[_Sending], count: int) -> Iterator[_Posting]:
    """Visits of strangers at another clinic of the same trust, on the same feed."""
    visits = [message for message in messages if message.entry.form in ("S12", "A04")]
    for number, visit in enumerate(rng.choices(visits, k=count) if visits else ()):
        entry = replace(foreign(rng, visit.entry, f"CR{number:07d}"), message_id=f"CR{number:08d}")
        content = tier3_hl7v2.message(entry, service=tier3_hl7v2.FOREIGN_SERVICE)
        truth = _truth(entry, tier3_hl7v2.identifier_of(entry), 0, expected="ignored")
        yield _Posting(Delivery(TRUST, "hl7", content, (truth,), "foreign"), visit.at + timedelta(seconds=2))


def _with_repeats(rng: Random, rows: Sequence[_Sending], rates: Rates) -> list[_Sending]:
    """The rows, some of them repeated in a later file: another entry with nothing new."""
    repeats = [
        replace(row, at=row.at + timedelta(days=35), repeated=True)
        for row in rows
        if rng.random() < rates.noise["repeated_rows"]
    ]
    return sorted((*rows, *repeats), key=lambda row: row.at)


def _files(rng: Random, rows: Sequence[_Sending], bad: Sequence[_Sending]) -> Iterator[_Posting]:
    """Files of 40 to 80 rows, saved at the end of each month; a broken row is above the good one it
    was made from.
    """
    spoilt = {entry_number(row.entry) for row in bad}
    for (year, month), of_month in groupby(rows, key=lambda row: (row.at.year, row.at.month)):
        saved_at = datetime(year + month // 12, month % 12 + 1, 1, 6, tzinfo=UTC)
        waiting, part = list(of_month), 0
        while waiting:
            size = rng.randrange(_ROWS_MIN, _ROWS_MAX + 1)
            part, chunk, waiting = part + 1, waiting[:size], waiting[size:]
            name = f"council-east-{year}-{month:02d}-{part}.csv"
            yield _Posting(_file(rng, name, chunk, spoilt), saved_at + timedelta(minutes=part))


def _file(rng: Random, name: str, chunk: Sequence[_Sending], spoilt: set[str]) -> Delivery:
    rows, sending_of_row = [], []
    for sending in chunk:
        if entry_number(sending.entry) in spoilt and not sending.repeated:
            rows.append(broken_row(rng, as_usual(sending.entry)))
            sending_of_row.append(replace(sending, expected="rejected_row"))
        rows.append(tier2_csv.row(sending.entry))
        sending_of_row.append(sending)
    content = tier2_csv.file_text(rows).encode()
    message_id = hashlib.sha256(content).hexdigest()  # a file is known by its content
    entries = tuple(
        _row_truth(sending, message_id, row) for row, sending in enumerate(sending_of_row, tier2_csv.FIRST_ROW)
    )
    return Delivery(COUNCIL, "csv_file", content, entries, "good", file_name=name)


def _row_truth(sending: _Sending, message_id: str, row: int) -> EntryTruth:
    truth = _truth(sending.entry, message_id, row, expected=sending.expected, repeated=sending.repeated)
    return truth if sending.expected == "accepted" else replace(truth, person="", correction=False)


def _twice(rng: Random, posted: Sequence[_Posting], rates: Rates) -> Iterator[_Posting]:
    """Exact resends: messages some days later, whole files under another name."""
    for kind in ("fhir", "hl7", "csv_file"):
        of_kind = [posting for posting in posted if posting.delivery.kind == kind and posting.delivery.tag == "good"]
        for posting in rng.sample(of_kind, math.ceil(len(of_kind) * rates.noise["duplicates"])):
            later = posting.at + timedelta(seconds=rng.randrange(3, 20 * 86_400))
            name = posting.delivery.file_name
            again = replace(
                posting.delivery,
                tag="duplicate",
                file_name=name.replace(".csv", "-again.csv") if name else None,
            )
            yield _Posting(again, later)
