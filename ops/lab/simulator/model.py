"""The types of the simulated world: who people are, what a source sends about them, what is handed to a door.

All of it is invented, yet no type here shows a name or number in its repr: what prints synthetic people today
prints real ones tomorrow.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

SourceSlug = Literal["gp-hub", "council-east", "trust-wm"]
GP: SourceSlug = "gp-hub"
COUNCIL: SourceSlug = "council-east"
TRUST: SourceSlug = "trust-wm"
TIER_OF: dict[str, str] = {GP: "primary_care", COUNCIL: "tier2", TRUST: "tier3"}

FactKind = Literal[
    "referral", "triage", "acceptance", "decline", "choice", "start", "attendance", "measurement", "completion",
    "discharge", "withdrawal", "medicine", "procedure", "suspension", "rtt_status", "eligibility", "comorbidity",
    "score", "experience", "death",
]  # fmt: skip
Form = Literal[
    "referral", "weights", "patient", "row",
    "I12", "I14", "S12", "S13", "S15", "S26", "A04", "A03", "A31", "R01",
]  # fmt: skip
Expected = Literal["accepted", "refused", "rejected_row", "ignored"]
Tag = Literal["good", "duplicate", "broken", "foreign"]


@dataclass(frozen=True, slots=True, repr=False)
class SimulatedAddress:
    """A home: first line, town, postcode with its space, and the area statistics that go with the postcode."""

    line: str
    town: str
    postcode: str
    lsoa: str
    imd_quintile: int


@dataclass(frozen=True, slots=True, repr=False)
class SimulatedPerson:
    """One true person. `household` is shared by those of one address; `former_address` is where they lived
    before, `former_phone` the mobile number they had. `middle_name` is None for who has none.
    """

    key: str
    household: str
    group: str
    ethnic_category: str
    sex: Literal["female", "male"]
    birth_date: date
    surname: str
    other_surname: str
    forename: str
    nhs_number: str
    address: SimulatedAddress
    former_address: SimulatedAddress
    practice_ods: str
    height_cm: int
    phone: str
    former_phone: str
    email: str
    middle_name: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class SimulatedIdentity:
    """The identity in a record, errors included. `None` is a field the source left empty.

    `former_address` is an address the source keeps beside the present one, `known_as` a short form it keeps
    beside the forename.
    """

    nhs_number: str | None
    surname: str
    forename: str
    birth_date: date | None
    sex: str | None
    ethnic_category: str
    address: SimulatedAddress
    postcode: str | None
    practice_ods: str
    old_surname: str | None = None
    middle_name: str | None = None
    known_as: str | None = None
    former_address: SimulatedAddress | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Fact:
    """One version of one clinical fact, in the source's own numbers.

    `key` names the thing within its source and kind, so a later version with the same key replaces this one; `referral`
    is the key of the referral the source names for it, None where it names none. Of the rest only what the kind needs
    is set. `value` is in kg, cm or kg/m2, rounded to 0.01, or a score; `value_given` and `unit_given` are what was
    written down. `code` is what a medicine, procedure, status, condition or questionnaire is named by.
    """

    kind: FactKind
    on: date
    key: str
    referral: str | None = None
    direction: Literal["sent", "received"] | None = None
    to_tier: str | None = None
    ubrn: str | None = None
    priority: str | None = None
    referral_source: str | None = None
    attendance: str | None = None
    booked_on: date | None = None
    group: bool | None = None
    quantity: Literal["weight", "height", "bmi"] | None = None
    value: Decimal | None = None
    value_given: Decimal | None = None
    unit_given: str | None = None
    method: Literal["measured", "self_reported"] = "measured"
    reason: str | None = None
    by: str | None = None
    definition: str | None = None
    retracted: bool = False
    programme: str | None = None
    provider_ods: str | None = None
    consultant_led: bool | None = None
    level: str | None = None
    offered_count: int | None = None
    medium: str | None = None
    purpose: str | None = None
    action: str | None = None
    code: str | None = None
    system: str | None = None
    indication: str | None = None
    setting: str | None = None
    dose_mg: Decimal | None = None
    ends_on: date | None = None
    met: str | None = None
    present: bool | None = None


@dataclass(frozen=True, slots=True, repr=False)
class SimulatedEntry:
    """One entry as its source means it: `facts` about `local_id`, known to the source at `source_version_at` (UTC).

    `message_id` is the sender's own (empty for a file row: the file is the message). `form` chooses the
    template. `corrects` is the message id or row reference of the entry whose facts this one replaces. `spellings` name
    what its source writes otherwise than usual and means the same by.
    """

    source: SourceSlug
    local_id: str
    person: str
    source_version_at: datetime
    form: Form
    identity: SimulatedIdentity
    facts: tuple[Fact, ...]
    message_id: str = ""
    corrects: str | None = None
    spellings: frozenset[str] = frozenset()

    @property
    def number(self) -> str:
        """What names this entry among all: its record and its source version time, which no other entry shares."""
        return f"{self.source}/{self.local_id}/{self.source_version_at.isoformat()}"


@dataclass(frozen=True, slots=True, repr=False)
class EntryTruth:
    """What the journal should find: the entry's name, whose it is, and the answer the door owes.

    `position` counts entries within the message (rows of a file from 1, else 0). `person` is empty for a broken entry.
    """

    message_id: str
    position: int
    person: str
    expected: Expected
    local_id: str = ""
    source_version_at: datetime | None = None
    correction: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Delivery:
    """One thing handed to a door: a FHIR body, one HL7 message (not framed), or one file."""

    source: SourceSlug
    kind: Literal["fhir", "hl7", "csv_file"]
    content: bytes
    entries: tuple[EntryTruth, ...]
    tag: Tag
    file_name: str | None = None
