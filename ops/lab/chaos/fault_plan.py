"""What is done to the engine, and in which order: drawn from a seed, over names. Pure; nothing acts here.

A *death* is a process that ends by SIGKILL or at an injected crash point: a worker, a door or the broker. The
plan holds at least the deaths that were asked for; SIGTERM, pauses and faults of the network or disk are no
deaths and come on top, in fixed proportions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from streams.host.batch import BATCH_PHASES

FaultKind = Literal[
    "kill",  # SIGKILL of a worker or door
    "crash",  # a worker ends itself at a named point of a batch
    "recovery",  # SIGKILL, and again while it reads its state back
    "wipe",  # SIGKILL, and its directory removed before it comes back
    "broker-kill",
    "broker-term",
    "term",  # SIGTERM of a worker or door
    "stop",  # SIGSTOP, and SIGCONT when its partitions are long another's
    "scale",  # one stage to 1, 3, 5 and 1 workers
    "disk",  # a worker's directory is full
    "latency",  # of one process's way to the broker, both directions
    "reset",  # its connections end at once
    "black-hole",  # one direction swallows everything
    "trickle",  # one byte a second
]
LinkDirection = Literal["to_broker", "from_broker", "both"]
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
DEATHS: Mapping[FaultKind, int] = {"kill": 1, "crash": 1, "recovery": 2, "wipe": 1, "broker-kill": 1}
# Of each kind, in ROUND deaths. A broker's death ends all workers, too: a few make more restarts than all others.
ROUND = 25
PER_ROUND: Mapping[FaultKind, float] = {
    "crash": 3,
    "recovery": 2,
    "wipe": 3,
    "broker-kill": 0.75,
    "broker-term": 0.5,
    "term": 2,
    "stop": 2,
    "scale": 1,
    "disk": 1,
    "latency": 1,
    "reset": 2,
    "black-hole": 1,
    "trickle": 1,
}
MILD = sum(count for kind, count in PER_ROUND.items() if kind not in DEATHS)
LONG: frozenset[FaultKind] = frozenset({"stop", "scale", "disk", "latency", "black-hole", "trickle"})
STOP_SECONDS = 15.0
_ONE_WAY: tuple[LinkDirection, ...] = ("to_broker", "from_broker")
LATENCY_SECONDS = (0.2, 30.0)
LINK_SECONDS = (8.0, 15.0)  # longer than the session of the demo profile
PASSAGES_MAX = 4  # the injected point strikes at one of the first passages
SCALES = (1, 3, 5, 1)


@dataclass(frozen=True)
class Action:
    """One thing done: to `target` (a process, a stage for "scale", "" for the broker), lasting `seconds`.

    `fault_at` is the point and passage of "crash"; `latency_s` and `direction` belong to faults of the network.
    """

    kind: FaultKind
    target: str = ""
    seconds: float = 0.0
    fault_at: str = ""
    latency_s: float = 0.0
    direction: LinkDirection = "both"

    def __str__(self) -> str:
        parts = [self.kind, self.target, self.fault_at, "" if self.direction == "both" else self.direction]
        parts += [f"{self.latency_s:.1f} s late"] if self.latency_s else []
        parts += [f"for {self.seconds:.0f} s"] if self.seconds else []
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Targets:
    """Who there is: workers by name (`records-0`), doors, the stages, and the workers that keep no state."""

    workers: Sequence[str]
    doors: Sequence[str]
    stages: Sequence[str]
    stateless: Sequence[str] = ()

    @property
    def processes(self) -> Sequence[str]:
        """Everyone who may be killed, paused or cut off."""
        return (*self.workers, *self.doors)

    def who_meets(self, point: str) -> Sequence[str]:
        """The workers at which a point of a batch means something: only a stage with state claims and keeps it."""
        excluded = self.stateless if point.startswith(("claims", "state")) else ()
        return [name for name in self.workers if name not in excluded]


def counts(kills: int, kinds: Sequence[FaultKind]) -> dict[FaultKind, int]:
    """How often each kind is planned, so that exactly `kills` processes die where `kinds` allow it.

    Every kind comes at least once, and "crash" once for every point, where `kills` leaves room. Deaths and the
    rest keep their proportion when `kinds` are few.
    """
    deadly = [kind for kind in DEATHS if kind in kinds] if kills else []
    mild = [kind for kind in KINDS if kind in kinds and kind not in DEATHS]
    planned = {kind: max(1, round(PER_ROUND.get(kind, 0) * kills / ROUND)) for kind in deadly}
    if "crash" in planned:
        planned["crash"] = max(len(BATCH_PHASES), planned["crash"])
    least = {kind: len(BATCH_PHASES) if kind == "crash" else 1 for kind in deadly}
    for floors in (least, dict.fromkeys(deadly, 0)):  # none is left out while another comes more often than it must
        for kind in reversed(deadly):
            over = _deaths(planned) - kills
            planned[kind] = max(floors[kind], planned[kind] + min(0, -over) // DEATHS[kind])
    if deadly:
        planned[deadly[0]] += (kills - _deaths(planned)) // DEATHS[deadly[0]]
    each = MILD * (kills or ROUND) / ROUND / sum(PER_ROUND[kind] for kind in mild) if mild else 0.0
    return planned | {kind: max(1, round(PER_ROUND[kind] * each)) for kind in mild}


def plan(seed: int, kills: int, kinds: Sequence[FaultKind], targets: Targets) -> list[Action]:
    """The actions of one run in their order: the same for the same arguments, whenever and wherever."""
    rng = Random(seed)
    drawn = _RoundRobin(rng, targets)
    return [_action(kind, rng, targets, drawn) for kind in _order(rng, counts(kills, kinds))]


def more(seed: int, kinds: Sequence[FaultKind], targets: Targets) -> Iterator[Action]:
    """Without end: what is done when the plan has been carried out and deaths are still missing."""
    rng = Random(f"{seed}/more")
    drawn = _RoundRobin(rng, targets)
    deadly = [kind for kind in kinds if kind in DEATHS and not kind.startswith("broker")]
    while deadly:
        yield _action("kill" if "kill" in deadly else rng.choice(deadly), rng, targets, drawn)


def _order(rng: Random, planned: Mapping[FaultKind, int]) -> list[FaultKind]:
    """Shuffled, with every injected point in the first half: a worker without input meets none."""
    order = [kind for kind, count in sorted(planned.items()) for _ in range(count)]
    rng.shuffle(order)
    points_once = [kind for kind in order if kind == "crash"][: len(BATCH_PHASES)]
    for kind in points_once:
        order.remove(kind)
    half = max(0, (len(order) - len(points_once)) // 2)
    early = [*points_once, *order[:half]]
    rng.shuffle(early)
    return [*early, *order[half:]]


def _deaths(planned: Mapping[FaultKind, int]) -> int:
    return sum(DEATHS.get(kind, 0) * count for kind, count in planned.items())


class _RoundRobin:
    """Points and stages: each comes once before any comes again, in an order of its own each time."""

    def __init__(self, rng: Random, targets: Targets) -> None:
        self.points = self._drawn(rng, BATCH_PHASES)
        self.stages = self._drawn(rng, targets.stages)

    @staticmethod
    def _drawn(rng: Random, names: Sequence[str]) -> Iterator[str]:
        while True:
            yield from rng.sample(names, len(names))


def _action(kind: FaultKind, rng: Random, targets: Targets, drawn: _RoundRobin) -> Action:
    if kind in ("broker-kill", "broker-term"):
        return Action(kind)
    if kind == "scale":
        return Action(kind, next(drawn.stages))
    if kind == "crash":
        point = next(drawn.points)
        fault_at = f"{point}:{rng.randint(1, PASSAGES_MAX)}"
        return Action(kind, rng.choice(targets.who_meets(point)), fault_at=fault_at)
    if kind in ("recovery", "wipe", "disk"):
        return Action(kind, rng.choice(targets.workers), _seconds(kind, rng))
    target, seconds = rng.choice(targets.processes), _seconds(kind, rng)
    if kind == "latency":
        low, high = LATENCY_SECONDS
        late = round(low * (high / low) ** rng.random(), 1)  # as many below 2.4 s as above
        return Action(kind, target, max(seconds, late + 5.0), latency_s=late)
    if kind == "black-hole":
        return Action(kind, target, seconds, direction=rng.choice(_ONE_WAY))
    return Action(kind, target, seconds)


def _seconds(kind: FaultKind, rng: Random) -> float:
    if kind == "stop":
        return STOP_SECONDS
    return float(round(rng.uniform(*LINK_SECONDS))) if kind in LONG else 0.0
