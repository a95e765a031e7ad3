"""A number as people write it: sign, bare point, decimal comma, unit in the cell, stones with pounds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from connectors.mapping.fields import PAIRS
from connectors.sources.tier2_csv.texts import as_typed
from schemas import units

# Signs that stand for a unit beside a number; the words are those of `schemas.units`.
_UNIT_SIGNS: Mapping[str, str] = {
    "#": "[lb_av]",
    **dict.fromkeys(('"', "''", "″", "′′", "’’", "”"), "[in_i]"),
    **dict.fromkeys(("'", "′", "’"), "[ft_i]"),
}

_PLAIN = r"[0-9]{1,6}(?:\.[0-9]{0,17})?|\.[0-9]{1,17}"  # grams have six; a computer's 118.40000000000001 is 118.4
_WITH_COMMA = r"[0-9]{1,5},[0-9]{1,2}"
_WITH_MIDDLE_POINT = r"[0-9]{1,5}·[0-9]{1,4}"
_AMOUNT = re.compile(rf"\+?({_PLAIN}|{_WITH_COMMA}|{_WITH_MIDDLE_POINT})\s*([^0-9\s.,+<>~*-][^0-9]*2?)?")
_PAIR = re.compile(rf"([0-9]{{1,3}})\s*([^0-9\s.,/-]+)\.?(?:[\s,]*|\s+(?:and|&)\s+)({_PLAIN})\s*([^0-9\s]*)")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, its UCUM unit where the cell holds it, and what is doubtful about the reading."""

    value: Decimal
    unit: str | None = None
    doubt: str | None = None


def unit_of(text: str) -> str | None:
    """The UCUM unit in words that people use; None for any other.

    >>> unit_of("Kg."), unit_of("stone"), unit_of("furlong")
    ('kg', '[stone_av]', None)
    """
    return _UNIT_SIGNS.get(text.strip().removesuffix(".")) or units.unit_of(text)


def amount_of(text: str) -> Amount | None:
    """The amount in a cell, None when it has no reading or more than one.

    A comma before one or two digits can only be a decimal comma; before three it may part thousands.

    >>> amount_of("14st 9lb")
    Amount(value=Decimal('205'), unit='[lb_av]', doubt=None)
    >>> amount_of("1,088"), amount_of(">150")
    (None, None)
    """
    plain = as_typed(text)
    pair = _PAIR.fullmatch(plain)
    if pair is not None and unit_of(pair[2]) in PAIRS:
        return _composed(pair)
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        return None
    unit = unit_of(found[2]) if found[2] else None
    if found[2] and unit is None:
        return None
    doubt = None
    if "," in found[1] or "·" in found[1]:
        doubt = "has a comma or a raised point as decimal sign; read so"
    return Amount(_rounded(Decimal(found[1].replace(",", ".").replace("·", "."))), unit, doubt)


def _rounded(value: Decimal) -> Decimal:
    """The number as written, or to four places where a computer wrote more."""
    exponent = value.as_tuple().exponent
    return value if isinstance(exponent, int) and exponent >= -4 else round(value, 4).normalize()


def _composed(pair: re.Match[str]) -> Amount | None:
    smaller, times = PAIRS[str(unit_of(pair[2]))]
    rest = _rounded(Decimal(pair[3]))
    if rest >= times or (pair[4] and unit_of(pair[4]) != smaller):
        return None
    return Amount(Decimal(pair[1]) * times + rest, smaller)
