"""Who reads pathways, by which agreement. The list is configuration; this module only parses its text."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast, get_args

from schemas.errors import InvalidField
from schemas.field_sets import FIELD_SETS, FieldSet, Use
from schemas.key_file import RECIPIENT_SLUG

RECIPIENTS_MAX = 100  # every change of a person is published once for each


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one recipient may see, for what and from when until when: an NHS data sharing agreement, in five words.

    Its key is `recipient/<slug>`. `from_on` and `to_on` are days in England, both included.
    """

    slug: str
    purpose: Use
    fields: FieldSet
    from_on: date
    to_on: date

    def covers(self, day: date) -> bool:
        """True on the days on which something may be published for the recipient."""
        return self.from_on <= day <= self.to_on


def parse(text: str) -> Mapping[str, Agreement]:
    """Slug -> agreement from TOML, in the file's order.

    Raises InvalidField naming the recipient's position and the rule: a unique slug; a purpose; a set of fields that is
    for this purpose; the first and the last day, in this order; nothing else.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise InvalidField("recipients", rule="is not TOML") from None
    tables = document.get("recipient", [])
    _require(set(document) <= {"recipient"} and isinstance(tables, list), "recipient", "is a list of [[recipient]]")
    _require(1 <= len(tables) <= RECIPIENTS_MAX, "recipient", f"stands at least once, at most {RECIPIENTS_MAX} times")
    found: dict[str, Agreement] = {}
    for position, table in enumerate(tables):
        agreement = _agreement(f"recipient[{position}]", table)
        _require(agreement.slug not in found, f"recipient[{position}].slug", "is used twice")
        found[agreement.slug] = agreement
    return found


def _agreement(place: str, table: object) -> Agreement:
    _require(isinstance(table, dict), place, "is a table")
    assert isinstance(table, dict)
    _require(set(table) <= _KEYS, place, "has a key that no recipient has")
    slug, purpose, fields = (table.get(key) for key in ("slug", "purpose", "fields"))
    plain = isinstance(slug, str) and RECIPIENT_SLUG.fullmatch(slug) is not None
    _require(plain, f"{place}.slug", "lower-case words with hyphens")
    _require(purpose in get_args(Use), f"{place}.purpose", f"is none of {', '.join(get_args(Use))}")
    field_set = FIELD_SETS.get(str(fields))
    _require(field_set is not None, f"{place}.fields", f"is none of {', '.join(FIELD_SETS)}")
    assert field_set is not None
    _require(purpose in field_set.uses, f"{place}.fields", "is not a set for this purpose")
    for key in ("from", "to"):
        day = table.get(key)
        _require(isinstance(day, date) and not isinstance(day, datetime), f"{place}.{key}", "is a day, 2026-04-01")
    _require(table["from"] <= table["to"], f"{place}.to", "is not before from")
    return Agreement(str(slug), cast(Use, purpose), field_set, table["from"], table["to"])


_KEYS = frozenset({"slug", "purpose", "fields", "from", "to"})


def _require(condition: bool, field: str, rule: str) -> None:
    if not condition:
        raise InvalidField(field, rule=rule)
