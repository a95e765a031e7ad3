"""The trust's patient administration system: HL7 v2.4 in the ITK dialect, times on the hospital's own clock."""

from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from ops.lab.simulator.model import Fact, SimulatedEntry
from ops.lab.simulator.render import words
from ops.lab.simulator.render.hl7_patient import patient
from ops.lab.simulator.render.hl7_segments import segment
from ops.lab.simulator.render.measured_codes import HL7_WEIGHT, UNITS
from ops.lab.simulator.render.no_facts import no_result
from ops.lab.simulator.spellings import chosen

_CLOCK = ZoneInfo("Europe/London")
_TRUST_ODS = "RXX"
_APPLICATION = "PAS"
SERVICE = "WMS"
FOREIGN_SERVICE = "CAR"
_TYPE = {
    "I12": "REF^I12^REF_I12",
    "I14": "REF^I14^REF_I12",
    "S12": "SIU^S12^SIU_S12",
    "S13": "SIU^S13^SIU_S12",
    "S15": "SIU^S15^SIU_S12",
    "S26": "SIU^S26^SIU_S12",
    "A04": "ADT^A04^ADT_A01",
    "A03": "ADT^A03^ADT_A03",
    "A31": "ADT^A31^ADT_A05",
    "R01": "ORU^R01^ORU_R01",
}
_STATUS = {"S12": "Booked", "S13": "Booked", "S15": "Cancelled", "S26": "Noshow"}
_CANCELLED_BY = {"2": "PATIENT", "4": "PROVIDER"}
_OBSERVATION = {"weight": "27113001^Body weight^SCT"}


def message(entry: SimulatedEntry, *, service: str = SERVICE) -> bytes:
    """One entry as one message, segments ended by carriage returns, without MLLP framing."""
    # HL7 puts RF1 and SCH before the patient
    about = _first(entry, service) if entry.form[0] in "IS" else _event(entry)
    segments = [_header(entry), *about, *patient(entry, _TRUST_ODS), *_body(entry, service)]
    return "".join(f"{text}\r" for text in segments).encode()


def message_identifier(control_id: str, sent: str) -> str:
    """What names a message among all feeds of a trust: sending application, sending facility, MSH-10 and MSH-7."""
    return f"{_APPLICATION}|{_TRUST_ODS}|{control_id}|{sent}"


def identifier_of(entry: SimulatedEntry) -> str:
    """What names the message of an entry."""
    return message_identifier(entry.message_id, _moment(entry.source_version_at))


def _header(entry: SimulatedEntry) -> str:
    fields = {
        3: _APPLICATION,
        4: _TRUST_ODS,
        5: "ROUTE",
        6: "ROUTE",
        7: _moment(entry.source_version_at),
        9: _TYPE[entry.form],
        10: entry.message_id,
        11: "P",
        12: "2.4",
        15: "AL",
        16: "NE",
        17: "GBR",
        18: "UNICODE UTF-8",
        21: "iTKv1.0",
    }
    # MSH-1 is the separator itself, so MSH-2 is the first thing after it
    return segment("MSH|^~\\&", {number - 2: value for number, value in fields.items()})


def _event(entry: SimulatedEntry) -> list[str]:
    if not entry.form.startswith("A"):
        return []
    return [segment("EVN", {1: entry.form, 2: _moment(entry.source_version_at)})]


def _first(entry: SimulatedEntry, service: str) -> list[str]:
    """The referral, or the appointment with the referral it names."""
    fact = entry.facts[0]
    if fact.kind == "referral":
        number = f"{fact.key}^UBRN" if fact.ubrn else fact.key
        return [segment("RF1", {1: "A", 2: "R", 3: service, 6: number, 7: _day(fact.on)})]
    under = [segment("RF1", {3: service, 6: fact.referral})] if fact.referral else []
    appointment = segment(
        "SCH",
        {
            1: fact.key,
            2: fact.key,
            6: _who_cancelled(entry, fact.attendance or "") if entry.form == "S15" else "",
            11: f"^^^{_start(fact.on)}",
            25: chosen(entry, "status_in_words", _STATUS[entry.form], words.APPOINTMENT_STATUS[entry.form]),
        },
    )
    return [appointment, *under]


def _who_cancelled(entry: SimulatedEntry, by: str) -> str:
    return chosen(entry, "who_cancelled_in_words", _CANCELLED_BY[by], words.CANCELLED_BY[by])


def _body(entry: SimulatedEntry, service: str) -> list[str]:
    if entry.form == "A31":
        return []
    visit: dict[int, str] = {1: "1", 2: chosen(entry, "class_in_words", "O", words.OUTPATIENT), 10: service}
    fact = entry.facts[0]
    match entry.form:
        case "A04":
            visit |= {5: fact.key, 44: _start(fact.on)}
        case "A03":
            visit |= {19: fact.key, 36: fact.reason or "", 45: _start(fact.on)}
    segments = [segment("PV1", visit)]
    if entry.form.startswith("S"):
        segments += [segment("RGS", {1: "1"}), segment("AIS", {1: "1", 3: service, 4: _start(fact.on)})]
    if entry.form == "R01":
        segments += _result(entry, fact)
    return segments + _local(entry)


def _local(entry: SimulatedEntry) -> list[str]:
    """ZU1: what HL7 has no field for, where this trust writes it."""
    fact = entry.facts[0]
    status = next((other.code for other in entry.facts if other.kind == "rtt_status"), None)
    fields = {2: fact.purpose or "", 3: fact.medium or "", 14: status or ""}
    filled = {number: value for number, value in fields.items() if value}
    return [segment("ZU1", filled)] if filled else []


def _result(entry: SimulatedEntry, fact: Fact) -> list[str]:
    assert fact.quantity is not None
    assert fact.value_given is not None
    assert fact.unit_given is not None
    order = {1: "1", 3: fact.key.split("/")[0], 4: "VITALS^Vital signs^L", 7: _start(fact.on), 25: "F"}
    result = {
        1: "1",
        2: "NM",
        3: chosen(entry, "codes_of_other_systems", _OBSERVATION[fact.quantity], HL7_WEIGHT),
        5: _number(fact.value_given),
        6: chosen(entry, "units_in_words", fact.unit_given, UNITS[fact.unit_given]),
        11: "C" if entry.corrects else "F",
        14: _start(fact.on),
    }
    beside = no_result(entry, result[3], result[14])
    return [segment("OBR", order), *(segment("OBX", obx) for obx in (result, *beside))]


def _number(value: Decimal) -> str:
    return f"{value:f}"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _start(day: date) -> str:
    # clinics are entered at ten; only the day matters
    return f"{datetime.combine(day, time(10)):%Y%m%d%H%M}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(_CLOCK):%Y%m%d%H%M%S}"
