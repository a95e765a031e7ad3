"""A pathway for one recipient: their ids on it, CloudEvents headers around it, canonical JSON in it.

CloudEvents 1.0, Kafka binding, binary mode. A tombstone has no value at all (None), which is what removes
the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas import canonical, topics
from schemas.keyring import Keyring, recipient_purpose
from schemas.pathway import SOURCE, PublishedId, schema_uri
from schemas.pathway_events import EVENTS, Retraction
from streams.steps.folding import Pathway
from streams.steps.outcome import Emit, Headers, Message
from streams.steps.pathway_fold.events import Following

SNAPSHOT = "snapshot"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class About:
    """One person as one recipient knows them, in answer to one message: what all that is sent of it shares."""

    person: PublishedId
    partition: int
    revision: int
    known_at: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient: everything for them is named under their own key, so that ids of two never join."""

    name: str
    keys: Keyring = field(repr=False)

    def about(self, person_id: str, message: Message) -> About:
        """What is the same in all that `message` leads to for this recipient."""
        known_at = canonical.instant(_EPOCH + timedelta(milliseconds=message.timestamp_ms))
        return About(self._id(person_id), topics.partition_of(person_id), message.offset, known_at)

    def snapshot(self, about: About, pathway: Pathway) -> Emit:
        """The whole pathway as it stands after the message, or a tombstone where nothing stands."""
        topic, headers = topics.pathway_state(self.name), _headers(SNAPSHOT, about.person, about)
        key = about.person.encode("ascii")
        if not pathway.stands:
            bare = tuple(one for one in headers if one[0] not in ("content-type", "ce_dataschema"))
            return Emit(topic, about.partition, key, None, bare)
        # each part as its own model writes it: what no model of schemas.pathway names cannot be here
        whole = pathway.view.model_dump(mode="json") | {
            "person": about.person,
            "revision": about.revision,
            "known_at": about.known_at,
            "episodes": [
                one.view.model_dump(mode="json") | {"id": self._episode(one.id)} for one in pathway.episodes
            ],
            "handovers": [
                one.view.model_dump(mode="json")
                | {
                    "id": self._id("handover", one.sent.fact_id),
                    "episode": self._episode(one.episode.id) if one.episode else None,
                }
                for one in pathway.handovers
            ],
        }
        return Emit(topic, about.partition, key, canonical.dump(whole), headers)

    def event(self, about: About, told: Following) -> Emit:
        """An event that stands."""
        event = EVENTS[told.kind].model_validate(
            {
                **told.content,
                **self._envelope(about, told.name),
                "on": told.on,
                "tier": told.tier,
                "episode": self._episode(told.episode) if told.episode else None,
            }
        )
        return self._event(about, told.kind, event.id, event.model_dump(mode="json"))

    def retraction(self, about: About, name: str, kind: str) -> Emit:
        """An event that no longer follows: its id, its kind, and nothing else of it."""
        gone = Retraction.model_validate({**self._envelope(about, name), "event": kind})
        return self._event(about, kind, gone.id, gone.model_dump(mode="json"))

    def _envelope(self, about: About, name: str) -> dict[str, object]:
        return {
            "id": self._id("event", name),
            "person": about.person,
            "revision": about.revision,
            "known_at": about.known_at,
        }

    def _event(self, about: About, kind: str, event_id: str, value: Mapping[str, Any]) -> Emit:
        topic, key = topics.pathway_events(self.name), f"{about.person}/{event_id}".encode("ascii")
        return Emit(topic, about.partition, key, canonical.dump(value), _headers(kind, event_id, about))

    def _id(self, *parts: str) -> PublishedId:
        return PublishedId(self.keys.mac(recipient_purpose(self.name), *parts))

    def _episode(self, episode_id: str) -> PublishedId:
        return self._id("episode", episode_id)


def _headers(what: str, id_: str, about: About) -> Headers:
    """The attributes of CloudEvents 1.0; `ce_id` is the same whenever the message is answered again."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": f"{id_}/{about.revision}",
        "ce_source": SOURCE,
        "ce_type": f"example.tierlink.pathway.{what}.v1",
        "ce_time": about.known_at,
        "ce_subject": about.person,
        "ce_dataschema": schema_uri(what),
        "content-type": "application/json",
    }
    return tuple((name, value.encode("utf-8")) for name, value in attributes.items())
