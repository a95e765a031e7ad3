"""Which groups of people the records of a table belong to, and how a model links each, number set aside."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from linkage.compare import Levels
from linkage.index import BLOCK_MAX
from linkage.model import Model
from linkage.subgroups import STANDARD, WHOLE, Group, SubgroupReport, held_out, met_without_number, report
from ops.errors import SettingsError
from ops.training.mapping import TableRecord
from ops.training.records import Records
from ops.training.tables import InputTable, read

NOT_KNOWN = "not known"
GROUPS_MAX = 50  # of one column: more of them are no groups of people but what tells people apart
NAME_CHARACTERS_MAX = 60  # characters of a group's or a dimension's name
YOUNGEST, OLDEST = 20, 80  # ages; between them bands of ten years

Groups = frozenset[Group]


@dataclass(frozen=True, repr=False)
class Labelled:
    """The pairs of a table that both carry an NHS number, each with its agreement, the groups of both records and
    whether the two would have met without it; the records of each group with a number, and without.
    """

    pairs: tuple[tuple[Levels, Groups, bool], ...]
    records: Mapping[Group, int]
    numberless: Mapping[Group, int]

    def under(self, model: Model) -> SubgroupReport:
        """The report by group of one model: of the same pairs, whichever model it is."""
        held = (held_out(model, at, groups, met=met) for at, groups, met in self.pairs)
        return report(
            (pair for pair in held if pair is not None),
            model=model.name,
            records=self.records,
            numberless=self.numberless,
        )


def parse_groups(texts: Sequence[str]) -> dict[str, str]:
    """Dimension → column, of options `--group`. Raises SettingsError."""
    columns: dict[str, str] = {}
    for text in texts:
        name, equals, column = (part.strip() for part in text.partition("="))
        if not equals or not name or not column or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            raise SettingsError("--group: NAME=COLUMN, as in --group 'ethnic group=ethnicity'")
        if name in columns or name in (WHOLE[0], STANDARD):
            raise SettingsError(f"--group: {name} is there already")
        columns[name] = column
    return columns


def groups_of(
    records: Records, paths: Sequence[Path], *, columns: Mapping[str, str], mapped: Collection[str], on: date
) -> tuple[Groups, ...]:
    """The groups of each record, in their order: one of every dimension.

    `columns` as from `parse_groups`, cells as they stand, blank ones "not known". Besides them source, and where
    the field is `mapped` sex and age band (years of age at `on`), unless a column says it. Raises SettingsError
    for a column that is not there or whose cells are no groups of people.
    """
    column_groups = list(_by_column([read(path) for path in paths], columns))
    assert len(column_groups) == len(records.rows), "a record is a row"
    return tuple(
        frozenset((_derived(record, mapped, on) | named).items())
        for record, named in zip(records.rows, column_groups, strict=True)
    )


def labelled(records: Records, groups: Sequence[Groups]) -> Labelled:
    """The labelled pairs of the records, each of which belongs to the groups at its place."""
    standing = Counter(token for record in records.encoded for token in record.tokens)
    pairs = []
    for (a, b), at in records.candidates:
        if at.nhs_number in ("equal", "differ"):
            ours, theirs = records.encoded[a], records.encoded[b]
            shared = sum(standing[token] <= BLOCK_MAX for token in set(ours.tokens).intersection(theirs.tokens))
            met = met_without_number(ours, theirs, live_blocks_shared=shared)
            pairs.append((at, groups[a] | groups[b], met))
    counts: dict[bool, Counter[Group]] = {True: Counter(), False: Counter()}
    for record, of in zip(records.encoded, groups, strict=True):
        counts[record.nhs is not None].update(of | {WHOLE})
    return Labelled(tuple(pairs), counts[True], counts[False])


def age_band(born: str | None, *, on: date) -> str:
    """Of a birth date as an Identity has it: "40-49" by completed years, of a bare year as if born on 1 January.

    >>> today = date(2026, 11, 23)
    >>> age_band("1976-11-24", on=today), age_band("1930", on=today), age_band(None, on=today)
    ('40-49', '80 and over', 'not known')
    """
    if born is None:
        return NOT_KNOWN
    years = on.year - int(born[:4]) - (on.isoformat()[5 : len(born)] < born[5:])
    if years < YOUNGEST:
        return f"under {YOUNGEST}"
    tens = years // 10 * 10
    return f"{tens}-{tens + 9}" if years < OLDEST else f"{OLDEST} and over"


def _derived(record: TableRecord, mapped: Collection[str], on: date) -> dict[str, str]:
    found = {STANDARD: record.source}
    if "gender" in mapped:
        found["sex"] = record.identity.sex or NOT_KNOWN
    if "birth_date" in mapped:
        found["age band"] = age_band(record.identity.birth_date, on=on)
    return found


def _by_column(tables: Sequence[InputTable], columns: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """What each row says of each dimension."""
    met: dict[str, set[str]] = {name: set() for name in columns}
    for table in tables:
        places = {name: table.place(column) for name, column in columns.items()}
        for row in table.rows:
            cells = {name: row[place] or NOT_KNOWN for name, place in places.items()}
            for name, cell in cells.items():
                met[name].add(cell)
                if len(met[name]) > GROUPS_MAX or len(cell) > NAME_CHARACTERS_MAX or not cell.isprintable():
                    raise SettingsError(
                        f"--group {name}: column {columns[name]} holds no groups of people: at most {GROUPS_MAX}, "
                        f"in words of at most {NAME_CHARACTERS_MAX} characters"
                    )
            yield cells
