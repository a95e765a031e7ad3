"""A FHIR message Bundle as a SourceMessage, or every reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from schemas.errors import Issue, Severity, has_error
from schemas.facts import Attendance, Death, Demographics
from schemas.fhir import read_event, read_patient, read_request
from schemas.fhir.context import Context
from schemas.fhir.dates import Span
from schemas.fhir.envelope import (
    OBJECTS_MAX,
    Opened,
    header_of,
    is_costly,
    message_id,
    opened,
    patient_of,
    source_version_at,
)
from schemas.fhir.node import Node
from schemas.fhir.references import Resolver
from schemas.fhir.service import Service, ServiceVerdict, service_of
from schemas.fhir.structure import USED, absurd_lists, issues
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source

# A message about one patient holds some ten. Each fact is a view of the whole pathway: 2,000 in one message
# would hold up everybody on its partition for minutes.
FACTS_MAX = 200


@dataclass(frozen=True, slots=True, repr=False)
class BundleReading:
    """What a Bundle gave: a message, or none with an error among the issues, or none because it is not ours."""

    message: SourceMessage | None
    issues: tuple[Issue, ...]
    ignored: bool = False


def read(bundle: Mapping[str, object], *, source: Source, test_mode: bool, received_at: datetime) -> BundleReading:
    """The message in a Bundle of type `message`. Never raises for what a sender wrote.

    `text`, `contained`, `note`, `display` and everything else not named by a reader is never looked at.
    Structure that FHIR forbids is a warning; what we need and cannot read is an error; a message of no
    service of ours is ignored with one information and nothing else is looked at.
    """
    message = opened(bundle)
    found = message.bundle.issues
    if has_error(found):
        return BundleReading(None, tuple(found))
    header = header_of(message)
    verdict = service_of(message, header, source=source)
    if verdict.service is Service.OTHER:
        message.bundle.information("entry", "names no service of ours")
        return BundleReading(
            None, tuple(issue for issue in found if issue.severity is Severity.INFORMATION), ignored=True
        )
    costly = is_costly(bundle)
    for _, resource in message.entries:
        if resource.kind in USED:
            found.extend(absurd_lists(resource.value, resource.path))
            found.extend(() if costly else issues(resource.value, resource.path))
    if costly and not _absurd(found):
        message.bundle.error("entry", f"has over {OBJECTS_MAX} elements", code="too-costly")
    patient = patient_of(message)
    identifier = message_id(message, header)
    moment = source_version_at(message, received_at=received_at)
    if patient is None or identifier is None or _absurd(found):
        return BundleReading(None, _reasons(found))
    person = read_patient.person(patient, source=source, test_mode=test_mode, source_version_at=moment)
    context = _context(message, verdict, patient, source, Span(person.birth_date, moment))
    facts = read_patient.facts(patient, source=source, source_version_at=moment, resolver=context.resolver)
    facts += _facts(message, context)
    _check_days(message, facts, context)
    if len(facts) > FACTS_MAX:
        message.bundle.error("entry", f"holds over {FACTS_MAX} facts", code="too-costly")
    if has_error(found):
        return BundleReading(None, _reasons(found))
    if _has_no_content(message, facts, context):
        return BundleReading(None, _reasons(found), ignored=True)
    named = verdict.service is Service.NAMED
    return BundleReading(SourceMessage(identifier, moment, person, tuple(facts), service_named=named), _reasons(found))


def _absurd(found: list[Issue]) -> bool:
    return any(issue.code in ("too-long", "too-costly") and issue.severity is Severity.ERROR for issue in found)


def _context(message: Opened, verdict: ServiceVerdict, patient: Node, source: Source, span: Span) -> Context:
    return Context(
        source=source,
        source_version_at=span.source_version_at,
        patient=patient,
        resolver=Resolver.of(list(message.entries)),
        span=span,
        requests={request.path: request for request in message.of_type("ServiceRequest")},
        ours=verdict.ours,
    )


def _facts(message: Opened, context: Context) -> list[SourceFact]:
    facts: list[SourceFact] = []
    for path, request in context.requests.items():
        if path in context.ours and not _another_service(request, context):
            facts += read_request.facts(request, context)
    for _, resource in message.entries:
        facts += read_event.facts(resource, context)
    return facts


def _check_days(message: Opened, facts: list[SourceFact], context: Context) -> None:
    """Every day and moment of every fact, wherever it stood: none may be the person's birthday."""
    for fact in facts:
        dates = [(name, value) for name, value in fact.body if isinstance(value, date)]
        for name, value in dates:
            day = value.date() if isinstance(value, datetime) else value
            rule = context.span.fault(day, booked=isinstance(fact.body, Attendance))
            if rule is not None:
                message.bundle.error("entry", f"{name} of a fact of type {fact.body.type} {rule}", code="value")


def _another_service(request: Node, context: Context) -> bool:
    """A feed of every service keeps requests that are no weight-management referral, but makes no fact of them."""
    ours = request.our_flag("carrier") or request.our_extension("milestone") or read_request.requested_tier(request)
    return context.source.every_service and not ours


def _has_no_content(message: Opened, facts: list[SourceFact], context: Context) -> bool:
    """True when the requests name our service but none says which tier it goes to, and there is nothing else."""
    requests = [request for path, request in context.requests.items() if path in context.ours]
    clinical = [fact for fact in facts if not isinstance(fact.body, Demographics | Death)]
    return (
        bool(requests)
        and not clinical
        and not context.source.every_service
        and not any(request.our_flag("carrier") for request in requests)
    )


def _reasons(found: list[Issue]) -> tuple[Issue, ...]:
    """Each reason once, the gravest first at its place: a structural warning is not repeated beside an error there."""
    errors = {issue.location for issue in found if issue.severity is Severity.ERROR}
    kept = (issue for issue in found if issue.severity is Severity.ERROR or issue.location not in errors)
    return tuple(dict.fromkeys(kept))
