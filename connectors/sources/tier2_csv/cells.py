"""One cell: its text to a value of one kind, strictly by the mapping, or the rule it breaks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from connectors.mapping import Column, FileMapping, Fixed, spelling
from connectors.sources.tier2_csv.amounts import Amount, amount_of
from connectors.sources.tier2_csv.days import (
    Unfit,
    british_summer_time,
    from_serial,
    names_its_zone,
    on_the_clock,
    parse_date,
    split_clock,
    unmistakable_day,
)
from connectors.sources.tier2_csv.texts import as_typed, is_error_value, is_formula, is_not_taken, one_line, repaired
from schemas import placeholders
from schemas.errors import Issue, error, information, warning
from schemas.identity import booking_reference
from schemas.ods import organisation

CELL_CHARACTERS_MAX = 2_000
# NHS Data Dictionary default codes for a practice: no practice, not applicable, not known.
_NO_PRACTICE = frozenset({"V81997", "V81998", "V81999"})
# NHS Data Dictionary ORGANISATION CODE of a general practice: one letter and five digits.
_PRACTICE = re.compile(r"[A-HJ-NP-Y][0-9]{5}")
_AS_A_FLOAT = re.compile(r"([0-9]+)\.0")
_EXPONENT = re.compile(r"[0-9]+([.,][0-9]+)?[Ee]\+?[0-9]+")
# How databases and spreadsheets write a day that is a day and no more.
_MIDNIGHT = re.compile(r"[ T](?:0{1,2}:00(:00([.,]0+)?)?( ?Z)?|12:00(:00)? ?AM)$", re.IGNORECASE)
_ZERO_DAY = re.compile(r"[0\W]+")  # 00/00/0000: what databases write for no day
NOTHING_KNOWN = "says that nothing is known; not used"


@dataclass(slots=True, repr=False)
class Cells:
    """The cells of one row by header key, and the issues found while reading them."""

    row: int
    texts: Mapping[str, str]
    mapping: FileMapping
    words: frozenset[str] = frozenset()  # the source's own words for "not known"
    encoding: str = "utf-8"
    issues: list[Issue] = field(default_factory=list)

    def place(self, column: Column) -> str:
        """Where an issue about `column` of this row lies."""
        return f"row {self.row}, column {column.header}"

    def error(self, column: Column, rule: str, *, code: str = "value") -> None:
        """What stands in one column cannot be read; the rest of the row is."""
        self.issues.append(error(self.place(column), rule, code=code))

    def warning(self, column: Column, rule: str, *, code: str = "business-rule") -> None:
        """Says something about one column; the row stands."""
        self.issues.append(warning(self.place(column), rule, code=code))

    def information(self, column: Column, rule: str) -> None:
        """Says what was recognised in a column and is not used."""
        self.issues.append(information(self.place(column), rule))

    def filled(self, column: Column | None) -> bool:
        """True when the row has something in the column."""
        return column is not None and bool(self.texts.get(column.key, "").strip())

    def says(self, column: Column) -> bool:
        """True when the column holds more than a word for "not known" or a spreadsheet's error value."""
        text = one_line(self.texts.get(column.key, ""))
        nothing = is_error_value(text) or set(text) == {"0"} or self._is_nothing(text)
        return bool(text) and not nothing

    def text(self, column: Column | None) -> str | None:
        """The cell, runs of white space as one space; None when empty, or when it is no text (then an issue)."""
        if column is None:
            return None
        text = one_line(self.texts.get(column.key, ""))
        if len(text) > CELL_CHARACTERS_MAX:
            self.error(column, f"is longer than {CELL_CHARACTERS_MAX} characters", code="too-long")
            return None
        if any(ord(character) < 32 or ord(character) == 127 for character in text):
            self.error(column, "holds a control character", code="invalid")
            return None
        if is_error_value(text):
            self.warning(column, "is an error value of a spreadsheet; not kept", code="value")
            return None
        return text or None

    def wording(self, column: Column | None) -> str | None:
        """A name or a line of an address, with what spreadsheets and encodings did to it undone and reported."""
        text = self.text(column)
        if column is None or text is None:
            return None
        text, rules = repaired(text, encoding=self.encoding)
        for rule in rules:
            self.warning(column, rule, code="value")
        if any(127 <= ord(character) < 160 for character in text):
            self.error(column, "holds a control character", code="invalid")
            return None
        if placeholders.is_word(text, self.words):
            self.information(column, NOTHING_KNOWN)
            return None
        return text or None

    def identifier(self, column: Column | None) -> str | None:
        """What names a person or a thing, as written; None for a word that names nothing and for lost digits."""
        text = self.text(column)
        if column is None or text is None:
            return None
        if self._is_nothing(text) or set(text) == {"0"}:
            self.information(column, NOTHING_KNOWN)
            return None
        if _EXPONENT.fullmatch(text):
            self.warning(column, "is in a spreadsheet's exponent form, its digits are lost; not kept")
            return None
        if is_formula(text):
            self.warning(column, "is a formula; not kept", code="value")
            return None
        return as_identifier(text)

    def _is_nothing(self, text: str) -> bool:
        return placeholders.is_word(text, self.words) or is_not_taken(text)

    def _value(self, column: Column | None) -> str | None:
        """The text of a day, a number or a code; None with an information where it says that there is none."""
        text = self.text(column)
        if column is None or text is None:
            return None
        if self._is_nothing(text):
            self.information(column, NOTHING_KNOWN)
            return None
        return as_typed(text)

    def day(self, column: Column | None, *, timed: bool = True) -> date | None:
        """The day in the mapping's format; None when empty, a placeholder or wrong (then an issue).

        `timed`: a time of the day beside it is left out with a warning; else it makes the day an error.
        """
        text = self._value(column)
        if column is None or text is None:
            return None
        text = _MIDNIGHT.sub("", self._without_serial(text))
        if _ZERO_DAY.fullmatch(text):
            self.information(column, NOTHING_KNOWN)
            return None
        try:
            day = self._day_of(column, text) if timed else self._day(column, text)
        except Unfit as unfit:
            self._unfit(column, unfit)
            return None
        if placeholders.is_day(day):
            self.information(column, NOTHING_KNOWN)
            return None
        return day

    def _day(self, column: Column, text: str) -> date:
        """The day in the mapping's format, or in one that has no other reading (then a warning). Raises Unfit."""
        try:
            return parse_date(text, self.mapping.date_format)
        except Unfit:
            day = unmistakable_day(text, day_first=self.mapping.date_format.startswith("d"))
            if day is None:
                raise
            rule = f"does not have the format {self.mapping.date_format}; it has one reading, and is read so"
            self.warning(column, rule, code="value")
            return day

    def _without_serial(self, text: str) -> str:
        serials = self.mapping.serials
        return text if serials is None else from_serial(text, serials, self.mapping.date_format)

    def _day_of(self, column: Column, text: str) -> date:
        """As `_day`, without the time of the day beside it: a UTC time gives the day of the mapping's zone."""
        day_text, clock = split_clock(text)
        day = self._day(column, day_text)
        if not clock or placeholders.is_day(day):
            return day
        utc = on_the_clock(day, clock, zone="UTC")
        self.warning(column, "has a time of the day; read as the day alone", code="value")
        ahead = names_its_zone(clock) and self.mapping.zone == "Europe/London"
        summer = ahead and british_summer_time(utc + timedelta(hours=1))
        return (utc + timedelta(hours=1)).date() if summer else day

    def moment(self, column: Column | None) -> datetime | None:
        """As `day`, in the mapping's date-and-time format; a day alone is its first moment. In UTC."""
        text = self._value(column)
        if column is None or text is None:
            return None
        moment_format = self.mapping.datetime_format
        if moment_format is None:
            day = self.day(column)
            return None if day is None else datetime.combine(day, time(), UTC)
        day_text, clock = split_clock(self._without_serial(text))
        try:
            day = self._day(column, day_text)
            if placeholders.is_day(day):
                self.information(column, NOTHING_KNOWN)
                return None
            if not clock:
                self.warning(column, "has no time of the day; read as the first moment of the day", code="value")
            return on_the_clock(day, clock or "00:00", zone=self.mapping.zone)
        except Unfit as unfit:
            self.warning(column, unfit.rule + "; the time when the file came stands in", code=unfit.code)
            return None

    def coded(self, column: Column | None) -> Fixed | None:
        """What the mapping's list makes of the cell; None when empty or not in the list (then an issue)."""
        text = self.text(column)
        if column is None or text is None:
            return None
        codes, typed = column.codes or {}, as_typed(text)
        spellings = (text, typed, _AS_A_FLOAT.sub(r"\1", typed))  # 5.0 is how a column of numbers with gaps writes 5
        code = next((codes[word] for word in map(spelling, spellings) if word in codes), None)
        if code is None and self._is_nothing(text):
            self.information(column, NOTHING_KNOWN)
        elif code is None:
            self._unfit(column, Unfit("is not in the mapping's list of codes", code="code-invalid"))
        return code

    def ods(self, column: Column | None) -> str | None:
        """An ODS code in capitals; the default codes for "no practice" are None."""
        text = self._value(column)
        if column is None or text is None:
            return None
        code = organisation(text)
        if code is None:
            self._unfit(column, Unfit("does not have the form of an ODS code"))
        if code in _NO_PRACTICE:
            self.information(column, NOTHING_KNOWN)
            return None
        return code

    def booking_reference(self, column: Column | None) -> str | None:
        """An e-RS number in one spelling; any other text is left out with a warning."""
        text = self._value(column)
        number = booking_reference(text) if text else None
        if column is not None and text and number is None:
            self.warning(column, "is not an e-RS booking reference; not kept", code="value")
        return number

    def practice(self, column: Column | None) -> str | None:
        """As `ods`, of the form of a general practice: any other is left out with a warning."""
        code = self.ods(column)
        if column is None or code is None or _PRACTICE.fullmatch(code):
            return code
        self.warning(column, "does not have the form of a practice's code; not kept", code="value")
        return None

    def amount(self, column: Column | None) -> Amount | None:
        """A number, with its unit where the cell holds one."""
        text = self._value(column)
        if column is None or text is None:
            return None
        amount = amount_of(text)
        if amount is None:
            self._unfit(column, Unfit("must be a plain number such as 85.5, without thousands or bounds"))
        elif amount.doubt:
            self.warning(column, amount.doubt, code="value")
        return amount

    def number(self, column: Column | None) -> Decimal | None:
        """A plain number, not negative."""
        amount = self.amount(column)
        if amount is None or column is None or amount.unit is None:
            return None if amount is None else amount.value
        self._unfit(column, Unfit("must be a plain number without unit"))
        return None

    def integer(self, column: Column | None) -> int | None:
        """A plain whole number."""
        number = self.number(column)
        if number is None or column is None or number == number.to_integral_value():
            return None if number is None else int(number)
        self._unfit(column, Unfit("must be a whole number"))
        return None

    def _unfit(self, column: Column, unfit: Unfit) -> None:
        if column.lenient:
            self.warning(column, unfit.rule + "; not kept", code=unfit.code)
        else:
            self.error(column, unfit.rule, code=unfit.code)


def as_identifier(text: str) -> str:
    """An identifier without the apostrophe by which a spreadsheet marks a cell as text.

    >>> as_identifier("'001001")
    '001001'
    """
    return text[1:].strip() if text[:1] in "'\u2018\u2019" and len(text) > 1 else text
