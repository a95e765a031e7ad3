"""One log, one changelog, and the lives of a linker on them, each perhaps under another model.

As in the host: outputs are on the broker before the changes that followed from the same message, changes are in their
order, and what is committed is in the changelog, but not all that is in the changelog is committed.
"""

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from linker_history import changes, kept
from memory_engine import all_keys

from linkage.model import Model
from linkage.model import parse as parse_model
from ops.lab.memory_engine.parts import bucket_keys_of
from ops.runtime.paths import linkage_model
from schemas.topics import IDENTITY
from streams.steps.linker import LinkerStep
from streams.steps.outcome import Change, Emit, Message, Outcome

BATCH_RECORDS = 4  # so that a small world has several batches


@cache
def models() -> dict[str, Model]:
    """The one that ships, and two that want more before they link: of nineteen records these make 11, 14, 18 people."""
    shipped = parse_model(linkage_model())
    return {
        "shipped": shipped,
        "careful": replace(shipped, name="careful", link=20_000, review=9_000),
        "strict": replace(shipped, name="strict", link=42_000, review=9_000),
    }


def step(model: str, kind: type[LinkerStep] = LinkerStep) -> LinkerStep:
    """A linker that is asked for the model of this name."""
    return kind(
        all_keys().zone("linker"), models()[model], batch_records=BATCH_RECORDS, data_keys=bucket_keys_of("linker")
    )


class LinkerLives:
    """`log` is identity.v1, `coming` the messages still to come; `sent` and `written` are all that was ever sent and
    written.
    """

    def __init__(self, coming: Iterable[Message] = ()) -> None:
        self.log: list[Message] = []
        self.coming = deque(coming)
        self.sent: list[Outcome] = []
        self.written: list[Change] = []
        self.committed = 0

    def live(self, linker: LinkerStep, *, arriving: int | None = None) -> list[Outcome]:
        """One life that ends well: so many more messages come, or all, and are answered one by one till nothing is
        left, the linker's own words too. Returns what was sent and written in it.
        """
        before = len(self.sent)
        self._live(linker, arriving, None, random.Random(0))
        return self.sent[before:]

    def crash(self, linker: LinkerStep, chance: random.Random, *, noted: bool = False, least: int = 0) -> None:
        """One life that ends somewhere: all was sent, some of it is in the changelog, some of that is committed.
        `noted`: it had answered what there was, and all of that is in the changelog. `least`: so many changes are, if
        there were any. At least one message is still to come.
        """
        first = self.committed
        arriving = chance.randint(0, len(self.coming) - 1)
        answered = None if noted else chance.randint(0, 2 * len(self.coming) + 3)
        ends, found = self._live(linker, arriving, answered, chance)
        cut = found if noted else chance.randint(min(least, found), found)
        del self.written[len(self.written) - found + cut :]
        self.committed = chance.randint(first, first + sum(end <= cut for end in ends))

    def _live(
        self, linker: LinkerStep, arriving: int | None, answered: int | None, chance: random.Random
    ) -> tuple[list[int], int]:
        """Returns, by message, how many changes there were after it, and how many in all."""
        state, at, ends, count = linker.restore(kept(self.written)), self.committed, list[int](), 0
        due = len(self.coming) if arriving is None else arriving
        while answered is None or len(ends) < answered:
            if due and (at == len(self.log) or chance.random() < 0.5):
                self._append(self.coming.popleft())
                due -= 1
                continue
            if at == len(self.log):
                break
            state, outcomes = linker.advance(state, self.log[at])
            at += 1
            for outcome in outcomes:
                if isinstance(outcome, Emit) and outcome.topic == IDENTITY:
                    self._append(Message(IDENTITY, 0, 0, outcome.key, outcome.value, (), self.log[at - 1].timestamp_ms))
            self.sent += outcomes
            self.written += changes(outcomes)
            count += len(changes(outcomes))
            ends.append(count)
        self.committed = at
        return ends, count

    def _append(self, message: Message) -> None:
        self.log.append(message._replace(offset=len(self.log)))
