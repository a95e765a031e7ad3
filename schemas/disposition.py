"""What becomes of an entry: the door's verdict, and the one disposition the ledger knows it by afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.errors import Issue


class Verdict(StrEnum):
    """What the one check says of an entry before anything is acknowledged."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_WARNINGS = "accepted_with_warnings"
    IGNORED = "ignored"
    REJECTED = "rejected"


class Disposition(StrEnum):
    """Where an acknowledged entry ended. Exactly one is current; it may change with a higher revision."""

    LINKED = "linked"
    HELD = "held"
    REJECTED = "rejected"
    IGNORED = "ignored"
    OPTED_OUT = "opted_out"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on one message with every reason, none holding a value that was sent."""

    verdict: Verdict
    issues: tuple[Issue, ...]
    resource_types: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """As `tierlink check` prints it, without file and index."""
        return {
            "disposition": self.verdict.value,
            "resource_types": list(self.resource_types),
            "issues": [issue.as_json() for issue in self.issues],
        }


def verdict_of(issues: Sequence[Issue], *, ignored: bool) -> Verdict:
    """Rejected when any issue is an error, else ignored, else accepted, with warnings when there is one."""
    severities = {issue.severity.value for issue in issues}
    if "error" in severities:
        return Verdict.REJECTED
    if ignored:
        return Verdict.IGNORED
    return Verdict.ACCEPTED_WITH_WARNINGS if "warning" in severities else Verdict.ACCEPTED
