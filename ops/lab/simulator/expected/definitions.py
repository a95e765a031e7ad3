"""The numbers and names of the definitions that the expectations follow, read from their texts and copied by hand.

Where a text in `schemas/definitions` changes, its number here has to be changed by somebody who has read it.
"""

from datetime import date, timedelta

ADULT_YEARS = 18
TIERS = ("primary_care", "tier2", "tier3", "tier4")
# stage-and-ending/1: on one day the later of these
STAGES = (
    "referred", "triaged", "declined", "accepted", "started", "withdrawn", "transferred", "completed", "discharged",
    "died",
)  # fmt: skip
ENDED_AS_COMPLETED = ("completed", "treatment-complete")
TRANSFERRED = "transferred"
MOVED_AWAY = "moved-away"
# ATTENDED OR DID NOT ATTEND
SEEN = ("5", "6")
MISSED = ("3", "7")

AS_REPORTED = "as-reported/1"
ACCEPTED_BY_BOOKING = "tier3-accepted-by-booking/1"
START_BY_FIRST_SESSION = "start-by-first-session/1"
WAITS = "waits/2"
HANDOVER = "handover/2"
COURSE = "course/1"
RTT = "rtt/2"
WAIT_TO_FIRST_ATTENDANCE = "wait-to-first-attendance/1"

NEAREST, LAST = "loss-5pct-nearest/1", "loss-5pct-last/1"
BASELINE = timedelta(days=14)
WINDOW = timedelta(weeks=4)
PREGNANCY = timedelta(days=280)
HORIZON_WEEKS = (12, 26, 52)
LOSS_PCT = 5

EARLY, LATE, ALLOWED = timedelta(days=3), timedelta(days=252), timedelta(days=42)

COMMON_COMPLETION = "attended-60pct-of-sessions/1"
COMMON_WITHIN, COMMON_SILENT_BEFORE = timedelta(weeks=16), timedelta(days=84)
COMMON_SESSIONS_LEAST, COMMON_PCT = 4, 60
DWMP_COMPLETION = "dwmp-attended-60pct/1"
DWMP_WEEKS, DWMP_SEEN_WEEKS = 12, 7

TRANSFER, RE_ENTRY, PROGRAMME = timedelta(days=56), timedelta(days=365), timedelta(days=84)
MEDICINE_BEFORE, MEDICINE_AFTER = timedelta(days=28), timedelta(days=14)

KG_LEAST, KG_MOST = 35, 500
POUNDS_DAYS, JUMP_DAYS, JUMP_NEIGHBOURS = timedelta(days=180), timedelta(days=60), 3
CM_LEAST, CM_MOST, SHRINK_CM = 120, 230, 5
BMI_LEAST, BMI_MOST, BMI_OFF_PCT = 10, 150, 10

BMI_BEFORE, BMI_AFTER = timedelta(days=730), timedelta(days=14)

RTT_LIMIT, RTT_ORIGINAL = timedelta(weeks=18), timedelta(days=42)

DWMP_ELIGIBLE, NICE_BMI, TIRZEPATIDE = "dwmp-hub-eligibility/1", "nice-bmi-threshold/1", "tirzepatide-cohort/1"
# tirzepatide-cohort/1: from when, least BMI, least number of the five conditions
COHORTS = ((date(2025, 6, 23), 40, 4), (date(2026, 6, 23), 35, 4), (date(2027, 4, 1), 40, 3))
COHORT_CONDITIONS = ("diabetes_type2", "hypertension", "cardiovascular", "sleep_apnoea", "dyslipidaemia")

# ETHNIC CATEGORY CODE 2001 (NHS Data Dictionary) in the groups of the 2021 census (ONS): Chinese is Asian since 2011.
ETHNIC_GROUP = {
    **dict.fromkeys("ABC", "white"),
    **dict.fromkeys("DEFG", "mixed"),
    **dict.fromkeys("HJKLR", "asian"),
    **dict.fromkeys("MNP", "black"),
    "S": "other",
}
