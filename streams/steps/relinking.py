"""Another model: from which message of the linker's log it counts, and how what was answered before is gone
through again, a share of the records at a time.

A linker that is started with another model answers by the former one until it reads its own word that the new one
counts; so every message is answered by the model that stood when it was first answered, also when it comes
again. Which records are a share follows from their ids alone, so a share given again is the same share.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from linkage.answers import LinkAnswer
from linkage.changes import PersonChange, changes
from linkage.cluster import Decision, LinkGraph, Member
from linkage.weights import Model, dump, parse
from schemas import canonical
from schemas.errors import Unreadable
from schemas.linking import MODEL, ModelTurn
from streams.steps.outcome import Change

ELEMENT = MODEL.encode()  # the state element that says under which model answers are made
SHARE_RECORDS = 200  # 80 ms where every answer is another: a batch with a share in it still ends in its time


def digest_of(model: Model) -> str:
    """The model by what it says, spelling of its text aside: 32 hexadecimal digits."""
    return sha256(dump(model).encode()).hexdigest()[:32]


def shares_of(records: int, *, of: int) -> int:
    """Into how many shares of so many each the records are cut; at least one."""
    return max(1, -(-records // of))


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """The model that counts, since which offset, and how many shares have been answered anew; `share` is the next.

    What was read before `since` is in the state with all that followed from it: the change that brought this
    element came after theirs.
    """

    model: Model
    digest: str
    since: int
    share: int
    shares: int

    @property
    def is_done(self) -> bool:
        """Whether no record is left to be answered anew."""
        return self.share == self.shares

    def turn(self) -> ModelTurn:
        """The word that the next share is to be answered."""
        return ModelTurn(self.digest, self.share, self.shares)

    def change(self) -> Change:
        """The state element."""
        return Change(
            ELEMENT,
            canonical.dump(
                {"v": 1, "model": dump(self.model), "since": self.since, "share": self.share,
                 "shares": self.shares}
            ),
        )  # fmt: skip

    @classmethod
    def parse(cls, value: bytes) -> "ActiveModel":
        """Of the state element. Raises Unreadable, and ModelInvalid for a model this code cannot use."""
        parts = canonical.load_object(value)
        since, share, shares = (parts.get(name) for name in ("since", "share", "shares"))
        if parts.get("v") != 1 or not isinstance(parts.get("model"), str):
            raise Unreadable("model", rule="is of an unknown version")
        if not (isinstance(since, int) and isinstance(share, int) and isinstance(shares, int)):
            raise Unreadable("model", rule="lacks a part")
        model = parse(parts["model"])
        return cls(model, digest_of(model), since, share, shares)


@dataclass(slots=True)
class PendingModel:
    """The model asked for while another still counts, and the graph under it, kept up to date beside the other."""

    model: Model
    digest: str
    graph: LinkGraph


@dataclass(slots=True)
class RelinkBacklog:
    """What is kept only while answers are to be given anew: records by last person; by share once they are cut."""

    of_person: dict[str, set[str]]
    by_share: list[list[str]] = field(default_factory=list)

    @classmethod
    def of(cls, answers: Mapping[str, bytes]) -> "RelinkBacklog":
        """Of all answers so far."""
        of_person = defaultdict[str, set[str]](set)
        for record, answer in answers.items():
            of_person[person_of(answer)].add(record)
        return cls(dict(of_person))

    def cut(self, records: Iterable[str], shares: int) -> None:
        """Every record is in its share. Who comes later is answered under the new model anyhow."""
        self.by_share = [[] for _ in range(shares)]
        for record in records:
            self.by_share[zlib.crc32(record.encode()) % shares].append(record)

    def moved(self, record: str, former: bytes | None, now: bytes | None) -> None:
        """The record's answer has been given anew."""
        if former is not None:
            self.of_person[person_of(former)].discard(record)
        if now is not None:
            self.of_person.setdefault(person_of(now), set()).add(record)


def person_of(answer: bytes) -> str:
    """Whose the record is by this answer, as it stands in the state."""
    return str(canonical.load_object(answer)["person_id"])


def loaded(model: Model, members: Mapping[str, Member], decisions: Iterable[Decision]) -> LinkGraph:
    """A graph under the model with all of these."""
    graph = LinkGraph(model)
    graph.load(members, decisions)
    return graph


def changes_told(
    moved: Iterable[str], before: Mapping[str, str], after: Mapping[str, LinkAnswer], *, model: str
) -> tuple[PersonChange, ...]:
    """What became of the persons whom the records that moved left or came to; both sides hold these whole. A change
    that several shares have a part in is told with each of them.
    """
    moved = frozenset(moved)
    persons = {before[one] for one in moved if one in before} | {after[one].anchor for one in moved}
    return tuple(one for one in changes(before, after, model=model) if one.person in persons)
