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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ops.canary_messages import NOBODIES, csv_file, fhir, hl7
from ops.engine import Engine
from ops.journal import Journal
from ops.senders import FileSender, Hl7Sender, HttpSender
from ops.topic_reader import read_topics
from schemas.envelope import opened
from schemas.errors import Unreadable

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


def plant(engine: Engine, journal: Journal) -> Planted:
    """One good and one refused message through each door; refused ones show whether answers quote what they
    refuse.
    """
    planted = Planted(tuple(value for one in NOBODIES.values() for value in one.values()))
    http = HttpSender("gp-hub", engine.port("gp-hub"), journal)
    mllp = Hl7Sender("trust-wm", engine.port("trust-wm"), journal)
    for good in (True, False):
        message_id, body = fhir(NOBODIES["gp-hub"], good=good)
        planted.answers.append(http.send(body, message_id=message_id, kind="canary").body)
        message_id, message = hl7(NOBODIES["trust-wm"], good=good)
        planted.answers.append(mllp.send(message, message_id=message_id, kind="canary").body)
    http.close()
    mllp.close()
    name, content, rows = csv_file(NOBODIES["council-east"])
    files = FileSender("council-east", engine.drop_folder("council-east"), journal)
    files.drop(name, content)
    planted.answers.append(files.wait(name, content, rows=rows).body)
    return planted


def search(engine: Engine, planted: Planted) -> Found:
    """Look everywhere. Bytes scanned are counted once, however many values are searched for."""
    scanned, places = 0, []
    for place, content in _everything(engine, planted):
        scanned += len(content)
        places += [place] * len(seen(planted.values, content))
    inside = seen(planted.values, b"\n".join(_opened_intake(engine)))
    return Found(len(planted.values), len(inside), len(places), scanned, tuple(sorted(set(places))))


def seen(values: Iterable[str], content: bytes) -> set[str]:
    """The values of which any form stands in `content`."""
    lowered = content.lower()
    return {value for value in values if any(_stands(form, content, lowered) for form in forms(value))}


def forms(value: str) -> Iterator[bytes]:
    """Every form in which a value might escape. Base64 forms keep their case; all others are in lower case."""
    spellings = {value, value.replace(" ", ""), value[::-1], value.replace(" ", "-"), " ".join(value)}
    if value.isdigit():
        spellings |= {f"{value[:3]} {value[3:6]} {value[6:]}", f"{value[:3]}-{value[3:6]}-{value[6:]}"}
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        year, month, day = value.split("-")
        spellings |= {
            year + month + day,
            f"{day}/{month}/{year}",
            f"{day}-{month}-{year}",
            f"{year}/{month}/{day}",
        }
    for spelling in sorted(spellings):
        text = spelling.encode()
        yield text.lower()
        yield urllib.parse.quote(spelling).lower().encode()
    for text in {value.encode(), value.lower().encode(), value.upper().encode()}:
        yield text.hex().encode()
        for algorithm in ("md5", "sha1", "sha256"):
            digest = hashlib.new(algorithm, text, usedforsecurity=False).digest()
            yield digest.hex().encode()
            yield base64.b64encode(digest).rstrip(b"=")
        yield from _base64_forms(text)


def _base64_forms(text: bytes) -> Iterator[bytes]:
    """The three ways `text` can fall into a base64 stream, without the characters that its neighbours share."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text).rstrip(b"=")
        start = -(-before * 8 // 6)
        end = len(encoded) - (1 if (before + len(text)) % 3 else 0)
        if end - start >= 8:  # shorter ones would be met by chance
            yield encoded[start:end]


def _stands(form: bytes, content: bytes, lowered: bytes) -> bool:
    if form.isdigit():  # random hex holds short runs of digits: only a number that stands alone counts
        return re.search(rb"(?<![0-9a-z])" + form + rb"(?![0-9a-z])", lowered) is not None
    return form in content or form in lowered


def _everything(engine: Engine, planted: Planted) -> Iterator[tuple[str, bytes]]:
    names = [topic.name for topic in engine.topics]
    for name in (*names, CONSUMER_OFFSETS):
        parts = []
        for one in read_topics(engine.bootstrap, [name]):
            headers = [part for header, value in one.headers for part in (header.encode(), value)]
            parts += [one.key or b"", one.value or b"", *headers]
        yield f"topic {name}", b"\n".join(parts)
    for name, text in engine.pages():
        yield f"metrics of {name}", text.encode()
    yield "answers", b"\n".join(planted.answers)
    yield from _files(engine)


def _files(engine: Engine) -> Iterator[tuple[str, bytes]]:
    """Logs, worker directories, the journal, reports. Not the provider's own files in its own folder, nor the
    keys.
    """
    for directory in (engine.layout.logs, engine.layout.workers):
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                yield f"file in {directory.name}", path.name.encode() + b"\n" + path.read_bytes()
    for path in (engine.layout.journal, engine.layout.up):
        if path.exists():
            yield path.name, path.read_bytes()
    for path in sorted(engine.layout.drop.rglob("*.report.csv")):
        yield "report", path.read_bytes()


def _opened_intake(engine: Engine) -> Iterator[bytes]:
    keys = engine.keys
    for source in engine.sources.values():
        for one in read_topics(engine.bootstrap, [source.intake_topic]):
            try:
                yield opened(one.value or b"", keys=keys, topic=one.topic, key=one.key or b"").original
            except Unreadable:
                continue
