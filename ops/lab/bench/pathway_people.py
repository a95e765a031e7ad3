"""People with so many facts, as the messages that pathway reads: what `bench pathway` grows.

One programme after another, 60 weeks apart: sent, received, accepted, started, then a session and a weight each week
for 12 weeks, completed. So facts grow as they do at a service, and episodes, handovers and courses with them.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count, islice

from ops.lab.memory_engine.parts import all_bucket_keys, all_keys
from schemas.data_keys import Family
from schemas.definitions import DWMP_COMPLETION
from schemas.elements import EntryContent, entry_element
from schemas.facts import (
    Acceptance,
    Attendance,
    Body,
    Completion,
    FactBody,
    Measurement,
    ProgrammeStart,
    Referral,
    StoredFact,
    Tier,
)
from schemas.pathway_in import entry_message, key_message
from schemas.record_keys import WrappedKeys
from schemas.topics import PATHWAY_IN
from streams.steps.outcome import Message

FIRST_ON = date(1995, 1, 2)
PROGRAMME_WEEKS, APART_WEEKS = 12, 60
SENT_MS = 1_788_249_600_000  # 1 September 2026
KEY_EPOCH = 1
Service = tuple[str, Tier]
PRIMARY_CARE: Service = ("bench-gp", "primary_care")
TIER_2: Service = ("bench-tier2", "tier2")
KeyValue = tuple[bytes, bytes]


def id_of(*parts: object) -> str:
    """32 hex digits, the same for the same parts."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def bodies() -> Iterator[tuple[Service, FactBody]]:
    """What happens to a person, without end, and which service says it."""
    for number in count():
        began_on = FIRST_ON + timedelta(weeks=number * APART_WEEKS)
        ubrn = id_of("ubrn", number)
        yield PRIMARY_CARE, Referral(on=began_on, direction="sent", to_tier="tier2", ubrn=ubrn)
        yield TIER_2, Referral(on=began_on + timedelta(days=2), direction="received", to_tier="tier2", ubrn=ubrn)
        yield TIER_2, Acceptance(on=began_on + timedelta(days=4))
        yield TIER_2, ProgrammeStart(on=began_on + timedelta(days=7))
        for week in range(1, PROGRAMME_WEEKS + 1):
            on, kg = began_on + timedelta(weeks=week), Decimal(110) - week / Decimal(2)
            yield TIER_2, Attendance(on=on, attendance="5", purpose="session", medium="in_person")
            yield TIER_2, Measurement(on=on, quantity="weight", value=kg, value_given=kg, unit_given="kg")
        yield TIER_2, Completion(on=began_on + timedelta(weeks=PROGRAMME_WEEKS), definition=DWMP_COMPLETION)


def entries(facts: int) -> list[KeyValue]:
    """The keys of both records, then so many entries of one fact each; each under no person yet."""
    return [*map(_data_key, (PRIMARY_CARE, TIER_2)), *(_entry(*found) for found in islice(enumerate(bodies()), facts))]


def under(person_id: str, parts: list[KeyValue]) -> list[Message]:
    """The messages of `entries` about one person."""
    person = person_id.encode("ascii")
    return [
        Message(PATHWAY_IN, 0, offset, person + key, value, (), SENT_MS + offset)
        for offset, (key, value) in enumerate(parts)
    ]


def _data_key(service: Service) -> KeyValue:
    record_id = id_of(service[0])
    made = {Family.BODY: all_bucket_keys().made(Family.BODY, record_id, KEY_EPOCH)}
    wrapped = WrappedKeys.of(record_id, made, KEY_EPOCH, all_bucket_keys())
    return _without_person(*key_message(id_of(), record_id, wrapped, 1))


def _entry(number: int, said: tuple[Service, FactBody]) -> KeyValue:
    (source, tier), body = said
    fact = StoredFact(id_of(source), id_of("fact", number), source, tier, _source_version_at(body), body)
    content = EntryContent(
        record_id=fact.record_id,
        entry=id_of("entry", number),
        source=source,
        tier=tier,
        source_version_at=fact.source_version_at,
        identity=id_of("identity"),
        service_named=True,
        facts=[fact],
    )
    data_key = all_bucket_keys().made(Family.BODY, fact.record_id, KEY_EPOCH)
    key, element = entry_element(content, all_keys().zone("ingress"), data_key)
    record_id, _, name = key.split("/", 2)
    return _without_person(*entry_message(id_of(), (record_id, name), element, link_revision=1))


def _source_version_at(body: Body) -> datetime:
    return datetime.combine(body.on, time(18), UTC)


def _without_person(key: bytes, value: bytes) -> KeyValue:
    return key.removeprefix(id_of().encode("ascii")), value
