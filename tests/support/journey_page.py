"""The journeys as a page: chapters by the rule a journey is about, one row each."""

from collections.abc import Iterable, Sequence
from datetime import date

from journey_files import JourneyFile
from journey_tables import DAY_0
from mutants import mutants

HEAD = """# Journeys: what came in, and what a recipient then reads

Each row is one invented person and one file in `journeys/`. **What is expected is reasoned from the rule and its
source, not taken from what the program says**; whoever disagrees with a row disagrees with a rule, and finds its text
in `schemas/definitions/` and its source beside it.

- **Day 0 is 5 January 2026**, "d12" is twelve days later. `gp`, `tier2`, `tier3`, `tier4` is who says it; `tier2 a` and
  `tier2 b` are two services, `tier2/2` another record at `tier2`. `told day 9`: the day the source said so, if another.
- **What is expected** says everything that the journey is about and nothing else. `nothing` is no value or an empty
  list.
- Numbers to 34 are those of the list of contested journeys that this began with (3b, 14a, 17b, 19a, 23a, 24a and 26a
  with their letters too); other letters are the case on the other side of the rule, a boundary day, or one more
  complication. From 50 on they are new.
- `tests/spec/test_journeys.py` runs them on the pure fold, `tests/broker/test_journeys_on_kafka.py` through a worker on
  Kafka, `tests/properties/test_journeys_in_any_order.py` in any order. `journeys/not_yet.txt` names those that do not
  come out right yet; each of them must fail.

To add one: a file beside the others (`tests/support/journey_files.py` says the form, `journey_tables.py` the words of
events, `journey_paths.py` the paths), then `python tests/spec/test_journeys_are_read_right.py` with `tests/support` and
the root on `PYTHONPATH` writes this page again.
"""

MUTANTS_HEAD = """
## Broken on purpose

`tests/spec/test_journeys_catch_mutants.py` breaks each rule in turn, in the program or in the definition's numbers, and
the journey beside it must come out wrong. Every sentence of every definition of the pathway is among them; the changes
stand in `journeys/mutants.toml`.

| words of the rule | what is wrong then | seen by |
|---|---|---|
"""


def page(journeys: Sequence[JourneyFile]) -> str:
    """The whole page."""
    chapters: dict[str, list[JourneyFile]] = {}
    for journey in journeys:
        chapters.setdefault(journey.rules[0], []).append(journey)
    return (
        HEAD
        + "".join(part for rule in sorted(chapters) for part in _chapter(rule, chapters[rule]))
        + _readings(journeys)
        + _mutants()
    )


def _chapter(rule: str, journeys: Iterable[JourneyFile]) -> Iterable[str]:
    yield f"\n## {rule}\n\n| journey | came in | expected | why, and by what |\n|---|---|---|---|\n"
    for journey in journeys:
        yield f"| {' | '.join(_cells(journey))} |\n"


def _cells(journey: JourneyFile) -> Iterable[str]:
    yield _link(journey)
    yield "<br>".join(_row(row) for row in journey.rows)
    yield "<br>".join(
        line
        for expected in journey.expected
        for line in (f"*as of {_day(expected.as_of)}*", *(f"{path}: {value}" for path, value in expected.paths))
    )
    rules = "" if len(journey.rules) == 1 else f" Also {', '.join(journey.rules[1:])}."
    yield f"{journey.heads['why']}<br>{journey.heads['source']}.{rules}"


def _day(on: date) -> str:
    """The number of a day near day 0, else the date."""
    number = (on - DAY_0).days
    return f"d{number}" if number <= 700 else on.isoformat()


def _row(row: str) -> str:
    on, who, event = row.split(" | ")
    return f"{on if '-' in on[1:] else f'd{on}'} {who}: {event}"


def _readings(journeys: Iterable[JourneyFile]) -> str:
    """The rows that read a rule otherwise than the list did, or where it can be read in two ways."""
    head = "\n## Read otherwise\n\n| journey | how it is read, and why |\n|---|---|\n"
    read = [journey for journey in journeys if "reading" in journey.heads]
    return head + "".join(f"| {_link(journey)} | {journey.heads['reading']} |\n" for journey in read)


def _mutants() -> str:
    """Every rule broken on purpose, and the journey that sees it."""
    rows = (
        f"| {mutant.definition}: {' '.join(mutant.says.split())} | {mutant.wrong} "
        f"| [{mutant.journey.split('-')[0]}](journeys/{mutant.journey}.txt) |\n"
        for mutant in mutants()
    )
    return MUTANTS_HEAD + "".join(rows)


def _link(journey: JourneyFile) -> str:
    number = journey.name.split("-")[0]
    return f"[{number}](journeys/{journey.name}.txt) **{journey.heads['title']}**"
