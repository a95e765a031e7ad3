"""One table of clinical codes for all doors: what weighs and measures a body, in every terminology that is met.

Sources, read November 2026: SNOMED CT UK edition and UK Core vital-signs examples; LOINC 2.80 and R4 vital signs; READ
v2 and CTV3 as public code lists of GP records have them. A code in no row is read as nothing, never as the nearest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas import uris

MEASURED, SELF_REPORTED = "measured", "self_reported"


@dataclass(frozen=True, slots=True)
class MeasurementCode:
    """What a code measures and how. `method` is None where it was neither measured nor stated (estimated): such a
    value is told as neither. `preferred` is False where the standard asks for another code: worth a warning.
    """

    quantity: str
    method: str | None = MEASURED
    preferred: bool = True


_WEIGHT, _HEIGHT, _BMI, _WAIST = (MeasurementCode(name) for name in ("weight", "height", "bmi", "waist"))
MEASUREMENTS: Mapping[tuple[str, str], MeasurementCode] = {
    (uris.SNOMED, "27113001"): _WEIGHT,
    (uris.SNOMED, "162763007"): _WEIGHT,  # on examination - weight: what GP systems record
    (uris.SNOMED, "425024002"): _WEIGHT,  # without shoes
    (uris.SNOMED, "424927000"): _WEIGHT,  # with shoes
    (uris.SNOMED, "784399000"): MeasurementCode("weight", SELF_REPORTED),
    (uris.SNOMED, "50373000"): _HEIGHT,
    (uris.SNOMED, "1153637007"): _HEIGHT,  # newer concept; some guides use it
    (uris.SNOMED, "162755006"): _HEIGHT,  # on examination - height
    (uris.SNOMED, "248333004"): _HEIGHT,  # standing
    (uris.SNOMED, "60621009"): _BMI,
    (uris.SNOMED, "276361009"): _WAIST,
    (uris.LOINC, "29463-7"): _WEIGHT,
    (uris.LOINC, "3141-9"): MeasurementCode("weight", preferred=False),  # R4 vital signs ask for 29463-7
    (uris.LOINC, "3142-7"): MeasurementCode("weight", SELF_REPORTED),  # stated
    (uris.LOINC, "8335-2"): MeasurementCode("weight", None),  # estimated
    (uris.LOINC, "8350-1"): _WEIGHT,  # with clothes
    (uris.LOINC, "8351-9"): _WEIGHT,  # without clothes
    (uris.LOINC, "8302-2"): _HEIGHT,
    (uris.LOINC, "3137-7"): _HEIGHT,  # measured
    (uris.LOINC, "3138-5"): MeasurementCode("height", SELF_REPORTED),  # stated
    (uris.LOINC, "8301-4"): MeasurementCode("height", None),  # estimated
    (uris.LOINC, "8308-9"): _HEIGHT,  # standing
    (uris.LOINC, "8306-3"): _HEIGHT,  # lying
    (uris.LOINC, "39156-5"): _BMI,
    (uris.LOINC, "8280-0"): _WAIST,  # at umbilicus by tape measure
    (uris.LOINC, "56086-2"): _WAIST,  # adult waist circumference protocol
    (uris.LOINC, "56115-9"): _WAIST,  # by NCFS
    (uris.READ_V2, "22A.."): _WEIGHT,
    (uris.READ_V2, "229.."): _HEIGHT,
    (uris.READ_V2, "22K.."): _BMI,
    (uris.READ_V2, "22N0."): _WAIST,
    (uris.CTV3, "22A.."): _WEIGHT,
    (uris.CTV3, "X76C7"): _WEIGHT,
    (uris.CTV3, "229.."): _HEIGHT,
    (uris.CTV3, "XM01E"): _HEIGHT,
    (uris.CTV3, "22K.."): _BMI,
    (uris.CTV3, "22N0."): _WAIST,
}
# The code we write for each quantity.
MEASUREMENT_CODE: Mapping[str, str] = {
    "weight": "27113001", "height": "50373000", "bmi": "60621009", "waist": "276361009",
}  # fmt: skip
_BY_CODE = {code: (system, meaning) for (system, code), meaning in reversed(list(MEASUREMENTS.items()))}
# Where a source uses no terminology at all.
_BY_WORD: Mapping[str, MeasurementCode] = {
    "weight": _WEIGHT, "body weight": _WEIGHT, "wt": _WEIGHT, "bodyweight": _WEIGHT,
    "height": _HEIGHT, "body height": _HEIGHT, "ht": _HEIGHT,
    "bmi": _BMI, "body mass index": _BMI,
    "waist": _WAIST, "waist circumference": _WAIST,
}  # fmt: skip
_READ = re.compile(r"([0-9A-Za-z]{1,5}\.{0,4})(?:[0-9]{2}|-[0-9]+)?")  # a term code may follow the five bytes


def measurement(system: str, code: str) -> MeasurementCode | None:
    """What `code` of the canonical `system` measures, None for a code of no row.

    >>> measurement(uris.READ_V2, "22A..00").quantity
    'weight'
    """
    if system in (uris.READ_V2, uris.CTV3):
        code = _five_bytes(code)
    return MEASUREMENTS.get((system, code))


def measurement_of_any_system(code: str) -> tuple[str, MeasurementCode] | None:
    """(system, meaning) of a code that came without its system, or under another: no two systems share a form."""
    return _BY_CODE.get(code) or _BY_CODE.get(_five_bytes(code))


def measurement_word(text: str) -> MeasurementCode | None:
    """What a local word measures.

    >>> measurement_word("Body  Weight").quantity
    'weight'
    """
    return _BY_WORD.get(" ".join(text.split()).casefold())


def _five_bytes(code: str) -> str:
    found = _READ.fullmatch(code)
    return found[1].ljust(5, ".") if found else code
