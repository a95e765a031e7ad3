"""The tables of the chapters are those of the code: topics, stages, keys by zone, definitions.

After a change of the code: `python tests/docs/test_topic_table_is_current.py` writes them again.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from schemas import definitions, topics
from schemas.data_keys import FAMILIES, Family
from schemas.field_sets import FIELD_SETS
from schemas.keyring import ZONES
from schemas.sources import Source
from streams.topology import STAGES, stage

ROOT = Path(__file__).resolve().parents[2]
ANY_SOURCE = Source("<source>", "X", "tier2", "folder", frozenset())
ANY_RECIPIENT = "<recipient>"
Rows = list[Sequence[str]]


def topic_rows() -> Rows:
    """One row a topic, in the order the data flows."""
    return [
        (f"`{topic.name}`", topic.key, topic.zone, str(topic.partitions), clean_up(topic), topic.holds)
        for topic in topics.registry([ANY_SOURCE], [ANY_RECIPIENT])
    ]


def clean_up(topic: topics.Topic) -> str:
    """How a topic is cleaned, in words."""
    policy = topic.config["cleanup.policy"].replace(",", " and ")
    kept_ms = topic.config.get("retention.ms")
    return f"{policy}, {int(kept_ms) // topics.DAY_MS} days" if kept_ms else policy


def stage_rows() -> Rows:
    """One row a stage."""
    rows = [stage(name, sources=[ANY_SOURCE], recipients=[ANY_RECIPIENT]) for name in STAGES]
    return [
        (row.name, quoted(row.reads), quoted([row.changelog] if row.changelog else []), quoted(row.writes))
        for row in rows
    ]


def zone_rows() -> Rows:
    """One row a zone with key files."""
    return [(zone, quoted([purpose.value for purpose in held])) for zone, held in ZONES.items()]


def family_rows() -> Rows:
    """One row a family of bucket keys: what it is for, and who holds it."""
    holds = {
        Family.BODY: "what facts say",
        Family.TOKENS: "what is linked by",
        Family.IDENTITY: "clear identities",
    }
    return [
        (f"`{family}`", holds[family], ", ".join(zone for zone, held in FAMILIES.items() if family in held))
        for family in Family
    ]


def definition_rows() -> Rows:
    """One row a definition, by name."""
    folder = Path(definitions.__file__).parent
    found = definitions.parse(path.read_text(encoding="utf-8") for path in folder.glob("*.toml"))
    return [(f"`{name}`", item.title) for name, item in sorted(found.by_name.items())]


def set_rows() -> Rows:
    """One row a set of fields: what it is called, which purposes it serves, and why it is as it is."""
    return [(f"`{found.name}`", ", ".join(sorted(found.uses)), found.reason) for found in FIELD_SETS.values()]


def quoted(words: Sequence[str]) -> str:
    """Words as code, or "none"."""
    return ", ".join(f"`{word}`" for word in words) or "none"


TABLES: dict[tuple[str, str], Callable[[], Rows]] = {
    ("schemas/README.md", "topic"): topic_rows,
    ("schemas/README.md", "zone"): zone_rows,
    ("schemas/README.md", "family"): family_rows,
    ("schemas/README.md", "definition"): definition_rows,
    ("streams/README.md", "stage"): stage_rows,
    ("ops/guides/consumer.md", "set"): set_rows,
}


def body_of(text: str, first: str) -> re.Match[str]:
    """The rows of the table whose first column is called `first`, below its header."""
    found = re.search(rf"^\| {first} \|.*\n\|[-|]+\|\n((?:\|.*\n)*)", text, re.MULTILINE)
    assert found is not None, f"no table begins with {first}"
    return found


def written(rows: Rows) -> str:
    """The rows as Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


@pytest.mark.parametrize(("page", "first"), TABLES)
def test_the_table_of_a_chapter_is_what_the_code_says(page: str, first: str) -> None:
    stands = body_of((ROOT / page).read_text(encoding="utf-8"), first)[1]
    assert stands == written(TABLES[page, first]())


def test_a_row_that_is_not_true_is_seen() -> None:
    page = (ROOT / "schemas/README.md").read_text(encoding="utf-8")
    longer = page.replace("delete, 15 days", "delete, 16 days")
    assert longer != page
    assert body_of(longer, "topic")[1] != written(topic_rows())


def test_every_zone_that_runs_a_stage_has_its_keys() -> None:
    assert set(STAGES) <= {zone for zone, _ in zone_rows()}


if __name__ == "__main__":
    for (name, column), rows in TABLES.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        place = body_of(text, column)
        path.write_text(text[: place.start(1)] + written(rows()) + text[place.end(1) :], encoding="utf-8")
