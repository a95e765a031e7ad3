"""Workbooks (.xlsx) as a spreadsheet writes them, made of a few XML parts."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
Cell = str | int | float | date | None | tuple[str, str]  # a pair: a formula's or an error's type and value


def column_name(place: int) -> str:
    """0 is A, 26 is AA."""
    name = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        name = chr(65 + letter) + name
    return name


def _cell(name: str, cell: Cell, *, date1904: bool) -> str:
    if cell is None or cell == "":
        return ""
    if isinstance(cell, tuple):
        return f'<c r="{name}" t="{cell[0]}"><v>{escape(cell[1])}</v></c>'
    if isinstance(cell, date):
        serial = (cell - (date(1904, 1, 1) if date1904 else date(1899, 12, 30))).days
        return f'<c r="{name}" s="1"><v>{serial}</v></c>'
    if isinstance(cell, int | float):
        return f'<c r="{name}"><v>{cell}</v></c>'
    return f'<c r="{name}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'


def _sheet(rows: Sequence[Sequence[Cell]], *, date1904: bool) -> str:
    lines = [
        f'<row r="{number}">'
        + "".join(_cell(f"{column_name(place)}{number}", cell, date1904=date1904) for place, cell in enumerate(row))
        + "</row>"
        for number, row in enumerate(rows, start=1)
    ]
    return f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def workbook(*sheets: Sequence[Sequence[Cell]], hidden: Sequence[int] = (), date1904: bool = False) -> bytes:
    """A workbook with these sheets, in order; `hidden` are places of sheets that are not shown."""
    states = ['state="hidden"' if at in hidden else "" for at in range(len(sheets))]
    names = "".join(
        f'<sheet name="S{at}" sheetId="{at + 1}" r:id="rId{at + 1}" {state}/>' for at, state in enumerate(states)
    )
    relations = "".join(
        f'<Relationship Id="rId{at + 1}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{at + 1}.xml"/>'
        for at in range(len(sheets))
    )
    relations += f'<Relationship Id="rId99" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{at + 1}.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        for at in range(len(sheets))
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>' + kinds + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        + ('<workbookPr date1904="1"/>' if date1904 else "")
        + f"<sheets>{names}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    }
    for at, rows in enumerate(sheets):
        parts[f"xl/worksheets/sheet{at + 1}.xml"] = _sheet(rows, date1904=date1904)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return target.getvalue()
