"""Who a record is about, cleaned so that two spellings of one value become one value.

What stands here is what a source may know of a person and linking may use. `normalise` removes what says
nothing (placeholders) and what differs without meaning anything (case, accents, punctuation, titles). It
never guesses.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

T = TypeVar("T")

MAX_NAMES = 4  # usual, official, maiden and one more: beyond that a record is noise
MAX_GIVEN = 3  # forename and two middle names
MAX_NAME_LETTERS = 40  # the longest UK surname on record has 35
MAX_CONTACTS = 3  # addresses, telephones and e-mails kept of each

USES = ("usual", "official", "old", "nickname", "maiden")

# Letters that NFKD does not take apart. Source: Unicode 15 decomposition mappings, ICAO 9303 part 3
# transliteration.
_LETTERS = str.maketrans(
    {"Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe",
     "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Þ": "TH", "þ": "th", "ı": "i", "ẞ": "SS"}
)  # fmt: skip
_TITLES = frozenset({"MR", "MRS", "MS", "MISS", "MX", "DR", "PROF", "REV", "SIR"})
_NO_NAME = frozenset(
    (
        "UNKNOWN UNKNOWNPATIENT NOTKNOWN NOTGIVEN NOTSTATED UNNAMED NONAME NOSURNAME ANONYMOUS NULL NIL "
        "TEST TESTPATIENT XXTEST XXTESTPATIENT ZZTEST ZZZTEST DUMMY PATIENT MALE FEMALE XX XXX XXXX "
        "BABY BABYBOY BABYGIRL INFANT NEWBORN TWIN"
    ).split()
)
_NO_DATE = frozenset(
    {"1900-01-01", "1899-12-30", "1899-12-31", "1800-01-01", "1753-01-01", "1111-11-11", "9999-12-31"}
)
_NO_MAILBOX = frozenset(
    {"none", "noemail", "noreply", "no-reply", "unknown", "test", "na", "null", "refused", "declined"}
)
_POSTCODE = re.compile(r"(?=.*[0-9])[A-Z][A-Z0-9]{4,7}")
_NO_POSTCODE = ("ZZ99",)  # ONS pseudo-postcodes: no fixed abode, not known, overseas
_HOUSE_NUMBER = re.compile(r"\b[0-9]{1,5}[A-Z]?\b")
_EMAIL = re.compile(r"[!-?A-~]{1,64}@[a-z0-9.-]{3,190}")


@dataclass(frozen=True, slots=True, repr=False)
class Name:
    """One name a person has or had. `use`: usual, official, old, nickname or maiden."""

    given: tuple[str, ...]
    family: str
    use: str = "usual"

    def __repr__(self) -> str:
        return "Name(**)"


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """What one record says of its person. Anything may be missing.

    `nhs_number` is ten digits already found valid, or None; `nhs_number_claimed` is one that was present and
    is not valid. `birth_date` is "YYYY-MM-DD"; `sex` "male", "female" or None; `houses` are first address
    lines, in the order of `postcodes`.
    """

    nhs_number: str | None
    nhs_number_claimed: str | None = None
    names: tuple[Name, ...] = ()
    birth_date: str | None = None
    sex: str | None = None
    postcodes: tuple[str, ...] = ()
    houses: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Identity(**)"


def normalise(identity: Identity) -> Identity:
    """The same identity in normal form: upper case A-Z and 0-9, placeholders and empty values gone,
    duplicates gone.

    Compound names keep one hyphen between their parts; a house is its number (or a name of ≤ 16 letters), ""
    where an address has none; only mobile telephones are kept ("447…": a landline is the household's).
    Idempotent; never raises on any text.
    """
    houses = tuple(_house(line) for line in identity.houses)
    pairs = _addresses(identity.postcodes, houses)
    return Identity(
        nhs_number=_number(identity.nhs_number, lengths=(10,)),
        nhs_number_claimed=_number(identity.nhs_number_claimed, lengths=(9, 10, 11)),
        names=_distinct(_name(name) for name in identity.names)[:MAX_NAMES],
        birth_date=_birth_date(identity.birth_date),
        sex=identity.sex if identity.sex in ("male", "female") else None,
        postcodes=tuple(postcode for postcode, _ in pairs),
        houses=tuple(house for _, house in pairs),
        phones=_distinct(_mobile(phone) for phone in identity.phones)[:MAX_CONTACTS],
        emails=_distinct(_email(email) for email in identity.emails)[:MAX_CONTACTS],
    )


def name_parts(name: str) -> tuple[str, ...]:
    """The parts of a normal compound name, in order: "SMITH-JONES" has two, "SMITH" has one, "" none."""
    return tuple(part for part in name.split("-") if part)


def _distinct(values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _ascii(text: str) -> str:
    """Upper-case ASCII of the first thousand characters: accents and letters that are not Latin are gone."""
    plain = unicodedata.normalize("NFKD", text[:1000].translate(_LETTERS).upper().translate(_LETTERS))
    return plain.encode("ascii", "ignore").decode("ascii").upper()


def _letters(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text)


def _compound(text: str) -> str:
    """One name, its parts joined by single hyphens; "" when it is a placeholder or has no letter."""
    parts = [_letters(part) for part in re.split(r"[\s\-_/,.]+", _ascii(text))]
    kept = [part[:MAX_NAME_LETTERS] for part in parts if part and part not in _NO_NAME][:4]
    whole = "".join(kept)
    if (
        not whole
        or whole in _NO_NAME
        or not re.search("[A-Z]", whole)
        or len(set(whole)) == 1 < len(whole) - 1
    ):
        return ""
    return "-".join(kept)


def _name(name: Name) -> Name | None:
    words = [word for given in name.given[:10] for word in given[:1000].split()]
    given = tuple(part for part in map(_compound, words) if part and _letters(part) not in _TITLES)[
        :MAX_GIVEN
    ]
    family = _compound(name.family)
    if not given and not family:
        return None
    return Name(given=given, family=family, use=name.use if name.use in USES else "usual")


def _number(number: str | None, *, lengths: tuple[int, ...]) -> str | None:
    digits = re.sub("[^0-9]", "", number[:40]) if number else ""
    return digits if len(digits) in lengths and len(set(digits)) > 1 else None


def _birth_date(text: str | None) -> str | None:
    if not text or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) or text in _NO_DATE:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None  # a day the calendar does not have says nothing


def _postcode(text: str) -> str:
    cleaned = _letters(_ascii(text))
    return cleaned if _POSTCODE.fullmatch(cleaned) and not cleaned.startswith(_NO_POSTCODE) else ""


def _house(line: str) -> str:
    """ "Flat 3, 12b High Street" is "3 12B": numbers only, since how a street is spelt varies; else the
    house's name.
    """
    text = re.sub(r"[^A-Z0-9 ]", "", re.sub(r"[,;./\-]", " ", _ascii(line)))
    return " ".join(_HOUSE_NUMBER.findall(text)[:3]) or _letters(text)[:16]


def _addresses(postcodes: tuple[str, ...], houses: tuple[str, ...]) -> list[tuple[str, str]]:
    """Postcode and house side by side; an address with neither is gone, so the two stay in step."""
    cleaned = [_postcode(postcode) for postcode in postcodes]
    rows = max(len(cleaned), len(houses))
    padded = zip(cleaned + [""] * (rows - len(cleaned)), houses + ("",) * (rows - len(houses)), strict=True)
    return list(dict.fromkeys(pair for pair in padded if any(pair)))[:MAX_CONTACTS]


def _mobile(phone: str) -> str | None:
    digits = re.sub("[^0-9]", "", phone[:40]).removeprefix("00")
    if digits.startswith("440"):
        digits = "44" + digits[3:]
    elif digits.startswith("07"):
        digits = "44" + digits[1:]
    usual = len(digits) == 12 and digits.startswith("447") and len(set(digits[4:])) > 1
    return digits if usual else None


def _email(email: str) -> str | None:
    cleaned = _ascii(email).strip().lower()
    return cleaned if _EMAIL.fullmatch(cleaned) and cleaned.split("@")[0] not in _NO_MAILBOX else None
