"""An error names the field and the rule, and never what was sent."""

from datetime import date

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import (
    InvalidField,
    Issue,
    SchemaError,
    Severity,
    UnknownName,
    Unreadable,
    error,
    has_error,
    information,
    issues_of,
    warning,
)

SECRET = "9990000018"


class Patient(BaseModel):
    """A model with every kind of failure."""

    model_config = ConfigDict(extra="forbid", strict=True)

    nhs_number: str
    born: date
    weights: list[int]


ERRORS = (
    InvalidField("nhs_number", rule="must be ten digits"),
    Unreadable("envelope", rule="lacks a part"),
    UnknownName("topic"),
)


@pytest.mark.parametrize("failure", ERRORS)
def test_every_error_is_safe_to_log_and_not_worth_trying_again(failure: SchemaError) -> None:
    assert ":" in str(failure)
    assert not failure.retriable


def failure_of(value: object) -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        Patient.model_validate(value)
    return raised.value


def test_no_issue_of_a_failed_model_holds_a_value_nor_an_unknown_key() -> None:
    failure = failure_of({"nhs_number": 9990000018, "born": SECRET, "weights": [1, SECRET], SECRET: SECRET})
    assert SECRET in str(failure), "pydantic itself quotes it, which is why this formatter exists"
    found = issues_of(failure, root="Patient", known_names=frozenset(Patient.model_fields))
    assert {issue.location for issue in found} == {
        "Patient.nhs_number", "Patient.born", "Patient.weights[1]", "Patient.element",
    }  # fmt: skip
    assert SECRET not in repr(found)


def test_issues_name_the_fhir_issue_type() -> None:
    (missing, extra) = issues_of(
        failure_of({"born": date(2000, 1, 1), "weights": [], "x": 1}),
        root="Patient",
        known_names=frozenset(Patient.model_fields),
        severity=Severity.WARNING,
    )
    assert (missing.code, missing.rule) == ("required", "is required")
    assert extra.code == "structure"
    assert missing.severity is Severity.WARNING


def test_only_an_error_refuses() -> None:
    assert has_error([information("a", "b"), warning("a", "b"), error("a", "b")])
    assert not has_error([information("a", "b"), warning("a", "b")])


def test_an_issue_as_json_has_the_four_parts_of_the_answer() -> None:
    assert Issue(Severity.ERROR, "required", "PID-3.1", "is required").as_json() == {
        "severity": "error", "code": "required", "location": "PID-3.1", "rule": "is required",
    }  # fmt: skip
