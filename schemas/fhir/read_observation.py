"""An Observation as a Measurement or a Comorbidity."""

from schemas import codes, uris
from schemas.errors import InvalidField
from schemas.facts import Comorbidity, FactBody, Measurement
from schemas.fhir.bodies import built, extension_values
from schemas.fhir.context import ENTERED_IN_ERROR, Context
from schemas.fhir.dates import StatedTime, day_of, when
from schemas.fhir.node import Node
from schemas.source_message import SourceFact
from schemas.units import UNITS, converted, plain, plausible

_NOT_REPORTED = frozenset({"registered", "cancelled", "unknown"})


def quantity_of(node: Node) -> str | None:
    """Which of weight, height, bmi, waist the Observation measures; None for anything else."""
    if node.kind != "Observation":
        return None
    found = (codes.MEASUREMENT.get(coding) for coding in node.codings("code"))
    return next((quantity for quantity in found if quantity is not None), None)


def observation(node: Node, context: Context) -> list[SourceFact]:
    """The measurement or comorbidity of an Observation; nothing for one of another kind or of another patient."""
    quantity = quantity_of(node)
    snomed = [code for system, code in node.codings("code") if system == uris.SNOMED]
    condition = next((codes.COMORBIDITY[code] for code in snomed if code in codes.COMORBIDITY), None)
    present = node.truth("valueBoolean")
    if quantity is None and (condition is None or present is None):
        return []
    subject = node.first("subject")
    if not context.about_patient(node, "subject", [subject] if subject else []):
        return []
    status = node.text("status")
    if status in _NOT_REPORTED:
        node.information("status", "is not yet a result")
        return []
    effective = _effective(node, context)
    if effective is None:
        return []
    body: FactBody | None
    if quantity is not None:
        body = _measurement(node, quantity, effective, context)
    else:
        values = {"condition": condition, "present": present, "on": effective.on, "at": effective.at}
        body = built(Comorbidity, values, node, source=context.source, elements={"condition": "code"})
    return context.fact(node, body, retracted=status == ENTERED_IN_ERROR)


def _effective(node: Node, context: Context) -> StatedTime | None:
    before, period = len(node.issues), node.first("effectivePeriod")
    moment = when(node, "effectiveDateTime", "effectiveInstant") or (when(period, "start") if period else None)
    on = day_of(node, moment)
    if on is None:
        if len(node.issues) == before:
            node.error("effectiveDateTime", "is required: the day of the measurement", code="required")
        return None
    if not context.span.check(node, "effectiveDateTime", on):
        return None
    return StatedTime(on, moment.at if moment else None)


def _measurement(node: Node, quantity: str, effective: StatedTime, context: Context) -> Measurement | None:
    place = node.first("valueQuantity")
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
    reported = extension_values(node, Measurement).get("method")
    by_code = any(code == codes.SELF_REPORTED_WEIGHT for _, code in node.codings("code"))
    values = {
        "quantity": quantity,
        "value": ours,
        "unit_given": UNITS[unit].name,
        "value_given": plain(value),
        "method": reported or ("self_reported" if by_code else "measured"),
        "plausible": likely,
        "on": effective.on,
        "at": effective.at,
    }
    elements = {"value": "valueQuantity.value", "value_given": "valueQuantity.value"}
    return built(Measurement, values, node, source=context.source, elements=elements)


def _unit(place: Node) -> str | None:
    """The UCUM code of a Quantity. A printed unit counts when it is itself such a code; none at all is an error."""
    code, printed = place.text("code"), place.text("unit")
    if code is None and printed is None:
        place.error("code", "is required: a number without its unit says nothing", code="required")
        return None
    system = uris.canonical_uri(place.text("system") or uris.UCUM)
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
