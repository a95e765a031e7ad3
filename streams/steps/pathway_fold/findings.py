"""Findings: what cannot be as it was told. The facts are shown; what rests on them is left out."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from schemas.pathway import FindingRule, FindingView
from streams.steps.pathway_fold.completions import are_contradicting
from streams.steps.pathway_fold.current_facts import CurrentFacts
from streams.steps.pathway_fold.episodes import FoldedEpisode, KnownPerson
from streams.steps.pathway_fold.milestones import COMPLETING, ENDING


class PersonFinding(NamedTuple):
    """A finding under our own id of its episode."""

    episode: str | None
    view: FindingView


def findings(current: CurrentFacts, known: KnownPerson, found: Iterable[FoldedEpisode]) -> tuple[PersonFinding, ...]:
    """Every finding about a person, by day, rule and episode, each once."""
    named = [
        *_of_days(current),
        *_of_sizes(known),
        *(_named for episode in found for _named in _of_episode(episode, known.died_on)),
    ]
    return tuple(
        PersonFinding(episode, FindingView(rule=rule, on=on))
        for on, rule, episode in sorted(set(named), key=lambda finding: (finding[0], finding[1], finding[2] or ""))
    )


_Named = tuple[date, FindingRule, str | None]


def _of_days(current: CurrentFacts) -> Iterator[_Named]:
    yield from ((fact.body.on, "day_out_of_range", None) for fact in current.out_of_range)


def _of_sizes(known: KnownPerson) -> Iterator[_Named]:
    case_of = {fact.fact_id: case.id for case in known.cases for fact in case.facts}
    size = known.body_size
    for fact in (*size.weights, *size.heights, *size.bmis, *size.waists):
        doubt = size.doubts.get(fact.fact_id)
        if doubt is not None:
            yield fact.body.on, doubt, case_of.get(fact.fact_id)


def _of_episode(episode: FoldedEpisode, died_on: date | None) -> Iterator[_Named]:
    yield from ((on, "negative_wait", episode.id) for on in episode.early_on)
    completions = episode.days.completions
    if are_contradicting(episode.days):
        yield completions[-1].body.on, "contradicting_completions", episode.id
    completed = [*completions, *(d for d in episode.days.discharges if d.body.reason in COMPLETING)]
    started_on = episode.days.started_on
    if started_on is None:
        yield from ((fact.body.on, "completion_without_start", episode.id) for fact in completed)
    else:
        early = (fact for fact in completed if fact.body.on < started_on)
        yield from ((fact.body.on, "completion_before_start", episode.id) for fact in early)
    started, first_on = episode.days.started, episode.days.first_session_on
    if started is not None and not started.inferred and first_on is not None and first_on < started.on:
        yield first_on, "session_before_start", episode.id
    for fact in episode.case.facts:
        if type(fact.body) in ENDING and episode.case.referrals and fact.body.on < episode.case.opened_on:
            yield fact.body.on, "outcome_before_referral", episode.id
    for fact in (*episode.case.referrals, *episode.case.facts):
        if died_on is not None and fact.body.on > died_on:
            yield fact.body.on, "after_death", episode.id
