"""The values of `person.changes.v1` and `review.v1`, as the linker writes them."""

from linkage.changes import PersonChange
from linkage.cluster import Review
from linkage.explain import explain
from schemas import canonical


def change_value(one: PersonChange, revision: int) -> bytes:
    """What became of a person: for dashboards inside the zone, never for recipients."""
    return canonical.dump(
        {
            "v": 1,
            "kind": one.kind,
            "person_id": one.person,
            "previous": list(one.previous),
            "records": list(one.records),
            "reason": one.reason,
            "evidence": [{"records": list(pair), **explain(told)} for pair, told in one.evidence],
            "model": one.model,
            "revision": revision,
        }
    )


def review_value(pair: Review) -> bytes:
    """What a steward is shown: the two records, the weight in bits, and why the machine would not decide."""
    return canonical.dump(
        {"v": 1, "records": list(pair.pair), "bits": pair.bits / 1000, "rules": list(pair.rules)}
    )
