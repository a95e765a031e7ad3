"""An Observation as Measurements or a Comorbidity."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from schemas import clinical_codes, codes, placeholders, uris
from schemas.clinical_codes import MeasurementCode
from schemas.errors import InvalidField
from schemas.facts import Comorbidity, FactBody, Measurement
from schemas.fhir.bodies import built, extension_values
from schemas.fhir.context import ENTERED_IN_ERROR, Context
from schemas.fhir.dates import StatedTime, day_of, parse_when, when
from schemas.fhir.modifiers import is_understood, states_fact
from schemas.fhir.node import Node
from schemas.source_message import SourceFact
from schemas.units import UNITS, converted, plain, plausible, unit_of

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")  # R4 decimal
_TERMINOLOGY = re.compile(r"snomed|loinc|\bsct\b|read\.info", re.IGNORECASE)  # spelt rightly or not
_EFFECTIVE = ("effectiveDateTime", "effectivePeriod", "effectiveTiming", "effectiveInstant")
_ABSENT = frozenset({"declined", "refused", "not done", "not performed", "not measured", "not taken", "unable"})


def quantity_of(node: Node) -> str | None:
    """Which of weight, height, bmi, waist the Observation or one of its components measures; None for nothing."""
    if node.kind != "Observation":
        return None
    meanings = (meaning for place in (node, *node.many("component")) for _, meaning in _meanings(place))
    return next((meaning.quantity for meaning in meanings), None)


def observation(node: Node, context: Context) -> list[SourceFact]:
    """The measurements or the comorbidity of an Observation; nothing for one of another kind or another patient."""
    places = list(_measured_places(node))
    present, condition = node.truth("valueBoolean"), _condition(node)
    if not places and (condition is None or present is None):
        _report_code(node)
        return []
    subject = node.first("subject")
    if not context.about_patient(node, "subject", [subject] if subject else []):
        return []
    if not states_fact(node, "status"):
        return []
    if node.many("focus"):
        node.error("focus", "is about something else than the subject; nothing is told", code="not-supported")
        return []
    if not places and present is False and {code for _, code in node.codings("code")} & codes.ONE_DIAGNOSIS:
        node.information("code", "is absent, and is one of several that make the condition; nothing is told")
        return []
    if not places:
        return _comorbidity(node, condition, present, context)
    if node.first("method"):
        node.warning("method", "is not read: the value was taken as its code says", code="not-supported")
    facts: list[SourceFact] = []
    for place, meaning, is_part in places:
        fact = _measurement(node, place, meaning, context)
        if fact is None:
            continue
        if is_part and fact.business_id is not None:
            fact = replace(fact, business_id=f"{fact.business_id}/{meaning.quantity}")
        facts.append(fact)
    return facts


def _comorbidity(node: Node, condition: str | None, present: bool | None, context: Context) -> list[SourceFact]:
    effective = _effective(node, context)
    if effective is None:
        return []
    values = {"condition": condition, "present": present, "on": effective.on, "at": effective.at}
    body = built(Comorbidity, values, node, source=context.source, elements={"condition": "code"})
    return context.fact(node, body, retracted=node.text("status") == ENTERED_IN_ERROR)


def _condition(node: Node) -> str | None:
    snomed = (code for system, code in node.codings("code") if system == uris.SNOMED)
    return next((codes.COMORBIDITY[code] for code in snomed if code in codes.COMORBIDITY), None)


# --- what it measures


def _meanings(node: Node) -> Iterator[tuple[bool, MeasurementCode]]:
    """(whether the coding is as it should be, its meaning) of every coding of `code` that we know."""
    for system, code in node.codings("code"):
        known = clinical_codes.measurement(system, code)
        if known is not None:
            yield known.preferred, known
            continue
        foreign = clinical_codes.measurement_of_any_system(code)
        if foreign is not None and (not system or _TERMINOLOGY.search(system)):
            yield False, foreign[1]
    concept = node.first("code")
    word = clinical_codes.measurement_word(concept.text("text") or "") if concept is not None else None
    if word is not None and concept is not None and not concept.many("coding"):
        yield False, word


def _measured_places(node: Node) -> Iterator[tuple[Node, MeasurementCode, bool]]:
    """(element that holds the value, what it measures, whether it is one part of several)."""
    whole = _meaning(node)
    components = [(part, meaning) for part in node.many("component") if (meaning := _meaning(part)) is not None]
    same = [part for part, meaning in components if whole and meaning.quantity == whole.quantity]
    if whole is not None:
        if len(same) == 1 and not _has_value(node):
            yield same[0], whole, False  # R4 obs-7: the value stands in the component that has the code
        else:
            for part in same:
                part.error("", "repeats what the Observation measures; not read", code="invariant")
            yield node, whole, False
    for part, meaning in components:
        if part not in same:
            yield part, meaning, True
    read = [part.path for part, _ in components]
    for part in node.many("component") if whole or components else ():
        if part.path not in read:
            _report_code(part)


def _meaning(node: Node) -> MeasurementCode | None:
    """What `code` measures; a doubtful coding is reported, and none that measures two things is read."""
    found = list(_meanings(node))
    concept = node.first("code")
    word = clinical_codes.measurement_word(concept.text("text") or "") if concept and found else None
    if len({meaning.quantity for meaning in (*(meaning for _, meaning in found), word) if meaning is not None}) > 1:
        node.error("code", "names two different things; nothing is told", code="business-rule")
        return None
    if not found:
        return None
    if not any(is_right for is_right, _ in found):
        rule = "is not the code that the standard asks for, or lacks its system; read all the same"
        node.warning("code", rule, code="code-invalid")
    methods = [meaning for _, meaning in found if meaning.method != clinical_codes.MEASURED]
    return methods[0] if methods else found[0][1]


def _report_code(node: Node) -> None:
    """Why an Observation of no code of ours is not read: a wrong code is a warning, another one information."""
    if any(issue.location == f"{node.path}.code" for issue in node.issues):
        return
    wrong = [code for system, code in node.codings("code") if system == uris.SNOMED and not codes.is_sctid(code)]
    foreign = [
        code
        for system, code in node.codings("code")
        if clinical_codes.measurement_of_any_system(code) and system not in (uris.SNOMED, uris.LOINC)
    ]
    if foreign:
        node.warning("code", "is one of another system than the one it names; not read", code="code-invalid")
    elif wrong or not node.codings("code"):
        node.warning("code", "is not a code of a terminology; not read", code="code-invalid")
    else:
        node.information("code", "is not a code that is read here")


# --- when


def _effective(node: Node, context: Context) -> StatedTime | None:
    before, period, timing = len(node.issues), node.first("effectivePeriod"), node.first("effectiveTiming")
    if sum(node.value.get(name) is not None for name in _EFFECTIVE) > 1:
        node.error("effectiveDateTime", "is not the only time: which holds? nothing is told", code="invariant")
        return None
    moment = (
        when(node, "effectiveDateTime", "effectiveInstant")
        or (when(period, "start") if period else None)
        or (_only_event(timing) if timing and is_understood(timing) else None)
    )
    on = day_of(node, moment)
    if on is None:
        if len(node.issues) == before:
            node.error("effectiveDateTime", "is required: the day of the measurement", code="required")
        return None
    if not context.span.check(node, "effectiveDateTime", on):
        return None
    end = when(period, "end") if period else None
    if period is not None and end is not None and end.on != on:
        period.warning("end", "is another day than the start; the first day was read")
    return StatedTime(on, moment.at if moment else None)


def _only_event(timing: Node) -> StatedTime | None:
    events = timing.texts("event")
    if len(events) != 1:
        timing.error("event", "must be one moment: the day of the measurement", code="required")
        return None
    try:
        return parse_when(events[0])
    except InvalidField as failure:
        timing.error("event", failure.rule)
        return None


# --- the value


def _measurement(node: Node, place: Node, meaning: MeasurementCode, context: Context) -> SourceFact | None:
    if place is not node and not is_understood(place):
        return None
    status, method = node.text("status"), _method(node, meaning)
    if method is None and meaning.method is not None:
        return None
    if meaning.method is None:
        place.error("code", "is an estimate, neither measured nor stated; not told", code="not-supported")
        return None
    amount = _amount(place, meaning.quantity, context)
    if amount is None:
        return None
    effective = _effective(node, context)
    if effective is None:
        return None
    if status == "preliminary":
        node.warning("status", "is preliminary; told all the same")
    value, ours, unit = amount
    likely = plausible(ours, quantity=meaning.quantity)
    if not likely:
        place.warning("valueQuantity.value", f"is not plausible as the {meaning.quantity} of an adult; kept")
    values = {
        "quantity": meaning.quantity,
        "value": ours,
        "unit_given": UNITS[unit].name,
        "value_given": plain(value),
        "method": method,
        "plausible": likely,
        "on": effective.on,
        "at": effective.at,
    }
    elements = {"value": "valueQuantity.value", "value_given": "valueQuantity.value"}
    body: FactBody | None = built(Measurement, values, node, source=context.source, elements=elements)
    return next(iter(context.fact(node, body, retracted=status == ENTERED_IN_ERROR)), None)


def _method(node: Node, meaning: MeasurementCode) -> str | None:
    """How it was measured: by our extension, else by the code. None, with an error, where the first says neither."""
    place = node.our_extension("method")
    if place is None:
        return meaning.method
    method = extension_values(node, Measurement).get("method")
    if method not in (clinical_codes.MEASURED, clinical_codes.SELF_REPORTED):
        place.error("", "says neither measured nor self-reported; not told", code="code-invalid")
        return None
    return str(method)


def _has_value(node: Node) -> bool:
    return any(name.lstrip("_").startswith("value") or name == "dataAbsentReason" for name in node.value)


def _amount(node: Node, quantity: str, context: Context) -> tuple[Decimal, Decimal, str] | None:
    """(value as sent, in our unit, its UCUM unit), or None with the reason: absence is information, the rest errors."""
    place = node.first("valueQuantity")
    other = next((name for name in node.value if name.startswith("value") and name != "valueQuantity"), None)
    if node.value.get("dataAbsentReason") is not None:
        if place is None and other is None:
            node.information("dataAbsentReason", "says that there is no value")
        else:
            node.error("dataAbsentReason", "contradicts the value beside it; nothing is told", code="invariant")
        return None
    if place is None and other is not None:
        _report_other_value(node, other, context)
        return None
    if place is None:
        if _is_absent(node, "valueQuantity"):
            node.information("valueQuantity", "says that there is no value")
        else:
            node.error("valueQuantity.value", "is required, as a number", code="required")
        return None
    if other is not None or len(node.many("valueQuantity")) > 1:
        node.error("valueQuantity", "is not the only value: which holds? nothing is told", code="invariant")
        return None
    if not is_understood(place):
        return None
    if place.value.get("comparator") is not None:
        place.error("comparator", "makes the value a bound, not a measured value; not told", code="not-supported")
        return None
    value = _number(place)
    unit = _unit(place) if value is not None else None
    if value is None or unit is None:
        return None
    try:
        return value, converted(value, unit, quantity=quantity), unit
    except InvalidField as failure:
        place.error("code" if failure.field == "unit" else "value", failure.rule)
        return None


def _is_absent(node: Node, name: str) -> bool:
    """True when a primitive or element has no value but an extension that says why."""
    beside = node.first(f"_{name}") or node.first(name)
    return beside is not None and beside.extension(uris.DATA_ABSENT_REASON) is not None


def _report_other_value(node: Node, name: str, context: Context) -> None:
    """A value that is no Quantity: words for its absence are information, anything else cannot be told."""
    concept = node.first(name)
    words = [node.text(name)] if concept is None else [concept.text("text"), *_displays(concept)]
    if any(word and _says_nothing(word, context) for word in words):
        node.information(name, "says that there is no value")
    else:
        node.error(name, "is not a Quantity: number and unit cannot be read", code="not-supported")


def _displays(concept: Node) -> list[str | None]:
    return [part.text("display") for part in concept.many("coding")]


def _says_nothing(word: str, context: Context) -> bool:
    folded = placeholders.folded(word)
    return placeholders.is_word(word, context.source.placeholders) or any(
        folded == absent or folded.endswith(f" {absent}") for absent in _ABSENT
    )


def _number(place: Node) -> Decimal | None:
    value = place.number("value")
    if value is not None:
        return value
    text = place.text("value")
    if text is not None and _DECIMAL.fullmatch(text) and len(text) <= 40:
        place.warning("value", "is a text, not a number; read all the same", code="value")
        return Decimal(text)
    if text is None and _is_absent(place, "value"):
        place.information("value", "says that there is no value")
    else:
        place.error("value", "is required, as a number", code="required")
    return None


def _unit(place: Node) -> str | None:
    """The UCUM code of a Quantity: its code, else its printed unit. None, with an error, where it has no unit."""
    code, printed = place.text("code"), place.text("unit")
    written = unit_of(printed) if printed else None
    system = uris.canonical_uri(place.text("system") or "")
    if code is None and printed is None:
        place.error("code", "is required: a number without its unit says nothing", code="required")
        return None
    if code is None or system not in ("", uris.UCUM):
        if written is None:
            place.error("code", "is required: a UCUM code", code="required")
            return None
        place.warning("code", "is missing; the printed unit was read", code="incomplete")
        return written
    known = unit_of(code)
    if known is None:
        place.error("code", "is not a UCUM unit of the table", code="code-invalid")
        return None
    if printed and written is None:
        place.information("unit", "is not a unit of the table; the code beside it was read")
    if written is not None and written != known:
        place.error("unit", "is another unit than the code beside it; nothing is told", code="business-rule")
        return None
    if code not in UNITS:
        place.warning("code", "is not UCUM's spelling; read all the same", code="code-invalid")
    elif not system:
        place.warning("system", "is missing; the code was read as UCUM's", code="incomplete")
    return known
