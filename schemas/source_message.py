"""What a source reported in one entry, in the clear: the meeting point of every format and the FHIR Bundle.

Sources make one of these from their own format; `schemas.fhir` writes it as a message Bundle and reads it back.
"""

from dataclasses import dataclass
from datetime import datetime

from schemas.facts import FactBody
from schemas.identity import Person


@dataclass(frozen=True, slots=True, repr=False)
class SourceFact:
    """One fact in the clear. `body.referral` is not yet set here: `referral_business_id` says it in the source's words.

    `business_id` names the thing the fact is about in the source's own numbers (ServiceRequest.identifier, SCH-1/2, a
    file mapping's key columns), so that a correction under a new message id replaces the old; `None` means the source
    has none and the entry itself stands in. `ubrn` is the e-RS number of a referral, clear. `retracted` takes back.
    """

    body: FactBody
    business_id: str | None = None
    referral_business_id: str | None = None
    ubrn: str | None = None
    retracted: bool = False

    def __repr__(self) -> str:
        return f"SourceFact({self.body.type})"


@dataclass(frozen=True, slots=True, repr=False)
class SourceMessage:
    """One entry: one person at one source, who they are and what was reported about them.

    `message_id` is the sender's own; `source_version_at` its version time (aware, UTC); `service_named` whether it
    names a service of ours (an identity-only message may not).
    """

    message_id: str
    source_version_at: datetime
    person: Person
    facts: tuple[SourceFact, ...] = ()
    service_named: bool = True

    def __repr__(self) -> str:
        return f"SourceMessage({len(self.facts)} facts)"
