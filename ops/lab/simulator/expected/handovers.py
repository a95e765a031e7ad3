"""What became of each referral that was sent: handover/2."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ops.lab.simulator.expected.clocks import between
from ops.lab.simulator.expected.definitions import ALLOWED, EARLY, HANDOVER, LATE
from ops.lab.simulator.expected.episodes import ExpectedEpisode
from ops.lab.simulator.expected.outcomes import PersonFacts
from ops.lab.simulator.model import Fact
from ops.lab.simulator.truth import PersonTruth, RecordTruth

Pathway = dict[str, object]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SentReferral:
    """One referral sent, by whom, and the episode that received it."""

    record: RecordTruth
    fact: Fact
    received: ExpectedEpisode | None = None


def sent_referrals(
    person: PersonTruth, episodes: Sequence[ExpectedEpisode], died_on: date | None
) -> list[SentReferral]:
    """In order of sending, each with the episode that received it; what was taken back was not sent."""
    found: list[SentReferral] = []
    numbers: dict[tuple[str, str | None], date] = {}
    facts = [(record, fact) for record in person.records for fact in record.facts if fact.direction == "sent"]
    for record, fact in sorted(facts, key=lambda sent: sent[1].on):
        number = (fact.ubrn or "", fact.to_tier)
        if fact.retracted or (fact.ubrn and number in numbers and fact.on - numbers[number] <= LATE):
            continue
        numbers[number] = fact.on
        found.append(SentReferral(record, fact))
    return _with_receipts(found, episodes, died_on)


def _with_receipts(
    sent: Sequence[SentReferral], episodes: Sequence[ExpectedEpisode], died_on: date | None
) -> list[SentReferral]:
    """By e-RS number, then provider, then programme, then time alone; each episode once.

    What was answered is received by its number alone.
    """
    answered = [_answer(referral, died_on)[0] is not None for referral in sent]
    free = [episode for episode in episodes if episode.referrals and not episode.retracted]
    free.sort(key=lambda episode: episode.received_on or date.max)
    found: dict[int, ExpectedEpisode] = {}
    for agree in (_by_number, _by_provider, _by_programme, _by_time):
        for place, referral in enumerate(sent):
            fitting = [episode for episode in free if _may_receive(referral, episode) and agree(referral.fact, episode)]
            if place not in found and fitting and (agree is _by_number or not answered[place]):
                found[place] = fitting[0]
                free.remove(fitting[0])
    return [SentReferral(referral.record, referral.fact, found.get(place)) for place, referral in enumerate(sent)]


def _may_receive(sent: SentReferral, episode: ExpectedEpisode) -> bool:
    """Nothing that both say differs, and it is neither a self-referral nor of the sender's record."""
    return (
        episode.tier == sent.fact.to_tier
        and sent.record.key not in episode.records
        and all(referral.referral_source != "self" for referral in episode.referrals)
        and not any(_differ(sent.fact, episode, name) for name in ("ubrn", "provider_ods", "programme"))
    )


def _values(episode: ExpectedEpisode, name: str) -> set[object]:
    return {value for referral in episode.referrals if (value := getattr(referral, name)) is not None}


def _differ(sent: Fact, episode: ExpectedEpisode, name: str) -> bool:
    values = _values(episode, name)
    return getattr(sent, name) is not None and bool(values) and getattr(sent, name) not in values


def _by_number(sent: Fact, episode: ExpectedEpisode) -> bool:
    return sent.ubrn in _values(episode, "ubrn")


def _by_provider(sent: Fact, episode: ExpectedEpisode) -> bool:
    return sent.provider_ods in _values(episode, "provider_ods") and _by_time(sent, episode)


def _by_programme(sent: Fact, episode: ExpectedEpisode) -> bool:
    return sent.programme in _values(episode, "programme") and _by_time(sent, episode)


def _by_time(sent: Fact, episode: ExpectedEpisode) -> bool:
    received_on = episode.received_on
    assert received_on is not None
    return sent.on - EARLY <= received_on <= sent.on + LATE


def handovers_of(sent: Sequence[SentReferral], about: PersonFacts) -> Iterator[Pathway]:
    """Each as it stands on `as_of`."""
    for referral in sent:
        fact = referral.fact
        received_on = referral.received.received_on if referral.received else None
        answer, answered_on = (None, None) if received_on else _answer(referral, about.died_on)
        overdue_on = fact.on + ALLOWED
        is_overdue = received_on is None and answer is None and about.as_of >= overdue_on
        known_on = received_on or answered_on
        was_overdue = known_on is not None and known_on >= overdue_on
        status = "received" if received_on else "answered" if answer else "overdue" if is_overdue else "not_received"
        yield {
            "definition": HANDOVER,
            "from_tier": referral.record.tier,
            "to_tier": fact.to_tier,
            "provider_ods": fact.provider_ods,
            "programme": fact.programme,
            "sent_on": fact.on.isoformat(),
            "status": status,
            "received_on": received_on.isoformat() if received_on else None,
            "interval_days": between(fact.on, received_on),
            "answer": answer,
            "answered_on": answered_on.isoformat() if answered_on else None,
            "days_allowed": ALLOWED.days,
            "overdue_since": overdue_on.isoformat() if is_overdue or was_overdue else None,
            "episode": label(referral.received) if referral.received else None,
            "from_episode": _from_episode(referral, about.episodes),
        }


def label(episode: ExpectedEpisode | Mapping[str, object]) -> str:
    """An episode by its tier and day of receipt: what stands for an id, which only the engine knows."""
    if isinstance(episode, ExpectedEpisode):
        return f"{episode.tier} {episode.received_on.isoformat() if episode.received_on else None}"
    return f"{episode.get('tier')} {episode.get('received_on')}"


def _from_episode(referral: SentReferral, episodes: Sequence[ExpectedEpisode]) -> str | None:
    """The episode under whose referral it was sent; primary care has none."""
    under = referral.fact.referral
    for episode in episodes:
        keys = {fact.key for fact in episode.referrals} if referral.record.source in episode.sources else set()
        if under in keys:
            return label(episode)
    return None


def _answer(sent: SentReferral, died_on: date | None) -> tuple[str | None, date | None]:
    """Returned, rejected or withdrawn under its number, or died in time; the first of them."""
    answers: list[tuple[date, str]] = []
    for fact in sent.record.facts:
        if fact.referral == sent.fact.key and fact.kind in ("decline", "withdrawal"):
            if fact.reason == "returned-with-advice":
                answers.append((fact.on, "returned_with_advice"))
            elif fact.kind == "withdrawal" or fact.by in ("person", "referrer"):
                answers.append((fact.on, "withdrawn"))
            else:
                answers.append((fact.on, "rejected"))
    if died_on is not None and sent.fact.on <= died_on <= sent.fact.on + ALLOWED:
        answers.append((died_on, "died"))
    first = min(answers, default=None)
    return (first[1], first[0]) if first else (None, None)
