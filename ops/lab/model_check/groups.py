"""A consumer group and its coordinator: members, generations, assignments, commits, session timeouts."""

import random
from dataclasses import dataclass, field
from typing import Literal

from streams.host.commit import Partition

Answer = Literal["ok", "rejoin", "unknown"]
NEVER_MS = 1 << 60


@dataclass(frozen=True)
class Timings:
    """The demonstration's, in milliseconds; what follows from them is what the host makes of them."""

    session_ms: int = 6_000
    heartbeat_ms: int = 1_000
    rebalance_ms: int = 10_000

    @property
    def fence_ms(self) -> int:
        """The broker refuses a message stamped longer ago than this: two thirds of the session."""
        return self.session_ms * 2 // 3

    @property
    def self_fence_ms(self) -> int:
        """A worker that was frozen, or waited for an acknowledgement, longer than this ends itself."""
        return self.session_ms * 4 // 5

    @property
    def drain_ms(self) -> int:
        """A worker that has not given up its partitions after this ends itself."""
        return self.rebalance_ms * 4 // 5


@dataclass(slots=True)
class GroupMember:
    """What the coordinator knows of one worker."""

    heard_ms: int
    joined: bool = False
    tasks: tuple[int, ...] = ()


@dataclass
class Group:
    """The coordinator of one stage. A name is a static member: who comes back under it gets its tasks back."""

    tasks: int
    timings: Timings
    chance: random.Random
    generation: int = 0
    members: dict[str, GroupMember] = field(default_factory=dict)
    committed: dict[Partition, int] = field(default_factory=dict)
    deadline_ms: int | None = None  # of the rebalance under way
    due_ms: int = NEVER_MS

    @property
    def stable(self) -> bool:
        """No rebalance is under way."""
        return self.deadline_ms is None

    def join(self, name: str, now_ms: int) -> None:
        """A worker asks for partitions. One that comes back to a stable group keeps what it had."""
        member = self.members.setdefault(name, GroupMember(now_ms))
        member.heard_ms = now_ms
        member.joined = True
        self._prepare(now_ms)

    def rejoin(self, name: str, now_ms: int) -> None:
        """A worker that died is started again under its name; no rebalance when nobody has missed it."""
        member = self.members.get(name)
        if member is None or not self.stable:
            self.join(name, now_ms)
        else:
            member.heard_ms = now_ms

    def leave(self, name: str, now_ms: int) -> None:
        """A worker goes in good order."""
        self.members.pop(name, None)
        self._prepare(now_ms)

    def sync(self, name: str, now_ms: int) -> tuple[int, tuple[int, ...]] | None:
        """Generation and tasks; None while others have not joined. A member that was dropped joins again."""
        if not self.stable:
            return None
        member = self.members.get(name)
        if member is None:
            self.join(name, now_ms)
            return None
        member.heard_ms = now_ms
        return self.generation, member.tasks

    def heartbeat(self, name: str, generation: int, now_ms: int) -> Answer:
        """Heard, also while a rebalance is under way, as in Kafka."""
        member = self.members.get(name)
        if member is None or generation != self.generation:
            return "unknown"
        member.heard_ms = now_ms
        return "ok" if self.stable else "rejoin"

    def commit(self, name: str, generation: int, offsets: dict[Partition, int]) -> bool:
        """False, and nothing committed, for a stale generation or a member that was dropped."""
        if name not in self.members or generation != self.generation:
            return False
        self.committed.update(offsets)
        return True

    def tick(self, now_ms: int) -> None:
        """Drop who was not heard within the session timeout; end a rebalance whose time has come."""
        session_ms = self.timings.session_ms
        gone = [n for n, m in self.members.items() if now_ms - m.heard_ms > session_ms and not self._waits(m)]
        for name in gone:
            del self.members[name]
        if gone:
            self._prepare(now_ms)
        if self.deadline_ms is not None and (
            now_ms >= self.deadline_ms or all(member.joined for member in self.members.values())
        ):
            self._complete(now_ms)
        waits = [m.heard_ms + session_ms + 1 for m in self.members.values() if not self._waits(m)]
        self.due_ms = min([*waits, self.deadline_ms if self.deadline_ms is not None else NEVER_MS])

    def _waits(self, member: GroupMember) -> bool:
        return member.joined and not self.stable

    def _prepare(self, now_ms: int) -> None:
        if self.stable:
            self.deadline_ms = now_ms + self.timings.rebalance_ms
        self.due_ms = now_ms

    def _complete(self, now_ms: int) -> None:
        self.members = {name: member for name, member in self.members.items() if member.joined}
        self.deadline_ms = None
        self.generation += 1
        tasks, names = list(range(self.tasks)), sorted(self.members)
        self.chance.shuffle(tasks)
        self.chance.shuffle(names)
        for number, name in enumerate(names):
            self.members[name] = GroupMember(now_ms, tasks=tuple(sorted(tasks[number :: len(names)])))
