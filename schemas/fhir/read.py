"""A FHIR message Bundle as a SourceMessage, or every reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.disposition import nothing_left
from schemas.errors import Issue, Severity, has_error
from schemas.facts import Death, Demographics
from schemas.fhir import read_event, read_patient, read_request
from schemas.fhir.collisions import kept_apart
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
from schemas.fhir.known_extensions import report_unread
from schemas.fhir.modifiers import is_understood
from schemas.fhir.node import Node
from schemas.fhir.references import Resolver
from schemas.fhir.service import Service, ServiceVerdict, service_of
from schemas.fhir.structure import USED, absurd_lists, issues
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source

# A message about one patient holds some ten. Each fact is a view of the whole pathway: 2,000 in one message
# would hold up everybody on its partition for minutes.
FACTS_MAX = 200
# read, or naming the places and people of what is read
_READ = frozenset({*USED, "Organization", "Practitioner", "PractitionerRole", "Location", "HealthcareService"})
_BESIDE = frozenset({"Provenance", "Endpoint"})


@dataclass(frozen=True, slots=True, repr=False)
class BundleReading:
    """What a Bundle gave: a message, with the reasons of what it lacks, or none because it is refused or not ours."""

    message: SourceMessage | None
    issues: tuple[Issue, ...]
    ignored: bool = False

    @property
    def refused(self) -> bool:
        """True when nothing of it is taken, although it may be ours."""
        return self.message is None and not self.ignored


def read(bundle: Mapping[str, object], *, source: Source, test_mode: bool, received_at: datetime) -> BundleReading:
    """The message in a Bundle of type `message`. Never raises for what a sender wrote.

    `text`, `contained`, `note`, `display` and everything else not named by a reader is never looked at.
    Structure that FHIR forbids is a warning; a fact that we cannot read is an error, and the others are read; a
    message of no service of ours is ignored with one information and nothing else is looked at. It is refused beyond a
    limit, where nobody knows who it is about, and where errors leave nothing but demographics.
    """
    message = opened(bundle)
    found = message.bundle.issues
    if message.is_too_long:
        return BundleReading(None, tuple(found))
    header = header_of(message)
    verdict = service_of(message, header, source=source)
    if verdict.service is Service.OTHER:
        for request in message.of_type("ServiceRequest"):
            read_request.report_code(request, source)
        if has_error(found):
            return BundleReading(None, _reasons(message))
        message.bundle.information("entry", "names no service of ours")
        return BundleReading(
            None, tuple(issue for issue in found if issue.severity is Severity.INFORMATION), ignored=True
        )
    beyond_limits = _check_structure(message, bundle)
    headers = message.of_type("MessageHeader")
    governing = [message.bundle, *headers, *message.of_type("Patient")]
    understood = [is_understood(node) for node in governing] + [
        not _is_failure(found) for found in message.of_type("MessageHeader")
    ]
    patient = patient_of(message)
    identifier = message_id(message, header)
    moment = source_version_at(message, received_at=received_at)
    if patient is None or identifier is None or beyond_limits or not all(understood):
        return BundleReading(None, _reasons(message))
    person = read_patient.person(patient, source=source, test_mode=test_mode, source_version_at=moment)
    if person is None:
        return BundleReading(None, _reasons(message))
    context = _context(message, verdict, patient, source, Span(person.birth_date, moment))
    facts = read_patient.facts(patient, source=source, source_version_at=moment, resolver=context.resolver)
    facts += _facts(message, context)
    facts = kept_apart([fact for fact in facts if _is_possible(fact, message, context)], message.bundle)
    if len(facts) > FACTS_MAX:
        message.bundle.error("entry", f"holds over {FACTS_MAX} facts", code="too-costly")
        return BundleReading(None, _reasons(message))
    named = verdict.service is Service.NAMED
    read_whole = SourceMessage(identifier, moment, person, tuple(facts), service_named=named)
    if nothing_left(found, read_whole):
        return BundleReading(None, _reasons(message))
    if _has_no_content(message, facts, context):
        return BundleReading(None, _reasons(message), ignored=True)
    return BundleReading(read_whole, _reasons(message))


def _is_failure(header: Node) -> bool:
    """True for an answer that says that an earlier message failed: it tells nothing of a person."""
    if any(code == "delete" for _, code in header.codings("reason")):
        rule = "asks to delete: a resource is taken back by its own status alone"
        header.warning("reason", rule, code="not-supported")
    response = header.first("response")
    if response is None:
        return False
    if not is_understood(response):
        return True
    if response.text("code") in (None, "ok"):
        return False
    response.error("code", "says that an earlier message failed; nothing is told", code="not-supported")
    return True


def _check_structure(message: Opened, bundle: Mapping[str, object]) -> bool:
    """Reports what FHIR forbids; True when the Bundle is beyond what is read at all."""
    found, before = message.bundle.issues, len(message.bundle.issues)
    resources = [resource for _, resource in message.entries if resource.kind in USED]
    for resource in resources:
        found.extend(absurd_lists(resource.value, resource.path))
    beyond_limits = len(found) > before
    if is_costly(bundle):
        if not beyond_limits:
            message.bundle.error("entry", f"has over {OBJECTS_MAX} elements", code="too-costly")
        return True
    for resource in resources:
        report_unread(resource)
        message.structure.extend(issues(resource.value, resource.path))
    return beyond_limits


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
        if path not in context.ours:
            continue
        if not _another_service(request, context):
            facts += read_request.facts(request, context)
        elif not read_request.report_code(request, context.source):
            request.information("code", "names no weight-management service; not read")
    for _, resource in message.entries:
        if resource.kind not in _READ and resource.kind not in _BESIDE:
            resource.information("", "is of a type that is not read")
        facts += read_event.facts(resource, context)
    return facts


def _is_possible(fact: SourceFact, message: Opened, context: Context) -> bool:
    """Checks every day and moment of a fact, wherever it stood: none may be the person's birthday."""
    faults = list(context.span.faults(fact.body))
    for name, rule in faults:
        message.bundle.error("entry", f"{name} of a fact of type {fact.body.type} {rule}", code="value")
    return not faults


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


def _reasons(message: Opened) -> tuple[Issue, ...]:
    """Each reason once: a fault of structure is not repeated at a place that a reader has reported."""
    found = message.bundle.issues
    reported = {issue.location for issue in found}
    errors = {issue.location for issue in found if issue.severity is Severity.ERROR}
    structure = (issue for issue in message.structure if issue.location not in reported)
    kept = (issue for issue in found if issue.severity is Severity.ERROR or issue.location not in errors)
    return tuple(dict.fromkeys([*structure, *kept]))
