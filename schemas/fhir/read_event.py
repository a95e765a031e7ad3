"""Appointments, encounters, observations and questionnaire responses as facts."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from schemas import codes, uris
from schemas.errors import InvalidField
from schemas.facts import Attendance, Comorbidity, Measurement, QuestionnaireScore
from schemas.fhir.bodies import built, told
from schemas.fhir.context import Context
from schemas.fhir.dates import When, when
from schemas.fhir.node import Node
from schemas.fhir.references import business_id
from schemas.source_message import SourceFact
from schemas.units import UNITS, converted, plain, plausible

Body = Attendance | Comorbidity | Measurement | QuestionnaireScore
ENTERED_IN_ERROR = "entered-in-error"
_AHEAD = frozenset({"0", "2", "4"})  # what may be said of an appointment still to come
_NOT_TOLD = frozenset({"registered", "cancelled", "unknown", "in-progress", "stopped"})


def facts(node: Node, context: Context) -> list[SourceFact]:
    """What one resource tells; reports what refuses it. A resource of another type tells nothing."""
    read = _READERS.get(node.kind)
    if read is None or context.foreign(node):
        return []
    return read(node, context)


def _fact(node: Node, context: Context, body: Body | None, *, retracted: bool) -> list[SourceFact]:
    if body is None:
        return []
    return [
        SourceFact(
            body,
            business_id=business_id(node),
            referral_business_id=context.referral_id(node),
            retracted=retracted,
        )
    ]


def _day(node: Node, moment: When | None) -> date | None:
    """The day by itself where it is told, else the day of the moment."""
    marked = node.own("on")
    alone = when(marked, "valueDate") if marked else None
    found = alone or moment
    return found.on if found else None


# --- Appointment, Encounter


def _appointment(node: Node, context: Context) -> list[SourceFact]:
    actors = [actor for one in node.many("participant") if (actor := one.one("actor")) is not None]
    people = [actor for actor in actors if context.resolver.organisation(actor) is None]
    if not context.about_patient(node, "participant", people):
        return []
    attendance, retracted = _attendance(node)
    if attendance is None:
        return []
    moment = when(node, "start", "requestedPeriod")
    on = _day(node, moment)
    if on is None:
        if node.text("start") is None:
            node.error("start", "is required: the day of the appointment", code="required")
        return []
    if not context.span.check(node, "start", on, booked=attendance in _AHEAD or retracted):
        return []
    booked = when(node, "created")
    organisations = (context.resolver.organisation(actor) for actor in actors)
    values: dict[str, Any] = _channel(node) | told(node, Attendance) | {"attendance": attendance}
    values |= {
        "on": on,
        "at": moment.at if moment else None,
        "booked_on": booked.on if booked else None,
        "provider_ods": next((code for code in organisations if code is not None), None),
    }
    body = built(Attendance, values, node, source=context.source, elements={"provider_ods": "participant"})
    return _fact(node, context, body, retracted=retracted)


def _attendance(node: Node) -> tuple[str | None, bool]:
    """(ATTENDED OR DID NOT ATTEND, whether it is taken back): by our extension, else by status and reason."""
    status, own = node.text("status") or "", node.own("attendance")
    told_code = own.text("valueCode") if own else None
    retracted = status == ENTERED_IN_ERROR
    if told_code is not None or retracted:
        return told_code or "0", retracted
    if status != "cancelled":
        known = codes.ATTENDANCE_OF_STATUS.get(status)
        if known is None:
            node.information("status", "is not yet an appointment")
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
    code = (
        place.text("valueCode") or next((c for _, c in place.codings("valueCodeableConcept")), "")
    ).lower()
    medium = codes.MEDIUM_OF_CHANNEL.get(code)
    return {"medium": medium} if medium else {}


def _encounter(node: Node, context: Context) -> list[SourceFact]:
    status, setting = node.text("status"), node.one("class")
    code = setting.text("code") if setting else None
    if status not in ("finished", ENTERED_IN_ERROR) or code not in ("AMB", "VR"):
        return []  # an admission, an emergency or a contact not yet over
    subject, period = node.one("subject"), node.one("period")
    if not context.about_patient(node, "subject", [subject] if subject else []):
        return []
    moment = when(period, "start") if period else None
    if moment is None:
        node.error("period", "is required: the day of the contact", code="required")
        return []
    if not context.span.check(node, "period", moment.on):
        return []
    body = Attendance(on=moment.on, at=moment.at, attendance="5")
    return _fact(node, context, body, retracted=status == ENTERED_IN_ERROR)


# --- Observation


def quantity_of(node: Node) -> str | None:
    """Which of weight, height, bmi, waist the Observation measures; None for anything else."""
    if node.kind != "Observation":
        return None
    found = (codes.MEASUREMENT.get(coding) for coding in node.codings("code"))
    return next((quantity for quantity in found if quantity is not None), None)


def _observation(node: Node, context: Context) -> list[SourceFact]:
    quantity = quantity_of(node)
    snomed = [code for system, code in node.codings("code") if system == uris.SNOMED]
    condition = next((codes.COMORBIDITY[code] for code in snomed if code in codes.COMORBIDITY), None)
    present = node.truth("valueBoolean")
    if quantity is None and (condition is None or present is None):
        return []
    subject = node.one("subject")
    if not context.about_patient(node, "subject", [subject] if subject else []):
        return []
    status = node.text("status")
    if status in _NOT_TOLD:
        node.information("status", "is not yet a result")
        return []
    told_when = _effective(node, context)
    if told_when is None:
        return []
    body: Body | None
    if quantity is not None:
        body = _measurement(node, quantity, told_when, context)
    else:
        values = {"condition": condition, "present": present, "on": told_when.on, "at": told_when.at}
        body = built(Comorbidity, values, node, source=context.source, elements={"condition": "code"})
    return _fact(node, context, body, retracted=status == ENTERED_IN_ERROR)


def _effective(node: Node, context: Context) -> When | None:
    before, period = len(node.issues), node.one("effectivePeriod")
    moment = when(node, "effectiveDateTime", "effectiveInstant") or (
        when(period, "start") if period else None
    )
    on = _day(node, moment)
    if on is None:
        if len(node.issues) == before:
            node.error("effectiveDateTime", "is required: the day of the measurement", code="required")
        return None
    if not context.span.check(node, "effectiveDateTime", on):
        return None
    return When(on, moment.at if moment else None)


def _measurement(node: Node, quantity: str, told_when: When, context: Context) -> Measurement | None:
    place = node.one("valueQuantity")
    value = place.number("value") if place else None
    if place is None or value is None:
        node.error("valueQuantity.value", "is required, as a number", code="required")
        return None
    unit = _unit(place)
    if unit is None:
        return None
    try:
        ours = converted(value, unit, quantity=quantity)
    except InvalidField as failure:
        place.error("code" if failure.field == "unit" else "value", failure.rule)
        return None
    likely = plausible(ours, quantity=quantity)
    if not likely:
        place.warning("value", f"is not plausible as the {quantity} of an adult; kept")
    reported = told(node, Measurement).get("method")
    by_code = any(code == codes.SELF_REPORTED_WEIGHT for _, code in node.codings("code"))
    values = {
        "quantity": quantity,
        "value": ours,
        "unit_given": UNITS[unit].name,
        "value_given": plain(value),
        "method": reported or ("self_reported" if by_code else "measured"),
        "plausible": likely,
        "on": told_when.on,
        "at": told_when.at,
    }
    elements = {"value": "valueQuantity.value", "value_given": "valueQuantity.value"}
    return built(Measurement, values, node, source=context.source, elements=elements)


def _unit(place: Node) -> str | None:
    """The UCUM code of a Quantity. A printed unit counts when it is itself such a code; none at all is an
    error."""
    code, printed = place.text("code"), place.text("unit")
    if code is None and printed is None:
        place.error("code", "is required: a number without its unit says nothing", code="required")
        return None
    system = uris.canonical(place.text("system") or uris.UCUM)
    if code is None or system != uris.UCUM:
        if printed not in UNITS:
            place.error("code", "is required: a UCUM code", code="required")
            return None
        place.warning("code", "is missing; the printed unit was read", code="incomplete")
        return printed
    if code not in UNITS:
        place.error("code", "is not a UCUM unit of the table", code="code-invalid")
        return None
    return code


# --- QuestionnaireResponse


def _score(node: Node, context: Context) -> list[SourceFact]:
    place, questionnaire = node.own("score"), node.text("questionnaire")
    if place is None or questionnaire is None:
        return []  # answers are not read, only a total that is told as such
    subject = node.one("subject")
    if not context.about_patient(node, "subject", [subject] if subject else []):
        return []
    score = place.number("valueDecimal")
    if score is None or abs(score) > 1000:
        place.error("valueDecimal", "must be a number between -1000 and 1000")
        return []
    moment = when(node, "authored")
    on = _day(node, moment)
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
    return _fact(node, context, body, retracted=node.text("status") == ENTERED_IN_ERROR)


_READERS: Mapping[str, Callable[[Node, Context], list[SourceFact]]] = {
    "Appointment": _appointment,
    "Encounter": _encounter,
    "Observation": _observation,
    "QuestionnaireResponse": _score,
}
