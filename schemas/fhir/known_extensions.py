"""Extensions that nobody reads are reported where they may hold a fact: a name of ours misspelt, one sent twice.

R4 (extensibility.html, read November 2026): an extension of somebody else may be left unread; its URL is absolute, but
inside another extension.
"""

from collections.abc import Mapping, Set
from functools import cache

from schemas.facts import Attendance, Body, Demographics, Referral
from schemas.fhir.extensions import hyphened
from schemas.fhir.node import Node
from schemas.uris import TIERLINK, extension_url

MANY = frozenset({"milestone", "why"})  # may stand more than once
_SHARED = frozenset({"type", "on", "at", "referral", "ubrn"})


def _of(kind: type[Body], *others: str, without: Set[str] = frozenset()) -> frozenset[str]:
    return frozenset({*map(hyphened, set(kind.model_fields) - _SHARED - without), *others})


# resource type -> the names of our extensions that its reader looks for
KNOWN: Mapping[str, frozenset[str]] = {
    "MessageHeader": frozenset({"service-named"}),
    "Patient": _of(
        Demographics, "demographics", "demographics-on", "demographics-at", "demographics-retracted", "death-on",
        "death-retracted", without={"sex", "birth_year"},
    ),
    "ServiceRequest": _of(Referral, "carrier", "milestone", "on"),
    "Appointment": _of(Attendance, "on"),
    "Encounter": _of(Attendance, without={"attendance"}),
    "Observation": frozenset({"method", "on"}),
    "QuestionnaireResponse": frozenset({"score", "on"}),
    "Task": frozenset(),
}  # fmt: skip
# those of one value type: with another they would be passed over
_VALUE: Mapping[str, str] = {
    **dict.fromkeys(("on", "demographics-on", "death-on"), "valueDate"),
    **dict.fromkeys(("service-named", "demographics", "carrier"), "valueBoolean"),
    "demographics-at": "valueDateTime", "attendance": "valueCode",
}  # fmt: skip
_OF_MILESTONE = frozenset({"type", "business-id", "on", "at", "retracted"})


def report_unread(resource: Node) -> None:
    """Warns of each extension of a resource whose URL is none, or ours and not read of that type, or there again."""
    known, seen = _urls(resource.kind), set[str]()
    for part in resource.many("extension"):
        url = part.text("url")
        if url is None or ":" not in url:
            part.warning("url", "is no absolute URI; not read", code="value")
        elif url.startswith(TIERLINK):
            _report(part, url, known, seen)


def report_unread_parts(milestone: Node, kind: type[Body]) -> None:
    """As `report_unread`, of the extensions inside a milestone."""
    known, seen = _OF_MILESTONE | _of(kind), set[str]()
    for part in milestone.many("extension"):
        _report(part, part.text("url") or "", known, seen)


@cache
def _urls(kind: str) -> frozenset[str]:
    return frozenset(map(extension_url, KNOWN.get(kind, ())))


def _report(part: Node, url: str, known: Set[str], seen: set[str]) -> None:
    if url not in known:
        part.warning("url", "is the name of no extension that is read here; left out", code="not-supported")
    elif url in seen and url.removeprefix(extension_url("")) not in MANY:
        part.warning("url", "stands here more than once; the first was read", code="multiple-matches")
    seen.add(url)
    value = _VALUE.get(url.removeprefix(extension_url("")))
    if value is not None and value not in part.value and url.startswith(TIERLINK):
        part.warning(value, "is required, this type of value; left out", code="structure")
