"""Which model answers, and how a domain changes to another one (decision 0012).

A linker that is started with another model answers by the active one until it reads its own message that the other
takes over. So every message is answered by the model that was active when it was first answered, also when it comes
again. From then on all records are answered again, a batch at a time. Record ids alone decide which records are a
batch, so a batch that comes again is the same batch.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from linkage.cluster import Decision, LinkGraph, Member
from linkage.errors import LinkageError
from linkage.model import Model, dump, parse
from schemas import canonical
from schemas.errors import Unreadable
from schemas.linking import MODEL, Link, RelinkBatch
from schemas.topics import IDENTITY
from streams.steps.outcome import Change, Emit, Outcome

BATCH_RECORDS = 200  # 80 ms where every answer changes, so the host batch with it ends in time
_ELEMENT = MODEL.encode()  # the state element that names the active model


def digest_of(model: Model) -> str:
    """Names the model by its content, not by the spelling of its text: 32 hexadecimal digits."""
    return sha256(dump(model).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """The model that answers, since an offset of `identity.v1`.

    All that was read before `since` is in the state, with what followed from it: the change that brought this
    element came after theirs.
    """

    model: Model
    digest: str
    since: int

    def change(self, batch: int, batches: int) -> Change:
        """The state element; `batch` is the next to be answered again, equal to `batches` when none is left."""
        text = dump(self.model)
        value = {"v": 1, "model": text, "since": self.since, "batch": batch, "batches": batches}
        return Change(_ELEMENT, canonical.dump(value))


@dataclass(frozen=True, slots=True)
class BatchRun:
    """All records in their batches, to be answered again; `due` calls for the next batch."""

    due: RelinkBatch
    records: Sequence[Sequence[str]]

    @classmethod
    def cut(cls, records: Iterable[str], first: RelinkBatch) -> "BatchRun":
        """From batch `first` on. A record that comes later is answered under the active model anyhow."""
        batches: list[list[str]] = [[] for _ in range(first.batches)]
        for record_id in records:
            batches[zlib.crc32(record_id.encode()) % first.batches].append(record_id)
        return cls(first, batches)

    def rest(self) -> "BatchRun | None":
        """What is left after the next batch, None when it was the last."""
        after = replace(self.due, number=self.due.number + 1)
        return replace(self, due=after) if after.number < after.batches else None


RecordsOf = dict[str, set[str]]  # person -> the records last answered as theirs


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """No active model is recorded: there are no answers yet, or nobody knows under which model they were given."""

    records_of: RecordsOf


@dataclass(frozen=True, slots=True)
class Steady:
    """Every answer is one of the active model, which is the requested one."""

    active: ActiveModel


@dataclass(frozen=True, slots=True)
class Relinking:
    """The requested model is active, and some batches are still to be answered again."""

    active: ActiveModel
    records_of: RecordsOf
    run: BatchRun


@dataclass(frozen=True, slots=True)
class Waiting:
    """The active model answers until the requested one takes over, whose graph `pending` is kept up to date too.
    `run`: batches of the active model, if some are left. `announced`: this process called for batch 0.
    """

    active: ActiveModel
    records_of: RecordsOf
    run: BatchRun | None
    pending: LinkGraph
    announced: bool = False


Phase = Unrecorded | Steady | Relinking | Waiting


class ModelRollout:
    """The graph of one domain and the phase of its rollout, with the second graph while another model waits."""

    def __init__(self, requested: Model, *, domain: int, batch_records: int) -> None:
        """A domain without records; `requested` is the model the linker was started with."""
        self.graph = LinkGraph(requested)
        self.phase: Phase = Unrecorded({})
        self._requested, self._digest = requested, digest_of(requested)
        self._domain, self._batch_records = domain, batch_records

    def load(
        self,
        recorded: bytes | None,
        answers: Mapping[str, bytes],
        members: Mapping[str, Member],
        decisions: Collection[Decision],
    ) -> None:
        """The state was read back: the element of the active model, and values of `link.map.v1` by record. The graphs
        then hold these records and decisions.
        """
        self.graph.load(members, decisions)
        found = _recorded(recorded) if recorded is not None else None
        if found is None:
            self.phase = Unrecorded(_records_of(answers))
            return
        active, batch, batches = found
        run = BatchRun.cut(answers, RelinkBatch(active.digest, batch, batches)) if batch != batches else None
        if active.digest != self._digest:
            pending, self.graph = self.graph, LinkGraph(active.model)
            self.graph.load(members, decisions)
            self.phase = Waiting(active, _records_of(answers), run, pending)
        else:
            self.phase = Relinking(active, _records_of(answers), run) if run else Steady(active)

    @property
    def model_name(self) -> str:
        """The name of the model that answers."""
        model = self._requested if isinstance(self.phase, Unrecorded) else self.phase.active.model
        return model.name

    def is_past(self, offset: int) -> bool:
        """True for a message answered under a former model: all that followed from it is in the state."""
        return not isinstance(self.phase, Unrecorded) and offset < self.phase.active.since

    def update(self, change: Callable[[LinkGraph], frozenset[str]]) -> frozenset[str]:
        """Change every graph. Returns the records that the active graph names."""
        if isinstance(self.phase, Waiting):
            change(self.phase.pending)
        return change(self.graph)

    def move(self, record_id: str, former: bytes | None, answer: bytes | None) -> None:
        """The record's answer changed; None: it had or has none."""
        if isinstance(self.phase, Steady):
            return
        if former is not None:
            self.phase.records_of[Link.parse(former).person_id].discard(record_id)
        if answer is not None:
            self.phase.records_of.setdefault(Link.parse(answer).person_id, set()).add(record_id)

    def records_of(self, persons: Iterable[str]) -> frozenset[str]:
        """The records last answered as theirs, while batches are answered again."""
        assert not isinstance(self.phase, Steady)
        return frozenset[str]().union(*(self.phase.records_of[person] for person in persons))

    def begin(self, answers: Collection[str]) -> list[Outcome]:
        """With the first message of a process: record the model of a new domain, or call for batch 0.

        These outcomes come first: no answer is in the changelog without the model it was made under.
        """
        batches = max(1, -(-len(answers) // self._batch_records))
        first, phase = RelinkBatch(self._digest, 0, batches), self.phase
        if isinstance(phase, Waiting) and not phase.announced:
            self.phase = replace(phase, announced=True)
            return [self._message(first)]
        if not isinstance(phase, Unrecorded):
            return []
        active = ActiveModel(self._requested, self._digest, 0)
        if not answers:
            self.phase = Steady(active)
            return [active.change(0, 0)]
        self.phase = Relinking(active, phase.records_of, BatchRun.cut(answers, first))
        return [self._message(first), active.change(0, batches)]

    def start(self, batch: RelinkBatch, offset: int, answers: Iterable[str]) -> Sequence[str] | None:
        """The records to be answered again, None when it is not this batch's turn. Batch 0 of the requested model
        makes that model active, since `offset`.
        """
        waiting = self.phase
        if isinstance(waiting, Waiting) and (batch.digest, batch.number) == (self._digest, 0):
            self.graph = waiting.pending
            active = ActiveModel(self._requested, self._digest, offset)
            self.phase = Relinking(active, waiting.records_of, BatchRun.cut(answers, batch))
        run = self._run
        return run.records[batch.number] if run is not None and run.due == batch else None

    def finish(self) -> list[Outcome]:
        """The batch that was due is answered: call for the next, or remove the message when none is left.

        The state element comes last: while it is not in the changelog, the batch that comes again is answered again.
        """
        phase = self.phase
        assert isinstance(phase, Relinking | Waiting)
        assert phase.run is not None
        due, rest = phase.run.due, phase.run.rest()
        if isinstance(phase, Waiting):
            self.phase = replace(phase, run=rest)
        else:
            self.phase = replace(phase, run=rest) if rest else Steady(phase.active)
        message = self._message(rest.due) if rest else self._message(due, is_done=True)
        return [message, phase.active.change(due.number + 1, due.batches)]

    def discard(self, batch: RelinkBatch) -> list[Outcome]:
        """A batch that is not due: remove its message, unless the next batch has the same key."""
        run = self._run
        is_needed = run is not None and run.due.digest == batch.digest
        return [] if is_needed else [self._message(batch, is_done=True)]

    @property
    def _run(self) -> BatchRun | None:
        return self.phase.run if isinstance(self.phase, Relinking | Waiting) else None

    def _message(self, batch: RelinkBatch, *, is_done: bool = False) -> Emit:
        return Emit(IDENTITY, self._domain, batch.key(), None if is_done else batch.value())


def _recorded(value: bytes) -> tuple[ActiveModel, int, int] | None:
    """The active model, its next batch and the number of batches. None for a form that is not read any more: then
    all records are answered again.
    """
    try:
        parts = canonical.read_object(value)
        since, batch, batches = (parts.get(name) for name in ("since", "batch", "batches"))
        if parts.get("v") != 1 or not isinstance(parts.get("model"), str):
            return None
        if not (isinstance(since, int) and isinstance(batch, int) and isinstance(batches, int)):
            return None
        model = parse(parts["model"])
    except (Unreadable, LinkageError):
        return None
    return ActiveModel(model, digest_of(model), since), batch, batches


def _records_of(answers: Mapping[str, bytes]) -> RecordsOf:
    found = defaultdict[str, set[str]](set)
    for record_id, answer in answers.items():
        found[Link.parse(answer).person_id].add(record_id)
    return dict(found)
