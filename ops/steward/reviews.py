"""The pairs the linker left to a steward, and the decision on two records as the message the linker reads (decision
0010).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from linkage.members import Pair
from ops.admin.topic_reader import TopicMessage, last_values
from ops.errors import SettingsError
from schemas import canonical
from schemas.errors import Unreadable
from schemas.linking import DecisionKind, PairDecision
from schemas.topics import IDENTITY

DOMAIN = 0  # identity.v1 has one partition for each linkage domain, and an engine has one domain
_SECOND = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class OpenPair:
    """A pair the linker left to a steward: its records, its weight in bits, and why it would not decide."""

    records: Pair
    bits: float
    rules: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """One entry of `--json`."""
        return {"records": list(self.records), "bits": self.bits, "rules": list(self.rules)}


def open_pairs(messages: Iterable[TopicMessage]) -> tuple[OpenPair, ...]:
    """The pairs of `review.v1` that are still open, the likeliest to be one person first."""
    found = []
    for message in last_values(messages).values():
        parts = canonical.read_object(message.value or b"")
        a, b = parts["records"]
        found.append(OpenPair((a, b), parts["bits"], tuple(parts["rules"])))
    return tuple(sorted(found, key=lambda pair: (-pair.bits, pair.records)))


def decision(records: tuple[str, str], kind: DecisionKind, *, now: datetime, at: str | None = None) -> PairDecision:
    """The decision on two records in any order, made at `at` ("2026-11-23T10:00:00Z"), or now.

    Its id is computed from its content: the same decision with the same time is the same message, so sending it
    again changes nothing. The id begins with the milliseconds of now, so the later of two decisions within one second
    counts; a given time has none. Raises SettingsError for the same record twice, for an invalid record id, and for
    a time of another form, not in the calendar, or later than `now`: the linker would refuse such a message.
    """
    if records[0] == records[1]:
        raise SettingsError("A and B are the same record")
    first, second = sorted(records)
    moment = now.astimezone(UTC)
    decided_at = moment.strftime(_SECOND) if at is None else at
    content = sha256("|".join((first, second, kind, decided_at)).encode()).hexdigest()[:32]
    fraction = moment.microsecond // 1000 if at is None else 0
    made = PairDecision((first, second), kind, decided_at, f"{fraction:03d}-{content}")
    try:
        made = PairDecision.parse(made.key().decode(), made.value())
    except Unreadable as broken:
        raise SettingsError(_FORMS.get(broken.what, str(broken))) from None
    if made.decided_ms > moment.timestamp() * 1000:
        raise SettingsError("--at: is later than now")
    return made


def write(bootstrap: str, made: PairDecision) -> None:
    """The linker's log holds the decision; acknowledged on return. Raises TierlinkError when the broker does not
    take it.
    """
    from ops.admin.bulk_writer import NOW_MS, write_all

    write_all(bootstrap, [(IDENTITY, DOMAIN, made.key(), made.value(), NOW_MS, ())])


_FORMS = {
    "decision": "A, B: a record is named as `linkage reviews` prints it",
    "decided_at": "--at: is no time of the calendar in UTC to the second, such as 2026-11-23T10:00:00Z",
}
