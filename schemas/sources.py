"""A source: one feed of one organisation. The list is configuration; this module only parses its text."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, get_args

from schemas.errors import InvalidField
from schemas.facts import Tier
from schemas.identity import parse_ods

EVERY_SERVICE = "*"


@dataclass(frozen=True, slots=True)
class Source:
    """`services` are the codes by which the feed names weight-management services; a message of none is not ours.

    `mapping` names the file mapping of a folder source. `consultant_led` decides whether an 18-week clock runs there.
    `one_record_each`: the feed promises that no two of its ids are one person.
    """

    slug: str
    ods: str
    tier: Tier
    door: str
    services: frozenset[str]
    mapping: str | None = None
    consultant_led: bool = False
    one_record_each: bool = False
    programme: str | None = None
    council: str | None = None

    @property
    def every_service(self) -> bool:
        """True for a test feed that keeps whatever it is sent."""
        return EVERY_SERVICE in self.services

    @property
    def sends_fhir(self) -> bool:
        """True when its door takes FHIR documents, which nothing of ours has translated."""
        return self.door.startswith("fhir_")

    def serves(self, *codes: str | None) -> bool:
        """True when one of `codes` is a service of ours."""
        return self.every_service or any(code in self.services for code in codes if code)

    @property
    def intake_topic(self) -> str:
        """Where this source's entries go."""
        return f"intake.{self.slug}.v1"

    @property
    def receipts_topic(self) -> str:
        """Where this source reads what became of them."""
        return f"receipts.{self.slug}.v1"


def parse(text: str, *, doors: Collection[str], test_mode: bool) -> Mapping[str, Source]:
    """Slug -> Source from TOML, in the file's order. `doors` are the transports there are.

    Raises InvalidField naming the source's position and the rule: unique slug of lower-case letters, digits and
    hyphens; a known tier and door; at least one service; `*` only in test mode; a mapping exactly for folders.
    """
    try:
        tables = tomllib.loads(text).get("source", [])
    except tomllib.TOMLDecodeError:
        raise InvalidField("sources", rule="is not TOML") from None
    _require(isinstance(tables, list), "source", "is a list of tables, [[source]]")
    sources: dict[str, Source] = {}
    for position, table in enumerate(tables):
        source = _source(f"source[{position}]", table, doors)
        if source.slug in sources:
            raise InvalidField(f"source[{position}].slug", rule="is used twice")
        if source.every_service and not test_mode:
            continue  # a feed of everything exists only for tests; production does not have it at all
        sources[source.slug] = source
    return sources


def _source(place: str, table: Mapping[str, Any], doors: Collection[str]) -> Source:
    _require(isinstance(table, Mapping), place, "is a table")
    _require(set(table) <= _KEYS, place, "has a key that no source has")
    slug, tier, door, services = (table.get(key) for key in ("slug", "tier", "door", "services"))
    _require(
        isinstance(slug, str) and _SLUG.fullmatch(slug) is not None,
        f"{place}.slug",
        "lower-case words with hyphens",
    )
    _require(tier in get_args(Tier), f"{place}.tier", "is not a tier")
    _require(isinstance(door, str) and door in doors, f"{place}.door", "is not a door")
    named = isinstance(services, list) and bool(services) and all(isinstance(service, str) for service in services)
    _require(named, f"{place}.services", "names at least one service")
    _require((door == "folder") == ("mapping" in table), f"{place}.mapping", "belongs to folders, and each has one")
    texts = all(isinstance(table.get(key, ""), str) for key in ("ods", "mapping", "programme", "council"))
    truths = all(isinstance(table.get(key, False), bool) for key in ("consultant_led", "one_record_each"))
    _require(texts and truths, place, "has a value of another type")
    return Source(**{**table, "ods": parse_ods(table.get("ods", "")), "services": frozenset(table["services"])})


_SLUG = re.compile(r"[a-z][a-z0-9-]{1,30}")
_KEYS = frozenset(field.name for field in fields(Source))


def _require(condition: bool, field: str, rule: str) -> None:
    if not condition:
        raise InvalidField(field, rule=rule)
