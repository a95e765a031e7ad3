"""Bytes of a file to text, or the one reason why not. An encoding is recognised, never guessed from names."""

import re
from dataclasses import dataclass

from schemas.errors import Issue, error, information

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_UTF32_BOMS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
# What people drop instead of a CSV: old xls, PDF, gzip.
_NOT_TEXT = (b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b")
# A two-byte letter of UTF-8 (é, ü, ñ …) read as Windows-1252 would be "Ã" and a sign: no name holds that.
_UTF8_LETTER = re.compile(rb"\xc3[\x80-\xbf]")


@dataclass(frozen=True, slots=True, repr=False)
class Decoded:
    """The text without its byte order mark; `encoding` turns a row back into the bytes as sent.

    `delimiter` is set where the text was made from a workbook.
    """

    text: str
    encoding: str
    issues: tuple[Issue, ...] = ()
    delimiter: str | None = None


def decode(raw: bytes) -> Decoded | Issue:
    """The text of `raw`: UTF-8 with or without BOM, UTF-16 with BOM, else Windows-1252 with a note.

    An Issue when it is empty, no text file, holds NUL, or mixes encodings: then nothing of it is read,
    because names misread here would be linked as different people.
    """
    if raw.startswith(_NOT_TEXT):
        return error("file", "is an old workbook, an archive or a document; save it as .xlsx or CSV", code="structure")
    if raw.startswith(_UTF32_BOMS):
        return error("file", "is UTF-32; save it as UTF-8", code="structure")
    decoded = _by_encoding(raw)
    if isinstance(decoded, Issue):
        return decoded
    if "\x00" in decoded.text:
        return error(
            "file",
            "holds a NUL character: no text file, or UTF-16 without a byte order mark",
            code="structure",
        )
    if not decoded.text.strip():
        return error("file", "is empty", code="structure")
    return decoded


def _by_encoding(raw: bytes) -> Decoded | Issue:
    try:
        if raw.startswith(_UTF16_BOMS):
            return Decoded(raw.decode("utf-16"), "utf-16")
        if raw.startswith(_UTF8_BOM):
            return Decoded(raw.decode("utf-8-sig"), "utf-8-sig")
    except UnicodeDecodeError:
        return error("file", "is not of the encoding its byte order mark announces", code="structure")
    try:
        return Decoded(raw.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return _windows_1252(raw)


def _windows_1252(raw: bytes) -> Decoded | Issue:
    if _UTF8_LETTER.search(raw):
        return error("file", "mixes UTF-8 with another encoding, or ends inside a letter", code="structure")
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        return error("file", "is neither UTF-8 nor Windows-1252", code="structure")
    return Decoded(text, "cp1252", (information("file", "is not UTF-8; read as Windows-1252"),))
