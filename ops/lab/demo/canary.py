"""The canary sweep: improbable values go in by every door and must be seen nowhere behind the seal.

Searched: every topic (keys, headers, values, state), every log, worker directory, metrics page, HTTP and MLLP
answer, report and file name; each value plain, spaced, hyphened, reversed, in base64, hex, URL form and as
md5, sha1, sha256. A search that finds nothing proves nothing, so the same search first has to find every
value where it may be: in the intake, opened with the ingress key. Imports no step and no linkage.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ops.admin.topic_reader import read_topics
from ops.client.journal import Journal
from ops.client.senders import FileSender, Hl7Sender, HttpSender
from ops.lab.demo.canary_messages import csv_file, fhir, hl7
from ops.runtime.paths import EnginePaths
from ops.verify.checker.leaks import intake_place
from ops.verify.leak_search import CONSUMER_OFFSETS, TEXT_BYTES, files_of, seen, text_of
from ops.verify.nobodies import NOBODIES
from schemas.envelope import IntakeReader
from schemas.errors import Unreadable
from schemas.sources import Source


@dataclass
class PlantedCanaries:
    """What went in, and what the doors answered."""

    values: tuple[str, ...]
    answers: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class CanaryFindings:
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
class EngineView:
    """Where to plant and where to look: one running engine, seen from outside."""

    bootstrap: str
    layout: EnginePaths
    sources: Mapping[str, Source]
    topic_names: Sequence[str]
    ports: Mapping[str, int]  # by source
    pages: Callable[[], Iterable[tuple[str, str]]]  # process, text of its /metrics


def plant(view: EngineView, journal: Journal) -> PlantedCanaries:
    """One good and one refused message through each door; refused ones show whether answers quote what they refuse."""
    planted = PlantedCanaries(tuple(value for nobody in NOBODIES.values() for value in nobody.values()))
    http = HttpSender("gp-hub", view.ports["gp-hub"], journal)
    mllp = Hl7Sender("trust-wm", view.ports["trust-wm"], journal)
    for good in (True, False):
        message_id, body = fhir(NOBODIES["gp-hub"], good=good)
        planted.answers.append(http.send(body, message_id=message_id, kind="canary").body)
        message_id, message = hl7(NOBODIES["trust-wm"], good=good)
        planted.answers.append(mllp.send(message, message_id=message_id, kind="canary").body)
    http.close()
    mllp.close()
    name, content, rows = csv_file(NOBODIES["council-east"])
    files = FileSender("council-east", view.layout.drop / "council-east", journal)
    files.drop(name, content)
    planted.answers.append(files.wait(name, content, rows=rows).body)
    return planted


def search(view: EngineView, planted: PlantedCanaries) -> CanaryFindings:
    """Look everywhere. Bytes scanned are counted once, however many values are searched for."""
    scanned, places = 0, []
    for place, content in _everything(view, planted):
        scanned += len(content)
        places += [place] * len(seen(planted.values, content))
    inside = seen(planted.values, b"\n".join(_opened_intake(view)))
    return CanaryFindings(len(planted.values), len(inside), len(places), scanned, tuple(sorted(set(places))))


def _everything(view: EngineView, planted: PlantedCanaries) -> Iterator[tuple[str, bytes]]:
    for name in (*view.topic_names, CONSUMER_OFFSETS):
        yield from in_pieces(f"topic {name}", map(text_of, read_topics(view.bootstrap, [name])))
    for name, text in view.pages():
        yield f"metrics of {name}", text.encode()
    yield "answers", b"\n".join(planted.answers)
    yield from files_of(view.layout)


def in_pieces(place: str, texts: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The texts, a line each, in pieces of about TEXT_BYTES; none is cut, however much there is in all."""
    parts: list[bytes] = []
    size = 0
    for text in texts:
        parts.append(text)
        size += len(text)
        if size > TEXT_BYTES:
            yield place, b"\n".join(parts)
            parts, size = [], 0
    yield place, b"\n".join(parts)


def _opened_intake(view: EngineView) -> Iterator[bytes]:
    reader = IntakeReader(view.layout.current_intake_keys())
    for source in view.sources.values():
        for message in read_topics(view.bootstrap, [source.intake_topic]):
            try:
                yield reader.open(intake_place(message)).original
            except Unreadable:
                continue
