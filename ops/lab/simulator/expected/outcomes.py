"""Weight lost at each horizon, by both definitions and in the three denominators: loss-5pct-nearest/1 and -last/1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from ops.lab.simulator.expected.ages import is_adult
from ops.lab.simulator.expected.definitions import (
    BASELINE,
    HORIZON_WEEKS,
    LAST,
    LOSS_PCT,
    NEAREST,
    PREGNANCY,
    WINDOW,
)
from ops.lab.simulator.expected.episodes import ExpectedEpisode
from ops.lab.simulator.expected.plausible import kilograms, weights_of
from ops.lab.simulator.expected.timeline import completed_on, first_facts, started
from ops.lab.simulator.model import Fact
from ops.lab.simulator.truth import PersonTruth

Pathway = dict[str, object]


@dataclass(frozen=True, slots=True, repr=False)
class PersonFacts:
    """What the figures of one episode rest on beside it: all episodes, doubted weights, death and what follows it."""

    person: PersonTruth
    episodes: Sequence[ExpectedEpisode]
    doubts: Mapping[Fact, str]
    died_on: date | None
    as_of: date
    after_death: Sequence[Fact] = ()


def plausible_weights(episode: ExpectedEpisode, about: PersonFacts) -> list[Fact]:
    """What the sources of the episode weighed, without facts of a referral that was taken back."""
    apart = {fact for other in about.episodes if other.retracted and other is not episode for fact in other.facts}
    records = [record for record in about.person.records if record.source in episode.sources]
    weights = weights_of(fact for record in records for fact in record.facts)
    if episode.retracted:
        weights = weights_of(episode.facts)
    return [fact for fact in weights if fact not in about.doubts and fact not in apart]


def window_of(episode: ExpectedEpisode, about: PersonFacts) -> list[Fact]:
    """The plausible weights since the start: those that name the referral, others to the last day of its windows."""
    start = started(episode)[0]
    if start is None:
        return []
    until = last_day_of_windows(episode, about)
    keys = {fact.key for fact in episode.referrals}
    elsewhere = {fact.key for other in about.episodes for fact in other.referrals} - keys
    weights = plausible_weights(episode, about)
    mine = [fact for fact in weights if fact.on >= start and fact.referral not in elsewhere]
    return [fact for fact in mine if fact.on <= until or fact.referral in keys]


def last_day_of_windows(episode: ExpectedEpisode, about: PersonFacts) -> date:
    """The day before a later programme starts at the source that reported this one's start."""
    following = _following(episode, about)
    return following[0] - timedelta(days=1) if following else date.max


def _following(episode: ExpectedEpisode, about: PersonFacts) -> tuple[date, ExpectedEpisode] | None:
    """The start of the next programme at the source, and its episode."""
    start, source = started(episode)[0], _source_of_start(episode, about)
    found = [
        (on, other)
        for other in about.episodes
        if not other.retracted and start is not None and (on := started(other)[0]) is not None and on > start
        if _source_of_start(other, about) == source
    ]
    return min(found, key=lambda pair: pair[0], default=None)


def _source_of_start(episode: ExpectedEpisode, about: PersonFacts) -> str | None:
    facts = first_facts(episode)
    return next((record.source for record in about.person.records if any(fact in record.facts for fact in facts)), None)


def _is_another(episode: ExpectedEpisode, other: ExpectedEpisode) -> bool:
    """True where both name their programme and these differ."""
    names = {_programme(episode), _programme(other)}
    return None not in names and len(names) == len((episode, other))


def _programme(episode: ExpectedEpisode) -> str | None:
    latest_first = sorted(episode.referrals, key=lambda fact: fact.on, reverse=True)
    return next((fact.programme for fact in [*latest_first, *episode.of("start")] if fact.programme), None)


def _is_duplicate(episode: ExpectedEpisode, about: PersonFacts) -> bool:
    """True where an episode received earlier started on the same day at the same source, and is no other programme."""
    start, source = started(episode)[0], _source_of_start(episode, about)
    twins = [other for other in about.episodes if started(other)[0] == start and not other.retracted]
    twins = [other for other in twins if _source_of_start(other, about) == source and not _is_another(episode, other)]
    received = [other.received_on or date.min for other in twins if other is not episode]
    return any(on < (episode.received_on or date.min) for on in received)


def baseline_of(weights: Sequence[Fact], start: date) -> Fact | None:
    """The first weight from the start to 14 days after it, measured before self-reported."""
    fitting = [fact for fact in weights if start <= fact.on <= start + BASELINE]
    return min(fitting, key=lambda fact: (is_self_reported(fact), fact.on), default=None)


def is_self_reported(fact: Fact) -> bool:
    """True where nobody else read the scales."""
    return fact.method == "self_reported"


def lost_pct(baseline: Fact, end: Fact) -> Decimal:
    """Baseline minus end over baseline in per cent, not rounded."""
    return (kilograms(baseline) - kilograms(end)) * 100 / kilograms(baseline)


def shown_pct(loss: Decimal) -> float:
    """To one decimal place, halves away from zero."""
    return float(loss.quantize(Decimal("0.1"), ROUND_HALF_UP))


def outcomes_of(episode: ExpectedEpisode, about: PersonFacts) -> list[Pathway]:
    """Every horizon by both definitions; nothing where nothing started."""
    start = started(episode)[0]
    if start is None:
        return []
    return [
        _outcome(episode, about, definition, weeks, start) for definition in (LAST, NEAREST) for weeks in HORIZON_WEEKS
    ]


def _outcome(episode: ExpectedEpisode, about: PersonFacts, definition: str, weeks: int, start: date) -> Pathway:
    due_on = start + timedelta(weeks=weeks)
    closes_on = min(due_on + WINDOW, last_day_of_windows(episode, about))
    weights = window_of(episode, about)
    baseline, end = baseline_of(weights, start), _end(weights, due_on, definition)
    loss = lost_pct(baseline, end) if baseline and end else None
    has_closed = about.as_of > closes_on
    status = "measured" if loss is not None else _missing(baseline, has_closed)
    excluded = _excluded(episode, about, due_on, closes_on, has_end=end is not None)
    return {
        "definition": definition,
        "weeks": weeks,
        "due_on": due_on.isoformat(),
        "closes_on": closes_on.isoformat(),
        "status": status,
        **_shown_weight("baseline", baseline),
        **({} if loss is None else _shown_weight("end", end)),
        **_shown_loss(None if excluded else loss),
        "excluded": excluded,
        "in_starters": excluded in (None, "superseded"),
        "in_closed": excluded is None and has_closed,
        "in_completers": excluded is None and completed_on(episode) is not None,
    }


def _shown_loss(loss: Decimal | None) -> Pathway:
    return {
        "loss_pct": None if loss is None else shown_pct(loss),
        "achieved": None if loss is None else loss >= LOSS_PCT,
    }


def _missing(baseline: Fact | None, has_closed: bool) -> str:
    if not has_closed:
        return "not_due"
    return "no_end" if baseline else "no_baseline"


def _shown_weight(which: str, fact: Fact | None) -> Pathway:
    return {
        f"{which}_on": fact.on.isoformat() if fact else None,
        f"{which}_kg": float(kilograms(fact)) if fact else None,
        f"{which}_method": fact.method if fact else None,
    }


def _end(weights: Sequence[Fact], due_on: date, definition: str) -> Fact | None:
    fitting = [fact for fact in weights if due_on - WINDOW <= fact.on <= due_on + WINDOW]
    if definition == LAST:
        return max(fitting, key=lambda fact: (fact.on, not is_self_reported(fact)), default=None)
    return min(
        fitting,
        key=lambda fact: (is_self_reported(fact), abs((fact.on - due_on).days), -fact.on.toordinal()),
        default=None,
    )


def _excluded(
    episode: ExpectedEpisode, about: PersonFacts, due_on: date, closes_on: date, *, has_end: bool
) -> str | None:
    start = started(episode)[0]
    if _is_duplicate(episode, about):
        return "duplicate"
    if is_adult(episode, about.person, episode.received_on or start) is False:
        return "child"
    if start is not None and _may_be_pregnant(about.person, start, closes_on):
        return "pregnancy"
    if about.died_on is not None and about.died_on <= closes_on and not has_end:
        return "death"
    following = _following(episode, about)
    went_on = following is not None and _is_another(episode, following[1])
    return "superseded" if went_on and not has_end and closes_on < due_on - WINDOW else None


def _may_be_pregnant(person: PersonTruth, start: date, closes_on: date) -> bool:
    """From a suspension or ending for that reason to its end, else for 280 days, told by any service."""
    because = [fact for record in person.records for fact in record.facts if fact.reason == "pregnancy"]
    return any(fact.on <= closes_on and (fact.ends_on or fact.on + PREGNANCY) >= start for fact in because)
