"""The words by which Council East writes each code, as its mapping lists them: code -> words."""

from spellings import ETHNIC_CATEGORIES

YES_NO = {True: "y Y yes YES", False: "n N no No"}
REASONS = {
    "bmi-too-low": ["BMI too low"], "not-eligible": ["not eligible"], "unable-to-contact": ["Unable to contact"],
    "no-response": ["no response"], "declined-by-person": ["Declined by client"], "moved-away": ["moved away"],
    "pregnancy": ["Pregnancy"], "work": ["work"], "health": ["Health"], "completed": ["completed"],
    "did-not-complete": ["did not complete"], "did-not-attend": ["Did not attend"], "referred-on": ["referred on"],
    "other": ["OTHER"],
}  # fmt: skip
SEX = {"male": ["m", "M", "Male", "1"], "female": ["F", "f", "FEMALE", "2"], "other": ["9"],
       "unknown": ["x", "Not known"]}  # fmt: skip
ETHNICITY = {
    **{code: [code, code.lower()] for code in ETHNIC_CATEGORIES},
    "A": ["A", "White British"], "B": ["b", "white irish"], "C": ["C", "Any other white"], "H": ["H", "Indian"],
    "J": ["J", "pakistani"], "K": ["K", "Bangladeshi"], "M": ["M", "CARIBBEAN"], "N": ["n", "African"],
    "R": ["R", "chinese"], "Z": ["z", "not  stated"], "99": ["99", "99.0"],
}  # fmt: skip
ATTENDANCE = {
    "5": ["5", "Attended", "Y"], "6": ["6", "attended late"], "7": ["7"], "3": ["3", "DNA", "did not attend", "n"],
    "2": ["2", "Cancelled by client"], "4": ["4", "cancelled by us"], "0": ["0", "Booked"],
}  # fmt: skip
SOURCES = {
    "gp": ["GP", "General Practice"], "self": ["self", "Self referral"], "pharmacy": ["Pharmacy"],
    "health-check": ["health check"], "social-prescriber": ["Social prescriber"], "other": ["other"],
}  # fmt: skip
DELIVERY = {"group": ["Group"], "individual": ["one to one"], "digital": ["Digital"], "mixed": ["mixed"]}
WHO = {"service": ["Service"], "person": ["client"], "referrer": ["GP"]}
LEVELS = {"1": ["1"], "2": ["2", "2.0"], "3": [" 3 "]}
PURPOSES = {
    "assessment": ["Assessment", "Initial assessment"], "session": ["session"], "follow_up": ["Follow up", "review"],
}  # fmt: skip
MEDIUMS = {
    "in_person": ["Face to face", "in person"], "telephone": ["Phone", "telephone"], "video": ["Video"],
    "online": ["online", "App"], "other": ["Other"],
}  # fmt: skip
SUSPENDED = {"pregnancy": ["Pregnancy"], "illness": ["illness"], "bereavement": ["Bereavement"], "other": ["other"]}
RATINGS = {
    1: ["Very good"], 2: ["Good"], 3: ["Neither good nor poor"], 4: ["poor"], 5: ["very poor"], 6: ["Don't know"],
}  # fmt: skip
RETURNED = {
    "returned-with-advice": ["Returned with advice"], "not-eligible": ["not eligible"], "no-capacity": ["No capacity"],
    "declined-by-person": ["Declined by client"], "other": ["OTHER"],
}  # fmt: skip
METHODS = {"self_reported": ["y", "Yes"], "measured": ["n", "No"]}
