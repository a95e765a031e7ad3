"""What spreadsheets, exports and people do to the text of a cell, and what is left of it. No value is in a rule."""

import html
import re
import unicodedata
from collections.abc import Callable

from schemas.placeholders import folded

# Error values of Excel and LibreOffice (ECMA-376 part 1, 18.17.3), and a number that its column was too narrow for.
_ERROR_VALUE = re.compile(
    r"#(REF!|N/A|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA|FIELD!|BLOCKED!|#+)|Err:[0-9]{3}",
    re.IGNORECASE,
)
_TEXT_FORMULA = re.compile(r'="([^"]*)"')  # how a CSV keeps a spreadsheet from making a number of digits
_JOINERS = "\u200c\u200d"  # invisible, and part of the spelling of Persian and Indic names
# What is written in place of a value that was not taken, beside the placeholders of every door (folded).
_NOT_TAKEN = frozenset({
    "not weighed", "not measured", "not taken", "not done", "not asked", "not collected", "not required", "dna",
    "did not attend", "unable", "unable to weigh", "unable to measure", "asked but unknown", "asku", "nask", "nd",
    "missing", "null", "na", "no scales", "no data", "not disclosed", "prefer not to say", "not completed",
    "nan", "nat",  # pandas
})  # fmt: skip
_ENTITY = re.compile(r"&(#[0-9]{1,5}|#[xX][0-9a-fA-F]{1,4}|amp|apos|quot|lt|gt|nbsp);")
# UTF-8 read as Windows-1252: a lead byte (Â to ô) followed by a sign.
_TWICE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0192\u02c6-\u02dc\u2013-\u203a\u20ac\u2122]")
# 0x80 to 0x9F of Windows-1252 without quotes and dashes: accented letters in Mac OS Roman.
_DOUBTFUL = re.compile("\\w[€‚ƒ„…†‡ˆ‰Š‹ŒŽ˜™š›œžŸ]|[ƒ†‡ˆ‰Š‹ŒŽ˜™š›œžŸ]\\w")
_NOTE = re.compile(r"[(\[{*]\s*([^()\[\]{}*]*?)\s*[)\]}*]")
_WARNING_WORDS = re.compile(
    r"[\s\-,:*]*\b(do not use|don't use|duplicate( record)?|deceased|see other record|test patient)\b[\s\-,:*]*",
    re.IGNORECASE,
)


def one_line(text: str) -> str:
    """Runs of white space as one space; `="…"` as what it holds; without characters that nobody sees."""
    shown = "".join(c for c in text if unicodedata.category(c) != "Cf" or c in _JOINERS)
    plain = " ".join(shown.split())
    formula = _TEXT_FORMULA.fullmatch(plain)
    return " ".join(formula[1].split()) if formula else plain


def is_error_value(text: str) -> bool:
    """True when a spreadsheet lost the cell: #REF!, #N/A, ######."""
    return _ERROR_VALUE.fullmatch(text) is not None


def is_not_taken(text: str) -> bool:
    """True for what is written in place of a measurement, a day or a code that nobody took."""
    word = folded(text)
    return word in _NOT_TAKEN or all(unicodedata.category(sign)[0] in "PZ" or sign in "~_" for sign in text)


def as_typed(text: str) -> str:
    """A number, day or code without a spreadsheet's apostrophe, full-width digits as digits.

    >>> as_typed("'88.4")
    '88.4'
    """
    return unicodedata.normalize("NFKC", text).lstrip("'\u2018\u2019").strip()


def _written_once(text: str) -> tuple[str, str | None]:
    if _TWICE.search(text) is None:
        return text, None
    try:
        raw = b"".join(c.encode("latin-1" if ord(c) < 0xA0 else "cp1252") for c in text)
        return raw.decode("utf-8"), "was encoded twice; read as encoded once"
    except UnicodeError:
        return text, "looks encoded twice and cannot be turned back; kept as sent"


def _without_entities(text: str) -> tuple[str, str | None]:
    plain = " ".join(html.unescape(text).split()) if _ENTITY.search(text) else text
    return plain, None if plain == text else "holds a character as HTML writes it; read as the character"


def is_formula(text: str) -> bool:
    """True for what a spreadsheet would calculate, and did not."""
    return re.match(r"=|[+@-](?:[A-Za-z]\w*[(!]|.*\|)", text) is not None


def _without_formula(text: str) -> tuple[str, str | None]:
    if is_formula(text):
        return "", "is a formula; not kept"
    plain = text.lstrip("+@-=").strip()
    return (text, None) if plain == text or not plain else (plain, "begins with a sign; read without it")


def _lost_letter(text: str) -> tuple[str, str | None]:
    lost = "\ufffd" in text or re.search(r"[^\W\d_]\?[^\W\d_]", text)
    return text, "holds a letter that was lost before it came; kept as sent" if lost else None


_REPAIRS: tuple[Callable[[str], tuple[str, str | None]], ...] = (
    _written_once, _without_entities, _without_formula, _lost_letter,
)  # fmt: skip


def repaired(text: str, *, encoding: str) -> tuple[str, list[str]]:
    """A name or a line of an address as it was meant, and a rule for each thing that was done to it."""
    rules: list[str] = []
    for repair in _REPAIRS:
        text, rule = repair(text)
        rules += [rule] if rule else []
    if encoding == "cp1252" and _DOUBTFUL.search(text):
        rules.append("holds a letter that Windows-1252 and Mac OS Roman read differently; read as Windows-1252")
    return text, rules


_FORMER = re.compile(r"(?:n[eé]e|born|formerly|previously|prev\.?|was)[:\s]+(.+)", re.IGNORECASE)


_FORMER_BESIDE = re.compile(r"(.*?),?\s*\b(?:n[ée]e|NÉE|Née|formerly|previously)\b[:\s]+(\w.*)")


def without_notes(name: str) -> tuple[str, str, bool]:
    """A name without what people write beside it, the former surname in such a note, and whether a note was dropped.

    >>> without_notes("Smith (née Jones)"), without_notes("Barker (DO NOT USE)")
    (('Smith', 'Jones', False), ('Barker', '', True))
    """
    former, dropped = "", False
    for note in _NOTE.finditer(name):
        found = _FORMER.fullmatch(note[1])
        former, dropped = (found[1], dropped) if found else (former, True)
    plain = _NOTE.sub(" ", name)
    beside = _FORMER_BESIDE.fullmatch(plain.strip())
    if beside is not None and not former:
        plain, former = beside[1], beside[2]
    bare = _WARNING_WORDS.sub(" ", plain)
    return " ".join(bare.split()), former, dropped or bare != plain
