"""A pathway for one recipient: their ids on it, CloudEvents headers around it, canonical JSON in it.

CloudEvents 1.0, Kafka binding, binary mode. A tombstone has no value at all (None), which is what removes
the key.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from schemas import canonical, topics
from schemas.keyring import Keyring, recipient_purpose
from schemas.pathway import SOURCE, Episode, Handover, PublishedId, Snapshot, schema_uri
from schemas.pathway_events import EVENTS, Retraction
from streams.steps.folding import Pathway
from streams.steps.outcome import Emit, Headers, Message
from streams.steps.pathway_fold.following import Following

SNAPSHOT = "snapshot"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient: everything for them is named under their own key, so that ids of two never join."""

    name: str
    keys: Keyring = field(repr=False)

    def snapshot(self, person_id: str, pathway: Pathway, message: Message) -> Emit:
        """The whole pathway as it stands after `message`, or a tombstone where nothing stands."""
        person = self._id(person_id)
        headers = _headers(SNAPSHOT, person, person, message)
        if not pathway.stands:
            return self._emit(topics.pathway_state(self.name), person_id, person, None, headers)
        whole = Snapshot(
            **dict(pathway.view),
            person=person,
            revision=message.offset,
            known_at=_instant(message),
            episodes=tuple(Episode(**dict(one.view), id=self._episode(one.id)) for one in pathway.episodes),
            handovers=tuple(
                Handover(
                    **dict(one.view),
                    id=self._id("handover", one.sent.fact_id),
                    episode=self._episode(one.episode.id) if one.episode else None,
                )
                for one in pathway.handovers
            ),
        )
        value = canonical.dump(whole.model_dump(mode="json"))
        return self._emit(topics.pathway_state(self.name), person_id, person, value, headers)

    def event(self, person_id: str, told: Following, message: Message) -> Emit:
        """An event that stands."""
        event = EVENTS[told.kind].model_validate(
            {
                **told.content,
                **self._envelope(person_id, told.name, message),
                "on": told.on,
                "tier": told.tier,
                "episode": self._episode(told.episode) if told.episode else None,
            }
        )
        return self._event(
            person_id, told.kind, event.id, canonical.dump(event.model_dump(mode="json")), message
        )

    def retraction(self, person_id: str, name: str, kind: str, message: Message) -> Emit:
        """An event that no longer follows: its id, its kind, and nothing else of it."""
        gone = Retraction.model_validate({**self._envelope(person_id, name, message), "event": kind})
        return self._event(person_id, kind, gone.id, canonical.dump(gone.model_dump(mode="json")), message)

    def _envelope(self, person_id: str, name: str, message: Message) -> dict[str, object]:
        return {
            "id": self._id("event", name),
            "person": self._id(person_id),
            "revision": message.offset,
            "known_at": _instant(message),
        }

    def _event(self, person_id: str, kind: str, event_id: str, value: bytes, message: Message) -> Emit:
        person = self._id(person_id)
        headers = _headers(kind, event_id, person, message)
        return self._emit(topics.pathway_events(self.name), person_id, f"{person}/{event_id}", value, headers)

    def _emit(self, topic: str, person_id: str, key: str, value: bytes | None, headers: Headers) -> Emit:
        if value is None:
            headers = tuple(one for one in headers if one[0] not in ("content-type", "ce_dataschema"))
        return Emit(topic, topics.partition_of(person_id), key.encode("ascii"), value, headers)

    def _id(self, *parts: str) -> PublishedId:
        return PublishedId(self.keys.mac(recipient_purpose(self.name), *parts))

    def _episode(self, episode_id: str) -> PublishedId:
        return self._id("episode", episode_id)


def _headers(what: str, id_: str, person: str, message: Message) -> Headers:
    """The attributes of CloudEvents 1.0; `ce_id` is the same whenever the message is answered again."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": f"{id_}/{message.offset}",
        "ce_source": SOURCE,
        "ce_type": f"example.tierlink.pathway.{what}.v1",
        "ce_time": _instant(message),
        "ce_subject": person,
        "ce_dataschema": schema_uri(what),
        "content-type": "application/json",
    }
    return tuple((name, value.encode("utf-8")) for name, value in attributes.items())


def _instant(message: Message) -> str:
    return canonical.instant(_EPOCH + timedelta(milliseconds=message.timestamp_ms))
