"""Identity types, parsed once and valid for ever after; none shows itself in a repr.

After this module no `str` is secretly an NHS number.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Self

from schemas.errors import InvalidField
from schemas.uris import canonical_uri

_TEST_RANGE = "999"
# Scotland (CHI) 010-319, Northern Ireland 320-399, England, Wales and Isle of Man 400-499 and 600-799. Nobody has one
# from 900 on: NHS England's own examples are of these, 999 is for tests. PyPI nhs-number 2.2.0, read November 2026.
_PATIENTS_PREFIXES = ("0", "1", "2", "3", "4", "6", "7")
NOT_FOR_TESTS = "is an NHS number that a patient may have; tests use those of the 999 range"
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
        """The number in `text`, in any of the spellings of `nhs_digits`.

        Raises InvalidField("nhs_number") for anything else, for one digit ten times, for 9876543210 (both pass the
        check but were never issued) and, unless `test_mode`, for the 999 test range.

        >>> NHSNumber.parse("943 476 5919", test_mode=False)
        NHSNumber(**********)
        """
        digits = nhs_digits(text)
        if digits is None:
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

    @property
    def may_be_real(self) -> bool:
        """True in the ranges from which patients of the United Kingdom have numbers: nothing for test mode.

        >>> NHSNumber.parse("4010232137", test_mode=True).may_be_real
        True
        """
        return self.digits.startswith(_PATIENTS_PREFIXES)


_TEXT_FORMULA = re.compile(r'="([^"]*)"')  # how a CSV keeps a spreadsheet from making a number of digits
_FULL_WIDTH = {0xFF10 + digit: str(digit) for digit in range(10)}
_BETWEEN_DIGITS = re.compile(r"[\s\-\u2010-\u2015]")
_TEN_DIGITS = re.compile(r"([0-9]{10})(?:\.0)?|([0-9]{3})\.([0-9]{3})\.([0-9]{4})")


def nhs_digits(text: str) -> str | None:
    """The ten digits in `text` where they are unambiguous, else None. Says nothing of the check digit.

    Allowed around and between them: spaces of any kind, hyphens, invisible characters, a spreadsheet's leading
    apostrophe, `="…"` or `.0`, full-width digits, and points between the groups 3-3-4.

    >>> nhs_digits("943 476 5919"), nhs_digits('="9434765919"'), nhs_digits("943476591")
    ('9434765919', '9434765919', None)
    """
    found = _TEN_DIGITS.fullmatch(_without_marks(text))
    return "".join(part for part in found.groups() if part) if found else None


# e-RS: twelve digits; DWMP: letters for another route, then the number. Read November 2026.
_BOOKING_REFERENCE = re.compile(r"((?:SR|PR|GR|GP|EC|MSK)?[0-9]{9,12})(?:\.0)?")


def booking_reference(text: str) -> str | None:
    """The e-RS number (UBRN) in `text` in one spelling, for sender and receiver meet by it; else None.

    What is allowed around and between its digits is what `nhs_digits` allows.

    >>> booking_reference("0004 7100 5252"), booking_reference("call 01632")
    ('000471005252', None)
    """
    found = _BOOKING_REFERENCE.fullmatch(_without_marks(text).upper())
    return found[1] if found else None


def _without_marks(text: str) -> str:
    """A number without what people, browsers and spreadsheets put around and between its digits."""
    plain = text[:100].translate(_FULL_WIDTH)
    plain = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf").strip()
    formula = _TEXT_FORMULA.fullmatch(plain)
    plain = (formula[1] if formula else plain).lstrip("'\u2018\u2019")
    return _BETWEEN_DIGITS.sub("", plain)


def _modulus_11(digits: str) -> bool:
    # weights 10..2 over the first nine; 11 - remainder is the check digit, 11 counts as 0 and 10 is never issued
    total = sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9]))
    check = (11 - total % 11) % 11
    return check != 10 and check == int(digits[9])


_URI = re.compile(r"[a-z][a-z0-9+.-]*:.+")


def normalised_authority(text: str) -> str:
    """Who issues an identifier, in one spelling: a URI as `canonical_uri` has it, any other name in capitals.

    >>> normalised_authority(" rxx "), normalised_authority("https://surgery.example/Id/patient")
    ('RXX', 'https://surgery.example/Id/patient')
    """
    name = " ".join(text.split())
    return canonical_uri(name) if _URI.fullmatch(name) else name.upper()


@dataclass(frozen=True, slots=True, repr=False)
class LocalId(_Hidden):
    """What one issuer calls one patient: at most 64 printable characters, outer white space removed.

    `authority` is the issuer, as `normalised_authority` spells it (HL7 CX.4, FHIR Identifier.system); "" is the source
    itself. The pair is the identifier: two issuers give the same value to two patients.
    """

    value: str
    authority: str = ""

    @classmethod
    def parse(cls, text: str, authority: str = "") -> Self:
        """Raises InvalidField("local_id") when empty, over 64 characters or holding a control character, and
        InvalidField("authority") when the issuer's name is over 200 characters or not printable."""
        value, issuer = text.strip(), normalised_authority(authority)
        if not 0 < len(value) <= 64 or not value.isprintable():
            raise InvalidField("local_id", rule="must be 1 to 64 printable characters")
        if len(issuer) > 200 or not issuer.isprintable():
            raise InvalidField("authority", rule="must be at most 200 printable characters")
        return cls(value, issuer)

    @property
    def parts(self) -> tuple[str, ...]:
        """Issuer and value, as they name the record; of the source's own numbers the value alone."""
        return (self.authority, self.value) if self.authority else (self.value,)


_MAILBOX = re.compile(r"[^@\s]{1,200}@[^@\s]{1,200}")


def has_mailbox_form(text: str) -> bool:
    """True for one `@` with something on both sides and no white space: what no mailbox is without."""
    return _MAILBOX.fullmatch(text) is not None


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
    record). `former_nhs_numbers` are numbers that the source says were superseded (FHIR: use `old` or a period that has
    ended). `retired_local_ids` are ids this record replaces (HL7 MRG-1).
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
    former_nhs_numbers: tuple[NHSNumber, ...] = ()
