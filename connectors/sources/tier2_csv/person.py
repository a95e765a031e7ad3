"""Who a row is about. Nothing here leaves the row except inside the Person, which hides itself."""

import re
from datetime import date

from connectors.mapping import Column
from connectors.sources.tier2_csv.cells import Cells
from schemas.errors import InvalidField
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode

_EARLIEST_BIRTH = date(1880, 1, 1)  # as `facts.Demographics`
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{6,20}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}")


def person_of(cells: Cells, *, told_on: date, test_mode: bool) -> Person:
    """The person as the row tells it; what cannot be read is an issue in `cells` and absent here."""
    columns = cells.mapping.person
    number, claimed = _nhs_number(cells, columns.get("nhs_number"), test_mode=test_mode)
    family, given = cells.text(columns.get("family")), cells.text(columns.get("given"))
    sex = cells.coded(columns.get("sex"))
    return Person(
        local_id=_local_id(cells, columns.get("local_id")),
        nhs_number=number,
        nhs_number_claimed=claimed,
        names=(PersonName(family or "", tuple((given or "").split())),) if family or given else (),
        birth_date=_birth_date(cells, columns.get("birth_date"), told_on=told_on),
        sex=None if sex is None else str(sex),
        addresses=_addresses(cells),
        phones=_matching(cells, "phone", _PHONE, "is not a telephone number; not kept"),
        emails=_matching(cells, "email", _EMAIL, "is not an email address; not kept"),
    )


def _local_id(cells: Cells, column: Column | None) -> LocalId | None:
    text = cells.text(column)
    if column is None or text is None:
        return None
    try:
        return LocalId.parse(text)
    except InvalidField as invalid:
        cells.error(column, invalid.rule)
        return None


def _nhs_number(
    cells: Cells, column: Column | None, *, test_mode: bool
) -> tuple[NHSNumber | None, str | None]:
    """The number, or what was sent in its place when it may be one with a slip; never a repaired number.

    Nine digits have lost their leading zero to a spreadsheet; `9.44931E+09` has lost its last digits for
    good.
    """
    text = cells.text(column)
    if column is None or text is None:
        return None, None
    try:
        number = NHSNumber.parse(text, test_mode=test_mode)
    except InvalidField as invalid:
        return None, _claimed(cells, column, text, invalid.rule)
    if not number.in_allocated_range:
        cells.warning(column, "is outside the ranges issued so far")
    return number, None


def _claimed(cells: Cells, column: Column, text: str, rule: str) -> str | None:
    digits = text.replace(" ", "").replace("-", "")
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


def _birth_date(cells: Cells, column: Column | None, *, told_on: date) -> date | None:
    born = cells.day(column)
    if column is None or born is None:
        return None
    if not _EARLIEST_BIRTH <= born <= told_on:
        cells.error(column, "must lie between 1880 and the day the row was told")
        return None
    return born


def _addresses(cells: Cells) -> tuple[Address, ...]:
    columns = cells.mapping.person
    line, city = cells.text(columns.get("address")) or "", cells.text(columns.get("city")) or ""
    postcode, column = None, columns.get("postcode")
    text = cells.text(column)
    if column is not None and text is not None:
        try:
            postcode = Postcode.parse(text)
        except InvalidField as invalid:
            cells.warning(column, invalid.rule + "; not kept", code="value")
    return (Address(line, postcode, city),) if line or city or postcode else ()


def _matching(cells: Cells, name: str, pattern: re.Pattern[str], rule: str) -> tuple[str, ...]:
    column = cells.mapping.person.get(name)
    text = cells.text(column)
    if column is None or text is None:
        return ()
    if pattern.fullmatch(text) is None:
        cells.warning(column, rule, code="value")
        return ()
    return (text,)
