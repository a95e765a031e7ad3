"""The acknowledgement: what a trust's interface engine gets back, written here and read by our own sender.

    AA  durable here, or not ours and only counted
    AE  this message cannot be taken: ERR says where and why
    AR  this is not one HL7 message in one frame

Values sent are never repeated, but for the header fields HL7 asks back (MSH-3 to MSH-6, MSH-10 to MSH-12). Everything
is written as escaped values between the usual delimiters, so nothing that was sent can add a segment or a field.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from connectors.sources.tier3_hl7v2.moments import LONDON
from connectors.sources.tier3_hl7v2.structure import Segment, escape, parse
from schemas.errors import Issue, Severity, Unreadable

Code = Literal["AA", "AE", "AR"]
ISSUES_MAX = 50  # ERR segments in one answer; a sender that needs more has one fault many times
ECHO_CHARACTERS_MAX = 199

_LOCATION = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[([0-9]+)\])?(?:-([0-9]+)(?:\.([0-9]+))?)?")
# FHIR issue-type -> HL7 table 0357, message error condition codes
_CONDITION: Mapping[str, str] = {
    "structure": "100^Segment sequence error^HL70357",
    "required": "101^Required field missing^HL70357",
    "code-invalid": "103^Table value not found^HL70357",
}
_CONDITION_OTHERWISE = "102^Data type error^HL70357"
_SEVERITY = {Severity.ERROR: "E", Severity.WARNING: "W", Severity.INFORMATION: "I"}
_SEVERITY_OF = {letter: severity for severity, letter in _SEVERITY.items()}


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """MSA-1, MSA-2 (the sender's MSH-10), MSA-3 and the ERR segments.

    `text` is `accepted <entry id>`, `ignored <entry id>`, `refused` or `try again`.
    """

    code: Code
    control_id: str
    text: str
    issues: tuple[Issue, ...] = ()

    @property
    def disposition(self) -> str:
        """`accepted`, `ignored`, `refused` or `try` (again): the first word of MSA-3."""
        return self.text.partition(" ")[0]

    @property
    def entry_id(self) -> str | None:
        """What the ledger knows the message by; None when it was not acknowledged."""
        return self.text.partition(" ")[2] if self.code == "AA" else None


def write_answer(answer: Acknowledgement, *, header: Segment | None, at: datetime, control_id: str) -> bytes:
    """The ACK to the message of `header` (None where it had none), written `at` (aware), named `control_id`.

    Segments end with a carriage return; UTF-8; sender and receiver are exchanged.
    """
    written_at = at.astimezone(LONDON).strftime("%Y%m%d%H%M%S%z")
    trigger = f"^{_echo(header, 9, component=2)}" if _echo(header, 9, component=2) else ""
    head = [
        "MSH",
        "^~\\&",
        *(_whole(header, field) for field in (5, 6, 3, 4)),
        written_at,
        "",
        f"ACK{trigger}",
    ]
    processing, version = _echo(header, 11) or "P", _echo(header, 12) or "2.4"
    head += [escape(control_id), processing, version, *[""] * 5, "UNICODE UTF-8"]
    lines = ["|".join(head), f"MSA|{answer.code}|{escape(answer.control_id)}|{escape(answer.text)}"]
    lines += [_err(issue) for issue in _most_severe(answer.issues)]
    return "".join(f"{line}\r" for line in lines).encode("utf-8")


def echoed_control_id(header: Segment | None) -> str:
    """MSA-2 for a message: its MSH-10, at most ECHO_CHARACTERS_MAX characters, empty where it has none."""
    return header.value(10)[:ECHO_CHARACTERS_MAX] if header else ""


def read_answer(raw: bytes) -> Acknowledgement:
    """The answer in an ACK. Raises Unreadable when it is none."""
    message = parse(raw, wanted=("MSH", "MSA", "ERR")).message
    code = message.value("MSA", 1) if message else ""
    if message is None or code not in ("AA", "AE", "AR"):
        raise Unreadable("acknowledgement", rule="is not an HL7 ACK with MSA-1 AA, AE or AR")
    issues = tuple(_issue(segment) for segment in message.all("ERR"))
    return Acknowledgement(code, message.value("MSA", 2), message.value("MSA", 3), issues)  # type: ignore[arg-type]  # looked up


def _echo(header: Segment | None, field: int, *, component: int = 1) -> str:
    return escape(header.value(field, component)[:ECHO_CHARACTERS_MAX]) if header else ""


def _whole(header: Segment | None, field: int) -> str:
    """All components of a header field (an HD has three), without empty ones at the end."""
    if header is None:
        return ""
    return "^".join(_echo(header, field, component=component) for component in (1, 2, 3)).rstrip("^")


def _most_severe(issues: Sequence[Issue]) -> list[Issue]:
    order = list(Severity)
    return sorted(issues, key=lambda issue: order.index(issue.severity))[:ISSUES_MAX]


def _err(issue: Issue) -> str:
    condition = _CONDITION.get(issue.code, _CONDITION_OTHERWISE)
    text = escape(f"{issue.location}: {issue.rule}")
    return f"ERR||{_erl(issue.location)}|{condition}|{_SEVERITY[issue.severity]}|{escape(issue.code)}|||{text}"


def _erl(location: str) -> str:
    """ERR-2: segment, which one of its name, field, repetition, component."""
    found = _LOCATION.fullmatch(location)
    if found is None:
        return ""
    segment, place, field, component = found.groups()
    parts = [segment, place or "1", field or "", "1" if field else "", component or ""]
    return "^".join(parts).rstrip("^")


def _issue(segment: Segment) -> Issue:
    location, _, rule = segment.value(8).partition(": ")
    severity = _SEVERITY_OF.get(segment.value(4), Severity.ERROR)
    return Issue(severity, segment.value(5), location, rule)
