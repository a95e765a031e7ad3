"""Paths into a snapshot that a clinician can read: `episode tier3 rtt.wait_days`, `episode 1 outcome 12 last loss_pct`.

A path is words. A singular of `PARTS` picks one element: by its number (from 1), or by words that are its `naming`
values (a definition without its version or by its last word: `nearest`); all words must fit, and exactly one element.
A plural is the list, or those elements that the words after it fit. A last word with dots goes into objects.

A value is text: `nothing` is null or an empty list; `yes` and `no`; a number; a code; `day 12` or an ISO date. Of a
list the value is its length, or its elements' codes or first naming values with commas, in any order.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from journey_tables import day


@dataclass(frozen=True, slots=True)
class Part:
    """A list of a snapshot: its name, what one element is called, and by which values it may be picked."""

    plural: str
    singular: str
    naming: tuple[str, ...]
    numbered_by: str | None = None


PARTS = (
    Part("episodes", "episode", ("tier", "provider_ods", "programme", "council")),
    Part("courses", "course", ("reasons",)),
    Part("handovers", "handover", ("to_tier", "provider_ods", "programme", "from_tier")),
    Part("findings", "finding", ("rule",)),
    Part("outcomes", "outcome", ("definition",), numbered_by="weeks"),
    Part("completions", "completion", ("definition", "basis")),
    Part("suspensions", "suspension", ("reason",)),
    Part("weights", "weight", ("method",)),
    Part("waists", "waist", ("method",)),
    Part("medicines", "medicine", ("dmd_code", "indication", "setting")),
    Part("procedures", "procedure", ("code",)),
    Part("scores", "score", ("questionnaire",)),
    Part("eligibility", "eligible", ("rule", "basis")),
)
BY_PLURAL = {part.plural: part for part in PARTS}
BY_SINGULAR = {part.singular: part for part in PARTS}


class NoSuchPath(AssertionError):
    """A path leads nowhere, or to more than one thing."""


def look_up(snapshot: Mapping[str, Any], path: str) -> Any:
    """What stands at `path`. Raises NoSuchPath."""
    found: Any = snapshot
    words = path.split()
    while words:
        word = words.pop(0)
        part = BY_SINGULAR.get(word)
        if part and isinstance(found, Mapping) and part.plural in found:
            found, words = _picked(_step(found, part.plural, path), part, words, path)
        elif part := BY_PLURAL.get(word):
            found, names = _step(found, word, path), words
            words = []
            found = [element for element in found if all(_is_called(element, name, part) for name in names)]
        else:
            for name in word.split("."):
                found = _step(found, name, path)
    return found


def differences(snapshot: Mapping[str, Any], expected: Sequence[tuple[str, str]]) -> list[str]:
    """A line for every path that does not have its value."""
    lines = []
    for path, value in expected:
        try:
            found = look_up(snapshot, path)
        except NoSuchPath as failure:
            lines.append(f"{path}: expected {value}, but {failure}")
            continue
        part = next((BY_PLURAL[word] for word in path.split() if word in BY_PLURAL), None)
        if not same(found, value, part):
            lines.append(f"{path}: expected {value}, found {_shown(found, part)}")
    return lines


def same(found: Any, value: str, part: Part | None = None) -> bool:
    """True when a value of JSON is what the text says."""
    if value == "nothing":
        return found is None or found == []
    if isinstance(found, list):
        if re.fullmatch(r"\d+", value) and not _scalars(found):
            return len(found) == int(value)
        wanted = [text.strip() for text in value.split(",")]
        return len(found) == len(wanted) and _all_in_some_order(_scalars_of(found, part), wanted)
    if isinstance(found, bool):
        return value == ("yes" if found else "no")
    if isinstance(found, int | float):
        return _number(value) == Decimal(str(found))
    return found is not None and found == _day(value)


def _step(found: Any, name: str, path: str) -> Any:
    if not isinstance(found, Mapping) or name not in found:
        names = ", ".join(found) if isinstance(found, Mapping) else "a value"
        raise NoSuchPath(f"{path} has no {name}, only {names}")
    return found[name]


def _picked(elements: Sequence[Any], part: Part, words: list[str], path: str) -> tuple[Any, list[str]]:
    """The one element that the next words pick, and the words after them."""
    fields = set(elements[0]) if elements else set()
    left, rest = list(elements), list(words)
    while rest and rest[0].split(".")[0] not in fields | BY_PLURAL.keys() | BY_SINGULAR.keys():
        word = rest.pop(0)
        if re.fullmatch(r"\d{1,3}", word) and part.numbered_by is None:
            left = [element for number, element in enumerate(elements, 1) if number == int(word) and element in left]
        else:
            left = [element for element in left if _is_called(element, word, part)]
    if len(left) != 1:
        raise NoSuchPath(f"{len(left)} of {len(elements)} {part.plural} fit {path}")
    return left[0], rest


def _is_called(element: Mapping[str, Any], word: str, part: Part) -> bool:
    if part.numbered_by and re.fullmatch(r"\d+", word):
        return bool(element[part.numbered_by] == int(word))
    return any(_is_name(element[name], word) for name in part.naming)


def _is_name(value: object, word: str) -> bool:
    bare = str(value).rsplit("/", 1)[0]
    return word in (value, bare) or ("/" in str(value) and bare.endswith(f"-{word}"))


def _scalars(values: Sequence[Any]) -> bool:
    return bool(values) and not isinstance(values[0], Mapping)


def _scalars_of(values: Sequence[Any], part: Part | None) -> list[Any]:
    return [value[part.naming[0]] if part and isinstance(value, Mapping) else value for value in values]


def _all_in_some_order(found: Sequence[Any], wanted: Sequence[str]) -> bool:
    left = list(found)
    for text in wanted:
        match = next((value for value in left if same(value, text) or _is_name(value, text)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _day(text: str) -> str:
    match = re.fullmatch(r"day (-?\d+)", text)
    return day(int(match[1])).isoformat() if match else text


def _shown(found: Any, part: Part | None) -> str:
    """The found value as a table would write it."""
    if isinstance(found, list):
        return ", ".join(str(value) for value in _scalars_of(found, part)) or "nothing"
    if found is None or isinstance(found, bool):
        return {None: "nothing", True: "yes", False: "no"}[found]
    if isinstance(found, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", found):
        return f"day {(date.fromisoformat(found) - day(0)).days}"
    return str(found)
