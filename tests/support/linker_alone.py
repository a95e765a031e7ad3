"""The linker step alone, given identities without the stages before it: for identities that those would refuse, and
for a thousand messages in a second.
"""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from memory_engine import START_MS, all_keys, real_step, record_id

from linkage.normalise import Identity, Name, normalise
from linkage.tokens import EncodedIdentity, TokenKeys, encode
from ops.lab.memory_engine.parts import all_bucket_keys
from schemas.data_keys import Family
from schemas.keyring import Purpose
from schemas.linking import DecisionKind, PairDecision, RecordIdentity
from schemas.record_keys import WrappedKeys
from schemas.sealed_body import IDENTITY_PAD_BYTES, seal_padded
from schemas.topics import IDENTITY, LINK_MAP, PERSON_CHANGES, REVIEW
from streams.steps.outcome import Change, Emit, Message, Reject

SOURCE = "council-east"
KeyValue = tuple[bytes, bytes | None]


@cache
def keys() -> TokenKeys:
    """Those under which the engine's ingress encodes."""
    return TokenKeys.from_bytes(all_keys().key(Purpose.LINK_TOKENS), epoch=all_keys().newest(Purpose.LINK_TOKENS))


def identity(given: str, family: str, birth: str, number: str | None = None, postcode: str = "LS1 4AP") -> Identity:
    """Somebody at 12 Mill Lane."""
    return Identity(
        number,
        names=(Name((given,), family),),
        birth_date=birth,
        postcodes=(postcode,),
        houses=("12 Mill Lane",),
    )


def rid(local: str) -> str:
    """The id of the record that the council calls `local`."""
    return record_id(SOURCE, local)


def identity_message(local: str, who: Identity | EncodedIdentity, merged_into: str | None = None) -> KeyValue:
    """The message by which the record is this identity, as records would write it."""
    encoded = who if isinstance(who, EncodedIdentity) else encode(normalise(who), keys=keys())
    record, held = rid(local), all_bucket_keys()
    data_key = held.made(Family.TOKENS, record, 1)
    sealed = seal_padded(data_key, encoded.to_bytes(), context=record.encode(), pad_bytes=IDENTITY_PAD_BYTES)
    wrapped = WrappedKeys.of(record, {Family.TOKENS: data_key}, 1, held)
    merged = rid(merged_into) if merged_into else None
    return record.encode(), RecordIdentity(record, SOURCE, "tier2", sealed, wrapped, merged).value()


def gone(local: str) -> KeyValue:
    """The message by which there is no such record any more."""
    return rid(local).encode(), None


def decision_message(a: str, b: str, kind: DecisionKind, day: int = 1, name: str = "d1") -> KeyValue:
    """A steward's decision on two records."""
    first, second = sorted((rid(a), rid(b)))
    decision = PairDecision((first, second), kind, f"2026-01-{day:02}T08:00:00Z", name)
    return decision.key(), decision.value()


class LinkerAlone:
    """What topics and changelog hold after the messages given. `read_back`: identities that its state had already,
    not answered yet.
    """

    def __init__(self, given: Iterable[KeyValue] = (), *, read_back: Iterable[KeyValue] = ()) -> None:
        self.changelog: dict[bytes, bytes] = {b"m/" + key: value for key, value in read_back if value}
        self.state = real_step("linker").restore(self.changelog.items())
        self.offset = 0
        self.topics: dict[str, dict[str, Any]] = {LINK_MAP: {}, REVIEW: {}, PERSON_CHANGES: {}}
        self.rejected: list[str] = []
        for pair in given:
            self.give(pair)

    def give(self, pair: KeyValue) -> int:
        """One message. Returns how many outputs it had, state not counted."""
        message = Message(IDENTITY, 0, self.offset, *pair, (), START_MS)
        self.offset += 1
        self.state, outcomes = real_step("linker").advance(self.state, message)
        for outcome in outcomes:
            if isinstance(outcome, Reject):
                self.rejected.append(outcome.code)
            elif isinstance(outcome, Change):
                _keep(self.changelog, outcome.key, outcome.value)
            else:
                _keep(
                    self.topics[outcome.topic],
                    outcome.key.decode(),
                    json.loads(outcome.value) if outcome.value else None,
                )
        return sum(isinstance(outcome, Emit) for outcome in outcomes)

    def of(self, local: str) -> Any:
        """The last answer for a record."""
        return self.topics[LINK_MAP][rid(local)]

    def reasons(self, local: str) -> tuple[str, list[str]]:
        """Status and reasons of a record."""
        return self.of(local)["status"], self.of(local)["reasons"]

    def together(self, *locals_: str) -> bool:
        """Whether these records are one person's."""
        return len({self.of(local)["person_id"] for local in locals_}) == 1

    def reviews(self) -> list[tuple[frozenset[str], list[str]]]:
        """The open pairs and why they are open."""
        return [(frozenset(review["records"]), review["rules"]) for review in self.topics[REVIEW].values()]

    def results(self) -> tuple[object, ...]:
        """Answers and reviews without their history: former persons and offsets."""
        answers = self.topics[LINK_MAP]
        kept = ("person_id", "status", "reasons", "evidence")
        return (
            {record: {name: link[name] for name in kept} for record, link in sorted(answers.items())},
            dict(sorted(self.topics[REVIEW].items())),
        )


def _keep(kept: dict[Any, Any], key: object, value: object) -> None:
    kept.pop(key, None)
    if value is not None:
        kept[key] = value
