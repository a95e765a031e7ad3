"""ORU^R01: weight, height, BMI and waist among everything else a hospital measures."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from connectors.sources.tier3_hl7v2.appointments import referral_number
from connectors.sources.tier3_hl7v2.local_codes import (
    ABSENT_BEGINNINGS,
    CODE_SYSTEMS,
    ESTIMATED,
    MEASURED_BY,
    NO_RESULT,
    NOT_A_FINDING,
    NOT_FINAL,
    NULL_FLAVOURS,
    NUMBER_TYPES,
    ORDER_CANCELLED,
    ORDER_STATUS,
    RESULT_STANDS,
    RESULT_STATUS,
    RESULT_WITHDRAWN,
    SELF_REPORTED,
)
from connectors.sources.tier3_hl7v2.moments import Moment, moment
from connectors.sources.tier3_hl7v2.reading import Reading, entity_number
from connectors.sources.tier3_hl7v2.structure import Segment, exact
from schemas import clinical_codes
from schemas.clinical_codes import MeasurementCode, measurement_of_any_system, measurement_word
from schemas.errors import InvalidField
from schemas.facts import Measurement
from schemas.placeholders import folded, is_word
from schemas.source_message import SourceFact
from schemas.units import UNITS, converted, plain, plausible, unit_of

_NUMBER = re.compile(r"\+?(?:[0-9]{1,6}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})")  # HL7 NM: a sign and a bare point are allowed
# The body of a withdrawn result that came without its value; nothing reads the body of a retracted fact.
_WITHDRAWN: Mapping[str, tuple[Decimal, str]] = {
    "weight": (Decimal(100), "kg"),
    "height": (Decimal(100), "cm"),
    "bmi": (Decimal(100), "kg/m2"),
    "waist": (Decimal(100), "cm"),
}


def measured(reading: Reading) -> list[SourceFact]:
    """One fact for each OBX of ours whose result stands or is withdrawn; other OBX are left alone."""
    facts: list[SourceFact] = []
    seen: Counter[str] = Counter()
    for place, order, obx in _observations(reading):
        meaning = _meaning(reading, obx, place)
        if meaning is None:
            continue
        fact = _measurement(reading, order, obx, f"OBX[{place}]", meaning)
        if fact is not None:
            facts.append(_numbered(reading, place, fact, seen))
    if reading.message.first("OBX") is None:
        reading.note("OBX", "is not there: the message holds no result")
    return facts


@dataclass(frozen=True, slots=True)
class _Order:
    """What results stand beneath: OBR, and the ORC before it. Either may be missing."""

    orc: Segment | None = None
    obr: Segment | None = None

    def value(self, field: int) -> str:
        """The value of that field of OBR."""
        return self.obr.value(field) if self.obr else ""

    @property
    def number(self) -> str:
        """The filler's number, else the placer's: OBR-3, OBR-2, else ORC-3, ORC-2 (HL7 2.5.1, 4.5.1)."""
        places = ((segment, field) for segment in (self.obr, self.orc) if segment for field in (3, 2))
        return next(filter(None, (entity_number(segment, field) for segment, field in places)), "")

    @property
    def cancelled_by(self) -> str | None:
        """The field of ORC that says that the order is cancelled or discontinued."""
        fields = (field for field in (1, 5) if self.orc and self.orc.value(field).upper() in ORDER_CANCELLED)
        return next((f"ORC-{field}" for field in fields), None)


def _observations(reading: Reading) -> Iterator[tuple[int, _Order, Segment]]:
    order, place = _Order(), 0
    for segment in reading.message.segments:
        if segment.name == "ORC":
            order = _Order(orc=segment)
        elif segment.name == "OBR":
            order = _Order(order.orc if order.obr is None else None, segment)
        elif segment.name == "OBX":
            place += 1
            yield place, order, segment


def _meaning(reading: Reading, obx: Segment, place: int) -> MeasurementCode | None:
    """What OBX-3 measures. By the code alone: senders name the system in a dozen ways, and no two share a form."""
    found: list[MeasurementCode] = []
    for component in (1, 4):  # the identifier and its alternate
        code = obx.value(3, component)
        known = measurement_of_any_system(code)
        system = obx.value(3, component + 2).upper()
        if known and system and clinical_codes.measurement(CODE_SYSTEMS.get(system, ""), code) is None:
            rule = "does not name the coding system that the code is of; read by the code"
            reading.warn(f"OBX[{place}]-3.{component + 2}", rule, code="code-invalid")
        meaning = known[1] if known else measurement_word(code)
        words = set(folded(obx.value(3, component + 1)).split())
        if meaning and (known or not words & NOT_A_FINDING):
            found.append(meaning)
    if not found:
        reading.note(f"OBX[{place}]-3", "is not a measurement that is read")
    if len({meaning.quantity for meaning in found}) > 1:
        reading.error(f"OBX[{place}]-3", "names two different measurements; nothing is told")
        return None
    # of two codes for one thing the closer one: stated or estimated, where the other says only what it is
    return min(found, key=lambda meaning: meaning.method == clinical_codes.MEASURED, default=None)


def _measurement(
    reading: Reading, order: _Order, obx: Segment, location: str, meaning: MeasurementCode
) -> SourceFact | None:
    quantity = meaning.quantity
    status = _status(reading, order, obx, location)
    withdrawn = status == RESULT_WITHDRAWN
    if not withdrawn and status != RESULT_STANDS:
        return None
    method = _method(reading, obx, location, meaning)
    if method is None and not withdrawn:
        return None
    if not meaning.preferred:
        reading.warn(f"{location}-3", "is not the code that the standard asks for; read all the same")
    amount = _amount(reading, obx, location, quantity, silent=withdrawn)
    if amount is None and not withdrawn:
        return None
    value_given, unit = amount or _WITHDRAWN[quantity]
    value, day = converted(value_given, unit, quantity=quantity), _day(reading, order, obx, location)
    likely = plausible(value, quantity=quantity)
    if not likely and not withdrawn:
        reading.warn(f"{location}-5", "is outside what is plausible; kept and marked", code="value")
    body = Measurement(
        on=day.on,
        at=day.at,
        quantity=quantity,  # type: ignore[arg-type]  # the table holds only the four
        value=value,
        unit_given=UNITS[unit].name,
        value_given=value_given,
        method=method or clinical_codes.MEASURED,  # type: ignore[arg-type]  # one of the two words
        plausible=likely,
    )
    number, under = _result_number(reading, order, obx), referral_number(reading)
    return SourceFact(body, business_id=number, referral_business_id=under, retracted=withdrawn)


def _status(reading: Reading, order: _Order, obx: Segment, location: str) -> str | None:
    """What becomes of the result, by OBX-11, else by OBR-25; None, with its error, where neither can be understood.

    OBR-25 is the status of the whole order (HL7 2.5.1, 4.5.3.25): where it says that there are no results, a final one
    beneath contradicts it, and nobody can say which of the two is right. A deletion of OBX-11 stands in any case.
    """
    sent, of_order = obx.value(11), order.value(25)
    status = _meaning_of(reading, sent, RESULT_STATUS)
    whole = _meaning_of(reading, of_order, ORDER_STATUS)
    if sent and status is None:
        reading.error(f"{location}-11", "is not a status of results; the result is not told", code="code-invalid")
        return None
    if order.cancelled_by and status not in (RESULT_WITHDRAWN, NOT_FINAL, NO_RESULT):
        rule = "says that the order is cancelled; its result is not told"
        reading.error(order.cancelled_by, rule, code="business-rule")
        return None
    if of_order and whole is None:
        report, then = (reading.warn, "read by OBX-11 alone") if sent else (reading.error, "the result is not told")
        report("OBR-25", f"is not a status of orders; {then}", code="code-invalid")
        return status
    if not sent and whole in (NOT_FINAL, NO_RESULT):
        reading.note("OBR-25", "is not the status of a final result; the result was left out")
    elif status in (NOT_FINAL, NO_RESULT):
        reading.note(f"{location}-11", "is not the status of a final result; the result was left out")
    elif status == RESULT_STANDS and whole == NO_RESULT:
        reading.error("OBR-25", "says that the order has no results, against OBX-11; not told", code="business-rule")
        return None
    return status or whole or RESULT_STANDS


def _meaning_of(reading: Reading, sent: str, table: Mapping[str, str]) -> str | None:
    word = reading.source.code("result_status", sent) or sent
    return table.get(folded(word))


def _amount(
    reading: Reading, obx: Segment, location: str, quantity: str, *, silent: bool
) -> tuple[Decimal, str] | None:
    """Value and UCUM unit, or None with the reasons (none where `silent`: a withdrawal needs no value)."""
    kind = obx.value(2).upper()
    structured = kind == "SN"
    comparator, text = (obx.value(5, 1), obx.value(5, 2)) if structured else ("", obx.value(5))
    if not silent and _is_absent(reading, obx, comparator + text):
        reading.note(f"{location}-5", "says that there is no value")
        return None
    unit, faults = _unit(obx)
    if kind not in NUMBER_TYPES:
        faults = [("2", "is not a type that holds one measured number; not told", "code-invalid")]
    elif sum(1 for _ in obx.repetitions(5)) > 1:
        faults.append(("5", "holds two values; nobody can say which was measured", "value"))
    elif structured and (obx.value(5, 3) or obx.value(5, 4)):
        faults.append(("5", "is a range or a ratio, not a measured value", "value"))
    elif not structured and ((obx.value(5, 2) and kind != "CQ") or obx.value(5, 1, 2)):
        faults.append(("5", "holds more than one number", "value"))
    elif comparator not in ("", "="):
        faults.append(("5", "is a bound, not a measured value", "value"))
    elif not text:
        faults.append(("5", "is required", "required"))
    elif not _NUMBER.fullmatch(text):
        faults.append(("5", "must be a number above zero", "value"))
    if not faults and unit is not None:
        given = plain(Decimal(text))
        try:
            converted(given, unit, quantity=quantity)
            return given, unit
        except InvalidField as broken:
            faults.append(("6" if broken.field == "unit" else "5", broken.rule, "value"))
    if not silent:
        for field, rule, code in faults:
            reading.error(f"{location}-{field}", rule, code=code)
    return None


def _unit(obx: Segment) -> tuple[str | None, list[tuple[str, str, str]]]:
    """The UCUM unit of OBX-6 (of a CQ also of OBX-5.2), by its code, text or their alternates; or None with the
    reason."""
    words = [word for part in (1, 2, 4, 5) if (word := obx.value(6, part))]
    if obx.value(2).upper() == "CQ":  # HL7 2.5.1, 2.A.20: the quantity's units are a part of the value
        words += [word for part in (1, 2, 4, 5) if (word := obx.value(5, 2, part))]
    words.append("^".join(words[:2]))  # kg/m^2 whose circumflex was not escaped
    known = list(filter(None, map(unit_of, words)))
    if len({(UNITS[unit].dimension, UNITS[unit].factor) for unit in known}) > 1:
        return None, [("6", "names two different units; nothing is told", "business-rule")]
    if known:
        return known[0], []
    if words == [""]:
        return None, [("6", "is required: a number without its unit says nothing", "required")]
    return None, [("6", "is not a unit of the table", "code-invalid")]


def _is_absent(reading: Reading, obx: Segment, text: str) -> bool:
    """True when OBX-5 says that nothing was measured: empty, a null, a null flavour, or a person's words for it."""
    if not text and sum(1 for _ in obx.repetitions(5)) == 0:
        return True
    word = folded(text)
    coded = obx.value(5, 1).upper() in NULL_FLAVOURS
    in_words = not any(letter.isdigit() for letter in text) and word.startswith(ABSENT_BEGINNINGS)
    return bool(text) and (coded or in_words or is_word(text, reading.source.placeholders))


def _day(reading: Reading, order: _Order, obx: Segment, location: str) -> Moment:
    """OBX-14, else OBR-7, else OBR-22, else MSH-7."""
    found = None
    for place, text in (
        (f"{location}-14", obx.value(14)),
        ("OBR-7", order.value(7)),
        ("OBR-22", order.value(22)),
    ):
        known = moment(text) if text else None
        if known is None and text:
            reading.warn(place, "is not a date or time; it was left out", code="value")
        if found is None and known is not None:
            found = reading.happened(place, known)
    return found or reading.reported


def _method(reading: Reading, obx: Segment, location: str, meaning: MeasurementCode) -> str | None:
    """How it was observed, by OBX-3 and OBX-17; None, with its error, where it is an estimate."""
    observed_by = {obx.value(17).upper(), obx.value(17, 2).upper()} - {""}
    if meaning.method is None or observed_by & ESTIMATED:
        place = f"{location}-{3 if meaning.method is None else 17}"
        reading.error(place, "is an estimate, neither measured nor stated; not told")
        return None
    if observed_by & SELF_REPORTED:
        return clinical_codes.SELF_REPORTED
    if observed_by and not observed_by & MEASURED_BY:
        reading.note(f"{location}-17", "is no method that is known; read by the code alone")
    return meaning.method


def _result_number(reading: Reading, order: _Order, obx: Segment) -> str:
    """OBR-3 (the filler's number, else OBR-2 the placer's) with OBX-3 and OBX-4; without an order the message's id."""
    number = order.number
    if not number:
        reading.warn("OBR-3", "is missing: a correction of this result could not be distinguished from another result")
        number = f"message/{reading.message.identifier}"
    return f"{number}/{exact(obx.value(3), '/#')}/{exact(obx.value(4), '/#')}"


def _numbered(reading: Reading, place: int, fact: SourceFact, seen: Counter[str]) -> SourceFact:
    """Two results of one order under the same OBX-3 and OBX-4 are distinguished by their position among them, which
    `exact` keeps apart from an OBX-4 that ends alike."""
    number = fact.business_id or ""
    seen[number] += 1
    if seen[number] == 1:
        return fact
    rule = "does not distinguish this result from another of its order; both are read, known by their position"
    reading.warn(f"OBX[{place}]-4", rule)
    return replace(fact, business_id=f"{number}#{seen[number]}")
