"""The events derived from the facts: one for each fact that is published, and one for each rule that found something.

An event's name is the id of its fact, or `<rule>/<subject>`. It stays the same while its content is corrected, so a
correction supersedes, and a gap that closes becomes a receipt under the same key.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from schemas import canonical
from schemas import facts as bodies
from schemas.definitions import AS_REPORTED, HANDOVER
from schemas.facts import Body, Tier
from schemas.pathway_events import EVENTS, Event
from streams.steps.pathway_fold.current_facts import CurrentFact
from streams.steps.pathway_fold.episodes import FoldedEpisode
from streams.steps.pathway_fold.handovers import HandoverMatch
from streams.steps.pathway_fold.milestones import SEEN

_KINDS: Mapping[type[Body], str] = {
    bodies.Triage: "triaged",
    bodies.Acceptance: "accepted",
    bodies.Decline: "declined",
    bodies.Choice: "choice_made",
    bodies.ProgrammeStart: "started",
    bodies.Completion: "completed",
    bodies.Withdrawal: "withdrawn",
    bodies.Discharge: "discharged",
    bodies.Medicine: "medicine",
    bodies.Procedure: "procedure",
    bodies.Suspension: "suspended",
    bodies.QuestionnaireScore: "score_recorded",
    bodies.Comorbidity: "comorbidity",
    bodies.Death: "died",
}
_NOT_SEEN, _CANCELLED = "37", "24"
_KIND_OF_ATTENDANCE = (
    dict.fromkeys(SEEN, "attended") | dict.fromkeys(_NOT_SEEN, "not_attended") | dict.fromkeys(_CANCELLED, "cancelled")
)


@cache
def _published_fields(kind: str, body: type[Body]) -> tuple[str, ...]:
    """Fields of an event that a fact's body fills under the same name: the published model is the allow-list."""
    published = EVENTS[kind].model_fields.keys() - Event.model_fields.keys()
    return tuple(sorted(published & body.model_fields.keys()))


@dataclass(frozen=True, slots=True)
class DerivedEvent:
    """One event before a recipient's ids are on it; `episode` is our id."""

    name: str
    kind: str
    on: date
    tier: Tier
    episode: str | None
    content: Mapping[str, object]
    digest: str = field(init=False)  # names the content: an event is sent again when this changes

    def __post_init__(self) -> None:
        """The digest is of a repr, since all are days, numbers and texts: three times faster than JSON."""
        parts = (self.kind, self.on, self.tier, self.episode, sorted(self.content.items()))
        object.__setattr__(self, "digest", canonical.digest(repr(parts).encode()))


@dataclass(slots=True)
class EventMemory:
    """The events of one person as they were derived last.

    Most messages bring one new fact of a person, so the events of the others are looked up: those of a fact by its id,
    content hash and episode, those of an episode while it is the same.
    """

    facts: dict[tuple[str, str, str | None], DerivedEvent] = field(default_factory=dict)
    episodes: dict[str, tuple[FoldedEpisode, tuple[DerivedEvent, ...]]] = field(default_factory=dict)

    def of_facts(self, facts: Iterable[CurrentFact[Body]], episode_of: Mapping[str, str]) -> list[DerivedEvent]:
        """One for each fact that is published."""
        former, self.facts = self.facts, {}
        for fact in facts:
            key = fact.fact_id, fact.version[1], episode_of.get(fact.fact_id)
            event = former.get(key) or _of_fact(fact, key[2])
            if event is not None:
                self.facts[key] = event
        return list(self.facts.values())

    def of_episodes(self, episodes: Iterable[FoldedEpisode]) -> list[DerivedEvent]:
        """What was inferred of each, and its outcomes."""
        former, self.episodes = self.episodes, {}
        for episode in episodes:
            known = former.get(episode.id)
            if known is None or known[0] is not episode:
                known = episode, (*_inferred(episode), *_losses(episode))
            self.episodes[episode.id] = known
        return [event for _, events in self.episodes.values() for event in events]


def kind_of(body: Body) -> str | None:
    """The kind of event that a single fact gives, None for a fact that is only in the snapshot."""
    # by type and not by class pattern: an instance check of a pydantic class costs more than all the rest
    if type(body) is bodies.Referral:
        return f"referral_{body.direction}"
    if type(body) is bodies.Attendance:
        return _KIND_OF_ATTENDANCE.get(body.attendance, "booked")
    if type(body) is bodies.Measurement:
        return "weight_recorded" if body.quantity == "weight" else None
    return _KINDS.get(type(body))


def derived_events(
    facts: Sequence[CurrentFact[Body]],
    episodes: Iterable[FoldedEpisode],
    handovers: Iterable[HandoverMatch],
    *,
    memory: EventMemory,
) -> tuple[DerivedEvent, ...]:
    """Every event of one person, by name. Afterwards `memory` has these events and no others."""
    episodes = tuple(episodes)
    episode_of = {
        fact.fact_id: episode.id for episode in episodes for fact in (*episode.case.referrals, *episode.case.facts)
    }
    found = memory.of_facts(facts, episode_of) + memory.of_episodes(episodes)
    for handover in handovers:
        found += _handover(handover)
    return tuple(sorted(found, key=lambda event: event.name))


def _of_fact(fact: CurrentFact[Body], episode: str | None) -> DerivedEvent | None:
    """The event of a single fact, or None."""
    kind = kind_of(fact.body)
    if kind is None:
        return None
    content = {name: getattr(fact.body, name) for name in _published_fields(kind, type(fact.body))}
    if type(fact.body) is bodies.Measurement:
        content["kg"] = float(fact.body.value)
    if type(fact.body) in (bodies.Acceptance, bodies.ProgrammeStart):
        content["definition"] = content.get("definition") or AS_REPORTED
    return DerivedEvent(fact.fact_id, kind, fact.body.on, fact.tier, episode, content)


def _inferred(episode: FoldedEpisode) -> Iterator[DerivedEvent]:
    """Acceptance and start, where a definition found them and no service reported them."""
    for kind, dated in (("accepted", episode.days.accepted), ("started", episode.days.started)):
        if dated is not None and dated.inferred:
            content = {"definition": dated.definition}
            yield _of_episode(episode, f"{kind}/{episode.id}", dated.on, content)


def _losses(episode: FoldedEpisode) -> Iterator[DerivedEvent]:
    """Each measured outcome, by both definitions."""
    for outcome in episode.view.outcomes:
        if outcome.status != "measured" or outcome.excluded is not None or outcome.end_on is None:
            continue
        content = {
            name: getattr(outcome, name)
            for name in ("definition", "weeks", "baseline_on", "baseline_kg", "end_kg", "loss_pct", "achieved")
        }
        content["completer"] = outcome.in_completers
        rule = outcome.definition.partition("/")[0]
        yield _of_episode(episode, f"loss/{rule}/{outcome.weeks}/{episode.id}", outcome.end_on, content)


def _of_episode(episode: FoldedEpisode, name: str, on: date, content: Mapping[str, object]) -> DerivedEvent:
    """The first part of the name is the kind."""
    kind = name.partition("/")[0]
    return DerivedEvent(name, kind, on, episode.tier, episode.id, content)


def _handover(handover: HandoverMatch) -> list[DerivedEvent]:
    view, case = handover.view, handover.case
    content: dict[str, object] = {"definition": HANDOVER, "to_tier": view.to_tier, "sent_on": view.sent_on}
    if view.received_on is not None:
        kind, on = "handover_received", view.received_on
        content["interval_days"] = view.interval_days
    elif view.answered_on is not None:
        kind, on = "handover_answered", view.answered_on
        content["answer"] = view.answer
    elif view.overdue_since is not None:
        kind, on = "gap", view.overdue_since
    else:
        return []
    return [
        DerivedEvent(f"handover/{handover.sent.fact_id}", kind, on, view.from_tier, case.id if case else None, content)
    ]
