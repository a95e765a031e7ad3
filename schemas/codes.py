"""Closed code lists: what a code from outside may be before it can become part of a fact.

A coded field is not safe because it is called a code: senders put names and numbers into it. So every code of
a fact is either in a list below or has a shape no person's name, number, date or postcode has. Anything else
is dropped with a warning. Each table names its source and the day it was read.
"""

import re
from collections.abc import Mapping
from typing import Literal

# --- referral
# SNOMED CT UK. Source: Ardens QOF/ES guidance, UoM gm-sde and several public code lists, read November 2026.
# There is no public concept for Tier 3, for DWMP or for "programme completed": those need the extension
# `to-tier`.
REFERRAL_TIER: Mapping[str, str] = {
    "771491000000104": "tier2",  # referral to local authority weight management programme
    "1326201000000101": "tier2",  # referral to weight management service (payment code 2021-25)
    "408289007": "tier2",  # refer to weight management programme
}
# Why a person is referred. SNOMED CT; source: public NHS and UK Core code lists, read November 2026.
REASONS_FOR_REFERRAL = frozenset(
    {
        "414916001",  # obesity (disorder)
        "408512008",  # body mass index 40+ severely obese
        "162864005",  # body mass index 30+ obesity
        "162863004",  # body mass index 25-29 overweight
        "238131007",  # overweight
        "238136002",  # morbid obesity
    }
)

# --- comorbidities: SNOMED CT, source: public condition code lists, read November 2026
COMORBIDITY: Mapping[str, str] = {
    "46635009": "diabetes_type1",
    "44054006": "diabetes_type2",
    "73211009": "diabetes",
    "38341003": "hypertension",
    "49601007": "cardiovascular",
    "370992007": "dyslipidaemia",
    "73430006": "sleep_apnoea",
    "78275009": "sleep_apnoea",  # obstructive
    "391193001": "severe_mental_illness",  # on severe mental illness register (finding)
    "58214004": "severe_mental_illness",  # schizophrenia; with the next two the diagnoses of that register
    "13746004": "severe_mental_illness",  # bipolar disorder
    "69322001": "severe_mental_illness",  # psychotic disorder
    "13645005": "copd",
    "363346000": "cancer",  # malignant neoplastic disease
}
# One of the diagnoses of a condition: present it is the condition, absent it rules the condition out as little as the
# absence of any other.
ONE_DIAGNOSIS = frozenset({"58214004", "13746004", "69322001"})
COMORBIDITY_CODE: Mapping[str, str] = {
    condition: code for code, condition in reversed(list(COMORBIDITY.items()))
}  # the first code of each

# --- attendance
# NHS Data Dictionary, ATTENDED OR DID NOT ATTEND, June 2026 -> FHIR Appointment.status and top-level
# cancellation reason.
APPOINTMENT_OF: Mapping[str, tuple[str, str | None]] = {
    "0": ("booked", None),
    "2": ("cancelled", "pat"),
    "3": ("noshow", None),
    "4": ("cancelled", "prov"),
    "5": ("fulfilled", None),
    "6": ("fulfilled", None),
    "7": ("noshow", None),
}
ATTENDANCE_OF_STATUS: Mapping[str, str] = {
    "booked": "0",
    "pending": "0",
    "arrived": "0",  # on the premises is not yet seen
    "checked-in": "0",
    "fulfilled": "5",
    "noshow": "3",
}
MEDIUMS = frozenset({"in_person", "telephone", "video", "online", "other"})
PURPOSES = frozenset({"assessment", "session", "follow_up"})
# NHS Data Dictionary, REFERRAL TO TREATMENT PERIOD STATUS, read November 2026.
RTT_STATUSES = frozenset(
    {"10", "11", "12", "20", "21", "30", "31", "32", "33", "34", "35", "36", "90", "91", "92", "98", "99"}
)
# UK Core Extension-UKCore-DeliveryChannel 2.1.0, read November 2026.
MEDIUM_OF_CHANNEL: Mapping[str, str] = {"in-person": "in_person", "telephone": "telephone", "video": "video"}

# --- people
GENDERS = frozenset({"male", "female", "other", "unknown"})  # FHIR administrative-gender
NAME_USES = frozenset({"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"})  # FHIR name-use
# UKCore-EthnicCategoryEngland (the 2001 categories), read November 2026; Z not stated, 99 not known.
ETHNIC_2001 = frozenset("ABCDEFGHJKLMNPRSZ") | {"99"}
ETHNIC_DWMP = frozenset({"White", "Black", "Asian", "Mixed", "Other"})  # DWMP provider API, read November 2026
_ETHNIC_2021 = re.compile(r"[A-Z][A-Z0-9]?|[0-9]{1,2}")  # two characters at most name nobody; list not public
# The five groups of the 2021 census (ONS, Ethnic group classification 6a, 2022). 2001: NHS Data Dictionary, ETHNIC
# CATEGORY, which has Chinese (R) among "other"; the census of 2021 counts it as Asian. 2021: ONS, ethnic_group_tb_20b,
# 1 to 19 in its order; letters of the NHS are not public. Read November 2026.
_ETHNIC_GROUP: Mapping[str, Mapping[str, str]] = {
    "2001": {
        **dict.fromkeys("ABC", "white"), **dict.fromkeys("DEFG", "mixed"), **dict.fromkeys("HJKLR", "asian"),
        **dict.fromkeys("MNP", "black"), "S": "other",
    },
    "2021": {
        **dict.fromkeys(map(str, range(1, 6)), "asian"), **dict.fromkeys(map(str, range(6, 9)), "black"),
        **dict.fromkeys(map(str, range(9, 13)), "mixed"), **dict.fromkeys(map(str, range(13, 18)), "white"),
        **dict.fromkeys(("18", "19"), "other"),
    },
    "dwmp": {word: word.lower() for word in ETHNIC_DWMP},
}  # fmt: skip
# Three live spellings of NHS number status: UK Core and PDS send 01, BaRS a word. Read November 2026.
NUMBER_STATUS: Mapping[str, str] = {
    "01": "verified",
    "02": "present",
    "03": "unproven", "04": "unproven", "05": "unproven", "06": "unproven",
    "07": "absent", "08": "absent",
    "number-present-and-verified": "verified",
    "number-present-but-not-traced": "present",
    "trace-required": "unproven", "trace-attempted-no-match-or-multiple-match-found": "unproven",
    "trace-needs-to-be-resolved": "unproven", "trace-in-progress": "unproven",
    "number-not-present-and-trace-not-required": "absent", "trace-postponed": "absent",
}  # fmt: skip

# --- our own words: the columns and segments of other formats are mapped to these, FHIR sends them in
# extensions
PROGRAMMES = frozenset(
    {
        "dwmp", "dwmp-level1", "dwmp-level2", "dwmp-level3", "tier2-group-12w", "tier2-individual-12w",
        "tier2-digital-12w", "tier2-mixed-12w", "tier2-family", "tier3-specialist", "tier3-digital",
        "tier3-intensive", "tier4-bariatric", "weight-maintenance", "residential",
    }
)  # fmt: skip
REFERRAL_SOURCES = frozenset(
    {
        "gp", "self", "pharmacy", "nhs-staff", "msk", "elective-care", "general", "health-check",
        "community", "secondary-care", "maternity", "mental-health", "social-care", "social-prescriber",
        "council", "dwmp", "tier2", "tier3", "primary-care", "other", "unknown",
    }
)  # fmt: skip
# Why a referral came to nothing, or care ended. `returned-with-advice`: e-RS A028, RETURN_TO_REFERRER_WITH_ADVICE.
REASONS = frozenset(
    {
        "bmi-too-low", "bmi-too-high", "not-eligible", "clinical-exclusion", "pregnancy", "duplicate",
        "incomplete-referral", "inappropriate", "returned-with-advice", "no-capacity", "out-of-area", "moved-away",
        "unable-to-contact", "no-response", "did-not-attend", "declined-by-person", "not-ready", "personal", "work",
        "health", "mental-health", "bereavement", "dissatisfied", "no-longer-needed", "completed",
        "treatment-complete", "goal-reached", "did-not-complete", "did-not-commence", "did-not-engage", "referred-on",
        "stepped-down", "discharged-to-gp", "transferred", "withdrew", "died", "other", "unknown", "not-stated",
    }
)  # fmt: skip
# By whom a referral is declined for one of them, where the source does not say: what only a service, or only the
# person, can give as a reason.
DECLINED_BY: Mapping[str, Literal["service", "person"]] = {
    **dict.fromkeys(
        ("bmi-too-low", "bmi-too-high", "not-eligible", "clinical-exclusion", "incomplete-referral", "inappropriate",
         "returned-with-advice", "no-capacity", "out-of-area", "unable-to-contact", "no-response"),
        "service",
    ),
    **dict.fromkeys(("declined-by-person", "not-ready", "personal", "work", "dissatisfied"), "person"),
}  # fmt: skip
# DWMP levels 1 to 3, and the two words that other services triage by
TRIAGE_LEVELS = frozenset({"1", "2", "3", "urgent", "routine"})
# Two codes for one thing are one code: field -> another spelling -> the one that facts hold.
_SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "reason": {
        "declined": "declined-by-person", "not-completed": "did-not-complete", "onward-referral": "referred-on",
        "return-to-referrer-with-advice": "returned-with-advice",
    },
    "level": {f"level-{level}": level for level in "123"},
}  # fmt: skip
# Why a rule of admission is met or not, or not known: what it was decided by.
ELIGIBILITY_REASONS = frozenset(
    {
        "age", "bmi", "ethnic-group", "condition", "not-begun", "cohort", "postcode", "practice", "pregnancy",
        "clinical-exclusion", "not-asked", "other",
    }
)  # fmt: skip
QUESTIONNAIRES = frozenset(
    {
        "phq-2", "phq-4", "phq-9", "gad-2", "gad-7", "eq-5d-3l", "eq-5d-5l", "eq-vas", "wemwbs",
        "swemwbs", "iwqol-lite", "obesity-problem-scale", "gppaq", "ipaq-short", "audit-c", "epworth",
        "stop-bang", "edeq", "ede-qs", "bes", "paid", "tfeq-r18",
    }
)  # fmt: skip
# Medicines: dm+d VTM short codes read in public code lists, November 2026; longer dm+d codes are judged by their shape.
MEDICINES = frozenset({"777514008"})  # semaglutide; a VMP alone does not show whether it is for obesity or diabetes
# Tier 4 procedures in SNOMED CT: no public list was found; OPCS-4 codes are judged by their shape.
PROCEDURES: frozenset[str] = frozenset()

_OPCS4 = re.compile(r"[A-HJ-Z][0-9]{2}(?:\.?[0-9])?")
# Of what words the name of a definition may be made: none is a name somebody has.
_DEFINITION_WORDS = (
    "acceptance accepted and appointments as assessed at attendance attended baseline before bmi booked booking by "
    "classes cohort completed completers completion contacts council course days dwmp eligibility eligible ending "
    "engaged enrolled enrolment facts final findings first follow from goal handover hub in intervention last local "
    "loss measured met minimum months nearest no not of offered on onward opt or over own pct planned plausibility "
    "programme provider range reached recorded referral referred reported rtt rule seen self service session sessions "
    "since stage start started threshold tier2 tier3 tier4 tirzepatide to treatment triage triaged up wait waits week "
    "weeks weighed weight whose with within without"
)
_WORD = rf"(?:{'|'.join(_DEFINITION_WORDS.split())})"
_COUNT = r"[0-9]{1,3}(?:pct|w|wk|m)?"
# numbers stand between words, so that no date and no number of a person can be spelt
_DEFINITION = re.compile(
    rf"(?:{_WORD}(?:-{_COUNT})?(?:-{_WORD}(?:-{_COUNT})?){{0,5}}|nice-bmi-threshold)/[0-9]{{1,3}}"  # Nice is a surname
)


def definition(text: str) -> str | None:
    """The id and version of a definition (`loss-5pct-last/1`), or None when its words could be somebody's name.

    Definitions are named by whoever runs a service, so the list of them cannot be closed here; the list of
    their words is, with at most one number of three digits after each, and a version.

    >>> definition("attended-8-of-12/1"), definition("john-smith/1"), definition("943-476-591/9")
    ('attended-8-of-12/1', None, None)
    """
    return text if _DEFINITION.fullmatch(text) else None


def canonical(field: str, text: str) -> str:
    """The one code for `text` in `field` of a fact; `text` itself where it has no synonym.

    >>> canonical("level", "level-2"), canonical("reason", "declined"), canonical("reason", "work")
    ('2', 'declined-by-person', 'work')
    """
    return _SYNONYMS.get(field, {}).get(text, text)


def ethnic_group_of(category: str, system: str | None) -> str | None:
    """The group of the 2021 census (asian, black, mixed, white, other) of a category of `system` (None: 2001).

    None where it says no group: not stated (Z), not known (99), a code that is in no public list.

    >>> ethnic_group_of("R", "2001"), ethnic_group_of("Z", "2001"), ethnic_group_of("16", "2021")
    ('asian', None, 'white')
    """
    return _ETHNIC_GROUP.get(system or "2001", {}).get(category)


def ethnic(text: str, system: str | None) -> bool:
    """True when `text` is a category of `system` ("2001", "2021", "dwmp"; None counts as 2001)."""
    if system == "2021":
        return _ETHNIC_2021.fullmatch(text) is not None
    return text in (ETHNIC_DWMP if system == "dwmp" else ETHNIC_2001)


def medicine(text: str) -> bool:
    """True for a dm+d code: a listed VTM, or a long-format SCTID of the UK drug extension (1000001, partition 10)."""
    return text in MEDICINES or (len(text) >= 15 and text[-10:-1] == "100000110" and is_sctid(text))


def procedure(text: str, system: str) -> bool:
    """True for an OPCS-4 code or a listed SNOMED CT procedure."""
    return _OPCS4.fullmatch(text) is not None if system == "opcs4" else text in PROCEDURES


def is_sctid(text: str) -> bool:
    """True when `text` is 6 to 18 digits whose last is the Verhoeff check digit. Source: SNOMED CT TIG 5.3.

    >>> is_sctid("27113001"), is_sctid("27113002")
    (True, False)
    """
    if re.fullmatch(r"[1-9][0-9]{5,17}", text) is None:
        return False
    check = 0
    for place, digit in enumerate(reversed(text)):
        check = _dihedral(check, _permuted(place % 8, int(digit)))
    return check == 0


def _dihedral(a: int, b: int) -> int:
    # multiplication in the dihedral group of order ten, as rotations 0-4 and reflections 5-9
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
    return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5


def _permuted(times: int, digit: int) -> int:
    for _ in range(times):
        digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
    return digit
