"""What one simulated run is made of: the rule, the steps, the fences, and the mutants that must be caught."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from ops.lab.model_check.groups import Timings
from streams.host.commit import Flight, Partition, Progress
from streams.steps.outcome import Answer, Message, Outcome, Step
from streams.steps.pathway import PathwayStep
from streams.steps.pathway_fold.fold import Pathway
from streams.steps.person_state import ClaimedOutput, Claims, Content, PersonState
from streams.steps.publishing import Publication

ALL_FAULTS = ("crash", "pause", "cut_off", "hold", "join", "leave", "compact", "other_build", "forget")


@dataclass(frozen=True)
class Rules:
    """`progress` is production's rule or a mutant of it, `skips` names stages whose step forgets redeliveries.

    `fence`: the broker refuses what is stamped longer ago than `Timings.fence_ms`. `stamp_in_rebalance`: a heartbeat
    answered "a rebalance is under way" moves the stamp too; `stamp_at_assignment`: the first stamp is when the
    assignment arrived, not when it was asked for. `posthumous`: what a dead worker had sent may land
    after its successor began; `restart_waits`: a worker started again waits until the broker would refuse it.
    `coalesce`: of one key a batch writes the last change only; `release_all`: a claim is removed though a later batch
    has made it again; `pathway`: the step of the pathway, or a mutant of it.
    `check_steps`: the order is checked at every landing and commit; without it only what is left at the end is judged.
    """

    timings: Timings = field(default_factory=Timings)
    progress: type[Progress] = Progress
    skips: tuple[str, ...] = ()
    faults: tuple[str, ...] = ALL_FAULTS
    faults_max: int = 8
    fence: bool = True
    stamp_in_rebalance: bool = False
    stamp_at_assignment: bool = False
    posthumous: bool = False
    restart_waits: bool = False
    coalesce: bool = False
    release_all: bool = False
    pathway: type[PathwayStep] = PathwayStep
    check_steps: bool = True


class CommitsTheDelivered(Progress):
    """Commit before the acknowledgement."""

    def committable(self, owned: Collection[Partition]) -> dict[Partition, int]:
        """What was handed to the step counts as done."""
        return {p: o for p, o in self._delivered.items() if o > self._committed[p] and p in owned}


class StateAtOnce(Progress):
    """State before outputs are acknowledged."""

    def may_send_state(self) -> Flight | None:
        """Whether its outputs are there or only on their way."""
        first = next((flight for flight in self._flights if not flight.state_sent), None)
        return first if first is not None and first.outputs_sent else None


class LaterStateFirst(Progress):
    """State of a later flight before that of an earlier one."""

    def may_send_state(self) -> Flight | None:
        """The newest whose outputs are there."""
        ready = (flight for flight in reversed(self._flights) if flight.outputs_acknowledged and not flight.state_sent)
        return next(ready, None)


class CommitsOverAHole(LaterStateFirst):
    """A later flight that is finished counts for those before it."""

    def acknowledge_state(self, flight: Flight) -> None:
        """Finished, and with it everything below."""
        flight.state_acknowledged = True
        if flight in self._flights:
            for partition, upto in flight.upto.items():
                self._acknowledged[partition] = max(self._acknowledged[partition], upto)
            self._flights.remove(flight)


class OutputsAtOnce(Progress):
    """Outputs before claims."""

    def may_send_outputs(self) -> Flight | None:
        """Whether its claims are there or not."""
        return next((flight for flight in self._flights if not flight.outputs_sent), None)


class TrustsClaims(PathwayStep):
    """What is claimed was published, also in a former life."""

    def _folded(self, person: PersonState, as_of: date | None) -> Pathway:
        person.sure = True
        return super()._folded(person, as_of)


class RevisionAtHand(PathwayStep):
    """What is published again has the revision of the message at hand, which may be an old one."""

    def _claims(self, person: PersonState, contents: Mapping[str, Content], now: Publication) -> Claims:
        if person.sure:
            return super()._claims(person, contents, now)
        claims = super()._claims(person, contents, now)
        return {name: ClaimedOutput(claim.content, self._at_hand) for name, claim in claims.items()}

    def _publication(self, message: Message) -> Publication:
        self._at_hand = super()._publication(message)
        return self._at_hand


class OtherBuild(PathwayStep):
    """Another version of the pathway: some events do not follow, others do that no other version knows."""

    def _folded(self, person: PersonState, as_of: date | None) -> Pathway:
        pathway = super()._folded(person, as_of)
        others = [replace(event, name=f"other/{event.name}") for event in pathway.events]
        return replace(pathway, events=(*pathway.events[::2], *others))


class SkipsTheSeen:
    """A step that takes a message given again for done: what it has seen outlives its crashes."""

    def __init__(self, step: Step[object]) -> None:
        """Of one run."""
        self._step = step
        self._seen: dict[Partition, int] = {}

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> object:
        """As the step does."""
        return self._step.restore(elements)

    def advance(self, state: object, message: Message) -> tuple[object, tuple[Outcome, ...]]:
        """Nothing, for an offset seen before."""
        place = (message.topic, message.partition)
        if message.offset <= self._seen.get(place, -1):
            return state, ()
        self._seen[place] = message.offset
        return self._step.advance(state, message)

    def finish(self, state: object) -> tuple[Answer, ...]:
        """As the step does."""
        return self._step.finish(state)

    def waiting(self, state: object) -> int:
        """As the step does."""
        return self._step.waiting(state)


MUTANTS: Mapping[str, Rules] = {
    "none": Rules(),
    "commit_first": Rules(progress=CommitsTheDelivered),
    "state_first": Rules(progress=StateAtOnce),
    "later_state_first": Rules(progress=LaterStateFirst),
    "commit_over_a_hole": Rules(progress=CommitsOverAHole),
    "skip_the_seen": Rules(skips=("records", "linker", "pathway")),
    "no_fence": Rules(fence=False),
    "stamp_in_rebalance": Rules(stamp_in_rebalance=True),
    "stamp_at_assignment": Rules(stamp_at_assignment=True),
    "posthumous": Rules(posthumous=True),
    "posthumous_waits": Rules(posthumous=True, restart_waits=True),
    "coalesce": Rules(coalesce=True),
    "claims_last": Rules(progress=OutputsAtOnce),
    "release_all": Rules(release_all=True),
    "trusted_claims": Rules(pathway=TrustsClaims),
    "revision_at_hand": Rules(pathway=RevisionAtHand),
}
