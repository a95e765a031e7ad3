"""Is this message ours? A source's feed may carry every patient of a hospital; we keep only our services' messages.

The rule, for a message Bundle of a FHIR source:
* a ServiceRequest whose code is one of the source's services makes it ours;
* one that names only other services makes it not ours, measurements and all;
* without any ServiceRequest, a weight, height, BMI or waist makes it ours;
* a Patient alone is an identity that names no service: it passes, and is kept only if its record has a fact;
* anything else is not ours.
Connectors of other formats decide by their own fields and say so in the extension `service-named` of the
header.
"""

from dataclasses import dataclass
from enum import Enum

from schemas.fhir.envelope import Opened
from schemas.fhir.node import Node
from schemas.fhir.read_observation import quantity_of
from schemas.sources import Source

# What may stand beside a Patient without being about care: the message itself and the people and places in it.
_BESIDE = frozenset({
    "MessageHeader", "Patient", "Organization", "Practitioner", "PractitionerRole", "Location", "Provenance",
    "RelatedPerson",
})  # fmt: skip


class Service(Enum):
    """Whether a message names a service of ours."""

    NAMED = "named"
    IDENTITY_ONLY = "identity only"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ServiceVerdict:
    """The verdict and the paths of the ServiceRequests that are ours."""

    service: Service
    ours: frozenset[str]


def service_of(message: Opened, header: Node | None, *, source: Source) -> ServiceVerdict:
    """Whether `message` names a service of `source`, by the rule above."""
    requests = message.of_type("ServiceRequest")
    ours = frozenset(request.path for request in requests if _serves(request, source))
    marked = header.our_flag("service-named") if header else None
    if not source.sends_fhir:
        every = frozenset(request.path for request in requests)
        return ServiceVerdict(Service.IDENTITY_ONLY if marked is False else Service.NAMED, every)
    if requests and not ours:
        return ServiceVerdict(Service.OTHER, ours)
    if marked is not None:
        return ServiceVerdict(Service.NAMED if marked else Service.IDENTITY_ONLY, ours)
    if ours or source.every_service or any(quantity_of(observation) for observation in message.of_type("Observation")):
        return ServiceVerdict(Service.NAMED, ours)
    kinds = {resource.kind for _, resource in message.entries}
    if "Patient" in kinds and kinds <= _BESIDE:
        return ServiceVerdict(Service.IDENTITY_ONLY, ours)
    return ServiceVerdict(Service.OTHER, ours)


def _serves(request: Node, source: Source) -> bool:
    return source.every_service or source.serves(*(code for _, code in request.codings("code")))
