"""Words that people and systems write for codes, by what they mean.

Sources (read November 2026): HL7 tables 0001, 0004 and 0278 with the words beside their codes; NHS Data Dictionary,
PERSON STATED GENDER CODE, ATTENDED OR DID NOT ATTEND and ETHNIC CATEGORY CODE 2001.
"""

from collections.abc import Mapping, Sequence

Words = Mapping[str, Sequence[str]]

OUTPATIENT = ("Outpatient", "OUTPATIENT", "Out-Patient", "op")
SEX: Words = {"female": ("Female", "FEMALE", "female", "2"), "male": ("Male", "MALE", "male", "1")}
COUNCIL_SEX: Words = {"female": ("F", "f", "FEMALE", "2"), "male": ("M", "m", "MALE", "1")}
_BOOKED = ("Scheduled", "Confirmed", "Pending", "BOOKED")
APPOINTMENT_STATUS: Words = {  # by event
    "S12": _BOOKED,
    "S13": (*_BOOKED, "Rescheduled"),
    "S15": ("CANCELLED", "Canceled", "Discontinued", "Dc"),
    "S26": ("No Show", "NOSHOW", "DNA", "Did not attend"),
}
CANCELLED_BY: Words = {"2": ("PAT", "Patient cancelled", "PT", "2"), "4": ("HOSPITAL", "Clinic cancelled", "PROV", "4")}
COUNCIL_ATTENDANCE: Words = {
    "5": ("attended", "ATTENDED", "5", "Y"),
    "6": ("ATTENDED LATE", "6"),
    "7": ("7",),
    "3": ("Did not attend", "dna", "N", "3"),
    "2": ("CANCELLED BY CLIENT", "2"),
    "4": ("cancelled by us", "4"),
}
YES, NO = ("Y", "yes", "YES"), ("N", "no", "NO")
ETHNIC: Words = {  # the letter, its words, and a trust's second character after the letter
    "A": ("White - British", "British", "A1"),
    "B": ("White - Irish", "B1"),
    "C": ("Any other White background", "C2"),
    "D": ("White and Black Caribbean", "D1"),
    "F": ("White and Asian", "F1"),
    "G": ("Any other mixed background", "G1"),
    "H": ("Indian", "Asian or Asian British - Indian", "H1"),
    "J": ("Pakistani", "J1"),
    "K": ("Bangladeshi", "K1"),
    "L": ("Any other Asian background", "L1"),
    "M": ("Caribbean", "Black or Black British - Caribbean", "M1"),
    "N": ("African", "N1"),
    "P": ("Any other Black background", "P1"),
    "R": ("Chinese", "R1"),
    "S": ("Any other ethnic group", "S1"),
}
COUNCIL_ETHNIC: Words = {  # this council's own words, as it declares them
    "A": ("White British", "WHITE BRITISH"),
    "B": ("White Irish",),
    "C": ("Any other white",),
    "H": ("Indian", "INDIAN"),
    "J": ("Pakistani",),
    "K": ("Bangladeshi",),
    "M": ("Caribbean",),
    "N": ("African",),
    "R": ("Chinese",),
}
