"""What is true of the simulated people, and how close to it an engine came.

`simulate`'s people and entries in; out come the facts that finally hold, the score of a linkage against who
is who, the plain NHS-number join beside it, and how much noise there really was.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations

from ops.lab.simulator.model import (
    TIER_OF,
    Delivery,
    Fact,
    SimulatedEntry,
    SimulatedIdentity,
    SimulatedPerson,
    SourceSlug,
)

RecordKey = tuple[SourceSlug, str]  # source and local patient id
_COUNCIL_OF = {"council-east": "E10000"}  # which local authority a source speaks for


@dataclass(frozen=True, slots=True, repr=False)
class RecordTruth:
    """One patient at one source: the identity it held last and when it said so, and the facts that finally hold there.

    Of what was taken back only referrals are left, because other facts may name them.
    """

    source: SourceSlug
    local_id: str
    tier: str
    identity: SimulatedIdentity
    facts: tuple[Fact, ...]
    reported_at: datetime = datetime(2024, 1, 1, tzinfo=UTC)

    @property
    def key(self) -> RecordKey:
        """What names the record."""
        return self.source, self.local_id

    @property
    def council(self) -> str | None:
        """The local authority its source speaks for."""
        return _COUNCIL_OF.get(self.source)


@dataclass(frozen=True, slots=True, repr=False)
class PersonTruth:
    """One person, their records, and the attributes by which results may differ."""

    key: str
    sex: str
    birth_year: int
    ethnic_category: str
    imd_quintile: int
    records: tuple[RecordTruth, ...]


@dataclass(frozen=True, slots=True)
class LinkageScore:
    """Pairs of records: of those put together how many belong together, and of those that belong how many
    were found.
    """

    precision: float
    recall: float
    f1: float


def truth_of(people: Sequence[SimulatedPerson], entries: Iterable[SimulatedEntry]) -> tuple[PersonTruth, ...]:
    """Everyone about whom there is an entry, in the order of `people`."""
    entries_of: dict[str, dict[RecordKey, list[SimulatedEntry]]] = {}
    for entry in entries:
        entries_of.setdefault(entry.person, {}).setdefault((entry.source, entry.local_id), []).append(entry)
    return tuple(
        PersonTruth(
            key=person.key,
            sex=person.sex,
            birth_year=person.birth_date.year,
            ethnic_category=person.ethnic_category,
            imd_quintile=person.address.imd_quintile,
            records=tuple(_record(key, entries) for key, entries in sorted(entries_of[person.key].items())),
        )
        for person in people
        if person.key in entries_of
    )


def _record(key: RecordKey, entries: Sequence[SimulatedEntry]) -> RecordTruth:
    in_order = sorted(entries, key=lambda entry: entry.source_version_at)
    facts: dict[tuple[str, str], Fact] = {}
    for entry in in_order:  # the later version of a fact replaces the earlier, whenever either arrived
        facts |= {(fact.kind, fact.key): fact for fact in entry.facts}
    held = tuple(fact for fact in facts.values() if not fact.retracted or fact.kind == "referral")
    last = in_order[-1]
    return RecordTruth(key[0], key[1], TIER_OF[key[0]], last.identity, held, last.source_version_at)


def linkage_score(partition: Mapping[RecordKey, str], truth: Iterable[PersonTruth]) -> LinkageScore:
    """Precision, recall and F1 over pairs of true records; a record `partition` lacks is linked to nothing.

    Each is 1.0 where there is no pair to be right or wrong about.
    """
    person_of = {record.key: person.key for person in truth for record in person.records}
    belong = _pairs(person_of)
    found = _pairs({key: cluster for key, cluster in partition.items() if key in person_of})
    right = len(belong & found)
    precision = right / len(found) if found else 1.0
    recall = right / len(belong) if belong else 1.0
    both = precision + recall
    return LinkageScore(precision, recall, 2 * precision * recall / both if both else 0.0)


def _pairs(group_of: Mapping[RecordKey, str]) -> set[tuple[RecordKey, RecordKey]]:
    groups: dict[str, list[RecordKey]] = {}
    for key, group in group_of.items():
        groups.setdefault(group, []).append(key)
    return {pair for members in groups.values() for pair in combinations(sorted(members), 2)}


def nhs_number_join(truth: Iterable[PersonTruth]) -> LinkageScore:
    """The score of joining records on the NHS number they hold and on nothing else: the baseline to beat."""
    people = tuple(truth)
    numbers = {record.key: record.identity.nhs_number for person in people for record in person.records}
    return linkage_score({key: number for key, number in numbers.items() if number is not None}, people)


@dataclass(frozen=True, slots=True)
class Noise:
    """How much went wrong, measured on what was delivered and not on what was meant.

    Shares are of distinct good entries; `duplicates` and `rejects` are what came on top of them.
    `out_of_order` came after a later entry of the same record. `tier2_nhs_number_present` is of Tier 2
    records, `twins` of people.
    """

    entries: int
    duplicates: float
    out_of_order: float
    corrections: float
    rejects: float
    foreign: float
    repeated_rows: float
    tier2_nhs_number_present: float
    twins: float


def noise(deliveries: Iterable[Delivery], people: Sequence[SimulatedPerson], truth: Sequence[PersonTruth]) -> Noise:
    """The noise of what was handed to the doors, in the order it was."""
    counted: Counter[str] = Counter()
    newest: dict[RecordKey, datetime] = {}
    for delivery in deliveries:
        for entry in delivery.entries:
            if delivery.tag == "duplicate":
                counted["duplicates"] += entry.expected == "accepted"
                continue
            kind = {"refused": "rejects", "rejected_row": "rejects", "ignored": "foreign"}.get(entry.expected)
            if kind is not None:
                counted[kind] += 1
                continue
            counted["entries"] += 1
            counted["corrections"] += entry.correction
            counted["repeated_rows"] += entry.repeated
            key, source_version_at = (delivery.source, entry.local_id), entry.source_version_at
            assert source_version_at is not None
            seen = newest.get(key, source_version_at)
            counted["out_of_order"] += source_version_at < seen and not entry.repeated
            newest[key] = max(source_version_at, seen)
    entries = counted.pop("entries")
    tier2 = [record for person in truth for record in person.records if record.tier == "tier2"]
    with_number = sum(record.identity.nhs_number is not None for record in tier2)
    return Noise(
        entries=entries,
        **{
            name: counted[name] / max(1, entries)
            for name in ("duplicates", "out_of_order", "corrections", "rejects", "foreign", "repeated_rows")
        },
        tier2_nhs_number_present=with_number / max(1, len(tier2)),
        twins=_twins(people) / max(1, len(people)),
    )


def _twins(people: Sequence[SimulatedPerson]) -> int:
    born = Counter((person.surname, person.birth_date, person.ethnic_category) for person in people)
    return sum(count for count in born.values() if count > 1)
