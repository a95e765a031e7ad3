"""How well a way of linking did, counted by person: the terms in which a clinician meets an error.

A Tier 2 or 3 record is *attached to a wrong person* when it stands in one cluster with a record of anybody
else: whoever opens that person reads somebody else's weight. It is *linked* when it stands with its own
person's primary-care record, or where there is none with any other of theirs; records that have none are not
counted. A *gap* is the difference between the best- and the worst-linked group, in points of that share.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass

from linkage.evaluate import pairwise
from ops.lab.bench.linkage_world_keys import Clusters
from ops.lab.bench.linkage_world_records import LinkageWorld, WorldRecord

HARD_ENOUGH = 0.008  # share of records that match keys must put on a wrong person, or the world is too easy


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares between 0 and 1; gaps in percentage points. What a method does not know (who is held, how often
    ids change) is None.
    """

    method: str
    seed: int
    people: int
    records: int
    wrong_person: float
    wrong_records: int
    linked: float
    linked_without_number: float
    linked_after_review: float | None
    wrong_after_review: float | None
    held: float | None
    ethnic_gap_points: float
    imd_gap_points: float
    pair_precision: float
    pair_recall: float
    ids_changed_per_1000: float | None
    cpu_s: float

    def as_json(self) -> dict[str, object]:
        """Every figure by its name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a method with a review band adds: its clusters once every open pair is answered, the records held,
    and how often a record's person id changed.
    """

    clusters: Clusters
    held: Collection[str]
    renamed: int


def quality(
    method: str, world: LinkageWorld, clusters: Clusters, *, cpu_s: float, reviewed: Reviewed | None = None
) -> Quality:
    """The quality of these clusters, one name for each record of the world."""
    judged = _Judged(world, clusters)
    later = _Judged(world, reviewed.clusters) if reviewed else None
    pairs = pairwise(clusters, {record.record_id: record.person for record in world.records})
    return Quality(
        method=method,
        seed=world.seed,
        people=world.people,
        records=len(world.records),
        wrong_person=len(judged.wrong) / max(1, judged.later_tiers),
        wrong_records=len(judged.wrong),
        linked=judged.linked(),
        linked_without_number=judged.linked(lambda record: record.identity.nhs_number is None),
        linked_after_review=later.linked() if later else None,
        wrong_after_review=len(later.wrong) / max(1, later.later_tiers) if later else None,
        held=len(reviewed.held) / len(world.records) if reviewed else None,
        ethnic_gap_points=_gap(judged.by(lambda record: record.ethnic_group)),
        imd_gap_points=_gap(judged.by(lambda record: str(record.imd_quintile))),
        pair_precision=pairs.precision,
        pair_recall=pairs.recall,
        ids_changed_per_1000=1000 * reviewed.renamed / world.people if reviewed else None,
        cpu_s=cpu_s,
    )


class _Judged:
    """The Tier 2 and 3 records of a world, each found right or not."""

    def __init__(self, world: LinkageWorld, clusters: Clusters) -> None:
        people_in: dict[str, set[str]] = {}
        of_person: dict[str, list[WorldRecord]] = {}
        for record in world.records:
            people_in.setdefault(clusters[record.record_id], set()).add(record.person)
            of_person.setdefault(record.person, []).append(record)
        later = [record for record in world.records if record.tier != "primary_care"]
        self.later_tiers = len(later)
        self.wrong = [record for record in later if len(people_in[clusters[record.record_id]]) > 1]
        self.found: list[tuple[WorldRecord, bool]] = []
        for record in later:
            others = [other for other in of_person[record.person] if other is not record]
            wanted = [other for other in others if other.tier == "primary_care"] or others
            if wanted:
                own = clusters[record.record_id]
                self.found.append((record, any(clusters[other.record_id] == own for other in wanted)))

    def linked(self, which: Callable[[WorldRecord], bool] = lambda record: True) -> float:
        """Of those records that have something to be linked to, the share that is."""
        found = [right for record, right in self.found if which(record)]
        return sum(found) / max(1, len(found))

    def by(self, group: Callable[[WorldRecord], str]) -> Mapping[str, float]:
        """The share linked, by group."""
        all_, right = Counter[str](), Counter[str]()
        for record, linked in self.found:
            all_[group(record)] += 1
            right[group(record)] += linked
        return {name: right[name] / count for name, count in all_.items()}


def _gap(shares: Mapping[str, float]) -> float:
    return 100 * (max(shares.values()) - min(shares.values())) if shares else 0.0


_HEADINGS = (
    "method,seed,wrong %,n,linked %,no number %,reviewed %,wrong %,held %,eth gap,imd gap,P,R,ids/1000,cpu s"
)


def table(rows: Collection[Quality]) -> str:
    """The figures in columns, one line each method and seed."""
    cells = [_HEADINGS.split(","), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _cells(row: Quality) -> list[str]:
    def share(value: float | None, digits: int = 2) -> str:
        return "-" if value is None else f"{100 * value:.{digits}f}"

    return [
        row.method,
        str(row.seed),
        share(row.wrong_person, 3),
        str(row.wrong_records),
        share(row.linked),
        share(row.linked_without_number),
        share(row.linked_after_review),
        share(row.wrong_after_review, 3),
        share(row.held),
        f"{row.ethnic_gap_points:.2f}",
        f"{row.imd_gap_points:.2f}",
        f"{row.pair_precision:.5f}",
        f"{row.pair_recall:.4f}",
        "-" if row.ids_changed_per_1000 is None else f"{row.ids_changed_per_1000:.1f}",
        f"{row.cpu_s:.1f}",
    ]
