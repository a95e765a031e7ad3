"""Every fact, in every spelling of HL7 that can say it, is read back as the fact that was meant.

What is meant comes from `spellings` and from the tables here, written from the standards and data dictionaries named
there; each table is checked to be as long as the reader's, so that a spelling that is added is tried as well.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from elements import understood_hl7
from hl7_messages import OBR, PV1, RF1, SCH, TRUST, clinical, issues, message, with_field
from hypothesis import given, settings
from hypothesis import strategies as st
from spellings import (
    AMOUNTS,
    CLINICAL_CODES,
    FACTORS,
    MEASURED_IN,
    QUANTITY_WORDS,
    SYSTEM_NAMES,
    UBRN_SPELLINGS,
    UCUM,
    UNIT_SPELLINGS,
    in_ours,
)

from connectors.sources.tier3_hl7v2 import local_codes
from schemas import codes
from schemas.clinical_codes import MEASUREMENTS
from schemas.facts import Attendance, Discharge, FactBody, Measurement, Referral
from schemas.units import UNITS, unit_of

MEASURED_AT = datetime(2026, 7, 14, 9, tzinfo=UTC)  # 10:00 British Summer Time
MEASURED_ON = date(2026, 7, 14)


def measurement(quantity: str, unit: str, amount: str = "", method: str = "measured") -> Measurement:
    """The fact that this amount says."""
    amount = amount or AMOUNTS[unit]
    return Measurement(
        on=MEASURED_ON,
        at=MEASURED_AT,
        quantity=quantity,
        value=in_ours(amount, unit),
        unit_given=unit,
        value_given=Decimal(amount),
        method=method,
    )


# ------------------------------------------------------------ HL7: measurements


def obx(code: str, amount: str, unit: str, *, kind: str = "NM", status: str = "F", by: str = "") -> str:
    """One result of MEASURED_AT."""
    return f"OBX|1|{kind}|{code}||{amount}|{unit}|||||{status}|||20260714100000|||{by}"


def results(*lines: str) -> list[FactBody]:
    """The bodies in one message with these results, in order."""
    return [fact.body for fact in clinical(message("ORU^R01", PV1, OBR, *lines))]


def units_of(quantity: str) -> Iterator[tuple[str, str]]:
    """(unit, spelling) of every unit that measures this quantity."""
    return ((unit, word) for unit in MEASURED_IN[quantity] for word in UNIT_SPELLINGS[unit])


@pytest.mark.parametrize(("system", "code"), [key for key, (_, method) in CLINICAL_CODES.items() if method])
def test_hl7_every_code_of_a_measurement_in_every_spelling_of_every_unit(system: str, code: str) -> None:
    quantity, method = CLINICAL_CODES[system, code]
    spellings = list(units_of(quantity))
    name = SYSTEM_NAMES[system][0]
    # `^` and `&` are delimiters of HL7, so a unit that has them is escaped
    lines = [obx(f"{code}^x^{name}", AMOUNTS[unit], word.replace("^", "\\S\\")) for unit, word in spellings]
    assert results(*lines) == [measurement(quantity, unit, method=str(method)) for unit, _ in spellings]


def test_hl7_an_estimate_is_no_measurement_and_is_named() -> None:
    for (_, code), (quantity, method) in CLINICAL_CODES.items():
        if method is None:
            raw = message("ORU^R01", PV1, OBR, obx(f"{code}^x^LN", "118", MEASURED_IN[quantity][0]))
            assert ("error", "invalid", "OBX[1]-3") in issues(raw)
            assert understood_hl7(raw).message is None


def test_hl7_every_name_of_a_coding_system_is_known() -> None:
    for (system, code), (quantity, method) in CLINICAL_CODES.items():
        for name in SYSTEM_NAMES[system] if method else ():
            raw = message("ORU^R01", PV1, OBR, obx(f"{code}^x^{name}", AMOUNTS[unit := MEASURED_IN[quantity][0]], unit))
            named = [place for _, _, place in issues(raw) if place.startswith("OBX[1]-3.")]
            assert (name, code, named) == (name, code, [])


def test_hl7_the_places_in_which_the_same_measurement_can_stand() -> None:
    weight, said = measurement("weight", "kg"), measurement("weight", "kg", method="self_reported")
    lines = {
        obx("L1^local^99L^29463-7^Body weight^LN", "118.4", "kg"): weight,  # the alternate identifier
        obx("29463-7^Body weight^LN^L1^local^99L", "118.4", "kg"): weight,
        obx("29463-7", "118.4", "kg"): weight,
        obx("22A..00^O/E - weight^RC", "118.4", "kg"): weight,  # with a term code
        obx("29463-7^^LN", "118.4", "kg^kilogram^UCUM"): weight,
        obx("29463-7^^LN", "118.4", "^kg"): weight,  # the text alone
        obx("29463-7^^LN", "118.4", "U1^kg^99L"): weight,  # a code of their own beside the text
        obx("29463-7^^LN", "118.4", "U1^^99L^kg^kilogram^UCUM"): weight,  # the alternate unit
        obx("60621009^^SCT", "40.5", "kg/m^2"): measurement("bmi", "kg/m2"),  # a circumflex that was not escaped
        obx("29463-7^^LN", "118.4", "kg", kind="ST"): weight,
        obx("29463-7^^LN", "118.4", "kg", kind="TX"): weight,
        obx("29463-7^^LN", "118.4", "kg", kind=""): weight,
        obx("29463-7^^LN", "^118.4", "kg", kind="SN"): weight,
        obx("29463-7^^LN", "=^118.4", "kg", kind="SN"): weight,
        obx("29463-7^^LN", "118.4^kg", "kg", kind="CQ"): weight,
        **{obx("29463-7^^LN", "118.4", "kg", status=status): weight for status in ("F", "C", "U", "", "A", "B", "V")},
        **{obx("29463-7^^LN", text, "kg"): weight for text in ("+118.4", "118.40", "0118.4", " 118.4 ")},
        **{
            obx("29463-7^^LN", "118.4", "kg", by=by): said
            for by in ("SR", "SELF", "self-reported", "^Patient reported")
        },
    }
    assert {line: results(line) for line in lines} == {line: [body] for line, body in lines.items()}


def test_hl7_a_word_for_the_quantity_is_read_where_there_is_no_code() -> None:
    for quantity, words in QUANTITY_WORDS.items():
        unit = MEASURED_IN[quantity][0]
        assert [results(obx(f"{word}^x", AMOUNTS[unit], unit)) for word in words] == [
            [measurement(quantity, unit)] for _ in words
        ]


def test_hl7_two_units_that_contradict_each_other_are_no_unit() -> None:
    raw = message("ORU^R01", PV1, OBR, obx("29463-7^^LN", "118.4", "kg^pounds"))
    assert ("error", "business-rule", "OBX[1]-6") in issues(raw)
    assert understood_hl7(raw).message is None


def test_hl7_a_withdrawn_result_takes_back_in_every_status_that_withdraws() -> None:
    for status in ("D", "W"):
        (fact,) = clinical(message("ORU^R01", PV1, OBR, obx("29463-7^^LN", "118.4", "kg", status=status)))
        assert (fact.retracted, fact.body) == (True, measurement("weight", "kg"))


@pytest.mark.parametrize(
    ("order", "result", "day"),
    [
        ("20260713", "20260714100000", MEASURED_ON),  # OBX-14 first
        ("20260714100000", "", MEASURED_ON),  # else OBR-7
        ("", "202607141000", MEASURED_ON),
        ("", "20260714", MEASURED_ON),
        ("", "20260714100000.123+0100", MEASURED_ON),
        ("", "20260714233000+0000", date(2026, 7, 15)),  # half past midnight in London
        ("", "", date(2026, 7, 15)),  # else MSH-7
    ],
)
def test_hl7_the_day_of_a_measurement(order: str, result: str, day: date) -> None:
    line = f"OBX|1|NM|29463-7^^LN||118.4|kg|||||F|||{result}"
    (fact,) = clinical(message("ORU^R01", PV1, f"OBR|1|P|F|v|||{order}", line))
    assert fact.body.on == day


@settings(max_examples=40, deadline=None)
@given(st.decimals("35", "300", places=2), st.sampled_from(MEASURED_IN["weight"]))
def test_hl7_any_number_in_any_unit_is_the_same_weight(kilograms: Decimal, unit: str) -> None:
    amount = str((kilograms / Decimal(FACTORS[unit])).quantize(Decimal("0.01")))
    (body,) = results(obx("29463-7^^LN", amount, UCUM[unit]))
    assert (body.value, body.unit_given) == (in_ours(amount, unit), unit)  # type: ignore[union-attr]


def test_hl7_a_number_beyond_what_is_plausible_shows_every_digit_of_the_factor() -> None:
    for quantity, units in MEASURED_IN.items():
        for unit in units:
            largest = min(Decimal(999_999), Decimal(4_990) / Decimal(FACTORS[unit]))
            amounts = [str((largest * part / 100).quantize(Decimal("0.01"))) for part in range(91, 101)]
            word = QUANTITY_WORDS[quantity][0]
            found = results(*(obx(f"{word}^x", amount, UCUM[unit]) for amount in amounts))
            meant = [in_ours(amount, unit) for amount in amounts]
            assert [body.value for body in found if isinstance(body, Measurement)] == meant, unit


# ------------------------------------------------------------ HL7: appointments

# HL7 table 0278 and ATTENDED OR DID NOT ATTEND.
STATUS_OF_BOOKING = {
    "0": "Pending BOOKED Scheduled Confirmed Overbook Started Arrived Checked-in Rescheduled",
    "5": "Complete Completed ATTENDED",
    "3": "Noshow No-show DNA",
}
WHO_CANCELLED = {
    "2": "2 PAT PT pat-crs Patient APPT_CANCELLED_BY_PATIENT CANCELLED_BY_PATIENT",
    "4": "4 PROV prov-pers HOSP Hospital CLIN Clinic TRUST APPT_CANCELLED_BY_PROVIDER CANCELLED_BY_PROVIDER",
}
TOO_LATE = ("7", "LATE", "ARRIVED_TOO_LATE", "Arrived too late")
PATIENT_CLASSES = ("O", "o", "Outpatient", "OUTPATIENTS", "Out-patient", "out patient", "OP")


def attendance(*segments: str, kind: str) -> Attendance:
    """The only appointment of a message."""
    (body,) = (fact.body for fact in clinical(message(kind, *segments)) if isinstance(fact.body, Attendance))
    return body


def appointment(code: str, *, booked: bool = False) -> Attendance:
    """The appointment of SCH."""
    start = datetime(2026, 7, 14, 8, 30, tzinfo=UTC)
    return Attendance(on=MEASURED_ON, at=start, attendance=code, booked_on=date(2026, 7, 15) if booked else None)


def test_hl7_every_status_of_a_booking_and_a_move() -> None:
    ais = "AIS|1|A|WMS"
    for code, words in STATUS_OF_BOOKING.items():
        for word in (
            ("", *words.split()) if code == "0" else (*words.split(), "did not attend")[: 4 if code == "3" else 3]
        ):
            for text in (word, f"^{word}"):
                sch = with_field(SCH, 25, text)
                assert attendance(sch, ais, kind="SIU^S12") == appointment(code, booked=True), text
                assert attendance(sch, ais, kind="SIU^S13") == appointment(code), text


def test_hl7_every_word_for_who_cancelled_in_every_place() -> None:
    for code, words in WHO_CANCELLED.items():
        for word in (*words.split(), "Cancelled by patient" if code == "2" else "Cancelled by hospital"):
            for field, text in ((6, word), (6, f"^{word}"), (7, word), (25, word)):
                sch = with_field(SCH, field, text)
                assert attendance(sch, "AIS|1|A|WMS", kind="SIU^S15") == appointment(code), (field, text)
                assert attendance(sch, "AIS|1|A|WMS", kind="SIU^S16") == appointment(code), (field, text)


def test_hl7_missed_and_too_late_to_be_seen() -> None:
    assert attendance(SCH, "AIS|1|A|WMS", kind="SIU^S26") == appointment("3")
    for word in TOO_LATE:
        sch = with_field(SCH, 6, word)
        assert attendance(sch, "AIS|1|A|WMS", kind="SIU^S26") == appointment("7"), word


@pytest.mark.parametrize("patient_class", PATIENT_CLASSES)
def test_hl7_seen_and_discharged_by_every_word_for_an_outpatient(patient_class: str) -> None:
    pv1, day = with_field(PV1, 2, patient_class), {"on": MEASURED_ON, "at": MEASURED_AT}
    assert attendance("EVN|A04|20260714100000", pv1, kind="ADT^A04") == Attendance(**day, attendance="5")
    (fact,) = clinical(message("ADT^A03", "EVN|A03|20260714100000", pv1))
    assert fact.body == Discharge(**day)


def test_hl7_every_reason_for_discharge() -> None:
    for reason in codes.REASONS:
        for text in (reason, reason.upper()):
            (fact,) = clinical(message("ADT^A03", "EVN|A03|20260714100000", with_field(PV1, 36, text)))
            assert fact.body == Discharge(on=MEASURED_ON, at=MEASURED_AT, reason=reason)


# ------------------------------------------------------------ HL7: referrals

# HL7 table 0280, e-RS priorities, and how trusts number them.
PRIORITIES = {
    "routine": "R r ROUTINE Routine 1", "urgent": "U URGENT Urgent 2", "asap": "A", "stat": "S",
    "two-week-wait": "2WW TWO_WEEK_WAIT 3",
}  # fmt: skip
# SNOMED CT: obesity, BMI 40+, BMI 30+, BMI 25-29, overweight, morbid obesity.
REASONS = ("414916001", "408512008", "162864005", "162863004", "238131007", "238136002")
PRD = "PRD|RP|Surgery|||||Y00001"


def referral(*segments: str, kind: str = "REF^I12", **fields: object) -> tuple[bool, str | None]:
    """Whether the only fact is the referral of RF1 with these fields, and its booking reference."""
    (fact,) = clinical(message(kind, *segments))
    plain = {"priority": "routine", "referrer_ods": "Y00001"} | fields
    meant = Referral(
        on=date(2026, 6, 15), direction="received", to_tier="tier3", programme="tier3-specialist", provider_ods="RXX",
        consultant_led=TRUST.consultant_led, **plain,
    )  # fmt: skip
    return fact.body == meant, fact.ubrn


def test_hl7_every_priority_of_a_referral() -> None:
    for priority, words in PRIORITIES.items():
        for word in words.split():
            assert referral(with_field(RF1, 2, word), PRD, priority=priority) == (True, None), word
    assert referral(with_field(RF1, 2, ""), PRD, priority=None) == (True, None)


def test_hl7_every_reason_for_referral_alone_and_all_together() -> None:
    for reason in REASONS:
        assert referral(with_field(RF1, 10, f"{reason}^x^SCT"), PRD, reasons=(reason,)) == (True, None)
    everything = "~".join(f"{reason}^x^SCT" for reason in REASONS)
    assert referral(with_field(RF1, 10, everything), PRD, reasons=REASONS) == (True, None)


def test_hl7_every_spelling_and_place_of_the_booking_reference() -> None:
    for issuer in ("UBRN", "ERS", "E-RS", "EBS", "ers"):
        for text in UBRN_SPELLINGS:
            for component in (f"{text}^{issuer}", f"{text}^^{issuer}", f"{text}^^^{issuer}"):
                assert referral(with_field(RF1, 11, component), PRD) == (True, "000471005252"), component
    (fact,) = clinical(message("REF^I12", with_field(RF1, 6, "000471005252^UBRN"), PRD))
    assert (fact.ubrn, fact.business_id) == ("000471005252", "000471005252")


def test_hl7_every_status_of_a_referral_in_force_and_its_other_events() -> None:
    for status in ("A", "P", "Accepted", "PENDING", "Active", "New", ""):
        assert referral(with_field(RF1, 1, status), PRD) == (True, None), status
    assert referral(RF1, PRD, kind="REF^I13") == (True, None)
    (fact,) = clinical(message("REF^I14", RF1, PRD))
    assert fact.retracted


def test_hl7_the_days_and_the_referrer_of_a_referral() -> None:
    assert referral("RF1|P|R|WMS|||REF-9|||20260615", PRD) == (True, None)  # processed, where not effective
    assert referral(RF1, "PRD|RP|Surgery||||||||Y00001") == (True, None)
    assert referral(RF1, "PRD|RT|Trust|||||RXX", PRD) == (True, None)


# ------------------------------------------------------------ the tables are as long as the readers'


def test_the_tables_hold_every_code_and_word_that_the_readers_know() -> None:
    assert {code for _, code in CLINICAL_CODES} == {code for _, code in MEASUREMENTS}
    assert len(CLINICAL_CODES) == len(MEASUREMENTS)
    assert set(FACTORS) == set(UCUM) == set(UNIT_SPELLINGS) == {unit.name for unit in UNITS.values()}
    assert set(REASONS) == codes.REASONS_FOR_REFERRAL
    known = {word.upper() for words in PRIORITIES.values() for word in words.split()}
    assert known == set(local_codes.PRIORITY)


def test_a_spelling_of_another_unit_is_seen() -> None:
    assert results(obx("29463-7^^LN", "118.4", "lb")) != [measurement("weight", "kg", "118.4")]
    assert unit_of("firkin") is None
