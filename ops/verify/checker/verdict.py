"""The verdict of the checker, in Jepsen's terms. Every count but three must be 0."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class CheckerVerdict:
    """Counts; `where` says of each anomaly in which topic or place how often, `places` names some messages.

    acknowledged  distinct entries that a door accepted
    lost          acknowledged entries (or entries of the intake) that end nowhere
    phantom       messages of a topic whose origin nobody sent
    divergent     keys whose final value is not the oracle's, and keys with two contents at one version
    backwards     keys that end on an older state than they had
    split         people of the oracle who are several in the run   (these keys are in `divergent` too)
    merged        people of the run who are several in the oracle   (these keys are in `divergent` too)
    unseen        messages that no group has committed
    stuck         stages with unseen messages, or what the caller judged to be stuck
    leaked        identifiers in clear anywhere behind the seal
    unknown       entries whose only answers are time-outs
    rewound       keys whose last value has an older revision and the newest content
    notes         changelog elements that are not the oracle's, None where there was no oracle
    """

    acknowledged: int
    lost: int
    phantom: int
    divergent: int
    backwards: int
    split: int
    merged: int
    unseen: int
    stuck: int
    leaked: int
    unknown: int
    rewound: int = 0
    notes: int | None = None
    compared: int = 0
    bytes_scanned: int = 0
    where: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True when nothing was found that must not be."""
        counted = (self.lost, self.phantom, self.divergent, self.backwards, self.split, self.merged)
        return not any((*counted, self.unseen, self.stuck, self.leaked))

    def as_json(self) -> dict[str, int]:
        """The counts of the fault harness, flat."""
        names = ("acknowledged", "lost", "phantom", "divergent", "backwards", "stuck", "leaked", "unknown")
        return {name: getattr(self, name) for name in names}

    def detailed(self) -> dict[str, Any]:
        """All counts and places."""
        return asdict(self) | {"where": {name: places for name, places in self.where.items() if places}}
