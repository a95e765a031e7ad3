"""Episodes that are one course of care, with one baseline and one loss: course/1."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ops.lab.simulator.expected.definitions import (
    COURSE,
    MEDICINE_AFTER,
    MEDICINE_BEFORE,
    MOVED_AWAY,
    PROGRAMME,
    RE_ENTRY,
    TRANSFER,
    TRANSFERRED,
)
from ops.lab.simulator.expected.episodes import ExpectedEpisode
from ops.lab.simulator.expected.handovers import label
from ops.lab.simulator.expected.outcomes import (
    PersonFacts,
    baseline_of,
    lost_pct,
    plausible_weights,
    shown_pct,
    window_of,
)
from ops.lab.simulator.expected.people import MedicineTruth
from ops.lab.simulator.expected.plausible import kilograms, weights_of
from ops.lab.simulator.expected.timeline import ending_of, started
from ops.lab.simulator.model import Fact

Pathway = dict[str, object]


@dataclass(slots=True, repr=False, eq=False)
class CourseTruth:
    """Episodes linked to one another, why, and the medicine from primary care that belongs to them."""

    episodes: list[ExpectedEpisode]
    reasons: set[str] = field(default_factory=set)
    medicines: list[MedicineTruth] = field(default_factory=list)


def courses_of(about: PersonFacts, medicines: Sequence[MedicineTruth]) -> list[Pathway]:
    """Every course, in order of its start."""
    shown = [_shown(course, about) for course in _linked(about, medicines) if course.reasons]
    return sorted(shown, key=lambda course: str(course["started_on"]))


def _linked(about: PersonFacts, medicines: Sequence[MedicineTruth]) -> list[CourseTruth]:
    episodes = [episode for episode in about.episodes if not episode.retracted]
    courses = [CourseTruth([episode]) for episode in episodes]
    for first in episodes:
        for second in episodes:
            reasons = set(_reasons(first, second, about)) if first is not second else set()
            if reasons:
                _join(courses, first, second, reasons)
    for medicine in medicines:
        for episode in _beginning_under(medicine, episodes):
            course = next(course for course in courses if episode in course.episodes)
            course.reasons.add("medicine")
            course.medicines.append(medicine)
    return courses


def _join(courses: list[CourseTruth], first: ExpectedEpisode, second: ExpectedEpisode, reasons: set[str]) -> None:
    kept = next(course for course in courses if first in course.episodes)
    joined = next(course for course in courses if second in course.episodes)
    kept.reasons |= reasons | joined.reasons
    if joined is not kept:
        kept.episodes += joined.episodes
        courses.remove(joined)


def _reasons(first: ExpectedEpisode, second: ExpectedEpisode, about: PersonFacts) -> Iterator[str]:
    """Why `second` goes on from `first`, or runs beside it: the first that fits."""
    if first.tier != second.tier or first.received_on is None or second.received_on is None:
        return
    ending = ending_of(first, about.died_on)
    moved = [fact.on for fact in first.of("withdrawal", "discharge") if _is_move(fact)]
    elsewhere = not first.sources & second.sources
    if elsewhere and any(abs(second.received_on - on) <= TRANSFER for on in moved):
        yield "transfer"
        return
    programmes = ({fact.programme for fact in first.referrals}, {fact.programme for fact in second.referrals})
    if (elsewhere or not programmes[0] & programmes[1]) and _ran_together(first, second, about):
        yield "overlap"
        return
    ended_on = ending.on or max((fact.on for fact in first.facts), default=first.received_on)
    if first.received_on < second.received_on and timedelta() <= second.received_on - ended_on <= RE_ENTRY:
        yield "re_entry"
        return
    if first.received_on <= second.received_on and _ran_together(first, second, about):
        yield "overlap"  # one programme told twice


def _is_move(fact: Fact) -> bool:
    return fact.reason in (TRANSFERRED, MOVED_AWAY)


def _ran_together(first: ExpectedEpisode, second: ExpectedEpisode, about: PersonFacts) -> bool:
    spans = []
    for episode in (first, second):
        start = started(episode)[0]
        if start is None:
            return False
        latest = max((fact.on for fact in episode.facts), default=start)
        spans.append((start, ending_of(episode, about.died_on).on or max(start + PROGRAMME, latest)))
    return max(spans[0][0], spans[1][0]) <= min(spans[0][1], spans[1][1])


def _beginning_under(medicine: MedicineTruth, episodes: Sequence[ExpectedEpisode]) -> Iterator[ExpectedEpisode]:
    """Episodes that start while a medicine for weight from primary care runs, or within a year of its end."""
    if medicine.tier != "primary_care" or medicine.started_on is None or medicine.is_for_another:
        return
    for episode in episodes:
        start = started(episode)[0]
        until = date.max if medicine.stopped_on is None else medicine.stopped_on + RE_ENTRY
        if start is not None and medicine.started_on <= start <= until:
            yield episode


def _shown(course: CourseTruth, about: PersonFacts) -> Pathway:
    begun = [(start, episode) for episode in course.episodes if (start := started(episode)[0]) is not None]
    start, first = min(begun, key=lambda pair: pair[0], default=(None, course.episodes[0]))
    medicine = min((on for medicine in course.medicines if (on := medicine.started_on)), default=None)
    weights = _weights(course, about)
    baseline = baseline_of(window_of(first, about), start) if start else None
    if medicine is not None and (start is None or medicine < start):
        baseline = _nearest(weights, medicine)
    last = weights[-1] if weights else None
    shown: Pathway = {
        "definition": COURSE,
        "reasons": sorted(course.reasons),
        "episodes": sorted(label(episode) for episode in course.episodes),
        "baseline_on": baseline.on.isoformat() if baseline else None,
        "baseline_kg": float(kilograms(baseline)) if baseline else None,
        "baseline_method": baseline.method if baseline else None,
        "last_on": last.on.isoformat() if last else None,
        "last_kg": float(kilograms(last)) if last else None,
        "loss_pct": shown_pct(lost_pct(baseline, last)) if baseline and last else None,
    }
    began = [day for day in (start, medicine) if day is not None]
    return shown | {"started_on": min(began).isoformat() if began else first.received_on.isoformat()}  # type: ignore[union-attr]


def _weights(course: CourseTruth, about: PersonFacts) -> list[Fact]:
    """The plausible weights of every source of the course, in order of day."""
    weights = {fact for episode in course.episodes for fact in plausible_weights(episode, about)}
    if course.medicines:
        practices = [record for record in about.person.records if record.tier == "primary_care"]
        weights |= {fact for record in practices for fact in weights_of(record.facts) if fact not in about.doubts}
    return sorted(weights, key=lambda fact: (fact.on, fact.method == "measured", fact.key))


def _nearest(weights: Sequence[Fact], on: date) -> Fact | None:
    fitting = [fact for fact in weights if on - MEDICINE_BEFORE <= fact.on <= on + MEDICINE_AFTER]
    return min(fitting, key=lambda fact: (abs(fact.on - on), -fact.on.toordinal()), default=None)
