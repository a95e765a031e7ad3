"""What the linker keeps of one domain: graphs, the last answer for each record, and the pairs open for review.

m/<record>            the identity as read from identity.v1
a/<record>            the last answer, as sent to link.map.v1
r/<pair>              an open pair, as sent to review.v1
decision/<pair>/<id>  a decision as read
model                 the active model, and the next batch to be answered again under it
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from linkage.cluster import LinkGraph
from schemas.linking import Link
from streams.steps.model_rollout import ModelRollout

MEMBER, ANSWER, OPEN = "m", "a", "r"


@dataclass(slots=True)
class LinkerState:
    """The rollout owns the graphs. Answers and pairs stay bytes as in the changelog, parsed when they may change."""

    rollout: ModelRollout
    answers: dict[str, bytes] = field(default_factory=dict)
    open_pairs: dict[str, bytes] = field(default_factory=dict)
    pairs_of: dict[str, set[str]] = field(default_factory=dict)  # record -> its open pairs

    @property
    def graph(self) -> LinkGraph:
        """The graph of the model that answers."""
        return self.rollout.graph

    def link_of(self, record_id: str) -> Link | None:
        """The record's last answer, if it has one."""
        answer = self.answers.get(record_id)
        return Link.parse(answer) if answer is not None else None

    def persons_of(self, records: Iterable[str]) -> dict[str, str]:
        """Record -> the person of its last answer, of the records that have one."""
        return {record_id: link.person_id for record_id in records if (link := self.link_of(record_id))}

    def set_answer(self, record_id: str, answer: bytes | None) -> None:
        """This is now the record's last answer; None: it has none."""
        self.rollout.move(record_id, self.answers.get(record_id), answer)
        if answer is not None:
            self.answers[record_id] = answer
        else:
            self.answers.pop(record_id, None)

    def set_review(self, pair: str, value: bytes | None) -> None:
        """The pair is open for a steward with this value; None: it is not open."""
        for record_id in pair.split("|"):
            pairs = self.pairs_of.setdefault(record_id, set())
            if value is None:
                pairs.discard(pair)
            else:
                pairs.add(pair)
        if value is None:
            self.open_pairs.pop(pair, None)
        else:
            self.open_pairs[pair] = value
