"""Episodes that are one course of care, by `course/1`, and the one loss of a course."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

from schemas.definitions import COURSE, CourseRule
from schemas.pathway import CourseReason, CourseView
from streams.steps.pathway_fold.medicines import PersonMedicine
from streams.steps.pathway_fold.outcomes import WeightFact, loss_pct, shown_pct

TIER_OF_MEDICINES = "primary_care"
_REASONS: tuple[CourseReason, ...] = ("transfer", "overlap", "re_entry", "medicine")


@dataclass(frozen=True, slots=True)
class CoursePart:
    """What a course needs of an episode. `ended_on`: how it ended, `last_on`: its last fact."""

    id: str
    tier: str
    sources: frozenset[str]
    fact_ids: frozenset[str]
    is_excluded: bool
    programme: str | None
    opened_on: date
    started_on: date | None
    ended_on: date | None
    last_on: date
    is_transferred: bool
    baseline: WeightFact | None


@dataclass(frozen=True, slots=True)
class PersonCourse:
    """A course under our own id, that of its first episode."""

    id: str
    episodes: tuple[str, ...]
    view: CourseView


@dataclass(frozen=True, slots=True)
class _Joined:
    first: str
    second: str | None  # None: a medicine joins the first
    reason: CourseReason


def courses(
    parts: Sequence[CoursePart], medicines: Sequence[PersonMedicine], weights: Sequence[WeightFact], rule: CourseRule
) -> tuple[PersonCourse, ...]:
    """Every course of a person; an episode that nothing joins is none. `parts` are sorted by the day they opened."""
    links = [*_between_episodes(parts, rule), *_with_medicines(parts, medicines, rule)]
    group_of = {part.id: part.id for part in parts}
    for link in links:
        if link.second is not None:
            kept, gone = group_of[link.first], group_of[link.second]
            if kept != gone:  # at most once for an episode: a thousand referrals have half a million links
                group_of = {name: kept if group == gone else group for name, group in group_of.items()}
    found = []
    for group in dict.fromkeys(group_of.values()):
        members = [part for part in parts if group_of[part.id] == group]
        of_group = [link for link in links if group_of[link.first] == group]
        if of_group:
            found.append(_course(members, of_group, _joined_medicine(members, medicines, rule), weights, rule))
    return tuple(found)


def _between_episodes(parts: Sequence[CoursePart], rule: CourseRule) -> Iterator[_Joined]:
    for first, second in combinations(parts, 2):
        reason = _reason(first, second, rule)
        if reason is not None:
            yield _Joined(first.id, second.id, reason)


def _reason(first: CoursePart, second: CoursePart, rule: CourseRule) -> CourseReason | None:
    """Why the second, which opened later, continues the first."""
    if first.tier != second.tier:
        return None
    ended_on = first.ended_on or first.last_on
    is_elsewhere = first.sources != second.sources
    if first.is_transferred and is_elsewhere and abs((second.opened_on - ended_on).days) <= rule.transfer_days:
        return "transfer"
    ran_at_once = _ran_at_once(first, second, rule)
    if ran_at_once and (is_elsewhere or first.programme != second.programme):
        return "overlap"
    if 0 <= (second.opened_on - ended_on).days <= rule.re_entry_days:
        return "re_entry"
    return "overlap" if ran_at_once else None  # one programme told twice


def _ran_at_once(first: CoursePart, second: CoursePart, rule: CourseRule) -> bool:
    """Whether the programmes of both ran on one day at least."""
    if first.started_on is None or second.started_on is None:
        return False
    ends = (_programme_end(part, part.started_on, rule) for part in (first, second) if part.started_on)
    return max(first.started_on, second.started_on) <= min(ends)


def _programme_end(part: CoursePart, started_on: date, rule: CourseRule) -> date:
    return part.ended_on or max(part.last_on, started_on + timedelta(days=rule.programme_days - 1))


def _with_medicines(
    parts: Sequence[CoursePart], medicines: Iterable[PersonMedicine], rule: CourseRule
) -> Iterator[_Joined]:
    for part in parts:
        if any(_continues(part, medicine, rule) for medicine in medicines):
            yield _Joined(part.id, None, "medicine")


def _continues(part: CoursePart, medicine: PersonMedicine, rule: CourseRule) -> bool:
    """Whether a medicine started in primary care runs, or was stopped not long ago, when the episode starts."""
    view, on = medicine.view, part.started_on or part.opened_on
    if view.tier != TIER_OF_MEDICINES or view.indication not in (None, "weight_management"):
        return False
    if view.started_on is None or view.started_on > on:
        return False
    return view.stopped_on is None or (on - view.stopped_on).days <= rule.re_entry_days


def _joined_medicine(
    members: Iterable[CoursePart], medicines: Sequence[PersonMedicine], rule: CourseRule
) -> PersonMedicine | None:
    found = [m for m in medicines if any(_continues(part, m, rule) for part in members)]
    return min(found, key=lambda medicine: medicine.view.started_on or date.max, default=None)


def _course(
    members: Sequence[CoursePart],
    links: Iterable[_Joined],
    medicine: PersonMedicine | None,
    weights: Sequence[WeightFact],
    rule: CourseRule,
) -> PersonCourse:
    started = [part for part in members if part.started_on is not None]
    first = min(started, key=lambda part: (part.started_on or date.max, part.id), default=None)
    began_on = first.started_on if first and first.started_on else members[0].opened_on
    baseline = first.baseline if first else None
    if medicine is not None and medicine.view.started_on is not None and medicine.view.started_on <= began_on:
        began_on = medicine.view.started_on
        baseline = _nearest(weights, began_on, rule)
    ids = frozenset[str]().union(*(part.fact_ids for part in members))
    of_course = (w for w in reversed(weights) if w.fact_id in ids or _is_of(medicine, w))
    last = next(of_course, None)
    has_loss = baseline is not None and last is not None and last.body.on > baseline.body.on
    has_loss = has_loss and not any(part.is_excluded for part in members)
    reasons = {link.reason for link in links}
    view = CourseView(
        definition=COURSE,
        reasons=tuple(reason for reason in _REASONS if reason in reasons),
        started_on=began_on,
        baseline_on=baseline.body.on if baseline else None,
        baseline_kg=float(baseline.body.value) if baseline else None,
        baseline_method=baseline.body.method if baseline else None,
        last_on=last.body.on if last else None,
        last_kg=float(last.body.value) if last else None,
        loss_pct=shown_pct(loss_pct(baseline, last)) if has_loss and baseline and last else None,
    )
    return PersonCourse(members[0].id, tuple(part.id for part in members), view)


def _is_of(medicine: PersonMedicine | None, weight: WeightFact) -> bool:
    """Whether the practice that prescribed took the weight, from the medicine's start on."""
    if medicine is None or medicine.view.started_on is None:
        return False
    return weight.source == medicine.source and weight.body.on >= medicine.view.started_on


def _nearest(weights: Sequence[WeightFact], on: date, rule: CourseRule) -> WeightFact | None:
    first, last = on - timedelta(days=rule.medicine_before_days), on + timedelta(days=rule.medicine_after_days)
    near = [weight for weight in weights if first <= weight.body.on <= last]
    return min(near, key=lambda w: (abs((w.body.on - on).days), w.body.on, w.fact_id), default=None)
