"""Bytes of an HL7v2 message to its segment lines, and a file of messages to messages.

One rule decides where a segment ends: the first line end after MSH. HL7 says a carriage return; real feeds
also send `\\n` and `\\r\\n`. A line feed inside a text that ends its segments with `\\r` is prose, not a
segment: otherwise whoever can type into a patient's name could add a segment to the message.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import Issue, warning

MESSAGE_BYTES_MAX = 8 * 1024 * 1024  # a scanned letter in an OBX-5 is the largest thing trusts send
SEGMENTS_MAX = 20_000  # the largest simulated ORU has 70; beyond this it is not one message about one patient

# MSH-18, HL7 table 0211. Senders declare ASCII without checking it: it is read as UTF-8, its superset.
_CHARSETS = {
    "": "utf-8",
    "ASCII": "utf-8",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "8859/1": "latin-1",
    "8859/15": "iso8859-15",
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
}
_BATCH_SEGMENTS = (b"FHS", b"BHS", b"BTS", b"FTS")
_FRAMING = b"\x0b\x1c\r\n\t "


@dataclass(frozen=True, slots=True, repr=False)
class Lines:
    """The lines of one message, what was odd about reading them, and why they are not a message (or None)."""

    lines: tuple[str, ...]
    issues: tuple[Issue, ...]
    refusal: str | None = None


def split(raw: bytes) -> list[bytes]:
    """The messages of a file, in order, each with its segments ended by a carriage return.

    A message starts at a line that starts with MSH; blank lines, MLLP framing and batch segments between
    messages are left out. Text before the first MSH is handed on as a message of its own, so that it is
    refused and not lost. A file without any content has no messages.
    """
    text = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    messages: list[list[bytes]] = []
    for line in text.split(b"\r"):
        line = line.strip(_FRAMING)
        if not line or line[:3] in _BATCH_SEGMENTS:
            continue
        if line.startswith(b"MSH") or not messages:
            messages.append([])
        messages[-1].append(line)
    return [b"\r".join(lines) + b"\r" for lines in messages]


def lines_of(raw: bytes) -> Lines:
    """The decoded segment lines of `raw`, MSH first.

    `refusal` says why it is not one HL7 message: empty, too large, not starting with MSH, more than one
    MSH, two kinds of segment end. Never raises: bytes that do not fit the declared character set are read
    as Windows-1252, then Latin-1 (which has a character for every byte), with a warning.
    """
    if len(raw) > MESSAGE_BYTES_MAX:
        return Lines((), (), f"is larger than {MESSAGE_BYTES_MAX} bytes")
    content = raw.removeprefix(b"\xef\xbb\xbf").strip(_FRAMING)
    if not content.startswith(b"MSH"):
        return Lines((), (), "does not start with MSH")
    text, issues = _decoded(content)
    lines, mixed = _segment_lines(text)
    if mixed:
        return Lines((), issues, "ends its segments in two ways")
    if len(lines) > SEGMENTS_MAX:
        return Lines((), issues, f"has more than {SEGMENTS_MAX} segments")
    if sum(line.startswith(lines[0][:4]) for line in lines) > 1:
        return Lines((), issues, "holds more than one message")
    return Lines(lines, issues)


def _decoded(content: bytes) -> tuple[str, tuple[Issue, ...]]:
    declared = _declared_charset(content)
    issues = []
    if declared not in _CHARSETS:
        issues.append(warning("MSH-18", "names a character set that is not read; UTF-8 is assumed"))
    charset = _CHARSETS.get(declared, "utf-8")
    for attempt in (charset, "cp1252", "latin-1"):
        try:
            text = content.decode(attempt)
        except UnicodeDecodeError:
            continue
        if attempt != charset:
            issues.append(warning("MSH-18", f"does not name the character set used; read as {attempt}"))
        return text, tuple(issues)
    raise AssertionError("Latin-1 decodes every byte")


def _declared_charset(content: bytes) -> str:
    header = re.split(rb"[\r\n]", content, maxsplit=1)[0]
    fields = header.split(header[3:4]) if len(header) > 3 else []
    if len(fields) < 18:  # MSH-1 is the separator itself, so MSH-18 is the 18th part counted from 1
        return ""
    return fields[17].split(b"~")[0].strip().upper().decode("ascii", "replace")


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
