"""What pathway is told on `pathway.in.v1`: a person's facts, their withdrawal, and the passing of days.

    <person>/<record>/<fact>   fact         one fact of one record under its person, since a link revision
    <person>/<record>/w        withdrawal   every fact of the record up to a link revision has left the person
    tick/<partition>           tick         the day it is, so that what depends on waiting can be answered

A record's facts live under a person exactly while their link revision is above the highest withdrawal told
for that record and person. Both only grow, so the answer is the same in whatever order they arrive.
"""

from collections.abc import Mapping
from datetime import UTC, date
from typing import Annotated, Any, Literal

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


PathwayInput = FactInput | WithdrawalInput | TickInput
_TOLD: TypeAdapter[PathwayInput] = TypeAdapter(Annotated[PathwayInput, Field(discriminator="kind")])


def fact_message(person_id: str, stored_fact: Mapping[str, Any], link_revision: int) -> tuple[bytes, bytes]:
    """Key and value that tell of one fact; `stored_fact` is a StoredFact's JSON, as in `events.v1`."""
    key = f"{person_id}/{stored_fact['record_id']}/{stored_fact['fact_id']}"
    told = {"kind": "fact", "person_id": person_id, "link_revision": link_revision, "fact": dict(stored_fact)}
    return key.encode("ascii"), canonical.dump(told)


def fact_text_message(
    person_id: str, name: tuple[str, str], fact: bytes, *, link_revision: int
) -> tuple[bytes, bytes]:
    """As `fact_message`, byte for byte, of the canonical JSON of a fact whose `name` is (record id, fact id)."""
    key = f"{person_id}/{name[0]}/{name[1]}"
    told = b'{"fact":%b,"kind":"fact","link_revision":%d,"person_id":%b}'
    return key.encode("ascii"), told % (fact, link_revision, canonical.dump(person_id))


def withdrawal_message(person_id: str, record_id: str, link_revision: int) -> tuple[bytes, bytes]:
    """Key and value that withdraw from a person what a record brought up to `link_revision`."""
    told = {
        "kind": "withdrawal",
        "person_id": person_id,
        "record_id": record_id,
        "link_revision": link_revision,
    }
    return f"{person_id}/{record_id}/w".encode("ascii"), canonical.dump(told)


def tick_message(partition: int, as_of: date) -> tuple[bytes, bytes]:
    """Key and value that tell one partition what day it is; to be sent to exactly that partition."""
    return f"tick/{partition}".encode("ascii"), canonical.dump({"kind": "tick", "as_of": as_of.isoformat()})


def parse(key: bytes | None, value: bytes | None) -> PathwayInput:
    """What one message tells. Raises Unreadable for anything the three functions above do not write."""
    if key is None or value is None:
        raise Unreadable("pathway input", rule="has no key or no value")
    canonical.load_object(value)  # strict JSON: pydantic's own reader takes the last of a repeated key
    try:
        told = _TOLD.validate_json(value)
    except ValidationError:
        raise Unreadable("pathway input", rule="is not a fact, a withdrawal or a tick") from None
    if isinstance(told, FactInput):
        try:
            told.fact.source_version_at.astimezone(UTC)
        except OverflowError:  # some moments of years 1 and 9999 have no UTC
            raise Unreadable("pathway input", rule="was told at a moment that has no UTC") from None
    if not isinstance(told, TickInput) and told.key.encode("ascii") != key:
        raise Unreadable("pathway input", rule="has the key of another message")
    return told
