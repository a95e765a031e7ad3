"""The numbers of a Patient: NHS number, the source's own, and ids it has retired.

A number is an NHS number because its system says so, never by its form: 25 of 306 ten-digit
hospital numbers in a public feed pass the NHS check digit.
"""

from dataclasses import dataclass

from schemas import codes, uris
from schemas.errors import InvalidField
from schemas.fhir.node import Node
from schemas.identity import LocalId, NHSNumber
from schemas.sources import Source

_CLAIM_MAX = 64


@dataclass(frozen=True, slots=True, repr=False)
class Numbers:
    """What the identifiers say; `refused` when one of them alone already refuses the message."""

    nhs_number: NHSNumber | None = None
    claimed: str | None = None
    local_id: LocalId | None = None
    retired: tuple[LocalId, ...] = ()
    refused: bool = False


def numbers(node: Node, *, source: Source, test_mode: bool) -> Numbers:
    """Every number of the Patient at `node` that is in use.

    An invalid NHS number is kept as claimed and reported: as a warning, on a feed of every service (which
    exists only for public examples, whose numbers are often invented) as information. In production a number
    of the 999 test range is an error, and so are two different valid numbers.
    """
    reported = len(node.issues)
    valid: dict[str, NHSNumber] = {}
    claimed: str | None = None
    for identifier in node.many("identifier"):
        value = identifier.text("value")
        system = uris.canonical_uri(identifier.text("system") or "")
        if system != uris.NHS_NUMBER or value is None or _ended(identifier):
            continue
        number = _nhs_number(identifier, value, source=source, test_mode=test_mode)
        if number is not None:
            valid.setdefault(number.digits, number)
        elif claimed is None:
            claimed = value[:_CLAIM_MAX]
    if len(valid) > 1:
        node.error("identifier", "holds two different NHS numbers", code="business-rule")
    nhs_number = next(iter(valid.values()), None)
    return Numbers(
        nhs_number=nhs_number,
        claimed=claimed if nhs_number is None else None,
        local_id=_local_id(node, source),
        retired=_retired(node),
        refused=any(issue.severity == "error" for issue in node.issues[reported:]),
    )


def _nhs_number(node: Node, value: str, *, source: Source, test_mode: bool) -> NHSNumber | None:
    report = node.information if source.every_service else node.warning
    try:
        number = NHSNumber.parse(value, test_mode=True)
    except InvalidField as failure:
        report("value", f"NHS number {failure.rule}; kept only as claimed")
        return None
    try:
        NHSNumber.parse(value, test_mode=test_mode)
    except InvalidField as failure:
        node.error("value", f"NHS number {failure.rule}", code="business-rule")
        return None
    if not number.in_allocated_range:
        report("value", "NHS number is in no range issued in England, Wales or the Isle of Man")
    status = node.extension(uris.NUMBER_STATUS)
    if status is not None:
        statuses = {codes.NUMBER_STATUS.get(code.lower()) for _, code in status.codings("valueCodeableConcept")}
        if "unproven" in statuses:
            node.warning("extension", "NHS number is marked as not yet traced")
        elif statuses and statuses == {None}:
            node.warning("extension", "is not a known NHS number status", code="code-invalid")
    return number


def _ended(node: Node) -> bool:
    return node.text("use") == "old"


def _local_id(node: Node, source: Source) -> LocalId | None:
    """The source's own number: under the system we write for it, else the first under no national system."""
    ours = uris.identifier_system("patient", source.slug)
    candidates = [
        (_rank(identifier, ours), identifier) for identifier in node.many("identifier") if not _ended(identifier)
    ]
    for rank, identifier in sorted(candidates, key=lambda pair: pair[0]):
        value = identifier.text("value")
        if rank == _NATIONAL or value is None:
            continue
        try:
            return LocalId.parse(value)
        except InvalidField as failure:
            identifier.error("value", failure.rule)
            return None
    return None


_NATIONAL = 3


def _rank(node: Node, ours: str) -> int:
    system = uris.canonical_uri(node.text("system") or "")
    if system == ours:
        return 0
    if system in uris.NATIONAL:
        return _NATIONAL
    return 1 if system else 2


def _retired(node: Node) -> tuple[LocalId, ...]:
    found = []
    for link in node.many("link"):
        other = link.first("other")
        identifier = other.first("identifier") if other and link.text("type") == "replaces" else None
        value = identifier.text("value") if identifier else None
        if identifier is None or value is None:
            continue
        if uris.canonical_uri(identifier.text("system") or "") in uris.NATIONAL:
            continue
        try:
            found.append(LocalId.parse(value))
        except InvalidField as failure:
            identifier.error("value", failure.rule)
    return tuple(found)
