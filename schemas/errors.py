"""The one formatter of errors: field and rule, never the value.

    SchemaError
    ├── InvalidField     one field breaks one rule
    ├── Unreadable       the bytes are not what they claim to be (envelope, seal, JSON)
    └── UnknownName      a topic, source, purpose or definition nobody registered

pydantic keeps the offending value in `str(error)`, in `.errors()[i]["input"]` and, for unknown keys, in `loc`; so
no other module may turn a validation error into text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import ValidationError


class SchemaError(Exception):
    """Root of what `schemas` raises; its text is safe to log."""

    retriable = False


class InvalidField(SchemaError):
    """`field` breaks `rule`; the value is in neither."""

    def __init__(self, field: str, *, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class Unreadable(SchemaError):
    """`what` cannot be read because of `rule`."""

    def __init__(self, what: str, *, rule: str) -> None:
        super().__init__(f"{what}: {rule}")
        self.what = what
        self.rule = rule


class UnknownName(SchemaError):
    """Nobody registered a `kind` of that name. The name itself is ours, not a person's, but is not repeated either."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind}: not registered")


class Severity(StrEnum):
    """FHIR issue-severity, without `fatal`."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One reason. `code` is a FHIR issue-type, `location` FHIRPath, `PID-3.1` or `row 4, column dob`.

    `rule` is a sentence. None of the four ever holds a value that was sent.
    """

    severity: Severity
    code: str
    location: str
    rule: str

    def as_json(self) -> dict[str, str]:
        """The four parts under their names, in the order of the class."""
        return {
            "severity": self.severity.value,
            "code": self.code,
            "location": self.location,
            "rule": self.rule,
        }


def error(location: str, rule: str, *, code: str = "invalid") -> Issue:
    """An issue that refuses the message."""
    return Issue(Severity.ERROR, code, location, rule)


def warning(location: str, rule: str, *, code: str = "business-rule") -> Issue:
    """An issue that is reported beside acceptance."""
    return Issue(Severity.WARNING, code, location, rule)


def information(location: str, rule: str, *, code: str = "informational") -> Issue:
    """An issue that explains an `ignored`."""
    return Issue(Severity.INFORMATION, code, location, rule)


def has_error(issues: Iterable[Issue]) -> bool:
    """True when at least one issue refuses."""
    return any(issue.severity is Severity.ERROR for issue in issues)


# pydantic error type -> (FHIR issue-type, our sentence); anything else is "not of the expected form".
_RULES = {
    "missing": ("required", "is required"),
    "model_field_validation.missing": ("required", "is required"),
    "extra_forbidden": ("structure", "is not an element of this resource"),
    "json_invalid": ("structure", "is not JSON"),
    "list_type": ("structure", "must be a list"),
    "date_from_datetime_parsing": ("value", "must be a date"),
    "date_parsing": ("value", "must be a date"),
    "datetime_parsing": ("value", "must be a date and time"),
    "decimal_parsing": ("value", "must be a number"),
    "enum": ("code-invalid", "must be one of the listed codes"),
    "literal_error": ("code-invalid", "must be one of the listed codes"),
    "string_pattern_mismatch": ("value", "does not match the required pattern"),
    "string_too_long": ("too-long", "is too long"),
    "greater_than_equal": ("value", "is below the lowest allowed"),
    "less_than_equal": ("value", "is above the highest allowed"),
}


def issues_of(
    failure: ValidationError, *, root: str, known_names: frozenset[str], severity: Severity = Severity.ERROR
) -> tuple[Issue, ...]:
    """Every failure of a pydantic model as issues below `root`, with no value in any.

    A part of the location is kept when it is a list index or in `known_names`; any other (an unknown key may be a
    person's number) reads `element`. Source: pydantic issue 7461, measured with fhir.resources 8.3.0.
    """
    found = []
    for fault in failure.errors(include_input=False, include_context=False, include_url=False):
        path = root
        for part in fault["loc"]:
            if isinstance(part, int):
                path += f"[{part}]"
            elif part in known_names:
                path += f".{part}"
            else:
                path += ".element"
        code, rule = _RULES.get(fault["type"], ("value", "is not of the expected form"))
        found.append(Issue(severity, code, path, rule))
    return tuple(dict.fromkeys(found))
