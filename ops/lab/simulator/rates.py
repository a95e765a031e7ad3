"""The rates of the simulated world: text of `rates.toml` in, one frozen value out."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Shares = Mapping[str, float]

_SHARES_OF_ONE = ("routes", "tier2_outcome")


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares between 0 and 1 by table and name, and multipliers of such shares; see `rates.toml` for what each is
    a share of.
    """

    nhs_number_present: Shares
    nhs_number_wrong: Shares
    identifier_error: Shares
    contacts: Shares
    missing_more_often: Shares
    people: Shares
    routes: Shares
    tier2_outcome: Shares
    journey: Shares
    kinds: Shares
    noise: Shares
    spelling: Shares


def parse_rates(text: str) -> Rates:
    """The rates in `text` (TOML).

    Raises ValueError naming the table (never a person: there is none) when a table is missing or unknown, a
    share is outside 0 to 1, or the shares of a quota do not sum to one.
    """
    tables = tomllib.loads(text)
    if set(tables) != set(Rates.__dataclass_fields__):
        raise ValueError("rates: tables are missing or unknown")
    for name, shares in tables.items():
        chances = [value for key, value in shares.items() if not key.endswith("multiplier")]
        if not all(0 <= value <= 1 for value in chances):
            raise ValueError(f"rates.{name}: a share lies outside 0 to 1")
        if name in _SHARES_OF_ONE and abs(sum(chances) - 1) > 1e-9:
            raise ValueError(f"rates.{name}: shares do not sum to one")
    return Rates(**tables)


def default_rates() -> Rates:
    """The rates of `rates.toml` beside this module."""
    return parse_rates(Path(__file__).with_name("rates.toml").read_text("utf-8"))
