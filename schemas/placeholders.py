"""What people and systems write where they know nothing: one table for doors, facts and linkage.

A placeholder says nothing: it is no name, no date, no address and no number. Words are compared folded (case, white
space, dots and slashes). "Na" is a name, "N/A" is none; "Null" is a surname that people have, so it is in the table of
words for identifiers only. Sources: the golden cases, NHS Data Dictionary default codes, ONS pseudo-postcodes.
"""

import re
import unicodedata
from collections.abc import Collection
from datetime import date

WORDS = frozenset(
    {
        "unknown", "unknown patient", "unk", "not known", "not given", "not stated", "not available",
        "not applicable", "not recorded", "not provided", "nk", "n k", "n a", "tbc", "to be confirmed", "tba",
        "to be advised", "none", "no name", "no surname", "unnamed", "anonymous", "anon", "nil", "test",
        "test patient", "testing", "xxtest", "zztest", "zzztest", "dummy", "patient", "xx", "xxx", "xxxx", "zz",
        "zzz", "baby", "baby boy", "baby girl", "infant", "newborn", "twin", "twin a", "twin b", "twin 1", "twin 2",
        "male", "female", "unknown male", "unknown female", "do not use", "deceased", "surname", "forename",
        "refused", "declined", "withheld", "nfa", "no fixed abode", "not disclosed", "not supplied",
    }
)  # fmt: skip
# A child that has no name yet, as maternity wards write it: "Baby of Smith", "Female Infant 2", "Twin One".
_UNNAMED_CHILD = re.compile(
    r"((male|female) )?(baby|infant|newborn|twin|triplet)( (boy|girl|male|female|one|two|three|[a-c1-3]))*( of .*)?"
)
_OF_NUMBERS = frozenset({"null", "na", "9999999999"})
_DAYS = frozenset(
    {
        date(1753, 1, 1),  # the first day of SQL Server
        date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1),  # day 0 and 1 of spreadsheets
        date(1901, 1, 1),
        date(1800, 1, 1), date(1, 1, 1), date(1111, 11, 11),
    }
)  # fmt: skip
# Days on which far more people stand in records than were born: what is typed where only a year, or nothing, is
# known. 1 January of any year is handled apart. Source: the same as of the days above.
_CROWDED_DAYS = frozenset({date(1911, 11, 11), date(1999, 12, 31)})
_POSTCODES = ("ZZ99",)  # ONS pseudo-postcodes: no fixed abode, not known, abroad
_TELEPHONES = re.compile(r"0*7?0+|(.)\1+|0?1234567890?")
_MAILBOXES = frozenset(
    {
        "none", "noemail", "no", "noreply", "no-reply", "unknown", "test", "na", "null", "refused", "declined",
        "nobody", "notknown",
    }
)  # fmt: skip
_MARKS = re.compile(r"[\s._\-/\\]+")


def folded(text: str) -> str:
    """`text` as placeholders are compared: small letters, marks and runs of white space as one space.

    >>> folded(" N/A "), folded("Not  Known.")
    ('n a', 'not known')
    """
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")
    return _MARKS.sub(" ", plain.strip(" ()[]<>*?.-")).strip().casefold()


def is_word(text: str, more: Collection[str] = ()) -> bool:
    """True when a name, address line or code says nothing. `more` are a source's own words, folded.

    >>> is_word("N/A"), is_word("Na"), is_word("Null"), is_word("-"), is_word("Baby")
    (True, False, False, True, True)
    """
    word = folded(text)
    if not word:
        return bool(text.strip())
    return word in WORDS or word in more or _UNNAMED_CHILD.fullmatch(word) is not None


# Of the words above those that are no part of any name, wherever they stand in it.
_NEVER_IN_A_NAME = re.compile(
    r"(?:^|(?<=\s))\(?(?:n[/\\]a|n\.a\.|tbc|tba|unk|unknown|not known|not given|not stated)\)?(?=\s|$)", re.IGNORECASE
)


def without_words(name: str) -> str:
    """A name without a word for "not known" before or after it; unchanged where nothing else is in it.

    >>> without_words("Susan N/A"), without_words("Na Li"), without_words("N/A")
    ('Susan', 'Na Li', 'N/A')
    """
    if _NEVER_IN_A_NAME.search(name) is None:
        return name
    return " ".join(_NEVER_IN_A_NAME.sub(" ", name).split()) or name


def is_number(text: str, more: Collection[str] = ()) -> bool:
    """True when an identifier is none: a word that says nothing, or a zero.

    >>> is_number("0"), is_number("NULL"), is_number("700002")
    (True, True, False)
    """
    word = folded(text)
    return is_word(text, more) or word in _OF_NUMBERS or set(word) == {"0"}


def is_day(day: date) -> bool:
    """True for the days that systems write where they know none.

    >>> is_day(date(1900, 1, 1)), is_day(date(1970, 1, 1))
    (True, False)
    """
    return day in _DAYS or day.year == 9999


def is_year(year: int) -> bool:
    """True for a year of birth that is none."""
    return year in (1753, 1900, 9999)


def is_crowded_day(day: date) -> bool:
    """True for a day that may be somebody's and is far oftener written for want of a better one: 1 January.

    >>> is_crowded_day(date(1986, 1, 1)), is_crowded_day(date(1986, 1, 2))
    (True, False)
    """
    return (day.month, day.day) == (1, 1) or day in _CROWDED_DAYS


def is_postcode(text: str) -> bool:
    """True for an ONS pseudo-postcode."""
    return "".join(text.split()).upper().startswith(_POSTCODES)


def is_telephone(text: str) -> bool:
    """True for a number nobody has: 07000 000000, zeros, one digit over and over.

    >>> is_telephone("07000 000000"), is_telephone("+44 7000 000000"), is_telephone("07700 900123")
    (True, True, False)
    """
    digits = re.sub(r"^(00)?44", "0", re.sub(r"[^0-9]", "", text))
    return not digits or _TELEPHONES.fullmatch(digits) is not None


def is_mailbox(text: str) -> bool:
    """True for a mailbox that is none: none@none, noreply@…"""
    return folded(text.partition("@")[0]).replace(" ", "") in {box.replace("-", "") for box in _MAILBOXES}
