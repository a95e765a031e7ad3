"""What goes wrong with entries: mistakes corrected later, messages nobody can read, messages meant for another clinic.

A broken message is always extra: the good one it was made from is sent too, so the truth does not change.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from ops.lab.simulator.journeys import AS_OF
from ops.lab.simulator.measuring import in_our_units
from ops.lab.simulator.model import COUNCIL, GP, TRUST, Fact, SimulatedEntry, SimulatedIdentity
from ops.lab.simulator.rates import Rates
from ops.lab.simulator.render import primary_care_fhir, tier2_csv, tier3_hl7v2

_DATED = ("start", "acceptance")


def with_corrections(rng: Random, entries: Sequence[SimulatedEntry], rates: Rates) -> tuple[SimulatedEntry, ...]:
    """`entries`, some now mistaken, and for each of those a later entry about the same thing that puts it right.

    What was true stays the last word: the mistake goes into the earlier entry. Corrections carry the number of the
    entry they correct; each mistaken entry is corrected once.
    """
    correctable = [
        place
        for place, entry in enumerate(entries)
        if _can_be_mistaken(entry) and entry.source_version_at.date() < AS_OF
    ]
    mistakes = min(len(correctable), math.ceil(len(entries) * rates.noise["corrections"]))
    corrected, right = list(entries), list[SimulatedEntry]()
    records = _by_record(entries)
    for place in sorted(rng.sample(correctable, mistakes)):
        entry = entries[place]
        corrected[place] = replace(entry, facts=_mistaken(rng, entry))
        later = entry.source_version_at + timedelta(days=rng.randrange(2, 21))
        later = later if later.date() <= AS_OF else entry.source_version_at + timedelta(days=1)
        # original entries fall on full minutes; the seconds keep corrections apart from them and from
        # each other
        later = later.replace(second=1 + len(right) % 59)
        identity = _identity_at(records[entry.source, entry.local_id], later)
        right.append(
            replace(entry, source_version_at=later, identity=identity, message_id="", corrects=entry_number(entry))
        )
    return (*corrected, *right)


def entry_number(entry: SimulatedEntry) -> str:
    """What names this entry among all: its record and its source version time, which no other entry shares."""
    return entry.number


def _can_be_mistaken(entry: SimulatedEntry) -> bool:
    last = entry.facts[-1] if entry.facts else None
    if last is None or last.quantity == "height":
        return False
    return last.quantity == "weight" or (last.kind in _DATED and entry.source == COUNCIL)


def _mistaken(rng: Random, entry: SimulatedEntry) -> tuple[Fact, ...]:
    """The facts with a weight keyed wrong, a session marked as missed, or a date some days off."""
    *others, last = entry.facts
    if last.quantity == "weight":
        if entry.source == COUNCIL and rng.random() < 0.2:
            return tuple(replace(fact, attendance="3") if fact.kind == "attendance" else fact for fact in others)
        assert last.value_given is not None
        assert last.unit_given is not None
        times = rng.choice((Decimal("1.1"), Decimal("0.9"), Decimal("1.02")))
        wrong = (last.value_given * times).quantize(Decimal("0.1"))
        return (*others, replace(last, value_given=wrong, value=in_our_units(wrong, last.unit_given)))
    return (*others, replace(last, on=last.on - timedelta(days=rng.randrange(1, 9))))


def _by_record(entries: Sequence[SimulatedEntry]) -> Mapping[tuple[str, str], list[SimulatedEntry]]:
    records: dict[tuple[str, str], list[SimulatedEntry]] = {}
    for entry in entries:
        records.setdefault((entry.source, entry.local_id), []).append(entry)
    return records


def _identity_at(record: Sequence[SimulatedEntry], at: datetime) -> SimulatedIdentity:
    """The identity of the record at that time: later entries may have changed it."""
    return max(
        (entry for entry in record if entry.source_version_at <= at),
        key=lambda entry: entry.source_version_at,
    ).identity


# messages nobody can read


def broken_fhir(rng: Random, entry: SimulatedEntry) -> bytes:
    """The body of an entry spoilt in one of the ways real bodies are."""
    return rng.choice((_cut, _key_twice, _nobody, _another_type, _about_somebody_else, _not_utf8))(entry)


def _cut(entry: SimulatedEntry) -> bytes:
    return primary_care_fhir.bundle_bytes(entry)[:-40]


def _key_twice(entry: SimulatedEntry) -> bytes:
    return primary_care_fhir.bundle_bytes(entry).replace(b"{", b'{"type":"message",', 1)


def _nobody(entry: SimulatedEntry) -> bytes:
    document = primary_care_fhir.bundle(entry)
    document["entry"] = [part for part in document["entry"] if part["resource"]["resourceType"] != "Patient"]
    return json.dumps(document).encode()


def _another_type(entry: SimulatedEntry) -> bytes:
    return json.dumps(primary_care_fhir.bundle(entry) | {"type": "transaction"}).encode()


def _about_somebody_else(entry: SimulatedEntry) -> bytes:
    document = primary_care_fhir.bundle(entry)
    for part in document["entry"]:
        if "subject" in part["resource"]:
            part["resource"]["subject"] = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"}
    return json.dumps(document).encode()


def _not_utf8(entry: SimulatedEntry) -> bytes:
    return primary_care_fhir.bundle_bytes(entry).replace(b'"given":["', b'"given":["\xe9', 1)


def broken_hl7(rng: Random, entry: SimulatedEntry) -> bytes:
    """The message of an entry spoilt in one of the ways real messages are."""
    text = tier3_hl7v2.message(entry).decode()
    ways: list[Callable[[str], str]] = [_headless, _without("PID"), _no_type]
    if entry.form == "R01":
        ways.append(_unitless)
    if entry.form in ("S12", "S13"):
        ways.append(_without("SCH"))
    if entry.form == "I12":
        ways.append(_without("RF1"))
    return rng.choice(ways)(text).encode()


def _headless(text: str) -> str:
    return text.partition("\r")[2]


def _no_type(text: str) -> str:
    header, rest = text.split("\r", 1)
    fields = header.split("|")
    fields[8] = ""
    return "\r".join(("|".join(fields), rest))


def _unitless(text: str) -> str:
    return text.replace("|kg|", "||").replace("|lb|", "||").replace("|g|", "||")


def _without(name: str) -> Callable[[str], str]:
    def spoilt(text: str) -> str:
        return "\r".join(line for line in text.split("\r") if not line.startswith(name))

    return spoilt


_ROW_FAULTS: Sequence[Mapping[str, str]] = (
    {"client_ref": "", "nhs_no": "", "surname": "", "forename": "", "known_as": "", "prev_surname": ""},
    {"referral_ref": "", "session_ref": ""},
)


def broken_row(rng: Random, entry: SimulatedEntry) -> dict[str, str]:
    """The row of an entry that names nobody any more, or no fact."""
    return {**tier2_csv.row(entry), **rng.choice(_ROW_FAULTS)}


def foreign(rng: Random, entry: SimulatedEntry, local_id: str) -> SimulatedEntry:
    """The same visit as if at another clinic, by somebody this engine has no business with."""
    surname = rng.choice(("Foreman", "Strange", "Passmore"))
    stranger = replace(
        entry.identity,
        nhs_number=None,
        surname=surname,
        postcode=None,
        former_address=None,
        phone=None,
        email=None,
    )
    return replace(entry, local_id=local_id, identity=stranger, person="")


BROKEN: Mapping[str, Callable[[Random, SimulatedEntry], bytes]] = {GP: broken_fhir, TRUST: broken_hl7}
