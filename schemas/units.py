"""Units of body measurements: a closed table of UCUM codes, exact factors, Decimal throughout.

Source of the codes: UCUM 2.1 (unitsofmeasure.org), of the factors: the international pound and inch (1959),
read November 2026. UK Core's height example is in metres while GP systems, CSDS and DWMP use centimetres, so
a number without its unit says nothing.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from schemas.errors import InvalidField

_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: its UCUM code, our name (UCUM without brackets, as facts hold it), what it measures, factor to ours."""

    ucum: str
    name: str
    dimension: str
    factor: Decimal


_TABLE = (
    Unit("kg", "kg", "mass", Decimal(1)),
    Unit("g", "g", "mass", Decimal("0.001")),
    Unit("[lb_av]", "lb_av", "mass", Decimal("0.45359237")),
    Unit("[stone_av]", "stone_av", "mass", Decimal("6.35029318")),
    Unit("[oz_av]", "oz_av", "mass", Decimal("0.028349523125")),
    Unit("cm", "cm", "length", Decimal(1)),
    Unit("m", "m", "length", Decimal(100)),
    Unit("mm", "mm", "length", Decimal("0.1")),
    Unit("[in_i]", "in_i", "length", Decimal("2.54")),
    Unit("[ft_i]", "ft_i", "length", Decimal("30.48")),
    Unit("kg/m2", "kg/m2", "mass per area", Decimal(1)),
    Unit("kg.m-2", "kg.m-2", "mass per area", Decimal(1)),
)
UNITS: Mapping[str, Unit] = {unit.ucum: unit for unit in _TABLE} | {unit.name: unit for unit in _TABLE}

# As people write them, folded. No unit is ever assumed: UK Core's own height example is in metres.
_WRITTEN: Mapping[str, str] = {
    word: ucum
    for ucum, words in (
        ("kg", "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes"),
        ("g", "g gm gms gram grams gramme grammes"),
        ("[lb_av]", "lb lbs pound pounds [lb_av]"),
        ("[stone_av]", "st sts stone stones [stone_av]"),
        ("[oz_av]", "oz ounce ounces [oz_av]"),
        ("cm", "cm cms centimetre centimetres centimeter centimeters"),
        ("m", "m mtr mtrs metre metres meter meters"),
        ("mm", "mm mms millimetre millimetres millimeter millimeters"),
        ("[in_i]", "in ins inch inches [in_i]"),
        ("[ft_i]", "ft foot feet [ft_i]"),
        ("kg/m2", "kg/m2 kg/m^2 kg/sqm kg/m**2 kgm2"),
        ("kg.m-2", "kg.m-2 kgm-2"),
    )
    for word in words.split()
}


def unit_of(text: str) -> str | None:
    """The UCUM code of a unit as people write it, None for one of no row.

    >>> unit_of("Kg"), unit_of("kg/m²"), unit_of("Kilograms."), unit_of("firkin")
    ('kg', 'kg/m2', 'kg', None)
    """
    if text in UNITS:
        return UNITS[text].ucum
    word = unicodedata.normalize("NFKC", text).casefold()
    return _WRITTEN.get("".join(word.split()).rstrip("."))


DIMENSION_OF: Mapping[str, str] = {
    "weight": "mass",
    "height": "length",
    "waist": "length",
    "bmi": "mass per area",
}
# Plausible in an adult, inclusive, in kg, cm and kg/m2. Source: DWMP hub bounds (weight 35-500, height
# 50-250), NCL bounds (BMI 10-150); waist is an assumption.
PLAUSIBLE: Mapping[str, tuple[Decimal, Decimal]] = {
    "weight": (Decimal(35), Decimal(500)),
    "height": (Decimal(50), Decimal(250)),
    "bmi": (Decimal(10), Decimal(150)),
    "waist": (Decimal(30), Decimal(300)),
}
# No body measures this many kg, cm or kg/m2; a larger number is some other number (an identifier) in the wrong place.
BEYOND_ANY_BODY = Decimal(5000)


def converted(value: Decimal, unit: str, *, quantity: str) -> Decimal:
    """`value` in kg, cm or kg/m2, rounded half up to 0.01.

    `unit` is a UCUM code or our name of one. Raises InvalidField("unit") for a unit that is not in the table
    or measures something else than `quantity`, InvalidField("value") when not above zero or beyond any body.

    >>> converted(Decimal("15"), "[stone_av]", quantity="weight")
    Decimal('95.25')
    """
    known = UNITS.get(unit)
    if known is None:
        raise InvalidField("unit", rule="is not a unit of the table (kg, g, [lb_av], [stone_av], cm, m, …, kg/m2)")
    if known.dimension != DIMENSION_OF[quantity]:
        raise InvalidField("unit", rule=f"does not measure {quantity}")
    if not value.is_finite() or value <= 0:
        raise InvalidField("value", rule="must be above zero")
    if value > BEYOND_ANY_BODY * 1000 or value * known.factor > BEYOND_ANY_BODY:
        raise InvalidField("value", rule="is beyond any body")
    ours = (value * known.factor).quantize(_HUNDREDTH, ROUND_HALF_UP)
    if ours <= 0:
        raise InvalidField("value", rule="must be above zero")
    return ours


def plausible(value: Decimal, *, quantity: str) -> bool:
    """True when `value` (kg, cm, kg/m2) can be an adult's."""
    low, high = PLAUSIBLE[quantity]
    return low <= value <= high


def plain(value: Decimal) -> Decimal:
    """The same number in one spelling, at most four decimals, so that 82, 82.0 and 82.00 are one value.

    >>> plain(Decimal("82.00")), plain(Decimal("1E+2"))
    (Decimal('82'), Decimal('100'))
    """
    rounded = value.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return Decimal(format(rounded.normalize(), "f"))
