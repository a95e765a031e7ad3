"""Who a row is about. Nothing here leaves the row except inside the Person, which hides itself."""

import re
from datetime import date

from connectors.mapping import Column
from connectors.sources.tier2_csv.cells import NOTHING_KNOWN, Cells
from connectors.sources.tier2_csv.texts import is_not_taken, without_notes
from schemas import placeholders
from schemas.errors import InvalidField
from schemas.identity import (
    NOT_FOR_TESTS,
    Address,
    LocalId,
    NHSNumber,
    Person,
    PersonName,
    Postcode,
    nhs_digits,
)
from schemas.placeholders import is_mailbox, is_number, is_postcode, is_telephone

_EARLIEST_BIRTH = date(1880, 1, 1)  # as `facts.Demographics`
_NAMES = ("family", "given", "former_family", "known_as")
_AS_A_FLOAT = re.compile(r"[0-9]+\.0")
_PHONE = re.compile(r"\(?\+?[0-9][0-9 ()-]{6,20}")
_MOBILE_WITHOUT_NOUGHT = re.compile(r"7[0-9]{3} ?[0-9]{3} ?[0-9]{3}")
_EMAIL = re.compile(r"[^@\s<>:()]{1,64}@[^@\s<>]+\.[^@\s.<>]{2,}")
_BETWEEN = re.compile(r"\s*[;,/]\s*")  # two telephones or mailboxes in one cell


def person_of(cells: Cells, *, reported_on: date, test_mode: bool, issuer: str | None = "") -> Person:
    """The person as the row has it; what cannot be read is an issue in `cells` and absent here.

    `issuer` is the authority of the column with local ids; without one (None) it holds none.
    """
    columns = cells.mapping.person
    number, claimed = _nhs_number(cells, columns.get("nhs_number"), test_mode=test_mode)
    sex = cells.coded(columns.get("sex"))
    return Person(
        local_id=_local_id(cells, columns.get("local_id"), issuer),
        nhs_number=number,
        nhs_number_claimed=claimed,
        names=_names(cells),
        birth_date=_birth_date(cells, columns.get("birth_date"), reported_on=reported_on),
        sex=None if sex is None else str(sex),
        addresses=tuple(address for address in (_address(cells), _address(cells, "former_")) if address != Address()),
        phones=_phones(cells),
        emails=_matching(cells, "email", _EMAIL, "is not an email address; not kept"),
    )


def _names(cells: Cells) -> tuple[PersonName, ...]:
    """The name, the surname before it, the short form beside it; of each what is filled."""
    texts = {key: _name(cells, cells.mapping.person.get(key)) for key in _NAMES}
    family, before = texts["family"]
    forename, former, known_as = (texts[key][0] for key in ("given", "former_family", "known_as"))
    if "null" in (family.casefold(), forename.casefold()) and {family.casefold(), forename.casefold()} <= {
        "null",
        "",
    }:
        # "Null" is a surname beside a forename, and a database's nothing where nothing else is said.
        for key in ("family", "given"):
            column = cells.mapping.person.get(key)
            if column is not None and texts[key][0]:
                cells.information(column, NOTHING_KNOWN)
        family = forename = ""
    given = tuple(forename.split())
    names = [PersonName(family, given)] if family or given else []
    names += [PersonName(surname, given, "old") for surname in (before, former) if surname]
    if known_as:
        names.append(PersonName(family, tuple(known_as.split()), "nickname"))
    return tuple(names)


def _name(cells: Cells, column: Column | None) -> tuple[str, str]:
    """A name without the notes beside it, and the former surname that a note may hold."""
    text = cells.wording(column)
    if column is None or text is None:
        return "", ""
    named = placeholders.without_words(text)
    if named != text:
        cells.information(column, "holds a word for what is not known beside a name; the name was read")
    name, former, dropped = without_notes(named)
    if not dropped and not any(letter.isalpha() for letter in name):
        if name.strip("0") and any(letter.isdigit() for letter in name):
            cells.warning(column, "holds a number and no letter; not kept", code="value")
        elif name or not former:
            cells.information(column, NOTHING_KNOWN)
        return "", former
    if dropped:
        cells.warning(column, "holds a note beside the name; the note is not kept", code="value")
    return name, former


def _local_id(cells: Cells, column: Column | None, issuer: str | None) -> LocalId | None:
    text = cells.identifier(column)
    if column is None or text is None:
        return None
    if is_number(text, cells.words):
        cells.warning(column, "is a number that many records share where none is known; not kept", code="value")
        return None
    if issuer is None:
        cells.warning(column, "has no authority, and the source no default; left out", code="required")
        return None
    if _AS_A_FLOAT.fullmatch(text):
        cells.warning(column, "ends in .0, as a spreadsheet makes of a number; kept as sent", code="value")
    try:
        return LocalId.parse(text, issuer)
    except InvalidField as invalid:
        cells.error(column, invalid.rule)
        return None


def _nhs_number(cells: Cells, column: Column | None, *, test_mode: bool) -> tuple[NHSNumber | None, str | None]:
    """The number, or what was sent in its place when it may be one with a slip; never a repaired number.

    Nine digits have lost their leading zero to a spreadsheet; `9.44931E+09` has lost its last digits for good.
    """
    text = cells.text(column)
    if column is None or text is None:
        return None, None
    if is_number(text, cells.words) or re.fullmatch(r"[0\W]+", text):
        cells.information(column, NOTHING_KNOWN)
        return None, None
    try:
        number = NHSNumber.parse(text, test_mode=test_mode)
    except InvalidField as invalid:
        return None, _claimed(cells, column, text, invalid.rule)
    if test_mode and number.may_be_real:
        cells.warning(column, NOT_FOR_TESTS)
    if not number.in_allocated_range:
        cells.warning(column, "is outside the ranges issued so far")
    return number, None


def _claimed(cells: Cells, column: Column, text: str, rule: str) -> str | None:
    digits = nhs_digits(text) or text.replace(" ", "").replace("-", "")
    if re.fullmatch(r"[0-9.]+[Ee]\+?[0-9]+", text):
        cells.warning(column, "is in a spreadsheet's exponent form, its digits are lost; not kept")
    elif re.fullmatch(r"[0-9]{9}", digits):
        cells.warning(column, "has nine digits: was a leading zero lost? kept only as claimed")
        return digits
    elif re.fullmatch(r"[0-9]{10}", digits) is None:
        cells.warning(column, rule + "; not kept")
    elif "test range" in rule:
        cells.error(column, rule, code="business-rule")
    else:
        cells.warning(column, rule + "; kept only as claimed")
        return digits
    return None


def _birth_date(cells: Cells, column: Column | None, *, reported_on: date) -> date | None:
    born = cells.day(column, timed=False)  # 23:00 is what a program makes of midnight: the day itself is in doubt
    if column is None or born is None:
        return None
    if not _EARLIEST_BIRTH <= born <= reported_on:
        cells.error(column, "must lie between 1880 and the day of the row")
        return None
    return born


def _address(cells: Cells, which: str = "") -> Address:
    columns = cells.mapping.person
    line, city = (_line(cells, columns.get(f"{which}{part}")) for part in ("address", "city"))
    postcode, column = None, columns.get(f"{which}postcode")
    text = cells.identifier(column)
    if column is not None and text is not None and is_postcode(text):
        cells.information(column, NOTHING_KNOWN)
    elif column is not None and text is not None:
        try:
            postcode = Postcode.parse(text)
        except InvalidField as invalid:
            cells.warning(column, invalid.rule + "; not kept", code="value")
    return Address(line, postcode, city)


def _line(cells: Cells, column: Column | None) -> str:
    text = cells.wording(column)
    if column is not None and text is not None and (is_number(text) or is_not_taken(text)):
        cells.information(column, NOTHING_KNOWN)
        return ""
    return text or ""


def _phones(cells: Cells) -> tuple[str, ...]:
    """As written; a mobile gets back the leading zero a spreadsheet took: only 07 leaves ten digits from 7 on."""
    column = cells.mapping.person.get("phone")
    found = _matching(cells, "phone", _PHONE, "is not a telephone number; not kept")
    short = [_MOBILE_WITHOUT_NOUGHT.fullmatch(phone) is not None for phone in found]
    if column is not None and any(short):
        cells.warning(column, "has lost its leading zero; read with it", code="value")
    return tuple(f"0{phone}" if lost else phone for phone, lost in zip(found, short, strict=True))


def _matching(cells: Cells, name: str, pattern: re.Pattern[str], rule: str) -> tuple[str, ...]:
    column = cells.mapping.person.get(name)
    text = cells.identifier(column)
    if column is None or text is None:
        return ()
    is_nothing = is_telephone if name == "phone" else is_mailbox
    parts = [part for part in _BETWEEN.split(text) if part]
    if any(pattern.fullmatch(part) and is_nothing(part) for part in parts):
        cells.information(column, NOTHING_KNOWN)
        parts = [part for part in parts if not is_nothing(part)]
    found = tuple(part for part in parts if pattern.fullmatch(part))
    if len(found) < len(parts):
        cells.warning(column, rule, code="value")
    return found
