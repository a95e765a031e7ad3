"""The messages of `pathway.in.v1`: a person's facts, their withdrawal, and the passing of days.

    <person>/<record>/<fact>   fact         one fact of one record under its person, since a link revision
    <person>/<record>/w        withdrawal   every fact of the record up to a link revision has left the person
    tick/<partition>           tick         the day it is, so that what depends on waiting can be answered

A record's facts are a person's while their link revision is above the highest withdrawal of that record from that
person. Both only grow, so the answer is the same in any order of arrival.
"""

from datetime import UTC, date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from schemas import canonical
from schemas.errors import Unreadable
from schemas.facts import KeyedReference, StoredFact

LinkRevision = Annotated[int, Field(strict=True, ge=0)]


class _InputModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class FactInput(_InputModel):
    """`fact` has been under `person_id` since `link_revision`."""

    kind: Literal["fact"] = "fact"
    person_id: KeyedReference
    link_revision: LinkRevision
    fact: StoredFact

    @property
    def key(self) -> str:
        """The Kafka key it travels under."""
        return f"{self.person_id}/{self.fact.record_id}/{self.fact.fact_id}"


class WithdrawalInput(_InputModel):
    """`record_id` left `person_id` at `link_revision`: what it brought up to then no longer counts."""

    kind: Literal["withdrawal"] = "withdrawal"
    person_id: KeyedReference
    record_id: KeyedReference
    link_revision: LinkRevision

    @property
    def key(self) -> str:
        """The Kafka key it travels under."""
        return f"{self.person_id}/{self.record_id}/w"


class TickInput(_InputModel):
    """It is at least `as_of`."""

    kind: Literal["tick"] = "tick"
    as_of: date

    def is_ahead_of(self, sent_on: date) -> bool:
        """True when it names a day later than the one after `sent_on`, the day in London when it was sent."""
        return self.as_of.toordinal() > sent_on.toordinal() + 1


PathwayInput = FactInput | WithdrawalInput | TickInput
_INPUT: TypeAdapter[PathwayInput] = TypeAdapter(Annotated[PathwayInput, Field(discriminator="kind")])


def fact_message(person_id: str, name: tuple[str, str], fact: bytes, *, link_revision: int) -> tuple[bytes, bytes]:
    """Key and value of one fact in canonical JSON, as in `events.v1`; its `name` is (record id, fact id)."""
    key = f"{person_id}/{name[0]}/{name[1]}"
    value = b'{"fact":%b,"kind":"fact","link_revision":%d,"person_id":%b}'
    return key.encode("ascii"), value % (fact, link_revision, canonical.dump(person_id))


def withdrawal_message(person_id: str, record_id: str, link_revision: int) -> tuple[bytes, bytes]:
    """Key and value that withdraw from a person what a record brought up to `link_revision`."""
    value = {
        "kind": "withdrawal",
        "person_id": person_id,
        "record_id": record_id,
        "link_revision": link_revision,
    }
    return f"{person_id}/{record_id}/w".encode("ascii"), canonical.dump(value)


def tick_message(partition: int, as_of: date) -> tuple[bytes, bytes]:
    """Key and value with the day for one partition; to be sent to exactly that partition."""
    return f"tick/{partition}".encode("ascii"), canonical.dump({"kind": "tick", "as_of": as_of.isoformat()})


def parse(key: bytes | None, value: bytes | None) -> PathwayInput:
    """The content of one message. Raises Unreadable for anything the three functions above do not write."""
    if key is None or value is None:
        raise Unreadable("pathway input", rule="has no key or no value")
    canonical.load_object(value)  # strict JSON: pydantic's own reader takes the last of a repeated key
    try:
        received = _INPUT.validate_json(value)
    except ValidationError:
        raise Unreadable("pathway input", rule="is not a fact, a withdrawal or a tick") from None
    if isinstance(received, FactInput):
        try:
            received.fact.source_version_at.astimezone(UTC)
        except OverflowError:  # some moments of years 1 and 9999 have no UTC
            raise Unreadable("pathway input", rule="has a version time that has no UTC") from None
    if not isinstance(received, TickInput) and received.key.encode("ascii") != key:
        raise Unreadable("pathway input", rule="has the key of another message")
    return received
