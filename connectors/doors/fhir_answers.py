"""What the HTTP door answers, as FHIR. No answer holds a value that was sent."""

from collections.abc import Sequence

from starlette.responses import JSONResponse

from schemas.disposition import Checked
from schemas.errors import Issue, error

FHIR_JSON = "application/fhir+json"
RETRY_AFTER_SECONDS = 5


def outcome(status: int, issues: Sequence[Issue], *, headers: dict[str, str] | None = None) -> JSONResponse:
    """An OperationOutcome with every reason: field in `expression`, rule in `diagnostics`."""
    body = {"resourceType": "OperationOutcome", "issue": [_fhir(issue) for issue in issues]}
    return JSONResponse(body, status, headers, FHIR_JSON)


def failure(status: int, code: str, rule: str, *, headers: dict[str, str] | None = None) -> JSONResponse:
    """An OperationOutcome about the request itself."""
    return outcome(status, [error("", rule, code=code)], headers=headers)


def submission(status: int, entry_id: str, checked: Checked) -> JSONResponse:
    """What became of one entry: its id (a resend has the same), its disposition, and its issues."""
    body = {
        "submission_id": entry_id,
        "disposition": checked.verdict.value,
        "issue": [_fhir(issue) for issue in checked.issues],
    }
    return JSONResponse(body, status)


def try_again() -> JSONResponse:
    """Try again: nothing was acknowledged, and a resend is safe because its id does not change."""
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return failure(503, "transient", "cannot be kept safely just now; send it again", headers=retry)


def capability_statement() -> dict[str, object]:
    """What this door takes (FHIR CapabilityStatement)."""
    documentation = (
        "POST /fhir takes one Bundle of type message about one Patient. 202: kept, with a submission id. "
        "200: of no service of ours, not kept. 422: refused, with every reason. 503: send it again."
    )
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-01",
        "kind": "instance",
        "implementation": {"description": "tierlink: takes message Bundles about weight-management care"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "documentation": documentation}],
    }


def _fhir(issue: Issue) -> dict[str, object]:
    place = {"expression": [issue.location]} if issue.location else {}
    return {"severity": issue.severity.value, "code": issue.code, "diagnostics": issue.rule, **place}
