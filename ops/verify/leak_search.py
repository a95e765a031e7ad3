"""Searches texts for values that must not be there: plain, spaced, hyphened, reversed, in base64, hex, URL form,
and as md5, sha1, sha256.
"""

import base64
import hashlib
import re
import sys
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from ops.admin.topic_reader import TopicMessage
from ops.runtime.paths import EnginePaths

CONSUMER_OFFSETS = "__consumer_offsets"
TEXT_BYTES = 4 * 1024 * 1024  # searched at once


def seen(values: Iterable[str], content: bytes) -> set[str]:
    """The values of which any form stands in `content`.

    The content is cut into chunks of eight and of four bytes, and each is looked up among the chunks a form can be cut
    into wherever it begins: every form of 15, and of 7, bytes or more has a whole chunk in it. A number, and a form too
    short for base64, counts only where it stands alone: random hex and base64 hold runs of either.
    """
    sought = _sought(tuple(values))
    found = set[str]()
    for start in range(0, len(content), PIECE):
        piece = content[max(0, start - sought.longest) : start + PIECE + sought.longest]
        found |= _seen(sought, piece)
    return found


LONG = 8  # a form at least this long counts wherever it stands
PIECE = 4 * 1024  # bytes searched at once: what a chunk points to is looked for in all of them
_ALONE = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")
_MOBILE = re.compile(r"(?:0|\+?44|0044)(7[0-9]{9})")  # with or without its country, without spaces
Form = tuple[bytes, str]  # a form, and the value it is of


@dataclass(frozen=True)
class _Sought:
    eights: Mapping[int, Sequence[Form]]  # eight bytes of a form, as a number -> that form
    fours: Mapping[int, Sequence[Form]]
    known: frozenset[int]  # all of these numbers
    short: Sequence[Form]
    longest: int


@cache
def _sought(values: tuple[str, ...]) -> _Sought:
    chunks: dict[int, dict[int, list[Form]]] = {8: {}, 4: {}}
    short, longest = [], 0
    for value in values:
        for form in set(forms(value)):
            longest = max(longest, len(form))
            width = next((width for width in chunks if len(form) >= 2 * width - 1), None)
            if width is None:
                short.append((form, value))
                continue
            for start in range(width):
                chunk = int.from_bytes(form[start : start + width].lower(), sys.byteorder)
                chunks[width].setdefault(chunk, []).append((form, value))
    return _Sought(chunks[8], chunks[4], frozenset(chunks[8]) | frozenset(chunks[4]), short, longest)


def _seen(sought: _Sought, content: bytes) -> set[str]:
    lowered = content.lower()
    padded = memoryview(lowered + bytes(-len(lowered) % 8))
    pointed = set(sought.short)
    for chunk in sought.known.intersection(padded.cast("Q")):
        pointed.update(sought.eights.get(chunk, ()))
    for chunk in sought.known.intersection(padded.cast("I")):
        pointed.update(sought.fours.get(chunk, ()))
    return {value for form, value in pointed if _stands(form, content, lowered)}


def forms(value: str) -> Iterator[bytes]:
    """Every form in which a value might escape. Base64 keeps its case; everything else is in lower case."""
    spellings = {value, value.replace(" ", ""), value[::-1], value.replace(" ", "-"), " ".join(value)}
    if value.isdigit():
        spellings |= {f"{value[:3]} {value[3:6]} {value[6:]}", f"{value[:3]}-{value[3:6]}-{value[6:]}"}
    if mobile := _MOBILE.fullmatch(value.replace(" ", "")):
        rest = mobile[1]
        spellings |= {f"{before}{rest}" for before in ("0", "+44", "44", "0044")}
        spellings.add(f"0{rest[:4]} {rest[4:]}")
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        year, month, day = value.split("-")
        spellings |= {
            year + month + day,
            f"{day}/{month}/{year}",
            f"{day}-{month}-{year}",
            f"{year}/{month}/{day}",
        }
    for spelling in sorted(spellings):
        yield spelling.lower().encode()
        yield urllib.parse.quote(spelling, safe="").lower().encode()
    for text in sorted({text.encode() for text in (*spellings, value.lower(), value.upper())}):
        yield text.hex().encode()
        for algorithm in ("md5", "sha1", "sha256"):
            digest = hashlib.new(algorithm, text, usedforsecurity=False).digest()
            yield digest.hex().encode()
            yield from _both_alphabets(base64.b64encode(digest).rstrip(b"="))
        for form in _base64_forms(text):
            yield from _both_alphabets(form)


def _base64_forms(text: bytes) -> Iterator[bytes]:
    """The three ways `text` can fall into a base64 stream, without the characters its neighbours share."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text).rstrip(b"=")
        start = -(-before * 8 // 6)
        end = len(encoded) - (1 if (before + len(text)) % 3 else 0)
        if end - start >= LONG:  # shorter ones would be met by chance
            yield encoded[start:end]


def _both_alphabets(encoded: bytes) -> Iterator[bytes]:
    yield encoded
    yield encoded.translate(bytes.maketrans(b"+/", b"-_"))  # RFC 4648 section 5, for URLs and file names


def _stands(form: bytes, content: bytes, lowered: bytes) -> bool:
    """Whether `form` stands anywhere, and alone where it has to."""
    text = lowered if form == form.lower() else content
    place = text.find(form)
    while place >= 0:
        around = lowered[max(0, place - 1) : place] + lowered[place + len(form) : place + len(form) + 1]
        if (len(form) >= LONG and not form.isdigit()) or not _ALONE.intersection(around):
            return True
        place = text.find(form, place + 1)
    return False


def text_of(message: TopicMessage) -> bytes:
    """All of a message as one text: key, value, header names and values, a line each."""
    headers = [part for name, value in message.headers for part in (name.encode(), value)]
    return b"\n".join((message.key or b"", message.value or b"", *headers))


def files_of(layout: EnginePaths) -> Iterator[tuple[str, bytes]]:
    """Place and text of logs, worker directories, the journal, reports. Not the files of providers in
    their folder, nor the keys.
    """
    for directory in (layout.logs, layout.workers):
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                yield f"file in {directory.name}", path.name.encode() + b"\n" + path.read_bytes()
    for path in (layout.journal, layout.up):
        if path.exists():
            yield path.name, path.read_bytes()
    for path in sorted(layout.drop.rglob("*.report.csv")):
        yield "report", path.read_bytes()
