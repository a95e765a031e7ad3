"""The numbers of a Patient: NHS numbers, the source's own, and ids it has retired.

A number is an NHS number because its system says so, never by its form: 25 of 306 ten-digit
hospital numbers in a public feed pass the NHS check digit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from schemas import codes, placeholders, uris
from schemas.errors import InvalidField
from schemas.fhir.dates import is_former
from schemas.fhir.modifiers import is_understood
from schemas.fhir.node import Node
from schemas.identity import NOT_FOR_TESTS, LocalId, NHSNumber, nhs_digits
from schemas.sources import Source

_CLAIM_MAX = 64
_NHS_HOSTS = (
    "fhir.nhs.uk",
    "fhir.nhs.net",
    "fhir.hl7.org.uk",
)  # under these a system is national or mistyped


@dataclass(frozen=True, slots=True, repr=False)
class Numbers:
    """What the identifiers say; `refused` when one of them alone already refuses the message."""

    nhs_number: NHSNumber | None = None
    claimed: str | None = None
    former: tuple[NHSNumber, ...] = ()
    local_id: LocalId | None = None
    retired: tuple[LocalId, ...] = ()
    refused: bool = False


@dataclass(slots=True)
class _NhsNumbers:
    """The NHS numbers of one Patient while they are read."""

    source: Source
    test_mode: bool
    valid: dict[str, NHSNumber]
    former: dict[str, NHSNumber]
    claimed: str | None = None
    refused: bool = False


def numbers(node: Node, *, source: Source, test_mode: bool, source_version_at: datetime) -> Numbers:
    """Every number of the Patient at `node`.

    An invalid NHS number is kept as claimed and reported: as a warning, on a feed of every service (which
    exists only for public examples, whose numbers are often invented) as information. In production a number
    of the 999 test range is an error that refuses, and so are two different valid numbers. One whose use is `old` or
    whose period has ended is superseded.
    """
    nhs = _NhsNumbers(source, test_mode, {}, {})
    for identifier, value, system in _identifiers(node):
        if system == uris.NHS_NUMBER:
            _read_nhs_number(identifier, value, nhs, former=_has_ended(identifier, source_version_at))
    if len(nhs.valid) > 1:
        node.error("identifier", "holds two different NHS numbers", code="business-rule")
        nhs.refused = True
    nhs_number = next(iter(nhs.valid.values()), None)
    local_id = _local_id(node, source, source_version_at)
    return Numbers(
        nhs_number=nhs_number,
        claimed=nhs.claimed if nhs_number is None else None,
        former=tuple(number for digits, number in nhs.former.items() if digits not in nhs.valid),
        local_id=local_id,
        retired=_retired(node, source, local_id),
        refused=nhs.refused,
    )


def _identifiers(node: Node) -> Iterator[tuple[Node, str, str]]:
    """(identifier, value, canonical system) of each that has a value."""
    for identifier in node.many("identifier"):
        value = identifier.text("value")
        if not is_understood(identifier):
            continue
        if value is None:
            identifier.information("value", "is missing: the identifier says nothing")
        else:
            yield identifier, value, uris.canonical_uri(identifier.text("system") or "")


def _read_nhs_number(node: Node, value: str, nhs: _NhsNumbers, *, former: bool) -> None:
    report = node.information if nhs.source.every_service else node.warning
    try:
        number = NHSNumber.parse(value, test_mode=True)
    except InvalidField as failure:
        if former:
            report("value", f"superseded NHS number {failure.rule}; left out")
            return
        report("value", f"NHS number {failure.rule}; kept only as claimed")
        nhs.claimed = nhs.claimed or nhs_digits(value) or value[:_CLAIM_MAX]
        return
    try:
        NHSNumber.parse(value, test_mode=nhs.test_mode)
    except InvalidField as failure:
        node.error("value", f"NHS number {failure.rule}", code="business-rule")
        nhs.refused = True
        return
    if nhs.test_mode and number.may_be_real:
        node.warning("value", NOT_FOR_TESTS)
    (nhs.former if former else nhs.valid).setdefault(number.digits, number)
    if not former:
        _check_status(node, number, nhs.source)


def _check_status(node: Node, number: NHSNumber, source: Source) -> None:
    if not number.in_allocated_range:
        report = node.information if source.every_service else node.warning
        report("value", "NHS number is in no range issued in England, Wales or the Isle of Man")
    status = node.extension(uris.NUMBER_STATUS)
    if status is not None:
        statuses = {codes.NUMBER_STATUS.get(code.lower()) for _, code in status.codings("valueCodeableConcept")}
        if "unproven" in statuses:
            node.warning("extension", "NHS number is marked as not yet traced")
        elif statuses and statuses == {None}:
            node.warning("extension", "is not a known NHS number status", code="code-invalid")


def _has_ended(node: Node, source_version_at: datetime) -> bool:
    return is_former(node, source_version_at)


def _local_id(node: Node, source: Source, source_version_at: datetime) -> LocalId | None:
    """The number that names the record: of those under no national system, by the source's authorities."""
    candidates: list[tuple[Node, LocalId]] = []
    for identifier, value, system in _identifiers(node):
        if system in uris.NATIONAL:
            continue
        if _has_ended(identifier, source_version_at):
            identifier.information("", "is no longer in use; not read")
            continue
        number = _parsed(identifier, value, source)
        if number is not None:
            candidates.append((identifier, number))
    if not source.sends_fhir:  # written by our own reader, which has chosen
        return candidates[0][1] if candidates else None
    named = [number for identifier, number in candidates if identifier.text("system")]
    found = source.record_local_id(named or [number for _, number in candidates])
    if candidates and found is None:
        node.warning("identifier", "holds no number of an authority that the source names")
    for identifier, number in candidates:
        if number.authority not in source.authorities and _is_nearly(number.authority, source.authorities):
            rule = "differs from an authority of the source only by case, a slash or http; systems are compared exactly"
            identifier.warning("system", rule, code="code-invalid")
        if found is not None and number != found:
            identifier.information("", "is another number of the person, not the one that names the record")
    return found


def _is_nearly(authority: str, known: tuple[str, ...]) -> bool:
    """True for a URI that RFC 3986 section 6 or a slip of the hand makes one of the known; FHIR holds it another."""
    return _loosely(authority) in map(_loosely, known)


def _loosely(uri: str) -> str:
    return uri.casefold().rstrip("/").removeprefix("https://").removeprefix("http://")


def _parsed(node: Node, value: str, source: Source) -> LocalId | None:
    """The (authority, value) of an identifier under no national system; None with a warning."""
    system = node.text("system") or ""
    if _is_mistyped(system):
        node.warning(
            "system",
            "is not a URI, or no system that the NHS has; the number was left out",
            code="code-invalid",
        )
        return None
    if placeholders.is_number(value, source.placeholders):
        node.information("value", "is what systems write where none is known; no local id")
        return None
    issuer = source.authority(uris.patient_authority(source.slug, system)) if system else source.issuer("")
    if not system and issuer is not None:
        node.warning("system", "is missing: who issued the number? read as the source's own", code="required")
    if issuer is None:
        node.warning("system", "is required: the source has no default; left out", code="required")
        return None
    try:
        return LocalId.parse(value, issuer)
    except InvalidField as failure:
        node.warning("value", f"{failure.rule}; left out", code="value")
        return None


def _is_mistyped(system: str) -> bool:
    """True for a system that names nothing: no URI, or one that only resembles a national system."""
    name = system.lower()
    national = any(host in name for host in _NHS_HOSTS) or ("nhs" in name and "num" in name)
    return bool(system) and (":" not in system or national)


_LINKS_NOT_USED = frozenset({"refer", "seealso"})


def _retired(node: Node, source: Source, record: LocalId | None) -> tuple[LocalId, ...]:
    """The ids of records that this one replaces. A link that cannot be followed is reported."""
    found = []
    for link in node.many("link"):
        kind = link.text("type")
        if kind in _LINKS_NOT_USED:
            link.information("type", "points at another record of the person; not used")
        elif kind == "replaced-by":
            link.warning("other", "stands in lieu of this record; the merge was left out", code="not-supported")
        elif kind != "replaces":
            link.warning("type", "is not a type of link; left out", code="code-invalid")
        elif is_understood(link):
            found += [number for named in _named_by(link, node) if (number := _replaced(named, source, record))]
    return tuple(dict.fromkeys(found))


def _named_by(link: Node, patient: Node) -> list[Node]:
    """The identifiers of the record that a link leads to: in the link itself, or of a Patient contained beside it."""
    other = link.first("other")
    identifier = other.first("identifier") if other else None
    name = (other.text("reference") or "") if other else ""
    contained = [part for part in patient.many("contained") if part.kind == "Patient" and is_understood(part)]
    beside = [part for part in contained if name == f"#{part.text('id')}"]
    of_beside = [part for found in beside for part in found.many("identifier") if not _is_national(part)]
    named = [part for part in ([identifier] if identifier else of_beside) if part.text("value")]
    if not named:
        link.warning("other", "names no record by an identifier; the merge was left out", code="not-found")
    return named


def _is_national(identifier: Node) -> bool:
    return uris.canonical_uri(identifier.text("system") or "") in uris.NATIONAL


def _replaced(identifier: Node, source: Source, record: LocalId | None) -> LocalId | None:
    if _is_national(identifier):
        rule = "is a national number and names no record; the merge was left out"
        identifier.warning("system", rule, code="not-supported")
        return None
    number = _parsed(identifier, identifier.text("value") or "", source)
    if number is not None and number == record:
        identifier.warning("value", "is the number of this record itself; the merge was left out")
        return None
    return number
