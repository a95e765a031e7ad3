"""Bytes of an HL7v2 message to its segment lines, and a file of messages to messages.

One rule decides where a segment ends: the first line end after MSH. HL7 says a carriage return; real feeds
also send `\\n` and `\\r\\n`. A line feed inside a text that ends its segments with `\\r` is prose, not a
segment: otherwise whoever can type into a patient's name could add a segment to the message.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from schemas.errors import Issue, warning

MESSAGE_BYTES_MAX = 8 * 1024 * 1024  # a scanned letter in an OBX-5 is the largest thing trusts send
SEGMENTS_MAX = 20_000  # the largest simulated ORU has 70; beyond this it is not one message about one patient

# MSH-18, HL7 table 0211, and the other names that senders give them (`_charset_name` folds them; read November 2026).
# Senders declare ASCII without checking it: it is read as UTF-8, its superset.
_CHARSETS = {
    "": "utf-8",
    "ascii": "utf-8",
    "usascii": "utf-8",
    "unicode": "utf-8",
    "unicodeutf8": "utf-8",
    "utf8": "utf-8",
    "windows1252": "cp1252",
    "cp1252": "cp1252",
    "windows1250": "cp1250",
    "cp1250": "cp1250",
    "latin1": "iso8859-1",
    "latin2": "iso8859-2",
    "latin9": "iso8859-15",
} | {f"8859{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}
_C1 = re.compile(rb"[\x80-\x9f]")  # control characters in 8859; letters and quotation marks in Windows-1252
# The mark of UTF-16 or UTF-32, or NULs between the letters of MSH: every character has two or four bytes.
_WIDE = re.compile(rb"\xff\xfe|\xfe\xff|\x00\x00\xfe\xff|[\x00\x0b\x1c\r\n\t ]*M\x00+S\x00+H")
_BATCH_SEGMENTS = (b"FHS", b"BHS", b"BTS", b"FTS")
_FRAMING = b"\x0b\x1c\r\n\t "
_MESSAGE_START = re.compile(rb"(?:^|(?<=[\r\n\x0b\x1c]))[ \t]*(?=MSH|FHS|BHS|BTS|FTS)")


@dataclass(frozen=True, slots=True, repr=False)
class Lines:
    """The lines of one message, what was odd about reading them, and why they are not a message (or None)."""

    lines: tuple[str, ...]
    issues: tuple[Issue, ...]
    refusal: str | None = None
    charset: str = "utf-8"


def split(raw: bytes) -> list[bytes]:
    """The messages of a file, in order, their bytes as they stand: the door must read of each what is read here.

    A message starts at a line that starts with MSH; blank lines, MLLP framing and batch segments between
    messages are left out. Text before the first MSH is handed on as a message of its own, so that it is
    refused and not lost. A file without any content has no messages.
    """
    text = raw.removeprefix(b"\xef\xbb\xbf")
    starts = [found.start() for found in _MESSAGE_START.finditer(text)]
    bounds = [0, *starts, len(text)]
    parts = (text[start:end].strip(_FRAMING) for start, end in pairwise(bounds))
    return [part + b"\r" for part in map(_without_batch_segment, parts) if part]


def _without_batch_segment(part: bytes) -> bytes:
    if part[:3] not in _BATCH_SEGMENTS:
        return part
    return b"".join(re.split(rb"[\r\n]", part, maxsplit=1)[1:]).strip(_FRAMING)


def lines_of(raw: bytes) -> Lines:
    """The decoded segment lines of `raw`, MSH first.

    `refusal` says why it is not one HL7 message: empty, too large, in UTF-16, not starting with MSH, more than one
    MSH, two kinds of segment end. Never raises: bytes that do not fit the declared character set are read
    as Windows-1252, then Latin-1 (which has a character for every byte), with a warning.
    """
    if len(raw) > MESSAGE_BYTES_MAX:
        return Lines((), (), f"is larger than {MESSAGE_BYTES_MAX} bytes")
    if _WIDE.match(raw):
        return Lines((), (), "is in UTF-16 or UTF-32, which are not read: send UTF-8")
    content = raw.removeprefix(b"\xef\xbb\xbf").strip(_FRAMING)
    if not content.startswith(b"MSH"):
        return Lines((), (), "does not start with MSH")
    text, charset, issues = _decoded(content)
    lines, mixed = _segment_lines(text)
    if any(line[0] in " \t" for line in lines):
        lines = tuple(line.lstrip(" \t") for line in lines)
        issues += (warning("message", "has blanks before the name of a segment", code="structure"),)
    if mixed:
        return Lines((), issues, "ends its segments in two ways")
    if len(lines) > SEGMENTS_MAX:
        return Lines((), issues, f"has more than {SEGMENTS_MAX} segments")
    if sum(line.startswith(lines[0][:4]) for line in lines) > 1:
        return Lines((), issues, "holds more than one message")
    return Lines(lines, issues, charset=charset)


def _decoded(content: bytes) -> tuple[str, str, tuple[Issue, ...]]:
    """The text, the character set it was read by, and what was odd about it."""
    declared = _declared_charset(content)
    issues = []
    if declared not in _CHARSETS:
        issues.append(warning("MSH-18", "names a character set that is not read; UTF-8 is assumed"))
    charset = _CHARSETS.get(declared, "utf-8")
    for attempt in dict.fromkeys((*_closer_charsets(content, charset), charset, "cp1252", "latin-1")):
        try:
            text = content.decode(attempt)
        except UnicodeDecodeError:
            continue
        if attempt != charset:
            issues.append(warning("MSH-18", f"does not name the character set used; read as {attempt}"))
        if "\ufffd" in text:
            issues.append(warning("MSH-18", "was applied wrongly by the sender: letters had been lost before"))
        return text, attempt, tuple(issues)
    raise AssertionError("Latin-1 decodes every byte")


def _closer_charsets(content: bytes, charset: str) -> tuple[str, ...]:
    """What fits the bytes better than the declared 8859 set, in which every byte is something.

    Bytes above 127 that are UTF-8 throughout are UTF-8: letters of 8859 hardly ever stand in such sequences. The C1
    control characters of 8859/1 are nobody's letters; Windows-1252 has its quotation marks there.
    """
    if not charset.startswith("iso8859") or content.isascii():
        return ()
    return ("utf-8", "cp1252") if charset == "iso8859-1" and _C1.search(content) else ("utf-8",)


def _declared_charset(content: bytes) -> str:
    header = re.split(rb"[\r\n]", content, maxsplit=1)[0]
    fields = header.split(header[3:4]) if len(header) > 3 else []
    if len(fields) < 18:  # MSH-1 is the separator itself, so MSH-18 is the 18th part counted from 1
        return ""
    return _charset_name(fields[17].split(b"~")[0].decode("ascii", "replace"))


def _charset_name(declared: str) -> str:
    """`declared` without what spellings differ in: ISO, marks, blanks, case."""
    return re.sub(r"[\s/_.:-]", "", declared.casefold()).removeprefix("iso")


def _segment_lines(text: str) -> tuple[tuple[str, ...], bool]:
    first = re.search(r"[\r\n]", text)
    if first is None:
        return (text,), False
    end, prose = ("\n", "\r") if first.group() == "\n" else ("\r", "\n")
    lines = _not_blank(text.replace("\r\n", end).split(end))
    segment = re.compile(re.escape(prose) + r"[A-Z][A-Z0-9]{2}" + re.escape(text[3:4]))
    return lines, any(segment.search(line) for line in lines)


def _not_blank(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line.lstrip("\r\n\x0b\ufeff") for line in lines if line.strip())
