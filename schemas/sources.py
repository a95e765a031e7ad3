"""A source: one feed of one organisation. The list is configuration; this module only parses its text."""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args

from schemas.codes import ETHNIC_2001, GENDERS, MEDIUMS, PURPOSES, REASONS, RTT_STATUSES
from schemas.errors import InvalidField
from schemas.facts import Tier
from schemas.identity import LocalId, normalised_authority, parse_ods
from schemas.units import UNITS

EVERY_SERVICE = "*"


@dataclass(frozen=True, slots=True)
class Source:
    """`services` are the codes by which the feed names weight-management services; a message of none is not ours.

    `mapping` names the file mapping of a folder source. `consultant_led` decides whether an 18-week clock runs there.
    `one_record_each`: the feed promises that no two of its ids are one person.

    `authorities` are the issuers whose numbers name the source's records, the first that is present counts; where none
    are named any issuer does. `default_authority` is the issuer of a number that comes without one. By
    `authority_aliases` other names of an issuer (its OID, a former code) count under the one. `codes` are the source's
    words for codes, by table. `placeholders` are its further words for "not known". `senders` are the
    applications and facilities (MSH-3|MSH-4) it may send from; any where none are named. `nhs_number_fields` are the
    fields that hold NHS numbers without saying so (PID-2, PID-19). `hl7_fields` are the places of what HL7 has no field
    for: purpose, medium and group of an appointment, RTT status and its day ("ZU1-14").
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
    authorities: tuple[str, ...] = ()
    default_authority: str | None = None
    authority_aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    placeholders: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    nhs_number_fields: frozenset[str] = frozenset()
    hl7_fields: Mapping[str, str] = field(default_factory=dict, hash=False)

    def issuer(self, sent: str) -> str | None:
        """The authority an identifier counts under that was sent with `sent` ("" for none).

        None when it came without one and the source, which names its authorities, has no default: it is then no local
        id. "" is the source itself.
        """
        if sent.strip():
            return self.authority(sent)
        if self.default_authority is not None:
            return self.default_authority
        return None if self.authorities else ""

    def authority(self, name: str) -> str:
        """The one name of an issuer, whichever of its names is given; "" is the source itself."""
        spelled = normalised_authority(name)
        return self.authority_aliases.get(spelled, spelled)

    def record_local_id(self, candidates: Iterable[LocalId]) -> LocalId | None:
        """Which of a patient's identifiers names the record: never a question of their order.

        That of the first authority of the list that is present; without a list the first by authority, then by value.
        """
        by_issuer = sorted(candidates, key=lambda number: (number.authority, number.value))
        if not self.authorities:
            return by_issuer[0] if by_issuer else None
        for authority in self.authorities:
            for number in by_issuer:
                if number.authority == authority:
                    return number
        return None

    def code(self, table: str, text: str) -> str | None:
        """What the source's own table makes of `text`, whatever its case and white space; None where it is silent."""
        return self.codes.get(table, {}).get(_folded(text))

    def accepts_sender(self, application: str, facility: str) -> bool:
        """True when the source may send from this application and facility (MSH-3 and MSH-4)."""
        return not self.senders or _folded(f"{application.strip()}|{facility.strip()}") in self.senders

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

    Raises InvalidField naming the source's position and the rule: at least one source; unique slug of lower-case
    letters, digits and hyphens; a known tier and door; at least one service; `*` only in test mode; a mapping exactly
    for folders; code tables of `CODE_TABLES` only.
    """
    try:
        tables = tomllib.loads(text).get("source", [])
    except tomllib.TOMLDecodeError:
        raise InvalidField("sources", rule="is not TOML") from None
    _require(isinstance(tables, list), "source", "is a list of tables, [[source]]")
    _require(bool(tables), "sources", "names at least one source")
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
    words = ("ods", "mapping", "programme", "council", "default_authority")
    texts = all(isinstance(table.get(key, ""), str) for key in words)
    truths = all(isinstance(table.get(key, False), bool) for key in ("consultant_led", "one_record_each"))
    _require(texts and truths, place, "has a value of another type")
    return Source(
        **{
            **table,
            "ods": parse_ods(table.get("ods", "")),
            "services": frozenset(table["services"]),
            **_own_words(place, table),
        }
    )


def _own_words(place: str, table: Mapping[str, Any]) -> dict[str, object]:
    """The source's authorities, codes, placeholders, senders and number fields, each in its one spelling."""
    senders = _texts(place, table, "senders")
    for sender in senders:
        _require(sender.count("|") == 1, f"{place}.senders", "are pairs, application|facility")
    number_fields = _texts(place, table, "nhs_number_fields")
    for name in number_fields:
        _require(name in NHS_NUMBER_FIELDS, f"{place}.nhs_number_fields", "are some of PID-2, PID-4, PID-19")
    default = table.get("default_authority")
    _require(default is None or bool(default.strip()), f"{place}.default_authority", "is not empty")
    authorities = tuple(normalised_authority(name) for name in _texts(place, table, "authorities"))
    _require(len(set(authorities)) == len(authorities), f"{place}.authorities", "names one twice")
    issuer = None if default is None else normalised_authority(default)
    return {
        "authorities": authorities,
        "default_authority": issuer,
        "authority_aliases": _aliases(
            f"{place}.authority_aliases", table.get("authority_aliases", {}), {*authorities, issuer}
        ),
        "codes": _codes(f"{place}.codes", table.get("codes", {})),
        "placeholders": frozenset(map(_folded, _texts(place, table, "placeholders"))),
        "senders": frozenset(_folded("|".join(map(str.strip, sender.split("|")))) for sender in senders),
        "nhs_number_fields": frozenset(number_fields),
        "hl7_fields": _hl7_fields(f"{place}.hl7_fields", table.get("hl7_fields", {})),
    }


def _hl7_fields(place: str, names: object) -> Mapping[str, str]:
    good = isinstance(names, Mapping) and all(
        isinstance(where, str) and _HL7_PLACE.fullmatch(where) for where in names.values()
    )
    _require(good, place, 'gives each name a field, "ZU1-14" or "SCH-8.2"')
    assert isinstance(names, Mapping)
    _require(set(names) <= HL7_FIELDS, place, f"has a name that is none of {', '.join(sorted(HL7_FIELDS))}")
    return dict(names)


def _aliases(place: str, names: object, authorities: Collection[str | None]) -> Mapping[str, str]:
    """Another name of an issuer -> its one name; each of its one spelling."""
    good = isinstance(names, Mapping) and all(
        isinstance(name, str) and name.strip() for pair in names.items() for name in pair
    )
    _require(good, place, 'gives each other name the authority it stands for, "urn:oid:2.16.1" = "RXX"')
    assert isinstance(names, Mapping)
    found = {normalised_authority(alias): normalised_authority(name) for alias, name in names.items()}
    _require(len(found) == len(names), place, "names one twice")
    _require(not found.keys() & {*found.values(), *authorities}, place, "stands for an authority that is itself one")
    return found


def _texts(place: str, table: Mapping[str, Any], key: str) -> list[str]:
    texts = table.get(key, [])
    good = isinstance(texts, list) and all(isinstance(text, str) and text.strip() for text in texts)
    _require(good, f"{place}.{key}", "is a list of texts, none empty")
    return list(texts)


def _codes(place: str, tables: object) -> Mapping[str, Mapping[str, str]]:
    _require(isinstance(tables, Mapping), place, "is a table of tables")
    assert isinstance(tables, Mapping)
    found = {}
    for name, words in tables.items():
        _require(name in CODE_TABLES, place, f"has a table that is none of {', '.join(sorted(CODE_TABLES))}")
        good = isinstance(words, Mapping) and all(isinstance(code, str) for code in words.values())
        _require(good, f"{place}.{name}", 'gives each word a code, "Outpatient" = "O"')
        allowed = CODE_TABLES[name]
        if allowed is not None:
            listed = set(words.values()) <= allowed
            _require(listed, f"{place}.{name}", f"gives a code that is none of {', '.join(sorted(allowed))}")
        found[name] = {_folded(word): code for word, code in words.items()}
    return found


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


NHS_NUMBER_FIELDS = frozenset({"PID-2", "PID-4", "PID-19"})
# Table -> the codes its words may stand for; None where the reader that uses the table has the list.
CODE_TABLES: Mapping[str, frozenset[str] | None] = {
    "patient_class": frozenset("BCEINOPRU"),  # HL7 table 0004, PV1-2
    "sex": GENDERS,  # FHIR administrative-gender
    "ethnic_category": ETHNIC_2001,
    "attendance": frozenset("0234567"),  # NHS Data Dictionary, ATTENDED OR DID NOT ATTEND
    "appointment_status": None,  # SCH-25, and of its resources AIS-10, AIG-14, AIL-12, AIP-12
    "result_status": None,  # OBX-11, OBR-25
    "cancelled_by": frozenset({"2", "4"}),  # SCH-6, SCH-7: the person, the provider
    "discharge_reason": REASONS,
    "priority": frozenset({"routine", "urgent", "asap", "stat", "two-week-wait"}),
    "measurement": frozenset({"weight", "height", "bmi", "waist"}),
    "unit": frozenset(unit.ucum for unit in UNITS.values()),
    "purpose": PURPOSES,
    "medium": MEDIUMS,
    "group": frozenset({"yes", "no"}),
    "rtt_status": RTT_STATUSES,
}
HL7_FIELDS = frozenset({"purpose", "medium", "group", "rtt_status", "rtt_on"})

_HL7_PLACE = re.compile(r"[A-Z][A-Z0-9]{2}-[1-9][0-9]{0,2}(?:\.[1-9][0-9]?)?")
_SLUG = re.compile(r"[a-z][a-z0-9-]{1,30}")
_KEYS = frozenset(field.name for field in fields(Source))


def _require(condition: bool, field: str, rule: str) -> None:
    if not condition:
        raise InvalidField(field, rule=rule)
