"""The words of trusts' HL7 dialects, as this engine reads them. What is in no table is never guessed.

HL7 tables are named where they are the source (hl7.org tables, read November 2026); the rest are spellings met in
public samples and PAS guides. A trust with other words changes its interface engine's table, or this one.
"""

from collections.abc import Mapping

# PID-3.5 and PID-3.4. Spellings met: ^^^NHS · ^^^NHS^NH · ^^^NHSNBR^NHSNMBR · ^^^NHSNMBR, and the number's OID.
NHS_NUMBER_TYPES = frozenset({"NH", "NHS", "NHSNBR", "NHSNMBR", "NHSNO", "NHSN"})
NHS_NUMBER_AUTHORITIES = frozenset(
    {"NHS", "NHSNBR", "NHSNMBR", "NHSNO", "NHS NUMBER", "NHSNUMBER", "2.16.840.1.113883.2.1.4.1"}
)
LOCAL_ID_TYPES = frozenset({"MR", "MRN", "PI", "PT", "PAS", "HOSP"})  # HL7 table 0203 and two PAS spellings

# PID-5.7 -> FHIR name-use. HL7 table 0200; CURRENT is simhospital's.
NAME_USE: Mapping[str, str] = {
    "": "official", "L": "official", "C": "official",
    "D": "usual", "CURRENT": "usual",
    "M": "maiden", "B": "maiden",
    "N": "nickname", "A": "nickname",
    "P": "old", "BAD": "old", "PREVIOUS": "old",
}  # fmt: skip
# XTN.2 and XTN.3 of PID-13 and -14 that are no telephone of the patient's: an answering service, who is rung in an
# emergency, a fax, a modem, a pager. HL7 tables 0201 and 0202.
NOT_THEIR_PHONE = frozenset({"ASN", "EMR", "BPN", "FX", "MD", "BP"})
# PID-8 -> FHIR administrative-gender. HL7 table 0001 and NHS PERSON STATED GENDER CODE (1, 2, 9, X; formerly 0).
GENDER: Mapping[str, str] = {
    "M": "male", "1": "male",
    "F": "female", "2": "female",
    "O": "other", "A": "other", "9": "other",
    "U": "unknown", "X": "unknown", "0": "unknown",
}  # fmt: skip
# RF1-2 -> FHIR request-priority. HL7 table 0280 and the e-RS words.
PRIORITY: Mapping[str, str] = {
    "R": "routine", "ROUTINE": "routine", "1": "routine",
    "U": "urgent", "URGENT": "urgent", "2": "urgent",
    "A": "asap",
    "S": "stat",
    "2WW": "two-week-wait", "TWO_WEEK_WAIT": "two-week-wait", "3": "two-week-wait",
}  # fmt: skip
# The assigning authority of an e-RS booking reference in RF1-6 or RF1-11.
UBRN_AUTHORITIES = frozenset({"UBRN", "ERS", "E-RS", "EBS"})

# Who cancelled (SIU^S15) and how it was not attended (S26): SCH-6 event reason, SCH-7 appointment reason, SCH-25 filler
# status. Numbers are ATTENDED OR DID NOT ATTEND itself; words by how they begin (FHIR: pat, pat-crs, prov, prov-pers;
# APPT_CANCELLED_...: e-RS referral states).
CANCELLED_BY_NUMBER: Mapping[str, str] = {"2": "2", "4": "4"}
CANCELLED_BY_WORD: tuple[tuple[str, str], ...] = (
    ("PAT", "2"), ("PT", "2"), ("CANCELLED BY PAT", "2"), ("CANCELLED_BY_PAT", "2"),
    ("APPT_CANCELLED_BY_PAT", "2"),
    ("PROV", "4"), ("HOSP", "4"), ("CLIN", "4"), ("TRUST", "4"), ("CANCELLED BY PROV", "4"),
    ("CANCELLED BY HOSP", "4"), ("CANCELLED_BY_PROV", "4"), ("APPT_CANCELLED_BY_PROV", "4"),
)  # fmt: skip
ARRIVED_TOO_LATE = frozenset({"7", "LATE", "ARRIVED_TOO_LATE", "ARRIVED TOO LATE"})  # late, could not be seen

# OBX-3 where a trust uses neither SNOMED CT nor LOINC.
LOCAL_MEASUREMENT: Mapping[str, str] = {
    "WEIGHT": "weight", "BODY WEIGHT": "weight", "WT": "weight",
    "HEIGHT": "height", "BODY HEIGHT": "height", "HT": "height",
    "BMI": "bmi", "BODY MASS INDEX": "bmi",
    "WAIST": "waist", "WAIST CIRCUMFERENCE": "waist",
}  # fmt: skip
LOINC_WAIST = "8280-0"  # waist circumference at umbilicus by tape measure
SELF_REPORTED = frozenset({"SR", "SELF", "SELF-REPORTED", "SELF REPORTED", "PATIENT REPORTED"})  # OBX-17

# OBX-6 -> UCUM. No unit is ever assumed: UK Core's own height example is in metres.
UNIT: Mapping[str, str] = {
    "kg": "kg", "kgs": "kg", "kilogram": "kg", "kilograms": "kg",
    "g": "g", "gm": "g", "grams": "g",
    "lb": "[lb_av]", "lbs": "[lb_av]", "[lb_av]": "[lb_av]", "pounds": "[lb_av]",
    "st": "[stone_av]", "stone": "[stone_av]", "stones": "[stone_av]", "[stone_av]": "[stone_av]",
    "cm": "cm", "cms": "cm", "centimetres": "cm",
    "m": "m", "metre": "m", "metres": "m", "meters": "m",
    "mm": "mm",
    "in": "[in_i]", "ins": "[in_i]", "inches": "[in_i]", "[in_i]": "[in_i]",
    "ft": "[ft_i]", "feet": "[ft_i]", "[ft_i]": "[ft_i]",
    "kg/m2": "kg/m2", "kg/m^2": "kg/m2", "kg/m²": "kg/m2", "kg/sqm": "kg/m2",
    "kg.m-2": "kg.m-2",
}  # fmt: skip
# OBX-11, HL7 table 0085: what a result's status makes of it.
RESULT_STANDS = frozenset(
    {"", "F", "C", "U", "A", "B", "V"}
)  # final, corrected, now final, amended, appended, verified
RESULT_WITHDRAWN = frozenset({"D", "W"})  # deleted; posted in error (wrong patient)
