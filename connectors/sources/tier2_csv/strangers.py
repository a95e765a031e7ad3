"""Local ids under which one file names two people: their rows are refused, because whose they are cannot be known."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from connectors.sources.tier2_csv.cells import Cells, as_identifier
from connectors.sources.tier2_csv.days import Unfit, parse_date
from connectors.sources.tier2_csv.texts import one_line
from schemas.errors import InvalidField
from schemas.identity import NHSNumber
from schemas.placeholders import folded, is_day, is_word


@dataclass(frozen=True, slots=True, repr=False)
class _Likeness:
    """What tells two people apart: valid NHS number, birth date, and the words of the name."""

    number: str | None
    born: date | None
    names: frozenset[str]

    def is_stranger_to(self, other: "_Likeness") -> bool:
        """True when two of the three differ, or the NHS number does and nothing agrees.

        One difference alone is a correction, a marriage or a merge of NHS numbers.
        """
        numbers = (
            None if None in (self.number, other.number) else self.number == other.number,
            None if None in (self.born, other.born) else self.born == other.born,
            bool(self.names & other.names) if self.names and other.names else None,
        )
        differing = numbers.count(False)
        return differing >= 2 or (numbers[0] is False and True not in numbers)


def shared_numbers(rows: Iterable[Cells]) -> frozenset[str]:
    """The local ids, as written, that stand in rows of two people."""
    likenesses: dict[str, set[_Likeness]] = {}
    for cells in rows:
        column = cells.mapping.person.get("local_id")
        text = as_identifier(one_line(cells.texts.get(column.key, ""))) if column is not None else ""
        if text:
            likenesses.setdefault(text, set()).add(_likeness(cells))
    return frozenset(
        text
        for text, found in likenesses.items()
        if any(first.is_stranger_to(second) for first, second in combinations(found, 2))
    )


def _likeness(cells: Cells) -> _Likeness:
    texts = {key: one_line(cells.texts.get(column.key, "")) for key, column in cells.mapping.person.items()}
    try:
        number = NHSNumber.parse(texts.get("nhs_number", ""), test_mode=True).digits
    except InvalidField:
        number = None
    try:
        born: date | None = parse_date(texts.get("birth_date", ""), cells.mapping.date_format)
    except Unfit:
        born = None
    names = (texts.get(key, "") for key in ("family", "given", "former_family", "known_as"))
    words = frozenset(word for name in names if not is_word(name, cells.words) for word in folded(name).split())
    return _Likeness(number, None if born is None or is_day(born) else born, words)
