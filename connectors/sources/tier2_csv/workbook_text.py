"""A workbook as the text of a CSV by the same mapping: a day as the mapping writes days, a number as plain digits."""

import csv
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from connectors.mapping import FileMapping
from connectors.sources.tier2_csv.days import written
from connectors.sources.tier2_csv.decoding import Decoded
from connectors.sources.tier2_csv.report import CsvText
from connectors.sources.tier2_csv.sheet import Sheet, sheet_of
from connectors.workbook import UnreadableWorkbook, WorkbookSheet, sheets_of
from schemas.errors import Issue, error, information

_DIGITS_LOST = 1e15


def workbook_sheet(raw: bytes, mapping: FileMapping) -> tuple[Sheet | None, tuple[Issue, ...]]:
    """The one shown sheet whose header fits the mapping, and the issues of the whole file.

    No sheet when none fits (then the reasons of the first that holds anything) and when two do.
    """
    try:
        sheets = sheets_of(raw)
    except UnreadableWorkbook as unreadable:
        return None, (error("file", unreadable.rule, code=unreadable.code),)
    shown = [sheet for sheet in sheets if not sheet.hidden and any(map(any, sheet.rows))]
    if not shown:
        return None, (error("file", "is a workbook without a filled sheet that is shown", code="structure"),)
    read = [sheet_of(_text(sheet, mapping), mapping) for sheet in shown]
    fitting = [(sheet, issues) for sheet, issues in read if sheet is not None]
    if not fitting:
        hidden = [sheet for sheet in sheets if sheet.hidden and any(map(any, sheet.rows))]
        if any(sheet_of(_text(sheet, mapping), mapping)[0] for sheet in hidden):
            return None, (error("file", "has the mapping's columns on a hidden sheet; show it", code="structure"),)
        return None, read[0][1]
    if len(fitting) > 1:
        return None, (error("file", "has more than one sheet with the mapping's columns", code="structure"),)
    sheet, issues = fitting[0]
    if len(sheets) > 1:
        issues = (*issues, information("file", f"has {len(sheets) - 1} other sheets, which are not read"))
    return sheet, issues


def _text(sheet: WorkbookSheet, mapping: FileMapping) -> Decoded:
    delimiter, text = mapping.delimiter or ",", CsvText()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    width = max(map(len, sheet.rows))
    for row in sheet.rows:
        cells = [_cell(value, mapping) for value in row]
        writer.writerow(cells + [""] * (width - len(cells)))
    return Decoded("".join(text.parts), "utf-8", delimiter=delimiter)


def _cell(value: object, mapping: FileMapping) -> str:
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _number(value)
        case datetime():
            moment = _to_the_second(value)
            day = written(moment.date(), mapping.date_format)
            return day if moment.time() == time() else f"{day} {moment:%H:%M:%S}"
        case date():
            return written(value, mapping.date_format)
        case None:
            return ""
        case _:
            return str(value)


def _number(value: float) -> str:
    """Plain digits; beyond the 15 that a spreadsheet keeps, its exponent form, which no number of a person has."""
    if abs(value) >= _DIGITS_LOST:
        return f"{value:.14E}"
    return str(int(value)) if float(value).is_integer() else format(Decimal(f"{value:.15g}"), "f")


def _to_the_second(moment: datetime) -> datetime:
    try:
        return (moment + timedelta(milliseconds=500)).replace(microsecond=0)
    except OverflowError:  # the last half second of the year 9999
        return moment.replace(microsecond=0)
