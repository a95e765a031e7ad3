"""Weights, heights and BMIs as they are written down, with their value in kg, cm or kg/m2."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from ops.lab.simulator.model import Fact

TO_OURS = {  # exact: international pound of 1959
    "kg": Decimal(1),
    "g": Decimal("0.001"),
    "lb": Decimal("0.45359237"),
    "cm": Decimal(1),
    "m": Decimal(100),
    "kg/m2": Decimal(1),
}


def quantity_fact(quantity: str, on: date, key: str, *, given: Decimal, unit: str, referral: str | None = None) -> Fact:
    """A measurement of `given` `unit`, with its value in kg, cm or kg/m2 rounded half up to 0.01."""
    return Fact(
        kind="measurement",
        on=on,
        key=f"{key}/{quantity}",
        referral=referral,
        quantity=quantity,  # type: ignore[arg-type]
        value=in_our_units(given, unit),
        value_given=given,
        unit_given=unit,
    )


def in_our_units(given: Decimal, unit: str) -> Decimal:
    """`given` in kg, cm or kg/m2, rounded half up to 0.01."""
    return (given * TO_OURS[unit]).quantize(Decimal("0.01"), ROUND_HALF_UP)
