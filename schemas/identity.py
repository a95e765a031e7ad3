"""Identity types, parsed once and valid for ever after; none shows itself in a repr.

After this module no `str` is secretly an NHS number.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Self

from schemas.errors import InvalidField

_TEST_RANGE = "999"
_ISSUED_PREFIXES = ("4", "6", "7", "9")  # England, Wales, Isle of Man 400-499, 600-799; 9 synthetic


class _Hidden:
    """A value whose repr is only its type's name."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(**********)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True, repr=False)
class NHSNumber(_Hidden):
    """Ten ASCII digits with a valid Modulus 11 check digit. Source: NHS Data Dictionary, NHS NUMBER."""

    digits: str

    @classmethod
    def parse(cls, text: str, *, test_mode: bool) -> Self:
        """The number in `text`; spaces and hyphens between the digits are allowed (3-3-4 as printed on letters).

        Raises InvalidField("nhs_number") for anything else, for one digit ten times, for 9876543210 (both pass the
        check but were never issued) and, unless `test_mode`, for the 999 test range.

        >>> NHSNumber.parse("943 476 5919", test_mode=False)
        NHSNumber(**********)
        """
        digits = text.strip().replace(" ", "").replace("-", "")
        if re.fullmatch(r"[0-9]{10}", digits) is None:
            raise InvalidField("nhs_number", rule="must be ten digits")
        if not _modulus_11(digits):
            raise InvalidField("nhs_number", rule="fails the Modulus 11 check")
        if len(set(digits)) == 1 or digits == "9876543210":
            raise InvalidField("nhs_number", rule="is a placeholder, never issued")
        if digits.startswith(_TEST_RANGE) and not test_mode:
            raise InvalidField("nhs_number", rule="is in the 999 test range")
        return cls(digits)

    @property
    def in_allocated_range(self) -> bool:
        """False for a number no English, Welsh or Manx patient has been issued: worth a warning, never a refusal."""
        return self.digits.startswith(_ISSUED_PREFIXES)


def _modulus_11(digits: str) -> bool:
    # weights 10..2 over the first nine; 11 - remainder is the check digit, 11 counts as 0 and 10 is never issued
    total = sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9]))
    check = (11 - total % 11) % 11
    return check != 10 and check == int(digits[9])


@dataclass(frozen=True, slots=True, repr=False)
class LocalId(_Hidden):
    """What one source calls one patient: at most 64 printable characters, outer white space removed."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidField("local_id") when empty, over 64 characters or holding a control character."""
        value = text.strip()
        if not 0 < len(value) <= 64 or not value.isprintable():
            raise InvalidField("local_id", rule="must be 1 to 64 printable characters")
        return cls(value)


_ODS = re.compile(r"[A-Z0-9]{3,12}")


def parse_ods(text: str) -> str:
    """An ODS organisation or site code in capitals. Not identifying, so a plain `str`.

    Raises InvalidField("ods_code") unless 3 to 12 letters and digits (ODS: 3 or 5 for trusts and councils, 6 for
    practices, up to 12 allowed by NHS Data Dictionary ORGANISATION IDENTIFIER).
    """
    code = text.strip().upper()
    if _ODS.fullmatch(code) is None:
        raise InvalidField("ods_code", rule="must be 3 to 12 letters and digits")
    return code


# BS 7666 shape, outward and inward; ONS pseudo-postcodes (ZZ99 3VZ no fixed abode) besides: linking drops those.
_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][ABD-HJLNP-UW-Z]{2})|ZZ99[0-9][A-Z]{2}")


@dataclass(frozen=True, slots=True, repr=False)
class Postcode(_Hidden):
    """A full postcode in capitals, without the space."""

    compact: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidField("postcode") unless it has the shape of a full United Kingdom postcode."""
        compact = "".join(text.split()).upper()
        if _POSTCODE.fullmatch(compact) is None:
            raise InvalidField("postcode", rule="does not have the shape of a full postcode")
        return cls(compact)


@dataclass(frozen=True, slots=True, repr=False)
class PersonName(_Hidden):
    """One name: `use` is FHIR name-use (official, usual, old, maiden, nickname)."""

    family: str
    given: tuple[str, ...] = ()
    use: str = "official"


@dataclass(frozen=True, slots=True, repr=False)
class Address(_Hidden):
    """One address: first line as sent, and the postcode when it parses."""

    line: str = ""
    postcode: Postcode | None = None
    city: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Person(_Hidden):
    """Who a record is about, as one source reports it. Everything here stays in the intake zone.

    `nhs_number_claimed` holds what was sent when it is not a valid number (a one-digit error can still meet the right
    record). `retired_local_ids` are ids this record replaces (HL7 MRG-1).
    """

    local_id: LocalId | None = None
    nhs_number: NHSNumber | None = None
    nhs_number_claimed: str | None = None
    names: tuple[PersonName, ...] = ()
    birth_date: date | None = None
    sex: str | None = None  # FHIR administrative-gender
    addresses: tuple[Address, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    retired_local_ids: tuple[LocalId, ...] = ()
