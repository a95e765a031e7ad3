"""Referrals sent, matched one to one with referrals received, and what became of the others, by `handover/2`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.definitions import HANDOVER, HandoverRule
from schemas.facts import Body, Decline, Referral
from schemas.pathway import HandoverAnswer, HandoverView
from streams.steps.pathway_fold.current_facts import SPECIALIST, CurrentFact, of_type
from streams.steps.pathway_fold.milestones import DIED
from streams.steps.pathway_fold.ownership import NUMBER_DAYS, Case

RETURNED = "returned-with-advice"
SELF_REFERRED = "self"


@dataclass(frozen=True, slots=True)
class HandoverMatch:
    """One sent referral, the case of its sender it came from, the case that received it, and the view of both."""

    sent: CurrentFact[Referral]
    from_case: Case | None
    case: Case | None
    view: HandoverView

    @property
    def due_on(self) -> date | None:
        """The day on which it becomes overdue, while nobody received or answered it."""
        if self.view.status == "not_received":
            return self.view.sent_on + timedelta(days=self.view.days_allowed)
        return None


def handovers(
    facts: Sequence[CurrentFact[Body]],
    cases: Sequence[Case],
    *,
    died_on: date | None,
    as_of: date | None,
    rule: HandoverRule,
) -> tuple[HandoverMatch, ...]:
    """Every sent referral of one person, in order of sending; both inputs are sorted."""
    sent, declines = _distinct(facts), of_type(facts, Decline)
    received_by = _matched(sent, cases, {decline.body.referral for decline in declines}, rule)
    found = []
    for referral in sent:
        case = received_by.get(referral.fact_id)
        answer = None if case else _answer(referral, declines, died_on, rule)
        view = _view(referral, case, answer, as_of=as_of, rule=rule)
        found.append(HandoverMatch(referral, _from(referral, cases), case, view))
    return tuple(found)


def _distinct(facts: Sequence[CurrentFact[Body]]) -> list[CurrentFact[Referral]]:
    """Sent referrals to a tier with episodes; one e-RS number to one tier counts once in its days, as first sent."""
    first_on: dict[tuple[str, str], date] = {}
    distinct = []
    for fact in of_type(facts, Referral):
        if fact.body.direction != "sent" or fact.body.to_tier not in SPECIALIST:
            continue
        name = (fact.body.ubrn or fact.fact_id, fact.body.to_tier)
        if name not in first_on or (fact.body.on - first_on[name]).days > NUMBER_DAYS:
            first_on[name] = fact.body.on
            distinct.append(fact)
    return distinct


def _matched(
    sent: Sequence[CurrentFact[Referral]], cases: Iterable[Case], answered: set[str | None], rule: HandoverRule
) -> dict[str, Case]:
    """Sent fact id -> the case that received it: each pass looks at all that is left, in order of sending.

    One that was answered is received by its number alone: by time another would take its place.
    """
    free = [case for case in cases if case.referrals]
    matched: dict[str, Case] = {}
    for fits in _PASSES:
        for referral in sent:
            if referral.fact_id in matched or (fits is not _has_number and referral.fact_id in answered):
                continue
            case = next((case for case in free if _may_receive(case, referral, rule) and fits(case, referral)), None)
            if case is not None:
                matched[referral.fact_id] = case
                free.remove(case)
    return matched


def _may_receive(case: Case, sent: CurrentFact[Referral], rule: HandoverRule) -> bool:
    """Whether nothing speaks against it."""
    # a service does not receive its own referral
    if case.tier != sent.body.to_tier or all(_is_senders(referral, sent, case) for referral in case.referrals):
        return False
    numbers = {referral.body.ubrn for referral in case.referrals} - {None}
    if sent.body.ubrn is not None and numbers:
        return sent.body.ubrn in numbers
    days = (case.opened_on - sent.body.on).days
    if not -rule.early_days <= days <= rule.late_days:
        return False
    if any(referral.body.referral_source == SELF_REFERRED for referral in case.referrals):
        return False
    return _agrees(sent.body.provider_ods, _providers(case)) and _agrees(sent.body.programme, _programmes(case))


def _is_senders(received: CurrentFact[Referral], sent: CurrentFact[Referral], case: Case) -> bool:
    return (received.record_id, case.tier) == (sent.record_id, sent.tier)


def _agrees(named: str | None, others: set[str]) -> bool:
    return named is None or not others or named in others


def _providers(case: Case) -> set[str]:
    return {referral.body.provider_ods for referral in case.referrals if referral.body.provider_ods}


def _programmes(case: Case) -> set[str]:
    return {referral.body.programme for referral in case.referrals if referral.body.programme}


def _has_number(case: Case, sent: CurrentFact[Referral]) -> bool:
    return sent.body.ubrn is not None and sent.body.ubrn in {referral.body.ubrn for referral in case.referrals}


_PASSES: tuple[Callable[[Case, CurrentFact[Referral]], bool], ...] = (
    _has_number,
    lambda case, sent: sent.body.provider_ods in _providers(case) and sent.body.programme in _programmes(case),
    lambda case, sent: sent.body.provider_ods in _providers(case),
    lambda case, sent: sent.body.programme in _programmes(case),
    lambda case, sent: True,
)


def _from(sent: CurrentFact[Referral], cases: Iterable[Case]) -> Case | None:
    """The case of the sender that the referral names, else the latest of its source begun by then."""
    of_source = [case for case in cases if sent.source in case.sources and case.tier == sent.tier]
    for case in of_source:
        if sent.body.referral in {referral.fact_id for referral in case.referrals}:
            return case
    before = [case for case in of_source if case.opened_on <= sent.body.on]
    return before[-1] if before else None


@dataclass(frozen=True, slots=True)
class _Answered:
    answer: HandoverAnswer
    on: date


def _answer(
    sent: CurrentFact[Referral], declines: Iterable[CurrentFact[Decline]], died_on: date | None, rule: HandoverRule
) -> _Answered | None:
    """How it was answered without an episode: by a decline that names it, or by death within the days allowed."""
    for decline in declines:
        if decline.body.referral == sent.fact_id:
            return _Answered(_answer_of(decline.body), decline.body.on)
    overdue_on = sent.body.on + timedelta(days=rule.allowed(sent.tier, sent.body.to_tier))
    if died_on is not None and died_on < overdue_on:
        return _Answered("died", died_on)
    return None


def _answer_of(decline: Decline) -> HandoverAnswer:
    if decline.reason == RETURNED:
        return "returned_with_advice"
    if decline.reason == DIED:
        return "died"
    return "rejected" if decline.declined_by in ("service", None) else "withdrawn"


def _view(
    sent: CurrentFact[Referral],
    case: Case | None,
    answer: _Answered | None,
    *,
    as_of: date | None,
    rule: HandoverRule,
) -> HandoverView:
    received_on = case.opened_on if case else None
    days_allowed = rule.allowed(sent.tier, sent.body.to_tier)
    overdue_on = sent.body.on + timedelta(days=days_allowed)
    is_overdue = not case and not answer and as_of is not None and as_of >= overdue_on
    known_on = received_on or (answer.on if answer else None)
    was_overdue = known_on is not None and known_on >= overdue_on
    interval_days = (received_on - sent.body.on).days if received_on and received_on >= sent.body.on else None
    return HandoverView(
        definition=HANDOVER,
        from_tier=sent.tier,
        to_tier=sent.body.to_tier,
        provider_ods=sent.body.provider_ods,
        programme=sent.body.programme,
        sent_on=sent.body.on,
        status="received" if case else "answered" if answer else "overdue" if is_overdue else "not_received",
        received_on=received_on,
        interval_days=interval_days,
        answer=answer.answer if answer else None,
        answered_on=answer.on if answer else None,
        days_allowed=days_allowed,
        overdue_since=overdue_on if is_overdue or was_overdue else None,
    )
