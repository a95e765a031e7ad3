"""What the linker holds of one domain: the graph, what was last said, and what another model leaves to be said."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from linkage.cluster import Decision, LinkGraph, Member
from linkage.errors import LinkageError
from linkage.weights import Model
from schemas.errors import Unreadable
from schemas.linking import ModelTurn
from streams.steps.relinking import ActiveModel, PendingModel, RelinkBacklog, loaded, person_of

# State elements: `m/<record>` the identity as read, `a/<record>` the last answer, `r/<pair>` an open review
# pair, `decision/<pair>/<id>` a decision as read, `model` the model that counts and how far it has been applied.
MEMBER, ANSWER, OPEN = "m", "a", "r"


@dataclass(slots=True)
class LinkerState:
    """The graph, what was last answered for each record, and the open pairs by record.

    `standing`: the model that counts; None until a first message was answered. `wanted`: another was asked for,
    and does not count yet. `ahead`: None where nothing is to be answered anew. `opened`: all that follows from the
    model asked for has been said.
    """

    graph: LinkGraph
    answers: dict[str, bytes] = field(default_factory=dict)  # as in the changelog: read when they may change
    open_pairs: dict[str, bytes] = field(default_factory=dict)
    pairs_of: dict[str, set[str]] = field(default_factory=dict)
    standing: ActiveModel | None = None
    wanted: PendingModel | None = None
    ahead: RelinkBacklog | None = None
    opened: bool = False

    def person_of(self, record_id: str) -> str:
        """Whose it was last said to be. Raises KeyError where nothing was."""
        return person_of(self.answers[record_id])

    def persons_of(self, records: Iterable[str]) -> dict[str, str]:
        """Record -> whose it was last said to be, of those of which anything was."""
        return {one: self.person_of(one) for one in records if one in self.answers}

    def keep(self, record_id: str, answer: bytes | None) -> None:
        """This is now the record's last answer; None: it has none."""
        if self.ahead is not None:
            self.ahead.moved(record_id, self.answers.get(record_id), answer)
        if answer is not None:
            self.answers[record_id] = answer
        else:
            self.answers.pop(record_id, None)

    def mark(self, pair: str, value: bytes | None) -> None:
        """The pair is open for a steward, as this says; None: it is not."""
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

    def both(self, tell: Callable[[LinkGraph], frozenset[str]]) -> frozenset[str]:
        """The graph has been told, and the one beside it under the model asked for. Returns what the first says."""
        if self.wanted is not None:
            tell(self.wanted.graph)
        return tell(self.graph)

    # ------------------------------------------------------------ another model

    def load(
        self, model: Model, digest: str, members: Mapping[str, Member], decisions: Collection[Decision]
    ) -> None:
        """Answers and the model that stood have been read back: the graphs hold these records and decisions. `model`
        is the one asked for.
        """
        standing = self.standing
        self.graph = loaded(standing.model if standing else model, members, decisions)
        if standing is not None and standing.digest != digest:
            self.wanted = PendingModel(model, digest, loaded(model, members, decisions))
        self.opened = standing is not None and self.wanted is None
        if self.wanted is not None or (self.answers if standing is None else not standing.is_done):
            self.ahead = RelinkBacklog.of(self.answers)
            if standing is not None and not standing.is_done:
                self.ahead.cut(self.answers, standing.shares)

    def switch(self, turn: ModelTurn, since: int) -> None:
        """From this offset on the model counts that was asked for, and every record waits for its share."""
        wanted, ahead = self.wanted, self.ahead
        assert wanted is not None
        assert ahead is not None
        self.graph, self.wanted = wanted.graph, None
        self.standing = ActiveModel(wanted.model, wanted.digest, since, turn.share, turn.shares)
        ahead.cut(self.answers, turn.shares)


def standing_of(value: bytes) -> ActiveModel | None:
    """None for a model of a form that is not read any more: then all is answered anew."""
    try:
        return ActiveModel.parse(value)
    except (Unreadable, LinkageError):
        return None
