"""The events that follow from the facts: one for each fact worth telling, and one for each rule that found
something.

An event's name is the fact id it tells, or `<rule>/<what>`; it stays the same while its content is
corrected, so a correction supersedes and a gap that closes becomes a receipt under one key.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from schemas.definitions import AS_REPORTED, HANDOVER, LOSS, HandoverRule
from schemas.elements import content_hash
from schemas.facts import (
    Acceptance,
    Attendance,
    Body,
    Choice,
    Comorbidity,
    Completion,
    Death,
    Decline,
    Discharge,
    Measurement,
    Medicine,
    Procedure,
    ProgrammeStart,
    Referral,
    Tier,
    Triage,
    Withdrawal,
)
from schemas.pathway_events import EVENTS, Event
from streams.steps.pathway_fold.current_facts import CurrentFact
from streams.steps.pathway_fold.episodes import FoldedEpisode
from streams.steps.pathway_fold.handovers import HandoverMatch
from streams.steps.pathway_fold.milestones import CANCELLED, NOT_SEEN, SEEN

_KINDS: Mapping[type[Body], str] = {
    Triage: "triaged",
    Acceptance: "accepted",
    Decline: "declined",
    Choice: "choice_made",
    ProgrammeStart: "started",
    Completion: "completed",
    Withdrawal: "withdrawn",
    Discharge: "discharged",
    Medicine: "medicine",
    Procedure: "procedure",
    Comorbidity: "comorbidity",
    Death: "died",
}
_KIND_OF_ATTENDANCE = (
    dict.fromkeys(SEEN, "attended")
    | dict.fromkeys(NOT_SEEN, "not_attended")
    | dict.fromkeys(CANCELLED, "cancelled")
)


@cache
def _told_fields(kind: str, body: type[Body]) -> tuple[str, ...]:
    """Fields of an event that a fact's body fills under the same name: the published model is the allow-list."""
    published = EVENTS[kind].model_fields.keys() - Event.model_fields.keys()
    return tuple(sorted(published & body.model_fields.keys()))


@dataclass(frozen=True, slots=True)
class Following:
    """One event, no recipient's id on it yet. `facts` are those it rests on, `episode` our own id."""

    name: str
    kind: str
    facts: frozenset[str]
    on: date
    tier: Tier
    episode: str | None
    content: Mapping[str, object]
    digest: str = field(init=False)  # names the content: an event is sent again when this changes

    def __post_init__(self) -> None:
        """The digest is of values only (days, numbers, words): three times faster than JSON."""
        parts = (self.kind, self.on, self.tier, self.episode, sorted(self.content.items()))
        object.__setattr__(self, "digest", content_hash(repr(parts).encode()))


# What single facts told before, by fact, content hash and episode: of a person's facts one is new in most
# messages, so what the others tell is looked up. `following` keeps it to what stands.
Told = dict[tuple[str, str, str | None], Following]


def kind_of(body: Body) -> str | None:
    """The kind of event a fact gives by itself, or None for one that shows only in the snapshot."""
    # by type and not by class pattern: an instance check against a pydantic class costs more than all the rest
    if type(body) is Referral:
        return f"referral_{body.direction}"
    if type(body) is Attendance:
        return _KIND_OF_ATTENDANCE.get(body.attendance, "booked")
    if type(body) is Measurement:
        return "weight_recorded" if body.quantity == "weight" else None
    return _KINDS.get(type(body))


def following(
    facts: Sequence[CurrentFact[Body]],
    episodes: Iterable[FoldedEpisode],
    handovers: Iterable[HandoverMatch],
    rule: HandoverRule,
    *,
    told: Told,
) -> tuple[Following, ...]:
    """Every event of one person, by name. `told` comes back with what the facts of now tell, and no more."""
    episodes = tuple(episodes)
    episode_of = {fact.fact_id: one.id for one in episodes for fact in one.facts}
    episode_of |= {one.id: one.id for one in episodes}
    found = _told(facts, episode_of, told)
    for episode in episodes:
        found += [*_inferred(episode), *_losses(episode)]
    for handover in handovers:
        found += _handover(handover, rule)
    return tuple(sorted(found, key=lambda one: one.name))


def _told(facts: Iterable[CurrentFact[Body]], episode_of: Mapping[str, str], known: Told) -> list[Following]:
    now: Told = {}
    for fact in facts:
        key = fact.fact_id, fact.version[1], episode_of.get(fact.fact_id)
        one = known.get(key) or _told_by(fact, key[2])
        if one is not None:
            now[key] = one
    known.clear()
    known.update(now)
    return list(now.values())


def _told_by(fact: CurrentFact[Body], episode: str | None) -> Following | None:
    """What one fact tells by itself, or None."""
    kind = kind_of(fact.body)
    if kind is None:
        return None
    told = {name: getattr(fact.body, name) for name in _told_fields(kind, type(fact.body))}
    if type(fact.body) is Measurement:
        told["kg"] = float(fact.body.value)
    if type(fact.body) in (Acceptance, ProgrammeStart):
        told["definition"] = told.get("definition") or AS_REPORTED
    return Following(
        name=fact.fact_id,
        kind=kind,
        facts=frozenset({fact.fact_id}),
        on=fact.body.on,
        tier=fact.tier,
        episode=episode,
        content=told,
    )


def _inferred(episode: FoldedEpisode) -> Iterator[Following]:
    """Acceptance and start, where a definition found them and nobody told them."""
    for kind, dated in (("accepted", episode.dates.accepted), ("started", episode.dates.started)):
        if dated is not None and dated.inferred:
            yield Following(
                name=f"{kind}/{episode.id}",
                kind=kind,
                facts=frozenset({dated.fact_id}),
                on=dated.on,
                tier=episode.tier,
                episode=episode.id,
                content={"definition": dated.definition},
            )


def _losses(episode: FoldedEpisode) -> Iterator[Following]:
    if episode.loss is None:
        return
    view = episode.loss.view
    for weeks, facts in episode.loss.facts.items():
        outcome = view.at_weeks[str(weeks)]
        assert outcome is not None
        yield Following(
            name=f"loss/{weeks}/{episode.id}",
            kind="loss",
            facts=facts,
            on=outcome.end_on,
            tier=episode.tier,
            episode=episode.id,
            content={
                "definition": LOSS,
                "weeks": weeks,
                "baseline_on": view.baseline_on,
                "baseline_kg": view.baseline_kg,
                "end_kg": outcome.end_kg,
                "loss_pct": outcome.loss_pct,
                "achieved": outcome.achieved,
                "completer": episode.dates.completion is not None,
            },
        )


def _handover(handover: HandoverMatch, rule: HandoverRule) -> list[Following]:
    view, episode = handover.view, handover.episode
    content: dict[str, object] = {"definition": HANDOVER, "to_tier": view.to_tier, "sent_on": view.sent_on}
    if view.received_on is not None:
        kind, on = "handover_received", view.received_on
        content["interval_days"] = view.interval_days
    elif view.status == "overdue":
        kind, on = "gap", view.sent_on + timedelta(days=rule.overdue_days)
    else:
        return []
    rests_on = {handover.sent.fact_id} | ({episode.id} if episode else set())
    return [
        Following(
            name=f"handover/{handover.sent.fact_id}",
            kind=kind,
            facts=frozenset(rests_on),
            on=on,
            tier=view.from_tier,
            episode=episode.id if episode else None,
            content=content,
        )
    ]
