"""How the same thing is written by different people and systems, and what it is: written down from the sources named,
never taken from a reader, so that a reader can be wrong by it.
"""

from decimal import ROUND_HALF_UP, Decimal

SNOMED, LOINC, READ_V2, CTV3 = "SNOMED CT", "LOINC", "Read v2", "CTV3"

# One unit in kg, cm or kg/m2: the international pound and inch of 1959 (NIST Special Publication 811, appendix B); a
# stone is 14 pounds, a foot 12 inches, an ounce a sixteenth of a pound.
FACTORS = {
    "kg": "1", "g": "0.001", "lb_av": "0.45359237", "stone_av": "6.35029318", "oz_av": "0.028349523125",
    "cm": "1", "m": "100", "mm": "0.1", "in_i": "2.54", "ft_i": "30.48",
    "kg/m2": "1", "kg.m-2": "1",
}  # fmt: skip
MEASURED_IN = {
    "weight": ("kg", "g", "lb_av", "stone_av", "oz_av"),
    "height": ("cm", "m", "mm", "in_i", "ft_i"),
    "waist": ("cm", "m", "mm", "in_i", "ft_i"),
    "bmi": ("kg/m2", "kg.m-2"),
}
# A number that each unit may hold for an adult.
AMOUNTS = {
    "kg": "118.4", "g": "118400", "lb_av": "261", "stone_av": "18.5", "oz_av": "4176",
    "cm": "171", "m": "1.71", "mm": "1710", "in_i": "67", "ft_i": "5.5", "kg/m2": "40.5", "kg.m-2": "40.5",
}  # fmt: skip
UCUM = {
    "kg": "kg", "g": "g", "lb_av": "[lb_av]", "stone_av": "[stone_av]", "oz_av": "[oz_av]", "cm": "cm", "m": "m",
    "mm": "mm", "in_i": "[in_i]", "ft_i": "[ft_i]", "kg/m2": "kg/m2", "kg.m-2": "kg.m-2",
}  # fmt: skip
# As people write them: SI brochure 9 (British and American words), Oxford abbreviations, exports of GP systems.
UNIT_WORDS = {
    "kg": "kg Kg KG kgs Kgs. kilo kilos kilogram kilograms Kilograms. kilogramme kilogrammes",
    "g": "g gm gms gram grams gramme grammes",
    "lb_av": "lb lbs Lbs. pound pounds Pounds [lb_av] lb_av",
    "stone_av": "st sts ST. stone stones Stone [stone_av] stone_av",
    "oz_av": "oz Oz. ounce ounces [oz_av] oz_av",
    "cm": "cm CM Cm. cms centimetre centimetres centimeter centimeters",
    "m": "m mtr mtrs metre metres Metres meter meters",
    "mm": "mm mms millimetre millimetres millimeter millimeters",
    "in_i": "in ins inch inches Inches [in_i] in_i",
    "ft_i": "ft foot feet Ft. [ft_i] ft_i",
    "kg/m2": "kg/m2 Kg/m2 kg/m² kg/m^2 kg/m**2 kg/sqm kgm2",
    "kg.m-2": "kg.m-2 kgm-2",
}
UNIT_SPELLINGS = {unit: tuple(words.split()) for unit, words in UNIT_WORDS.items()}

# What the codes measure: SNOMED CT browser, UK edition; LOINC 2.80 by component and method; Read v2 and CTV3 browsers.
# None: estimated, neither measured nor stated.
CLINICAL_CODES: dict[tuple[str, str], tuple[str, str | None]] = {
    (SNOMED, "27113001"): ("weight", "measured"),
    (SNOMED, "162763007"): ("weight", "measured"),
    (SNOMED, "425024002"): ("weight", "measured"),
    (SNOMED, "424927000"): ("weight", "measured"),
    (SNOMED, "784399000"): ("weight", "self_reported"),
    (SNOMED, "50373000"): ("height", "measured"),
    (SNOMED, "1153637007"): ("height", "measured"),
    (SNOMED, "162755006"): ("height", "measured"),
    (SNOMED, "248333004"): ("height", "measured"),
    (SNOMED, "60621009"): ("bmi", "measured"),
    (SNOMED, "276361009"): ("waist", "measured"),
    (LOINC, "29463-7"): ("weight", "measured"),
    (LOINC, "3141-9"): ("weight", "measured"),
    (LOINC, "3142-7"): ("weight", "self_reported"),
    (LOINC, "8335-2"): ("weight", None),
    (LOINC, "8350-1"): ("weight", "measured"),
    (LOINC, "8351-9"): ("weight", "measured"),
    (LOINC, "8302-2"): ("height", "measured"),
    (LOINC, "3137-7"): ("height", "measured"),
    (LOINC, "3138-5"): ("height", "self_reported"),
    (LOINC, "8301-4"): ("height", None),
    (LOINC, "8308-9"): ("height", "measured"),
    (LOINC, "8306-3"): ("height", "measured"),
    (LOINC, "39156-5"): ("bmi", "measured"),
    (LOINC, "8280-0"): ("waist", "measured"),
    (LOINC, "56086-2"): ("waist", "measured"),
    (LOINC, "56115-9"): ("waist", "measured"),
    (READ_V2, "22A.."): ("weight", "measured"),
    (READ_V2, "229.."): ("height", "measured"),
    (READ_V2, "22K.."): ("bmi", "measured"),
    (READ_V2, "22N0."): ("waist", "measured"),
    (CTV3, "22A.."): ("weight", "measured"),
    (CTV3, "X76C7"): ("weight", "measured"),
    (CTV3, "229.."): ("height", "measured"),
    (CTV3, "XM01E"): ("height", "measured"),
    (CTV3, "22K.."): ("bmi", "measured"),
    (CTV3, "22N0."): ("waist", "measured"),
}
QUANTITY_WORDS = {
    "weight": ("weight", "Body Weight", "WT", "Bodyweight"),
    "height": ("Height", "body height", "HT"),
    "bmi": ("BMI", "Body mass index"),
    "waist": ("Waist", "waist circumference"),
}
# How the systems are called: HL7 table 0396 (LN, SCT, SCT2, SNM, SNM3, RC) and as trusts write them; R4 and OIDs.
SYSTEM_NAMES = {
    LOINC: ("LN", "LOINC", "ln"),
    SNOMED: ("SCT", "SCT2", "SNM", "SNM3", "SNOMED", "SNOMEDCT", "SNOMED-CT", "SNOMED CT"),
    READ_V2: ("RC", "READ", "READV2", "READ2"),
    CTV3: ("CTV3", "READ3"),
}
SYSTEM_URIS = {
    LOINC: ("http://loinc.org", "https://loinc.org/", "urn:oid:2.16.840.1.113883.6.1"),
    SNOMED: ("http://snomed.info/sct", "https://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96"),
    READ_V2: ("http://read.info/readv2", "http://read.info/read2", "urn:oid:2.16.840.1.113883.2.1.6.2"),
    CTV3: ("http://read.info/ctv3", "urn:oid:2.16.840.1.113883.2.1.3.2.4.14"),
}

# One NHS number (of the 999 test range, Modulus 11 holds), as it is met: NHS Data Dictionary prints 3 3 4; the rest is
# what spreadsheets, browsers and phones do to it.
NHS_NUMBER = "9990000018"
NHS_SPELLINGS = (
    "9990000018", "999 000 0018", "999-000-0018", "999.000.0018", "'9990000018", '="9990000018"', "9990000018.0",
    " 9990000018 ", "999\u00a0000\u00a00018", "\u200e9990000018\u200f", "999\u200b000\u200b0018", "\u20189990000018",
    "999\u2011000\u20110018", "９９９０００００１８",
)  # fmt: skip

# An e-RS booking reference: twelve digits, printed in groups of four (e-RS patient letters).
UBRN_SPELLINGS = (
    "000471005252", "0004 7100 5252", "0004-7100-5252", "'000471005252", '="000471005252"',
    "0004\u00a07100\u00a05252", "\u200e000471005252",
)  # fmt: skip

# ETHNIC CATEGORY 2001, NHS Data Dictionary, national descriptions.
ETHNIC_CATEGORIES = {
    "A": "White - British", "B": "White - Irish", "C": "White - Any other White background",
    "D": "Mixed - White and Black Caribbean", "E": "Mixed - White and Black African",
    "F": "Mixed - White and Asian", "G": "Mixed - Any other mixed background",
    "H": "Asian or Asian British - Indian", "J": "Asian or Asian British - Pakistani",
    "K": "Asian or Asian British - Bangladeshi", "L": "Asian or Asian British - Any other Asian background",
    "M": "Black or Black British - Caribbean", "N": "Black or Black British - African",
    "P": "Black or Black British - Any other Black background", "R": "Other Ethnic Groups - Chinese",
    "S": "Other Ethnic Groups - Any other ethnic group", "Z": "Not stated", "99": "Not known",
}  # fmt: skip


def in_ours(amount: str, unit: str) -> Decimal:
    """The amount in kg, cm or kg/m2, half up to a hundredth."""
    return (Decimal(amount) * Decimal(FACTORS[unit])).quantize(Decimal("0.01"), ROUND_HALF_UP)
