"""The canary sweep: improbable values go in by every door and must be seen nowhere behind the seal.

Searched: every topic (keys, headers, values, state), every log, worker directory, metrics page, HTTP and MLLP
answer, report and file name; each value plain, spaced, hyphened, reversed, in base64, hex, URL form and as
md5, sha1, sha256. A search that finds nothing proves nothing, so the same search first has to find every
value where it may be: in the intake, opened with the ingress key. Imports no step and no linkage.
"""

import base64
import hashlib
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from ops.canary_messages import NOBODIES, csv_file, fhir, hl7
from ops.journal import Journal
from ops.layout import Layout
from ops.senders import FileSender, Hl7Sender, HttpSender
from ops.topic_reader import read_topics
from schemas.envelope import opened
from schemas.errors import Unreadable
from schemas.keyring import Keyring
from schemas.sources import Source

CONSUMER_OFFSETS = "__consumer_offsets"


@dataclass
class Planted:
    """What went in, and what the doors answered."""

    values: tuple[str, ...]
    answers: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Found:
    """`planted_found` of `planted` were seen in the opened intake; `hits` is what was seen anywhere else."""

    planted: int
    planted_found: int
    hits: int
    bytes_scanned: int
    places: tuple[str, ...] = ()

    def as_json(self) -> dict[str, int]:
        """The four counts."""
        return {
            "planted": self.planted,
            "planted_found": self.planted_found,
            "hits": self.hits,
            "bytes_scanned": self.bytes_scanned,
        }


@dataclass(frozen=True)
class Ground:
    """Where to plant and where to look: one running engine, seen from outside."""

    bootstrap: str
    layout: Layout
    sources: Mapping[str, Source]
    topic_names: Sequence[str]
    keys: Keyring
    ports: Mapping[str, int]  # by source
    pages: Callable[[], Iterable[tuple[str, str]]]  # process, text of its /metrics


def plant(ground: Ground, journal: Journal) -> Planted:
    """One good and one refused message through each door; refused ones show whether answers quote what they
    refuse.
    """
    planted = Planted(tuple(value for one in NOBODIES.values() for value in one.values()))
    http = HttpSender("gp-hub", ground.ports["gp-hub"], journal)
    mllp = Hl7Sender("trust-wm", ground.ports["trust-wm"], journal)
    for good in (True, False):
        message_id, body = fhir(NOBODIES["gp-hub"], good=good)
        planted.answers.append(http.send(body, message_id=message_id, kind="canary").body)
        message_id, message = hl7(NOBODIES["trust-wm"], good=good)
        planted.answers.append(mllp.send(message, message_id=message_id, kind="canary").body)
    http.close()
    mllp.close()
    name, content, rows = csv_file(NOBODIES["council-east"])
    files = FileSender("council-east", ground.layout.drop / "council-east", journal)
    files.drop(name, content)
    planted.answers.append(files.wait(name, content, rows=rows).body)
    return planted


def search(ground: Ground, planted: Planted) -> Found:
    """Look everywhere. Bytes scanned are counted once, however many values are searched for."""
    scanned, places = 0, []
    for place, content in _everything(ground, planted):
        scanned += len(content)
        places += [place] * len(seen(planted.values, content))
    inside = seen(planted.values, b"\n".join(_opened_intake(ground)))
    return Found(len(planted.values), len(inside), len(places), scanned, tuple(sorted(set(places))))


def seen(values: Iterable[str], content: bytes) -> set[str]:
    """The values of which any form stands in `content`.

    One pass: of every form of eight characters or more, a window of five begins at one of four neighbouring
    places, so looking at every fourth place of the content misses none. A number, and a form too short for
    the windows, counts only where it stands alone: random hex and base64 hold runs of either.
    """
    sought, lowered = _sought(tuple(values)), content.lower()
    found = set()
    for start in range(0, len(lowered), STRIDE):
        for form, value, offset in sought.windows.get(lowered[start : start + WINDOW], ()):
            if start >= offset and _stands(form, content, lowered, start - offset):
                found.add(value)
    for form, value in sought.short:
        place = lowered.find(form)
        while place >= 0 and value not in found:
            if _stands(form, content, lowered, place):
                found.add(value)
            place = lowered.find(form, place + 1)
    return found


STRIDE, WINDOW = 4, 5
LONG = STRIDE + WINDOW - 1  # a form at least this long has a window at every fourth place
_ALONE = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class _Sought:
    windows: Mapping[bytes, Sequence[tuple[bytes, str, int]]]  # five bytes -> form, value, place in the form
    short: Sequence[tuple[bytes, str]]


@cache
def _sought(values: tuple[str, ...]) -> _Sought:
    windows: dict[bytes, list[tuple[bytes, str, int]]] = {}
    short = []
    for value in values:
        for form in set(forms(value)):
            if len(form) < LONG:
                short.append((form, value))
                continue
            for offset in range(STRIDE):
                window = form[offset : offset + WINDOW].lower()
                windows.setdefault(window, []).append((form, value, offset))
    return _Sought(windows, short)


def forms(value: str) -> Iterator[bytes]:
    """Every form in which a value might escape. Base64 keeps its case; everything else is in lower case."""
    spellings = {value, value.replace(" ", ""), value[::-1], value.replace(" ", "-"), " ".join(value)}
    if value.isdigit():
        spellings |= {f"{value[:3]} {value[3:6]} {value[6:]}", f"{value[:3]}-{value[3:6]}-{value[6:]}"}
    if value.isdigit() and value.startswith("07"):
        spellings |= {f"+44{value[1:]}", f"44{value[1:]}", f"0044{value[1:]}"}
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
    for text in sorted({one.encode() for one in (*spellings, value.lower(), value.upper())}):
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


def _stands(form: bytes, content: bytes, lowered: bytes, start: int) -> bool:
    """Whether `form` stands at that place, and alone where it has to."""
    if not (lowered if form == form.lower() else content).startswith(form, start):
        return False
    if len(form) >= LONG and not form.isdigit():
        return True
    around = lowered[max(0, start - 1) : start] + lowered[start + len(form) : start + len(form) + 1]
    return not _ALONE.intersection(around)


def _everything(ground: Ground, planted: Planted) -> Iterator[tuple[str, bytes]]:
    names = ground.topic_names
    for name in (*names, CONSUMER_OFFSETS):
        parts = []
        for one in read_topics(ground.bootstrap, [name]):
            headers = [part for header, value in one.headers for part in (header.encode(), value)]
            parts += [one.key or b"", one.value or b"", *headers]
        yield f"topic {name}", b"\n".join(parts)
    for name, text in ground.pages():
        yield f"metrics of {name}", text.encode()
    yield "answers", b"\n".join(planted.answers)
    yield from _files(ground)


def _files(ground: Ground) -> Iterator[tuple[str, bytes]]:
    """Logs, worker directories, the journal, reports. Not the provider's own files in its own folder, nor the
    keys.
    """
    for directory in (ground.layout.logs, ground.layout.workers):
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                yield f"file in {directory.name}", path.name.encode() + b"\n" + path.read_bytes()
    for path in (ground.layout.journal, ground.layout.up):
        if path.exists():
            yield path.name, path.read_bytes()
    for path in sorted(ground.layout.drop.rglob("*.report.csv")):
        yield "report", path.read_bytes()


def _opened_intake(ground: Ground) -> Iterator[bytes]:
    keys = ground.keys
    for source in ground.sources.values():
        for one in read_topics(ground.bootstrap, [source.intake_topic]):
            try:
                yield opened(one.value or b"", keys=keys, topic=one.topic, key=one.key or b"").original
            except Unreadable:
                continue
