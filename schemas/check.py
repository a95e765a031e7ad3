"""The one check: the door runs it before it acknowledges, `tierlink check` runs it dry, ingress runs it again."""

from collections.abc import Mapping
from datetime import datetime

from schemas.disposition import Checked, Verdict, verdict_of
from schemas.errors import Issue, error, information
from schemas.fhir.read import read
from schemas.fhir.resource_types import RESOURCE_TYPES
from schemas.source_message import SourceMessage
from schemas.sources import Source

_KINDS = frozenset({  # FHIR bundle-type
    "document", "message", "transaction", "transaction-response", "batch", "batch-response", "history", "searchset",
    "collection",
})  # fmt: skip


def check(
    document: object, *, source: Source, test_mode: bool, received_at: datetime
) -> tuple[Checked, SourceMessage | None]:
    """The verdict on one parsed JSON document with every reason, and the message in it where it is accepted.

    Only a Bundle of type `message` is read; another Bundle and a resource alone are ignored;
    what is no FHIR resource is rejected. `received_at` is aware; it stands in for a missing version time and
    bounds the future. Never raises for what a sender wrote, and no reason holds a value that was sent.
    """
    if not isinstance(document, dict):
        return _rejected(error("Resource", "must be a JSON object", code="structure"), ()), None
    kind = document.get("resourceType")
    if kind is None:
        return _rejected(error("Resource.resourceType", "is required", code="required"), ()), None
    if not isinstance(kind, str) or kind not in RESOURCE_TYPES:
        return _rejected(error("Resource.resourceType", "is not a FHIR resource", code="code-invalid"), ()), None
    if kind != "Bundle":
        issue = information(kind, "stands outside a message Bundle and was not read")
        return Checked(Verdict.IGNORED, (issue,), (kind,)), None
    return _bundle(document, source=source, test_mode=test_mode, received_at=received_at)


def _bundle(
    document: Mapping[str, object], *, source: Source, test_mode: bool, received_at: datetime
) -> tuple[Checked, SourceMessage | None]:
    types = _types(document)
    kind = document.get("type")
    if kind is None:
        return _rejected(error("Bundle.type", "is required", code="required"), types), None
    if not isinstance(kind, str) or kind not in _KINDS:
        return _rejected(error("Bundle.type", "is not a type of Bundle", code="code-invalid"), types), None
    if kind != "message":
        issue = information("Bundle.type", "is not `message`: the Bundle was not read")
        return Checked(Verdict.IGNORED, (issue,), types), None
    found = read(document, source=source, test_mode=test_mode, received_at=received_at)
    verdict = verdict_of(found.issues, ignored=found.ignored)
    return Checked(verdict, found.issues, types), found.message


def _types(document: Mapping[str, object]) -> tuple[str, ...]:
    """Bundle and the types of its resources, each once in order of appearance; unknown ones are not repeated."""
    entries = document.get("entry")
    resources = (
        [entry.get("resource") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    )
    kinds = [resource.get("resourceType") for resource in resources if isinstance(resource, dict)]
    return tuple(
        dict.fromkeys(["Bundle", *(kind for kind in kinds if isinstance(kind, str) and kind in RESOURCE_TYPES)])
    )


def _rejected(issue: Issue, types: tuple[str, ...]) -> Checked:
    return Checked(Verdict.REJECTED, (issue,), types)
