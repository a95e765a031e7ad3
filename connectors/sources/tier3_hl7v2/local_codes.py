"""The words of trusts' HL7 dialects, as this engine reads them. What is in no table is never guessed.

HL7 tables are named where they are the source (hl7.org tables, read November 2026); the rest are spellings met in
public samples and PAS guides. A trust with other words changes its interface engine's table, or this one.
"""

from collections.abc import Mapping

from schemas import uris

# PID-3.5 and PID-3.4. Spellings met: ^^^NHS · ^^^NHS^NH · ^^^NHSNBR^NHSNMBR · ^^^NHSNMBR, and the number's OID.
# Compared by `authority_name`. NNGBR: HL7 table 0203, national number of Great Britain.
NHS_NUMBER_TYPES = frozenset({"NH", "NHS", "NHSNBR", "NHSNMBR", "NHSNO", "NHSN", "NHSNUMBER", "NNGBR"})
NHS_NUMBER_AUTHORITIES = frozenset(
    {
        "NHS", "NHSNBR", "NHSNMBR", "NHSNO", "NHSN", "NHSNUMBER", "NHSNUM",
        "21684011138832141",  # OID 2.16.840.1.113883.2.1.4.1
        "HTTPSFHIRNHSUKIDNHSNUMBER",  # https://fhir.nhs.uk/Id/nhs-number
    }
)  # fmt: skip


def authority_name(text: str) -> str:
    """`text` as names of issuers and types are compared here: its letters and digits in capitals."""
    return "".join(letter for letter in text.upper() if letter.isalnum())


LOCAL_ID_TYPES = frozenset({"MR", "MRN", "PI", "PT", "PAS", "HOSP"})  # HL7 table 0203 and two PAS spellings

# PID-5.7 -> FHIR name-use. HL7 table 0200; CURRENT is simhospital's.
NAME_USE: Mapping[str, str] = {
    "": "official", "L": "official", "C": "official",
    "D": "usual", "CURRENT": "usual",
    "M": "maiden", "B": "maiden",
    "N": "nickname", "A": "nickname",
    "P": "old", "BAD": "old", "PREVIOUS": "old",
    "U": "official", "I": "official", "R": "official", "F": "official", "T": "nickname",
}  # fmt: skip
# A coded pseudonym, a masked name, "no longer to be used": nobody is found by them. HL7 table 0200.
NAME_IS_NOT_THEIRS = frozenset({"S", "MSK", "NOUSE"})
# PID-30. HL7 table 0136, and how people write it.
DEATH_INDICATOR: Mapping[str, str] = {
    "Y": "Y", "YES": "Y", "TRUE": "Y", "1": "Y",
    "N": "N", "NO": "N", "FALSE": "N", "0": "N",
}  # fmt: skip
# XTN.2 and XTN.3 of PID-13 and -14 that are no telephone of the patient's: an answering service, who is rung in an
# emergency, a fax, a modem, a pager. HL7 tables 0201 and 0202.
NOT_THEIR_PHONE = frozenset({"ASN", "EMR", "BPN", "FX", "MD", "BP"})
# XTN.2 and XTN.3 that may be a telephone or mailbox of theirs, HL7 tables 0201 and 0202 and met spellings.
PHONE_USES = frozenset({"", "PRN", "ORN", "WPN", "VHN", "NET", "PRS", "MOB", "HOME", "WORK", *NOT_THEIR_PHONE})
PHONE_EQUIPMENT = frozenset(
    {"", "PH", "CP", "SAT", "INTERNET", "X.400", "TDD", "TTY", "MOBILE", "EMAIL", *NOT_THEIR_PHONE}
)
# PID-8 -> FHIR administrative-gender. HL7 table 0001 and NHS PERSON STATED GENDER CODE (1, 2, 9, X; formerly 0).
GENDER: Mapping[str, str] = {
    "M": "male", "1": "male",
    "F": "female", "2": "female",
    "O": "other", "A": "other", "9": "other",
    "U": "unknown", "X": "unknown", "0": "unknown",
}  # fmt: skip
SEX_WORDS: Mapping[str, str] = {
    "male": "male", "man": "male", "boy": "male",
    "female": "female", "woman": "female", "girl": "female",
    "other": "other", "ambiguous": "other", "indeterminate": "other", "not specified": "other",
    "unknown": "unknown", "not known": "unknown",
}  # fmt: skip
# PID-22 in words -> ETHNIC CATEGORY CODE 2001. NHS Data Dictionary, national descriptions (read November 2026), letters
# only; the group before the dash may be missing.
_ETHNIC_GROUPS: Mapping[str, Mapping[str, str]] = {
    "white": {"british": "A", "irish": "B", "any other white background": "C"},
    "mixed": {
        "white and black caribbean": "D", "white and black african": "E", "white and asian": "F",
        "any other mixed background": "G",
    },
    "asian or asian british": {
        "indian": "H", "pakistani": "J", "bangladeshi": "K", "any other asian background": "L",
    },
    "black or black british": {"caribbean": "M", "african": "N", "any other black background": "P"},
    "other ethnic groups": {"chinese": "R", "any other ethnic group": "S"},
}  # fmt: skip
ETHNIC_WORDS: Mapping[str, str] = {
    spelling: code
    for group, members in _ETHNIC_GROUPS.items()
    for member, code in members.items()
    for spelling in (member, f"{group} {member}")
} | {"not stated": "Z", "not known": "99"}
# PV1-2: HL7 table 0004, its words, and the NHS's. What is in neither is reported.
PATIENT_CLASS_CODES = frozenset("BCEINOPRU")
PATIENT_CLASS_WORDS: Mapping[str, str] = {
    "outpatient": "O", "outpatients": "O", "out patient": "O", "op": "O",
    "inpatient": "I", "in patient": "I", "ip": "I", "day case": "I", "daycase": "I", "day patient": "I",
    "emergency": "E", "ae": "E", "ed": "E", "accident and emergency": "E",
    "preadmit": "P", "pre admit": "P",
    "recurring": "R", "recurring patient": "R", "obstetrics": "B",
}  # fmt: skip
# RF1-2 -> FHIR request-priority. HL7 table 0280 and the e-RS words.
PRIORITY: Mapping[str, str] = {
    "R": "routine", "ROUTINE": "routine", "1": "routine",
    "U": "urgent", "URGENT": "urgent", "2": "urgent",
    "A": "asap",
    "S": "stat",
    "2WW": "two-week-wait", "TWO_WEEK_WAIT": "two-week-wait", "3": "two-week-wait",
}  # fmt: skip
# RF1-1, HL7 table 0283, by code and in words.
REFERRAL_IN_FORCE = frozenset({"A", "P", "ACCEPTED", "PENDING", "ACTIVE", "NEW"})
REFERRAL_ENDED = frozenset(
    {"R", "E", "REJECTED", "EXPIRED", "CANCELLED", "CANCELED", "WITHDRAWN", "DECLINED", "REVOKED", "CLOSED"}
)
# PRD-1, HL7 table 0286: referring, referred to, consulting, primary care, other providers.
PROVIDER_ROLES = frozenset({"RP", "RT", "CP", "PP", "RU"})
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
# SCH-25 -> ATTENDED OR DID NOT ATTEND, or `cancelled` (SCH-6 says by whom). HL7 table 0278 and PAS words (read November
# 2026), folded.
APPOINTMENT_STATUS: Mapping[str, str] = {
    "pending": "0", "booked": "0", "scheduled": "0", "confirmed": "0", "overbook": "0", "started": "0", "arrived": "0",
    "checked in": "0", "rescheduled": "0",
    "complete": "5", "completed": "5", "attended": "5",
    "noshow": "3", "no show": "3", "dna": "3", "did not attend": "3",
    "cancelled": "cancelled", "canceled": "cancelled", "dc": "cancelled", "discontinued": "cancelled",
    "deleted": "cancelled",
}  # fmt: skip
# Of table 0278: somebody waits for a slot, or the slot is blocked. No appointment was made.
NOT_BOOKED = frozenset({"waitlist", "wait list", "waitlisted", "waiting list", "blocked"})
ARRIVED_TOO_LATE = frozenset({"7", "LATE", "ARRIVED_TOO_LATE", "ARRIVED TOO LATE"})  # late, could not be seen

SELF_REPORTED = frozenset({"SR", "SELF", "SELF-REPORTED", "SELF REPORTED", "PATIENT REPORTED"})  # OBX-17
ESTIMATED = frozenset({"E", "EST", "ESTIMATE", "ESTIMATED", "CALCULATED GUESS", "APPROX", "APPROXIMATE"})  # OBX-17
MEASURED_BY = frozenset({"M", "MEAS", "MEASURED", "SCALES", "SCALE", "OBSERVED", "CALC", "CALCULATED"})  # OBX-17

# OBX-5 that says that there is no value: HL7 v3 NullFlavor and HL7 table 0353 (HL7 2.5.1), then how words of clinicians
# begin (golden cases, November 2026).
NULL_FLAVOURS = frozenset(
    {
        "NI",
        "NA",
        "UNK",
        "ASKU",
        "NASK",
        "NAV",
        "NAVU",
        "MSK",
        "OTH",
        "NP",
        "INV",
        "QS",
        "TRC",
        "NOTASKED",
        "ND",
    }
)
ABSENT_BEGINNINGS = (
    "declin", "refus", "patient declin", "patient refus", "pt declin", "pt refus", "unable", "could not", "cannot",
    "not ", "unk", "none", "null", "nil", "no value", "missing", "absent", "withheld", "see ", "pending", "dna",
)  # fmt: skip
# Names of coding systems in CE.3 and CE.6 (HL7 table 0396, and as trusts write them); a name of no row says nothing.
CODE_SYSTEMS: Mapping[str, str] = {
    **dict.fromkeys(("LN", "LOINC"), uris.LOINC),
    **dict.fromkeys(("RC", "READ", "READV2", "READ2"), uris.READ_V2),
    **dict.fromkeys(("CTV3", "READ3"), uris.CTV3),
    **dict.fromkeys(("SCT", "SCT2", "SNM", "SNM3", "SNOMED", "SNOMEDCT", "SNOMED-CT", "SNOMED CT"), uris.SNOMED),
}
# ORC-1 (table 0119) and ORC-5 (table 0038) of an order that is cancelled or discontinued: it has no results.
ORDER_CANCELLED = frozenset({"CA", "CR", "OC", "DC", "DR", "OD"})
# Beside a local word for a measurement (OBX-3.2) these say that something else is meant: a goal, not a finding.
NOT_A_FINDING = frozenset({"target", "ideal", "goal", "predicted", "expected", "birth", "previous", "loss", "change"})
# OBX-2, HL7 table 0125 (2.5.1, 2.8.2): the types that hold one measured number. NR is a range, NA and MA are many
# numbers, CE and its kin a code, DT, TM, TS, ED and RP something else: no number is taken from them.
NUMBER_TYPES = frozenset({"", "NM", "SN", "ST", "TX", "FT", "CQ"})
# What the status of a result (OBX-11, HL7 table 0085) makes of it, and of an order (OBR-25, table 0123) of the results
# beneath that have no status; 2.5.1 and 2.8.2, read November 2026. Words are folded.
RESULT_STANDS, RESULT_WITHDRAWN, NOT_FINAL, NO_RESULT = "stands", "withdrawn", "not final", "no result"
_STATUS_WORDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("final", "final result", "final results", "complete", "completed", "corrected", "correction", "amended",
         "appended", "addendum", "verified"),
        RESULT_STANDS,
    ),
    **dict.fromkeys(("deleted", "delete", "wrong", "entered in error", "posted in error"), RESULT_WITHDRAWN),
    **dict.fromkeys(
        ("preliminary", "prelim", "provisional", "partial", "pending", "results pending", "unverified",
         "not verified", "in progress", "registered"),
        NOT_FINAL,
    ),
    **dict.fromkeys(
        ("cancelled", "canceled", "not asked", "not done", "not available", "cannot be obtained", "no result",
         "no results available", "unavailable"),
        NO_RESULT,
    ),
}  # fmt: skip
RESULT_STATUS: Mapping[str, str] = {
    **_STATUS_WORDS,
    **dict.fromkeys("fcuabv", RESULT_STANDS),  # final, corrected, now final, amended, appended, verified
    **dict.fromkeys("dw", RESULT_WITHDRAWN),  # deleted; posted in error (wrong patient)
    **dict.fromkeys("iprso", NOT_FINAL),  # in the laboratory, preliminary, not verified, partial; the order alone
    **dict.fromkeys("xn", NO_RESULT),  # cannot be obtained; not asked for
}
ORDER_STATUS: Mapping[str, str] = {
    **{word: NO_RESULT if meaning == RESULT_WITHDRAWN else meaning for word, meaning in _STATUS_WORDS.items()},
    **dict.fromkeys("fca", RESULT_STANDS),  # final, corrected; some of the results, each final
    **dict.fromkeys("prm", NOT_FINAL),  # preliminary, not verified, corrected and not final
    **dict.fromkeys("oisnxyz", NO_RESULT),  # none yet; cancelled; no such order; no such patient
    **dict.fromkeys("dw", NO_RESULT),  # of results, in the place of an order's
}
