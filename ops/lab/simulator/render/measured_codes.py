"""What weighs and measures a body, in the code systems and units that sources write.

Sources (read November 2026): SNOMED CT UK edition; LOINC and R4 vital signs; READ v2 and CTV3 as GP exports have them;
UCUM, with the words people write for its units. Only codes of measured values: none of stated or estimated ones.
"""

from collections.abc import Mapping, Sequence

SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
READ_V2, CTV3 = "http://read.info/readv2", "http://read.info/ctv3"

USUAL: Mapping[str, str] = {"weight": "27113001", "height": "50373000", "bmi": "60621009"}  # SNOMED CT
# (system, code): one coding each
OTHERS: Mapping[str, Sequence[tuple[str, str]]] = {
    "weight": (
        (SNOMED, "162763007"), (SNOMED, "425024002"), (SNOMED, "424927000"), (LOINC, "29463-7"), (LOINC, "3141-9"),
        (LOINC, "8350-1"), (LOINC, "8351-9"), (READ_V2, "22A.."), (READ_V2, "22A..00"), (CTV3, "X76C7"),
        ("urn:oid:2.16.840.1.113883.6.96", "27113001"),
    ),
    "height": (
        (SNOMED, "1153637007"), (SNOMED, "162755006"), (SNOMED, "248333004"), (LOINC, "8302-2"), (LOINC, "3137-7"),
        (LOINC, "8308-9"), (READ_V2, "229.."), (CTV3, "XM01E"),
    ),
    "bmi": ((LOINC, "39156-5"), (READ_V2, "22K.."), (CTV3, "22K..")),
}  # fmt: skip
TEXTS: Mapping[str, str] = {"weight": "Body weight", "height": "Height", "bmi": "BMI"}
# CE.1 and CE.3 of OBX-3
HL7_WEIGHT = (
    "162763007^O/E - weight^SCT", "27113001^Body weight^SNOMED-CT", "29463-7^Body weight^LN", "8350-1^Body weight^LN",
    "3141-9^Body weight Measured^LN", "22A..^O/E - weight^READ2", "X76C7^Body weight^CTV3", "WEIGHT^Weight^L",
    "Wt^Weight^L", "WT01^Weight^L^29463-7^Body weight^LN",
)  # fmt: skip
UNITS: Mapping[str, Sequence[str]] = {
    "kg": ("Kg", "KG", "kgs", "Kilograms", "kilos"),
    "g": ("grams", "gm", "Grammes"),
    "lb": ("lbs", "Pounds", "LB"),
    "cm": ("cms", "CM", "Centimetres"),
    "m": ("metres", "M", "mtr"),
    "kg/m2": ("kg/m²", "Kg/m^2", "kg/m2"),
}
