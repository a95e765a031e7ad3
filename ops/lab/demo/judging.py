"""What was published against what the simulator knows. Imports no step and no linkage."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar, cast

from ops.lab.demo.outcome_figures import OutcomeFigures, outcome_figures
from ops.lab.demo.snapshot_json import SnapshotJson
from ops.lab.simulator import PersonTruth, expected
from ops.lab.simulator.truth import LinkageScore, RecordKey, linkage_score, nhs_number_join
from schemas.identity import LocalId
from schemas.keyring import Keyring, recipient_purpose
from schemas.naming import record_of_local_id

R = TypeVar("R", bound=Hashable)


def rightly_linked(found: Mapping[R, str], truth: Mapping[R, str]) -> set[str]:
    """The people all of whose records, and nobody else's, form one group of `found`.

    Both map a record to its group, `truth` to its person. A record that `found` lacks is a group of its own.
    """
    groups: dict[Hashable, set[str]] = {}
    parts: dict[str, set[Hashable]] = {}
    for record, person in truth.items():
        group: Hashable = found.get(record, ("alone", record))
        groups.setdefault(group, set()).add(person)
        parts.setdefault(person, set()).add(group)
    return {
        person
        for person, person_groups in parts.items()
        if len(person_groups) == 1 and len(groups[next(iter(person_groups))]) == 1
    }


@dataclass(frozen=True)
class Judgement:
    """`exact` of `compared` people who were linked rightly have exactly the pathway they should have.

    `tier2_52_weeks` is what the published outcomes of the simulated people add up to, and what they should.
    """

    linkage: LinkageScore
    nhs_join: LinkageScore
    exact: int
    compared: int
    differences: Sequence[str]
    tier2_52_weeks: OutcomeFigures
    tier2_52_weeks_expected: OutcomeFigures

    @property
    def pathway_exact(self) -> float:
        """Share of exact pathways; 0 when nobody could be compared."""
        return self.exact / self.compared if self.compared else 0.0


_ISSUER = {"trust-wm": "RXX"}  # who issues the numbers of a source, where it is not the source itself


def record_of(keys: Keyring, record: RecordKey) -> str:
    """The id the engine gives a simulated record."""
    return record_of_local_id(keys, record[0], LocalId(record[1], _ISSUER.get(record[0], "")))


@dataclass(frozen=True)
class PublishedRun:
    """What there is to judge: record -> person, published id -> snapshot, and the keys that join them."""

    links: Mapping[str, str]
    snapshots: Mapping[str, SnapshotJson]
    keys: Keyring
    recipient: str

    def person_of(self, record: RecordKey) -> str | None:
        """The person the record with this local id was linked to."""
        return self.links.get(record_of(self.keys, record))

    def snapshot_of(self, person_id: str) -> SnapshotJson | None:
        """The snapshot the recipient has of a person."""
        return self.snapshots.get(self.keys.mac(recipient_purpose(self.recipient), person_id))


def judge(truth: Sequence[PersonTruth], published: PublishedRun, *, as_of: date) -> Judgement:
    """Score the linkage, and compare the pathway of everyone who was linked rightly."""
    person_of = {record.key: person.key for person in truth for record in person.records}
    found = {key: person for key in person_of if (person := published.person_of(key)) is not None}
    right = rightly_linked(found, person_of)
    compared = [person for person in truth if person.key in right]
    differences = [_differences(person, found, published, as_of) for person in compared]
    return Judgement(
        linkage=linkage_score(found, truth),
        nhs_join=nhs_number_join(truth),
        exact=sum(not lines for lines in differences),
        compared=len(compared),
        differences=[difference for lines in differences for difference in lines],
        tier2_52_weeks=outcome_figures(
            filter(None, (published.snapshot_of(person_id) for person_id in sorted(set(found.values())))), "tier2", 52
        ),
        tier2_52_weeks_expected=outcome_figures(
            (cast(SnapshotJson, expected.expected_pathway(person, as_of=as_of)) for person in truth), "tier2", 52
        ),
    )


def _differences(
    person: PersonTruth, found: Mapping[RecordKey, str], published: PublishedRun, as_of: date
) -> list[str]:
    person_id = found.get(person.records[0].key)
    snapshot = published.snapshot_of(person_id) if person_id else None
    if snapshot is None:
        return ["no snapshot"]
    return expected.differences(expected.expected_pathway(person, as_of=as_of), snapshot)
