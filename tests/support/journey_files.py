"""A journey of `tests/spec/journeys`: one file with what came in, what is expected, by which rule, and its source.

    title: One line that a clinician could contest
    rule: handover/2, waits/2
    why: what would go wrong for whom
    source: where the rule comes from, with its date
    reading: where the rule is read otherwise than the list of journeys had it, and why (seldom)
    as of: day 42

    day | from | event
    0   | gp   | refers to tier2

    path               | value
    handover 1 status  | overdue

A line that begins with spaces goes on with the one above. Another `as of` with its table may follow: the same facts
judged on another day.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from journey_tables import day_of, facts

from schemas.facts import StoredFact

FOLDER = Path(__file__).resolve().parents[1] / "spec" / "journeys"
NOT_YET = FOLDER / "not_yet.txt"
NAMES = ("title", "rule", "why", "source")  # every file has them
_LINE = re.compile(r"(title|rule|why|source|reading|as of): (.+)")
_DATED = re.compile(r"\b(19|20)\d\d\b")


@dataclass(frozen=True)
class Expected:
    """What a recipient reads when it is `as_of`: (path, value) pairs as `journey_paths` reads them."""

    as_of: date
    paths: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class JourneyFile:
    """One file, read."""

    name: str
    heads: dict[str, str]
    rows: tuple[str, ...]
    expected: tuple[Expected, ...]

    @property
    def rules(self) -> Sequence[str]:
        """The definitions it rests on, or published models whose text is the rule; the one it is about first."""
        return [rule.strip() for rule in self.heads["rule"].split(",")]

    def facts(self) -> list[StoredFact]:
        """The facts that came in."""
        return facts("\n".join(self.rows))


def files() -> list[Path]:
    """Every journey's file, by number."""
    return sorted(FOLDER.glob("[0-9]*.txt"))


def not_yet() -> set[str]:
    """Names of the journeys that the fold does not satisfy yet."""
    return set(NOT_YET.read_text(encoding="utf-8").split()) if NOT_YET.exists() else set()


def read(text: str, name: str) -> JourneyFile:
    """The journey of a file's text. Raises AssertionError with what is amiss."""
    heads: dict[str, str] = {}
    rows: list[str] = []
    expected: list[Expected] = []
    for line in _whole_lines(text):
        if match := _LINE.fullmatch(line):
            if match[1] == "as of":
                expected.append(Expected(day_of(match[2].removeprefix("day "))))
            else:
                assert match[1] not in heads, f"{name}: {match[1]} stands twice"
                heads[match[1]] = match[2]
            continue
        cells = [cell.strip() for cell in line.split("|")]
        assert len(cells) in (2, 3), f"{name}: neither a head nor a row: {line}"
        if cells[0] in ("day", "path"):
            continue
        if len(cells) == 3:
            rows.append(" | ".join(cells))
        else:
            assert expected, f"{name}: `as of` stands above what is expected"
            expected[-1].paths.append((cells[0], cells[1]))
    found = JourneyFile(name, heads, tuple(rows), tuple(expected))
    for complaint in complaints(found):
        raise AssertionError(f"{name}: {complaint}")
    return found


def complaints(journey: JourneyFile) -> Iterator[str]:
    """What a journey lacks."""
    for head in NAMES:
        if head not in journey.heads:
            yield f"has no {head}"
            return
    if not _DATED.search(journey.heads["source"]):
        yield "its source has no date"
    if not all(re.fullmatch(r"[a-z0-9-]+/\d|[A-Z][A-Za-z]+", rule) for rule in journey.rules):
        yield "its rule is no name of a definition or of a published model"
    if not journey.rows:
        yield "nothing came in"
    if not journey.expected or not all(each.paths for each in journey.expected):
        yield "nothing is expected"


def _whole_lines(text: str) -> Iterator[str]:
    whole = ""
    for line in text.splitlines():
        if line.startswith("  ") and "|" not in line and whole:
            whole += " " + line.strip()
            continue
        yield from _one_line(whole)
        whole = line.strip()
    yield from _one_line(whole)


def _one_line(line: str) -> Iterator[str]:
    if line and not re.fullmatch(r"[-+| ]+", line):
        yield line
