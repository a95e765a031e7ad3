"""Appointments, encounters, observations, questionnaire responses and tasks as facts."""

from collections.abc import Callable, Mapping

from schemas import codes, uris
from schemas.facts import Attendance, QuestionnaireScore
from schemas.fhir.bodies import built, extension_values
from schemas.fhir.context import ENTERED_IN_ERROR, Context
from schemas.fhir.dates import day_of, when
from schemas.fhir.modifiers import is_understood, states_fact
from schemas.fhir.node import Node
from schemas.fhir.read_observation import observation
from schemas.fhir.read_task import rejection
from schemas.fhir.references import is_ods
from schemas.source_message import SourceFact
from schemas.units import plain

# R4 v3-ActEncounterCode: admissions, emergencies, visits at home and in the field
_OTHER_CONTACTS = frozenset({"EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC", "SS"})
_PARTICIPATION = frozenset({"accepted", "declined", "tentative", "needs-action"})  # R4 participationstatus
_AHEAD = frozenset({"0", "2", "4"})  # what a future appointment may have


def facts(node: Node, context: Context) -> list[SourceFact]:
    """The facts of one resource; reports what refuses it. A resource of another type has none."""
    read = _READERS.get(node.kind)
    if read is None or context.foreign(node) or not is_understood(node):
        return []
    return read(node, context)


def _appointment(node: Node, context: Context) -> list[SourceFact]:
    parts = [part for part in node.many("participant") if is_understood(part)]
    actors = [actor for part in parts if (actor := part.first("actor")) is not None]
    people = [actor for actor in actors if context.resolver.organisation(actor) is None]
    if not context.about_patient(node, "participant", people):
        return []
    if not states_fact(node, "status") or _is_declined(parts, context):
        return []
    attendance, retracted = _attendance(node)
    if attendance is None:
        return []
    moment = when(node, "start")
    on = day_of(node, moment)
    if on is None:
        if node.text("start") is None:
            node.error("start", "is required: the day of the appointment", code="required")
        return []
    if not context.span.check(node, "start", on, booked=attendance in _AHEAD or retracted):
        return []
    booked = when(node, "created")
    organisations = (context.resolver.organisation(actor) for actor in actors)
    for actor in people:
        if actor.first("identifier") is not None and not context.resolver.points_at(actor, context.patient):
            _report_stranger(actor, context)
    values: dict[str, object] = _channel(node) | extension_values(node, Attendance) | {"attendance": attendance}
    native = {
        "on": on,
        "at": moment.at if moment else None,
        "booked_on": booked.on if booked else None,
        "provider_ods": next((code for code in organisations if code is not None), None),
    }
    values |= {name: value for name, value in native.items() if value is not None}
    elements = {"provider_ods": "participant"} if native["provider_ods"] else {}
    body = built(Attendance, values, node, source=context.source, elements=elements)
    return context.fact(node, body, retracted=retracted)


def _report_stranger(actor: Node, context: Context) -> None:
    identifier = actor.first("identifier")
    if identifier is not None and is_ods(identifier):
        context.resolver.report_unfit(actor)
    else:
        actor.information("identifier", "is neither of the Patient nor an ODS code; not used")


def _is_declined(parts: list[Node], context: Context) -> bool:
    """True when the patient declined what is still booked. A participation of no list is reported."""
    declined = False
    for part in parts:
        word, actor = part.text("status"), part.first("actor")
        if word is not None and word not in _PARTICIPATION:
            part.warning("status", "is not a code of participationstatus; not read", code="code-invalid")
        if word == "declined" and actor is not None and context.resolver.points_at(actor, context.patient):
            part.information("status", "says that the person declined; nothing is told")
            declined = True
    return declined


def _attendance(node: Node) -> tuple[str | None, bool]:
    """(ATTENDED OR DID NOT ATTEND, whether it is retracted): by our extension, else by status and reason."""
    status, place = node.text("status") or "", node.our_extension("attendance")
    code = place.text("valueCode") if place else None
    retracted = status == ENTERED_IN_ERROR
    if code is not None or retracted:
        return code or "0", retracted
    if status != "cancelled":
        known = codes.ATTENDANCE_OF_STATUS.get(status)
        return known, False
    reasons = {code.split("-")[0] for _, code in node.codings("cancelationReason")}
    if "pat" in reasons:
        return "2", False
    if "prov" in reasons:
        return "4", False
    node.warning("cancelationReason", "does not say who cancelled: only the booking is taken back")
    return "0", True


def _channel(node: Node) -> dict[str, str]:
    place = node.extension(uris.DELIVERY_CHANNEL)
    if place is None:
        return {}
    code = (place.text("valueCode") or next((c for _, c in place.codings("valueCodeableConcept")), "")).lower()
    medium = codes.MEDIUM_OF_CHANNEL.get(code)
    if medium is None:
        place.warning("", "is not a channel of delivery of the list; left out", code="code-invalid")
    return {"medium": medium} if medium else {}


def _encounter(node: Node, context: Context) -> list[SourceFact]:
    status, setting = node.text("status"), node.first("class")
    code = setting.text("code") if setting else None
    if not states_fact(node, "status"):
        return []
    if code in _OTHER_CONTACTS:
        node.information("class", "is not an outpatient contact; not read")
        return []
    if code not in ("AMB", "VR"):
        node.error("class", "is not a code of ActEncounterCode: is this a contact?", code="code-invalid")
        return []
    if setting is not None and uris.canonical_uri(setting.text("system") or "") != uris.ENCOUNTER_CLASS:
        node.warning("class", "lacks its system, v3-ActCode; read all the same", code="incomplete")
    subject, period = node.first("subject"), node.first("period")
    if not context.about_patient(node, "subject", [subject] if subject else []):
        return []
    moment = when(period, "start") if period else None
    if moment is None:
        node.error("period", "is required: the day of the contact", code="required")
        return []
    if not context.span.check(node, "period", moment.on):
        return []
    values: dict[str, object] = extension_values(node, Attendance)
    values |= {"on": moment.on, "at": moment.at, "attendance": "5"}
    body = built(Attendance, values, node, source=context.source, elements={})
    return context.fact(node, body, retracted=status == ENTERED_IN_ERROR)


# --- QuestionnaireResponse


def _score(node: Node, context: Context) -> list[SourceFact]:
    place, questionnaire = node.our_extension("score"), node.text("questionnaire")
    if place is None or questionnaire is None:
        node.information("", "holds no total score; its answers are not read")
        return []
    if not states_fact(node, "status"):
        return []
    subject = node.first("subject")
    if not context.about_patient(node, "subject", [subject] if subject else []):
        return []
    score = place.number("valueDecimal")
    if score is None or abs(score) > 1000:
        place.error("valueDecimal", "must be a number between -1000 and 1000")
        return []
    moment = when(node, "authored")
    on = day_of(node, moment)
    if on is None:
        if node.text("authored") is None:
            node.error("authored", "is required: the day it was answered", code="required")
        return []
    if not context.span.check(node, "authored", on):
        return []
    values = {
        "questionnaire": questionnaire.split("|")[0].rstrip("/").split("/")[-1].lower(),
        "score": plain(score),
        "on": on,
        "at": moment.at if moment else None,
    }
    elements = {"questionnaire": "questionnaire"}
    body = built(QuestionnaireScore, values, node, source=context.source, elements=elements)
    return context.fact(node, body, retracted=node.text("status") == ENTERED_IN_ERROR)


_READERS: Mapping[str, Callable[[Node, Context], list[SourceFact]]] = {
    "Appointment": _appointment,
    "Encounter": _encounter,
    "Observation": observation,
    "QuestionnaireResponse": _score,
    "Task": rejection,
}
