"""A pathway for one recipient: canonical JSON with the recipient's ids, under CloudEvents headers.

CloudEvents 1.0, Kafka binding, binary mode. A tombstone has no value (None), which removes the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from schemas import canonical, topics
from schemas.fhir.dates import london_day
from schemas.keyring import Keyring, recipient_purpose
from schemas.pathway import SOURCE, PublishedId, schema_uri
from schemas.pathway_events import EVENTS, Retraction
from schemas.recipients import Agreement
from streams.steps.outcome import Emit, Headers, Message
from streams.steps.pathway_fold.events import DerivedEvent
from streams.steps.pathway_fold.fold import Pathway

SNAPSHOT = "snapshot"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Publication(NamedTuple):
    """Under which revision something is published, and when the message that led to it was received."""

    revision: int
    known_at_ms: int


@dataclass(frozen=True, slots=True)
class About:
    """What all messages to one recipient about one person have in common, in one publication."""

    person: PublishedId
    partition: int
    revision: int
    known_at: str
    ids: dict[tuple[str, str], PublishedId] = field(default_factory=dict)  # of its episodes and courses

    def under(self, publication: Publication) -> "About":
        """The same in another publication."""
        return replace(self, revision=publication.revision, known_at=_instant(publication.known_at_ms))


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient: all ids are made with the recipient's key, so ids of two recipients never join.

    The id of an event, an episode or a handover is of one person: a fact id is the source's number of a thing, and two
    clients of a council may stand under one referral number. It is no part of the fact id itself, for a fact that is
    sent again after its record was merged is the same fact.

    What is published holds the fields of its agreement and no other.
    """

    agreement: Agreement
    keys: Keyring = field(repr=False)

    @property
    def name(self) -> str:
        """What its topics and its key are called by."""
        return self.agreement.slug

    def is_due(self, message: Message) -> bool:
        """True when its agreement covers the day of `message`; on others nothing is published, no retraction either."""
        return self.agreement.covers(london_day(_EPOCH + timedelta(milliseconds=message.timestamp_ms)))

    def shows(self, kind: str) -> bool:
        """True when it reads events of this kind."""
        return self.agreement.fields.shows(kind)

    def about(self, person_id: str, publication: Publication) -> About:
        """The common part of all that is published of the person for this recipient."""
        revision, known_at_ms = publication
        return About(self._id(person_id), topics.partition_of(person_id), revision, _instant(known_at_ms))

    def snapshot(self, about: About, pathway: Pathway) -> Emit:
        """The whole pathway after the message, or a tombstone when it is empty."""
        topic, headers = topics.pathway_state(self.name), self._headers(SNAPSHOT, about.person, about)
        key = about.person.encode("ascii")
        if pathway.is_empty:
            bare = tuple(pair for pair in headers if pair[0] not in ("content-type", "ce_dataschema"))
            return Emit(topic, about.partition, key, None, bare)
        whole = self._whole(about, pathway)
        return Emit(topic, about.partition, key, canonical.dump(self.agreement.fields.of_snapshot(whole)), headers)

    def _whole(self, about: About, pathway: Pathway) -> dict[str, object]:
        """The content of the pathway under the recipient's ids."""
        content = pathway.content
        return {
            **content,
            "person": about.person,
            "revision": about.revision,
            "known_at": about.known_at,
            "as_of": pathway.as_of.isoformat() if pathway.as_of else None,
            "episodes": [
                part | {"id": self._episode(about, part["id"]), "course": self._course(about, part["course"])}
                for part in content["episodes"]
            ],
            "courses": [
                part
                | {
                    "id": self._course(about, part["id"]),
                    "episodes": [self._episode(about, episode) for episode in part["episodes"]],
                }
                for part in content["courses"]
            ],
            "handovers": [
                part
                | {
                    "id": self._id("handover", about.person, part["id"]),
                    "from_episode": self._episode(about, part["from_episode"]),
                    "episode": self._episode(about, part["episode"]),
                }
                for part in content["handovers"]
            ],
            "findings": [part | {"episode": self._episode(about, part["episode"])} for part in content["findings"]],
        }

    def event(self, about: About, derived: DerivedEvent) -> Emit:
        """A current event."""
        event = EVENTS[derived.kind].model_validate(
            {
                **derived.content,
                **self._envelope(about, derived.name),
                "on": derived.on,
                "tier": derived.tier,
                "episode": self._episode(about, derived.episode),
            }
        )
        return self._event(about, derived.kind, event.id, event.model_dump(mode="json"))

    def retraction(self, about: About, name: str, kind: str) -> Emit:
        """An event that no longer follows: its id, its kind, and nothing else of it."""
        retraction = Retraction.model_validate({**self._envelope(about, name), "event": kind})
        return self._event(about, kind, retraction.id, retraction.model_dump(mode="json"))

    def _envelope(self, about: About, name: str) -> dict[str, object]:
        return {
            "id": self._id("event", about.person, name),
            "person": about.person,
            "revision": about.revision,
            "known_at": about.known_at,
        }

    def _event(self, about: About, kind: str, event_id: str, value: Mapping[str, object]) -> Emit:
        topic, key = topics.pathway_events(self.name), f"{about.person}/{event_id}".encode("ascii")
        return Emit(
            topic,
            about.partition,
            key,
            canonical.dump(self.agreement.fields.of_event(value)),
            self._headers(kind, event_id, about),
        )

    def _id(self, *parts: str) -> PublishedId:
        return PublishedId(self.keys.mac(recipient_purpose(self.name), *parts))

    def _episode(self, about: About, episode_id: str | None) -> PublishedId | None:
        return self._known_id(about, "episode", episode_id) if episode_id else None

    def _course(self, about: About, course_id: str | None) -> PublishedId | None:
        return self._known_id(about, "course", course_id) if course_id else None

    def _known_id(self, about: About, kind: str, name: str) -> PublishedId:
        """One that many messages about the person hold: made once for all of them."""
        if (kind, name) not in about.ids:
            about.ids[kind, name] = self._id(kind, about.person, name)
        return about.ids[kind, name]

    def _headers(self, kind: str, id_: str, about: About) -> Headers:
        """The attributes of CloudEvents 1.0; `ce_id` is the same whenever the message is answered again."""
        fixed = _fixed_headers(kind, self.agreement.fields.name)
        return (
            ("ce_id", f"{id_}/{about.revision}".encode("ascii")),
            ("ce_time", about.known_at.encode("ascii")),
            ("ce_subject", about.person.encode("ascii")),
            *fixed,
        )


def _instant(milliseconds: int) -> str:
    return canonical.instant(_EPOCH + timedelta(milliseconds=milliseconds))


@cache
def _fixed_headers(kind: str, fields: str) -> Headers:
    """The attributes that all messages of a kind have in common for the readers of one set of fields."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_source": SOURCE,
        "ce_type": f"example.tierlink.pathway.{kind}.v1",
        "ce_dataschema": schema_uri(kind, fields),
        "content-type": "application/json",
    }
    return tuple((name, value.encode("utf-8")) for name, value in attributes.items())
