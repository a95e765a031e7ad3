"""Who a record is about, cleaned so that two spellings of one value become one value.

What stands here is what a source may know of a person and linking may use. `normalise` removes what says nothing
(placeholders) and what differs without meaning anything (case, accents, punctuation, titles). It never guesses.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import TypeVar

from anyascii import anyascii

from schemas import placeholders

T = TypeVar("T")

NORMALISER_VERSION = 1  # raised when any identity comes out otherwise: records without a number are named by it
MAX_NAMES = 4  # usual, official, maiden and one more: beyond that a record is noise
MAX_GIVEN = 3  # forename and two middle names
MAX_NAME_LETTERS = 40  # the longest UK surname on record has 35
MAX_CONTACTS = 3  # addresses, telephones and e-mails kept of each
MAX_FORMER = 3  # superseded NHS numbers kept
MAX_TEXT = 1000  # letters of any text that are looked at
MAX_VALUES = 50  # values of any one field that are looked at

USES = ("usual", "official", "old", "nickname", "maiden")

# Letters that NFKD does not take apart. Source: Unicode 15 decomposition mappings, ICAO 9303 part 3
# transliteration.
_LETTERS = str.maketrans(
    {"Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe",
     "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Þ": "TH", "þ": "th", "ı": "i", "ẞ": "SS"}
)  # fmt: skip
_TITLES = frozenset({"MR", "MRS", "MS", "MISS", "MX", "DR", "PROF", "REV", "SIR"})
_NULL = "NULL"
_HAS_LETTER = re.compile("[A-Z]")
_NOT_LETTERS, _NOT_DIGITS = re.compile("[^A-Z0-9]"), re.compile("[^0-9]")
_NOTE = re.compile(r"[(\[<*]+([^()\[\]<>*]*)[)\]>*]+")  # a remark behind a name: "Taylor (DO NOT USE)"
_BETWEEN_PARTS, _BETWEEN_WORDS = re.compile(r"[\s\-_/,.]+"), re.compile(r"[\s\-/,;.]+")
_BIRTH_DATE = re.compile(r"([0-9]{4})(-[0-9]{2})?(-[0-9]{2})?")
_POSTCODE = re.compile(r"(?=.*[0-9])[A-Z][A-Z0-9]{4,7}")
_HOUSE_NUMBER = re.compile(r"[0-9]{1,5}[A-Z]?")
# How a street ends, with its usual short forms. Source: Royal Mail, "Programmers' guide" to the Postcode Address
# File, thoroughfare descriptors; the short forms are those in everyday use.
_STREETS = {
    short: whole
    for whole, *shorts in (
        line.split()
        for line in (
            "STREET ST STR", "ROAD RD", "AVENUE AVE AV", "LANE LN LA", "CLOSE CL CLO", "DRIVE DR DRV",
            "COURT CT CRT", "PLACE PL", "CRESCENT CRES CR CRS", "GARDENS GDNS GDN", "TERRACE TER TERR TCE",
            "SQUARE SQ", "GROVE GR GRV", "PARK PK", "WAY WY", "WALK WLK", "VIEW VW", "HILL", "RISE", "ROW",
            "GREEN GRN", "MEWS", "MOUNT MT", "CIRCUIT CCT", "PARADE PDE", "BOULEVARD BLVD",
        )
    )
    for short in (whole, *shorts)
}  # fmt: skip
_FLATS = frozenset("FLAT FL APARTMENT APT UNIT ROOM NO NUMBER".split())
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
class _IdentityFields:
    """What is known of one person. Anything may be missing.

    `nhs_number` is ten digits already found valid, or None; `nhs_number_claimed` is one that was present and
    is not valid; `former_numbers` are numbers the source says were superseded. `birth_date` is "YYYY-MM-DD",
    or "YYYY-MM" or "YYYY" where no more is known; `sex` "male", "female" or None; `houses` (first address
    lines) and `cities` are in the order of `postcodes`.
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
    cities: tuple[str, ...] = ()
    former_numbers: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(**)"


@dataclass(frozen=True, slots=True, repr=False)
class Identity(_IdentityFields):
    """What one record says of its person, as its source wrote it."""


@dataclass(frozen=True, slots=True, repr=False)
class NormalisedIdentity(_IdentityFields):
    """An identity in normal form, ready to be encoded. Only `normalise` makes one."""


def normalise(identity: Identity, *, placeholder_words: Collection[str] = ()) -> NormalisedIdentity:
    """The identity in normal form: upper case A-Z and 0-9, placeholders and empty values gone, duplicates gone.

    What is a placeholder stands in schemas.placeholders; `placeholder_words` are a source's own, folded. A name of
    another script compares by its transliteration; a letter without one keeps a spelling of its own.
    Compound names keep one hyphen between their parts; an address line is its house numbers, then its words
    with "ST", "RD" and the like written out; postcodes, lines and cities stay in step, "" where an address
    has none; only mobile telephones are kept ("447…": a landline is the household's). Values in normal form
    stay as they are. Never raises on any text, and costs no more for a text of 10^5 letters than for one of 10^3.
    """
    number = _number(identity.nhs_number, lengths=(10,))
    addresses = _addresses(identity, placeholder_words)
    former = _distinct(_number(old, lengths=(10,)) for old in identity.former_numbers[:MAX_VALUES])
    return NormalisedIdentity(
        nhs_number=number,
        nhs_number_claimed=_number(identity.nhs_number_claimed, lengths=(9, 10, 11)),
        names=_distinct(_name(name, placeholder_words) for name in identity.names[:MAX_VALUES])[:MAX_NAMES],
        birth_date=_birth_date(identity.birth_date),
        sex=identity.sex if identity.sex in ("male", "female") else None,
        postcodes=tuple(postcode for postcode, _, _ in addresses),
        houses=tuple(line for _, line, _ in addresses),
        cities=tuple(city for _, _, city in addresses),
        phones=_distinct(_mobile(phone) for phone in identity.phones[:MAX_VALUES])[:MAX_CONTACTS],
        emails=_distinct(_email(email) for email in identity.emails[:MAX_VALUES])[:MAX_CONTACTS],
        former_numbers=tuple(old for old in former if old != number)[:MAX_FORMER],
    )


def name_parts(name: str) -> tuple[str, ...]:
    """The parts of a normal compound name, in order: "SMITH-JONES" has two, "SMITH" has one, "" none."""
    return tuple(part for part in name.split("-") if part)


def house_of(line: str) -> str:
    """The house of a normal address line: its numbers, "3 12B"; without one the house's name, "ROSECOTTAGE";
    "" where the line is a street alone.
    """
    numbers, words = _parted(line.split())
    if numbers:
        return " ".join(numbers)
    return "" if words and words[-1] in _STREETS else "".join(words)[:16]


def street_of(line: str) -> str:
    """The street of a normal address line, "HIGH STREET"; "" where it is the name of a house alone."""
    numbers, words = _parted(line.split())
    return " ".join(words) if numbers or (words and words[-1] in _STREETS) else ""


def _distinct(values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _ascii(text: str) -> str:
    """Upper-case ASCII of the first MAX_TEXT characters: accents are gone, other scripts transliterated, and what is
    no letter and no digit (an emoji) is gone.
    """
    text = text[:MAX_TEXT]
    if text.isascii():
        return text.upper()
    composed = unicodedata.normalize("NFKC", text.translate(_LETTERS)).upper().translate(_LETTERS)
    return "".join(map(_ascii_letter, composed))


@lru_cache(maxsize=1 << 14)
def _ascii_letter(letter: str) -> str:
    if letter.isascii():
        return letter
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode("ascii")
    kind = unicodedata.category(letter)[0]
    if plain or kind in "SC":
        return plain
    if kind in "PZ":
        return " " if kind == "Z" or unicodedata.category(letter) == "Pd" else ""
    return anyascii(letter).upper()


def _of_its_own(letter: str) -> str:
    """A spelling in letters for a letter of a name that nobody can transliterate: equal for it alone."""
    return "Q" + "".join(chr(ord("A") + int(digit, 16)) for digit in f"{ord(letter):X}")


def _letters(text: str) -> str:
    return text if text.isalnum() and text.isascii() else _NOT_LETTERS.sub("", text)


def _compound(text: str, more: Collection[str]) -> str:
    """One name, its parts joined by single hyphens; "" when it is a placeholder or has no letter."""
    text = text[:MAX_TEXT]
    if placeholders.is_word(text, more):
        return ""
    bare = _NOTE.sub(lambda note: "" if placeholders.is_word(note[1], more) else note[0], text)
    parts = [_letters(part) for part in _BETWEEN_PARTS.split(_ascii(bare))]
    kept = [part[:MAX_NAME_LETTERS] for part in parts if part and not placeholders.is_word(part, more)][:4]
    whole = "".join(kept)
    if not whole:
        kept = ["".join(map(_of_its_own, filter(str.isalpha, bare)))[:MAX_NAME_LETTERS]]
        whole = kept[0]
    repeated = len(set(whole)) == 1 < len(whole) - 1
    if not _HAS_LETTER.search(whole) or placeholders.is_word(whole, more) or repeated:
        return ""
    return "-".join(kept)


def _name(name: Name, more: Collection[str]) -> Name | None:
    """The name, or None where nothing of it says who. "Null" is a surname of people who have a forename as well."""
    texts = [given[:MAX_TEXT] for given in name.given[:10]]
    whole = " ".join(texts)[:MAX_TEXT]
    words = [] if placeholders.is_word(whole, more) else [word for text in texts for word in text.split()]
    parts = (_compound(word, more) for word in words)
    given = tuple(part for part in parts if part and _letters(part) not in _TITLES | {_NULL})[:MAX_GIVEN]
    family = _compound(name.family, more)
    if _letters(family) in _TITLES or (family == _NULL and not given):
        family = ""
    if not given and not family:
        return None
    return Name(given=given, family=family, use=name.use if name.use in USES else "usual")


def _number(number: str | None, *, lengths: tuple[int, ...]) -> str | None:
    """Its digits; 1234567890 and 9999999999 are what is typed into a field that may not stay empty."""
    digits = _NOT_DIGITS.sub("", number[:40]) if number else ""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(digits)}
    return digits if len(digits) in lengths and (len(steps) > 1 or steps.isdisjoint((0, 1, 9))) else None


def _birth_date(text: str | None) -> str | None:
    """A day, month or year of the calendar in four-digit years; anything else says nothing."""
    if not text or len(text) > 10 or not _BIRTH_DATE.fullmatch(text):
        return None
    try:
        day = date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        return None
    return None if placeholders.is_day(day) else text


def _postcode(text: str) -> str:
    cleaned = _letters(_ascii(text))
    return cleaned if _POSTCODE.fullmatch(cleaned) and not placeholders.is_postcode(cleaned) else ""


def _parted(words: list[str]) -> tuple[list[str], list[str]]:
    """House numbers and other words of an address line."""
    numbers = [word for word in words if _HOUSE_NUMBER.fullmatch(word)]
    return numbers, [word for word in words if not _HOUSE_NUMBER.fullmatch(word)]


def _line(text: str, more: Collection[str]) -> str:
    """ "Flat 3, 12b High St." is "3 12B HIGH STREET": numbers first, streets written out, all else as it is."""
    if placeholders.is_word(text[:MAX_TEXT], more):
        return ""
    words = [_letters(word) for word in _BETWEEN_WORDS.split(_ascii(text))]
    numbers, others = _parted([word[:MAX_NAME_LETTERS] for word in words if word and word not in _FLATS])
    kept = others[:5]
    if kept:
        kept[-1] = _STREETS.get(kept[-1], kept[-1])
    return " ".join(numbers[:3] + kept)


def _city(text: str, more: Collection[str]) -> str:
    words = [_letters(word)[:MAX_NAME_LETTERS] for word in _BETWEEN_WORDS.split(_ascii(text))]
    whole = " ".join([word for word in words if word][:5])
    return "" if placeholders.is_word(whole, more) or not _HAS_LETTER.search(whole) else whole


def _addresses(identity: Identity, more: Collection[str]) -> list[tuple[str, str, str]]:
    """(postcode, line, city), side by side; an address with none of them is gone."""
    columns = (identity.postcodes[:MAX_VALUES], identity.houses[:MAX_VALUES], identity.cities[:MAX_VALUES])
    rows = (
        (_postcode(postcode), _line(line, more), _city(city, more))
        for postcode, line, city in zip_longest(*columns, fillvalue="")
    )
    return list(dict.fromkeys(row for row in rows if any(row)))[:MAX_CONTACTS]


def _mobile(phone: str) -> str | None:
    digits = _NOT_DIGITS.sub("", phone[:40]).removeprefix("00")
    if digits.startswith("440"):
        digits = "44" + digits[3:]
    elif digits.startswith("07"):
        digits = "44" + digits[1:]
    usual = len(digits) == 12 and digits.startswith("447") and len(set(digits[4:])) > 1
    usual = usual and not placeholders.is_telephone("0" + digits[2:])
    return digits if usual else None


def _email(email: str) -> str | None:
    cleaned = _latin(email).strip().lower()
    return cleaned if _EMAIL.fullmatch(cleaned) and not placeholders.is_mailbox(cleaned) else None


def _latin(text: str) -> str:
    """As `_ascii`, of Latin letters only: a mailbox in another script is not the one its transliteration names."""
    plain = unicodedata.normalize("NFKD", text[:MAX_TEXT].translate(_LETTERS))
    return plain if plain.isascii() else "".join(c for c in plain if not unicodedata.combining(c))
