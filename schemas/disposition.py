"""What becomes of an entry: the door's verdict, and the one disposition the ledger knows it by afterwards."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas import canonical
from schemas.errors import Issue, Severity, has_error
from schemas.facts import Demographics
from schemas.source_message import SourceMessage


class Verdict(StrEnum):
    """What the one check says of an entry before anything is acknowledged."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_WARNINGS = "accepted_with_warnings"
    IGNORED = "ignored"
    REJECTED = "rejected"


class Disposition(StrEnum):
    """Where an acknowledged entry ended. Exactly one is current; it may change with a higher revision.

    Whether a person is linked says whether somebody else knows them: no source learns it (see Receipt).
    """

    LINKED = "linked"
    HELD = "held"
    REJECTED = "rejected"
    IGNORED = "ignored"
    OPTED_OUT = "opted_out"
    WITHDRAWN = "withdrawn"


class Receipt(StrEnum):
    """What a source learns of its entry beyond the door's answer: nothing that depends on other records."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IGNORED = "ignored"
    WITHDRAWN = "withdrawn"


def disposition_value(disposition: Disposition, source: str, *, revision: int, why: Iterable[str] = ()) -> bytes:
    """A message of `dispositions.v1`; its key is the keyed name of the entry.

    `why` are rules of linking that hold the record. The higher revision counts: 0 where ingress or the source's own
    other entries decide, else one above that of the link.
    """
    value = {"v": 1, "disposition": disposition.value, "source": source, "revision": revision, "why": sorted(why)}
    return canonical.dump(value)


def receipt_value(receipt: Receipt, reasons: Iterable[Mapping[str, str]] = ()) -> bytes:
    """A message of `receipts.<source>.v1`; its key is the entry id. `reasons` name field and rule, never a value."""
    return canonical.dump({"v": 1, "receipt": receipt.value, "reasons": [dict(reason) for reason in reasons]})


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on one message with every reason, none holding a value that was sent.

    `facts` and `identity` are what was understood (`schemas.understood`), for `tierlink check` alone: facts are about a
    person, so no log, receipt or answer of a door may hold them.
    """

    verdict: Verdict
    issues: tuple[Issue, ...]
    resource_types: tuple[str, ...]
    facts: tuple[Mapping[str, object], ...] = field(default=(), repr=False)
    identity: Mapping[str, object] | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, object]:
        """As `tierlink check` prints it, without file and index."""
        return {
            "disposition": self.verdict.value,
            "resource_types": list(self.resource_types),
            "issues": [issue.as_json() for issue in self.issues],
            "facts": [dict(fact) for fact in self.facts],
            "identity": None if self.identity is None else dict(self.identity),
        }


def verdict_of(issues: Iterable[Issue], *, ignored: bool, refused: bool) -> Verdict:
    """Rejected when `refused`, else ignored, else accepted, with warnings when an issue is one or an error.

    An error says that one fact or element cannot be read. It does not refuse the rest: `refused` says that.
    """
    if refused:
        return Verdict.REJECTED
    if ignored:
        return Verdict.IGNORED
    flawed = any(issue.severity is not Severity.INFORMATION for issue in issues)
    return Verdict.ACCEPTED_WITH_WARNINGS if flawed else Verdict.ACCEPTED


def nothing_left(issues: Iterable[Issue], message: SourceMessage) -> bool:
    """True when something could not be read and nothing remains but demographics: the message is refused.

    A merge is something; so is a death.
    """
    remains = any(not isinstance(fact.body, Demographics) for fact in message.facts)
    return has_error(issues) and not remains and not message.person.retired_local_ids
