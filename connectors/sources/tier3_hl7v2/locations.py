"""What the one check says of the Bundle made here, in the places of the message it was made of."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schemas.errors import Issue

_IN_ENTRY = re.compile(r"Bundle\.entry\[([0-9]+)\]\.resource\.?([A-Za-z]*)")
# Resource and its first element -> where that came from. Without an element: anywhere else in that resource.
_ORIGIN: Mapping[tuple[str, str], str] = {
    ("Patient", "identifier"): "PID-3",
    ("Patient", "name"): "PID-5",
    ("Patient", "birthDate"): "PID-7",
    ("Patient", "gender"): "PID-8",
    ("Patient", "address"): "PID-11",
    ("Patient", "telecom"): "PID-13",
    ("Patient", "extension"): "PID-22",
    ("Patient", "deceasedDateTime"): "PID-29",
    ("Patient", "generalPractitioner"): "PD1-3",
    ("Patient", "link"): "MRG-1",
    ("Patient", ""): "PID",
    ("Appointment", "identifier"): "SCH-2",
    ("Appointment", "start"): "SCH-11",
    ("Appointment", ""): "SCH",
    ("Observation", "valueQuantity"): "OBX-5",
    ("Observation", "effectiveDateTime"): "OBX-14",
    ("Observation", ""): "OBX",
    ("ServiceRequest", "identifier"): "RF1-6",
    ("ServiceRequest", "authoredOn"): "RF1-7",
    ("ServiceRequest", "reasonCode"): "RF1-10",
    ("ServiceRequest", "extension"): "MSH-7",  # acceptance by booking, discharge: dated by the message
    ("ServiceRequest", ""): "RF1",
}
_OF_BUNDLE: Mapping[str, str] = {"Bundle.identifier.value": "MSH-10", "Bundle.timestamp": "MSH-7"}


def in_hl7(issues: Iterable[Issue], *, document: Mapping[str, object], known: Sequence[Issue]) -> list[Issue]:
    """`issues` about `document` with HL7 locations, without those on fields, or by rules, of which `known` complains.

    The reader saw the field itself: where both report a field or a rule, the reader's issue counts.
    """
    reported = {(issue.severity, _field(issue.location)) for issue in known}
    rules = {(issue.severity, issue.rule) for issue in known}
    others = (issue for issue in issues if (issue.severity, issue.rule) not in rules)
    translated = (replace(issue, location=_origin(issue.location, document)) for issue in others)
    return [issue for issue in translated if (issue.severity, _field(issue.location)) not in reported]


def _origin(location: str, document: Mapping[str, Any]) -> str:
    found = _IN_ENTRY.match(location)
    if found is None:
        return _OF_BUNDLE.get(location, "MSH")
    kind = document["entry"][int(found[1])]["resource"]["resourceType"]
    return _ORIGIN.get((kind, found[2])) or _ORIGIN.get((kind, ""), "MSH")


def _field(location: str) -> str:
    """`PID-3` of `PID-3.1`, `OBX-5` of `OBX[2]-5`."""
    return re.sub(r"\[[0-9]+\]|\.[0-9]+", "", location)
