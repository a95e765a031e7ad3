"""Behind the doors, on every topic and in all state, whyever it is kept: no value that names a person."""

from functools import cache

from memory_engine import MemoryEngine, base64_parts, everything, intake_keys, sources
from small_world import COUNCIL, GP, TRUST, attended, canary, message_from, small_world

from ops.verify.checker.leaks import intake_place
from ops.verify.leak_search import seen
from ops.verify.nobodies import NOBODIES
from schemas import topics
from schemas.envelope import IntakeReader
from schemas.errors import Unreadable
from schemas.identity import Person


def identifiers(person: Person) -> set[str]:
    """What names the person: not the sex, and of an address not the town."""
    found = {name.family for name in person.names} | {part for name in person.names for part in name.given}
    found |= {person.nhs_number.digits} if person.nhs_number else set()
    found |= {person.birth_date.isoformat()} if person.birth_date else set()
    found |= {address.line for address in person.addresses}
    codes = [address.postcode.compact for address in person.addresses if address.postcode]
    found |= {f"{code[:-3]} {code[-3:]}" for code in codes}  # as it is written; the search leaves the space out
    return {item for item in found if len(item) >= 5}  # "Ann" stands in base64 by chance


@cache
def engine() -> MemoryEngine:
    made = MemoryEngine(seed=9)
    for slug, message in small_world():
        made.take(slug, message)
    for slug in (GP, COUNCIL, TRUST):
        made.take(*message_from(slug, "canary", canary(NOBODIES[TRUST]), attended("a", 9), at=9))
    return made.run()


WORDS = {word for _, item in small_world() for word in identifiers(item.person)}


def test_no_topic_and_no_state_holds_a_name() -> None:
    text = everything(engine())
    values = [*WORDS, *NOBODIES[TRUST].values()]
    assert len(WORDS) > 40
    assert seen(values, text) == set()
    assert seen(values, base64_parts(text)) == set()


def test_the_same_search_finds_them_in_the_intake_opened_with_ingress_key() -> None:
    originals, reader = [], IntakeReader(intake_keys)
    for source in sources().values():
        for message in engine().read([source.intake_topic]):
            try:
                envelope = reader.open(intake_place(message))
            except Unreadable:
                continue
            originals.append(envelope.original)
    assert seen(WORDS, b"\n".join(originals)) == WORDS


def test_no_key_of_any_message_is_a_local_id_or_a_business_id() -> None:
    local = {item.person.local_id.value for _, item in small_world() if item.person.local_id}
    business = {fact.business_id for _, entry in small_world() for fact in entry.facts if fact.business_id}
    parts = {
        part
        for log in engine().logs.partitions.values()
        for message in log.messages
        for part in (message.key or b"").decode().split("/")
    }
    assert not parts & (local | business)


def test_a_recipient_sees_ids_of_its_own_and_no_source_id_of_the_engine() -> None:
    inside = {(message.key or b"").decode() for message in engine().read([topics.LINK_MAP])}
    inside |= {link["person_id"] for link in engine().latest(topics.LINK_MAP).values()}
    inside |= {(message.key or b"").decode().split("/")[2] for message in engine().read([topics.PATHWAY_IN])}
    published = b"\n".join(
        part
        for name in (topics.pathway_state("demo"), topics.pathway_events("demo"))
        for message in engine().read([name])
        for part in (message.key or b"", message.value or b"", *(value for _, value in message.headers))
    )
    assert len(published) > 10_000
    assert [item for item in inside if len(item) > 8 and item.encode() in published] == []
