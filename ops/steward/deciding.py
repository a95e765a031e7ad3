"""A steward's word on two records, made into the message the linker reads (decision 0010), and written."""

from datetime import UTC, datetime
from hashlib import sha256

from ops.errors import SettingsError
from schemas.errors import Unreadable
from schemas.linking import DecisionKind, PairDecision
from schemas.topics import IDENTITY

DOMAIN = 0  # identity.v1 has one partition for each linkage domain, and an engine has one domain
_SECOND = "%Y-%m-%dT%H:%M:%SZ"


def decision(
    records: tuple[str, str], kind: DecisionKind, *, now: datetime, at: str | None = None
) -> PairDecision:
    """The decision on two records in any order, decided at `at` ("2026-11-23T10:00:00Z"), or now.

    Its id follows from what it says: the same words with the same time are the same message, so sending them
    again changes nothing. Before the digest stand the milliseconds of now, so that of two words in one second the
    later stands; a time that is given has none. Raises SettingsError for one record twice, what is no record id,
    a time not in that form or not in the calendar, or later than `now`: the linker would refuse it unseen.
    """
    if records[0] == records[1]:
        raise SettingsError("A and B are the same record")
    first, second = sorted(records)
    moment = now.astimezone(UTC)
    decided_at = moment.strftime(_SECOND) if at is None else at
    said = sha256("|".join((first, second, kind, decided_at)).encode()).hexdigest()[:32]
    fraction = moment.microsecond // 1000 if at is None else 0
    told = PairDecision((first, second), kind, decided_at, f"{fraction:03d}-{said}")
    try:
        told = PairDecision.parse(told.key().decode(), told.value())
    except Unreadable as broken:
        raise SettingsError(_FORMS.get(broken.what, str(broken))) from None
    if told.decided_ms > moment.timestamp() * 1000:
        raise SettingsError("--at: is later than now")
    return told


def write(bootstrap: str, told: PairDecision) -> None:
    """The linker's log holds the decision; acknowledged on return. Raises TierlinkError when the broker does not
    take it.
    """
    from ops.admin.bulk_writer import NOW_MS, write_all

    write_all(bootstrap, [(IDENTITY, DOMAIN, told.key(), told.value(), NOW_MS, ())])


_FORMS = {
    "decision": "A, B: a record is named as `linkage reviews` prints it",
    "decided_at": "--at: is no time of the calendar in UTC to the second, such as 2026-11-23T10:00:00Z",
}
