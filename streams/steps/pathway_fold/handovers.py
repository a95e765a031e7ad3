"""Referrals sent, matched one to one with referrals received, and the gaps where nothing was received."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.definitions import HANDOVER, HandoverRule
from schemas.facts import Body, Referral
from schemas.pathway import HandoverStatus, HandoverView
from streams.steps.pathway_fold.current_facts import SPECIALIST, CurrentFact, of_type
from streams.steps.pathway_fold.episodes import FoldedEpisode


@dataclass(frozen=True, slots=True)
class HandoverMatch:
    """One sent referral and the episode that received it, if any."""

    sent: CurrentFact[Referral]
    episode: FoldedEpisode | None
    view: HandoverView


def handovers(
    facts: Sequence[CurrentFact[Body]],
    episodes: Sequence[FoldedEpisode],
    *,
    as_of: date | None,
    rule: HandoverRule,
) -> tuple[HandoverMatch, ...]:
    """Every sent referral of one person by `handover/1`, in order of sending; both inputs are sorted."""
    sent = _distinct(facts)
    received_by = _matched(sent, episodes, rule)
    found = []
    for referral in sent:
        episode = received_by.get(referral.fact_id)
        found.append(HandoverMatch(referral, episode, _view(referral, episode, as_of, rule)))
    return tuple(found)


def is_overdue(sent_on: date, as_of: date | None, rule: HandoverRule) -> bool:
    """True when a referral sent on `sent_on` and not received is a gap on `as_of`."""
    return as_of is not None and (as_of - sent_on).days >= rule.overdue_days


def _distinct(facts: Sequence[CurrentFact[Body]]) -> list[CurrentFact[Referral]]:
    """Sent referrals to a tier that has episodes; one e-RS number to one tier counts once, as first sent."""
    seen: set[tuple[str, str]] = set()
    distinct = []
    for fact in of_type(facts, Referral):
        if fact.body.direction != "sent" or fact.body.to_tier not in SPECIALIST:
            continue
        name = (fact.body.ubrn or fact.fact_id, fact.body.to_tier)
        if name not in seen:
            seen.add(name)
            distinct.append(fact)
    return distinct


def _matched(
    sent: Sequence[CurrentFact[Referral]], episodes: Sequence[FoldedEpisode], rule: HandoverRule
) -> dict[str, FoldedEpisode]:
    """Sent fact id -> the episode that received it: first by equal e-RS number, then in order of sending."""
    open_episodes = [episode for episode in episodes if episode.referral is not None]
    matched: dict[str, FoldedEpisode] = {}

    def match(referral: CurrentFact[Referral], candidates: Iterable[FoldedEpisode]) -> None:
        episode = next((found for found in candidates if _may_receive(found, referral)), None)
        if episode is not None:
            matched[referral.fact_id] = episode
            open_episodes.remove(episode)

    for referral in sent:
        if referral.body.ubrn is not None:
            match(referral, [found for found in open_episodes if _ubrn(found) == referral.body.ubrn])
    for referral in sent:
        if referral.fact_id not in matched:
            match(referral, [found for found in open_episodes if _in_time(found, referral, rule)])
    return matched


def _may_receive(episode: FoldedEpisode, sent: CurrentFact[Referral]) -> bool:
    # a service does not receive its own referral
    sent_by = sent.record_id, sent.tier
    return episode.tier == sent.body.to_tier and (episode.record_id, episode.tier) != sent_by


def _ubrn(episode: FoldedEpisode) -> str | None:
    return episode.referral.body.ubrn if episode.referral else None


def _in_time(episode: FoldedEpisode, sent: CurrentFact[Referral], rule: HandoverRule) -> bool:
    return (episode.opened_on - sent.body.on).days >= -rule.early_days


def _view(
    sent: CurrentFact[Referral], episode: FoldedEpisode | None, as_of: date | None, rule: HandoverRule
) -> HandoverView:
    received_on = episode.opened_on if episode else None
    status: HandoverStatus = "received"
    if received_on is None:
        status = "overdue" if is_overdue(sent.body.on, as_of, rule) else "not_received"
    return HandoverView(
        definition=HANDOVER,
        from_tier=sent.tier,
        to_tier=sent.body.to_tier,
        sent_on=sent.body.on,
        received_on=received_on,
        interval_days=(received_on - sent.body.on).days if received_on is not None else None,
        status=status,
    )
