"""ODS and ONS codes by role: the closed list of forms that an organisation's code may have.

A form does not prove that the organisation exists; it keeps names, postcodes and hospital numbers out of facts. Source:
NHS Data Dictionary ORGANISATION IDENTIFIER, DWMP hub validation, ONS code history database; read November 2026.
"""

import re

# GP practices of England and Wales, and those of the Channel Islands and the Isle of Man
_PRACTICE = re.compile(r"[A-HJ-NP-TVWY][0-9]{5}|(?:ALD|GUE|JER)[0-9]{2}")
_BRANCH = re.compile(r"[A-HJ-NP-TVWY][0-9]{8}")
# Three letters name a trust (R, T) or an ICB (Q). Others of three characters (councils, independent providers, health
# boards) have a digit: LEE is somebody's name.
_THREE = re.compile(r"[RTQ][A-Z0-9]{2}|(?=.{0,2}[0-9])[A-Z0-9]{3}")
_SITE = re.compile(r"(?=.{0,4}[0-9])(?=.{0,4}[A-Z])[A-Z0-9]{5}")
_OFFICE = re.compile(r"[A-Z][A-Z0-9]{2}[0-9]{3}")  # headquarters, suppliers
_POSTCODE = re.compile(r"[A-Z][0-9]{2}[A-Z]{2}")  # the one form of a full postcode that has five characters
_GSS = re.compile(r"(?:E(?:0[6-9]|10|47)|W06|S12|N09)[0-9]{6}")  # ONS codes of local and combined authorities


def practice(text: str) -> str | None:
    """The code of a GP practice in capitals, or None.

    >>> practice("y00001"), practice("LEE"), practice("RXX")
    ('Y00001', None, None)
    """
    code = text.strip().upper()
    return code if _PRACTICE.fullmatch(code) else None


def organisation(text: str) -> str | None:
    """The code of any organisation or site that refers, provides or commissions care, in capitals, or None.

    A ten-digit number, a date, a full postcode or a name fits no form, but a name of three letters that begins as a
    trust's code does; a hospital number of the form of a code does too: its shape alone does not distinguish it.

    >>> organisation("y00001"), organisation("9990001234"), organisation("SMITH"), organisation("M11AE")
    ('Y00001', None, None, None)
    >>> organisation("rxx"), organisation("LEE"), organisation("8HK"), organisation("RXX01")
    ('RXX', None, '8HK', 'RXX01')
    """
    code = text.strip().upper()
    if _SITE.fullmatch(code):
        return None if _POSTCODE.fullmatch(code) else code
    forms = (_PRACTICE, _BRANCH, _THREE, _OFFICE)
    return code if any(form.fullmatch(code) for form in forms) else None


def council(text: str) -> str | None:
    """The ODS or ONS (GSS) code of a local authority, or None."""
    code = text.strip().upper()
    return code if _GSS.fullmatch(code) else organisation(code)
