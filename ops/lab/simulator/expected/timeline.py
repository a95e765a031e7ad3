"""What happened in an episode on which day, how far it came and how it ended: stage-and-ending/1."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ops.lab.simulator.expected.definitions import (
    ACCEPTED_BY_BOOKING,
    AS_REPORTED,
    DWMP_SEEN_WEEKS,
    DWMP_WEEKS,
    ENDED_AS_COMPLETED,
    STAGES,
    START_BY_FIRST_SESSION,
    TRANSFERRED,
)
from ops.lab.simulator.expected.episodes import ExpectedEpisode
from ops.lab.simulator.model import Fact

_TREATMENT_STATUS = "30"


@dataclass(frozen=True, slots=True, repr=False)
class ExpectedEnding:
    """How an episode ended; `on` and `reason` are None where it is open."""

    ending: str
    on: date | None = None
    reason: str | None = None


def first_day(facts: Iterable[Fact]) -> date | None:
    """The earliest day of the facts."""
    return min((fact.on for fact in facts), default=None)


def sessions(episode: ExpectedEpisode) -> list[Fact]:
    """The sessions the person took part in, by start-by-first-session/1."""
    return [
        fact
        for fact in episode.seen
        if fact.purpose == "session" or (fact.purpose is None and fact.medium != "telephone")
    ]


def accepted(episode: ExpectedEpisode) -> tuple[date | None, str | None]:
    """The day of acceptance and the definition it rests on."""
    reported = [fact for fact in episode.of("acceptance") if fact.definition != ACCEPTED_BY_BOOKING]
    if reported:
        return reported[0].on, reported[0].definition or AS_REPORTED
    since = episode.received_on or date.min
    booked = first_day(fact for fact in episode.of("acceptance") if fact.on >= since)
    return booked, ACCEPTED_BY_BOOKING if booked else None


def started(episode: ExpectedEpisode) -> tuple[date | None, str | None]:
    """The day of the start and the definition it rests on."""
    reported = first_day(episode.of("start"))
    if reported:
        return reported, AS_REPORTED
    session = first_day(sessions(episode))
    return session, START_BY_FIRST_SESSION if session else None


def first_facts(episode: ExpectedEpisode) -> list[Fact]:
    """What the start rests on: the reports of that day, else its sessions."""
    on = started(episode)[0]
    found = episode.of("start") or sessions(episode)
    return [fact for fact in found if fact.on == on]


def treated_on(episode: ExpectedEpisode) -> date | None:
    """The earliest of a reported start, a medicine started, a procedure and status 30."""
    medicines = (fact for fact in episode.of("medicine") if fact.action == "started")
    statuses = (fact for fact in episode.of("rtt_status") if fact.code == _TREATMENT_STATUS)
    return first_day([*episode.of("start", "procedure"), *medicines, *statuses])


def stage_of(episode: ExpectedEpisode, died_on: date | None) -> tuple[date, str]:
    """The latest thing that happened, and its day; a death only where nothing had ended the episode before."""
    is_ended_by_death = died_on is not None and ending_of(episode, died_on).ending == "died"
    happened = [*_happened(episode), *([(died_on, "died")] if died_on and is_ended_by_death else [])]
    return max(happened, key=lambda event: (event[0], STAGES.index(event[1])), default=(date.min, "referred"))


def _happened(episode: ExpectedEpisode) -> Iterator[tuple[date, str]]:
    names = {"triage": "triaged", "decline": "declined", "completion": "completed"}
    for fact in episode.facts:
        if fact.kind in names:
            yield fact.on, names[fact.kind]
        if fact.kind in ("withdrawal", "discharge"):
            usual = {"withdrawal": "withdrawn", "discharge": "discharged"}[fact.kind]
            yield fact.on, "transferred" if fact.reason == TRANSFERRED else usual
    for day, name in (
        (episode.received_on, "referred"),
        (accepted(episode)[0], "accepted"),
        (started(episode)[0], "started"),
    ):
        if day is not None:
            yield day, name


def completed_on(episode: ExpectedEpisode) -> date | None:
    """The day the service reported a completion, by whatever rule, else a discharge that says completed."""
    discharges = [fact for fact in episode.of("discharge") if fact.reason in ENDED_AS_COMPLETED]
    reported = first_day(episode.of("completion")) or first_day(discharges)
    is_dwmp = any((referral.programme or "").startswith("dwmp") for referral in episode.referrals)
    return reported or (completed_by_dwmp_on(episode) if is_dwmp else None)


def completed_by_dwmp_on(episode: ExpectedEpisode) -> date | None:
    """The day the person was seen in the seventh of the twelve weeks after the start: dwmp-attended-60pct/1."""
    start, weeks = started(episode)[0], set[int]()
    for fact in episode.seen:
        if start is not None and start <= fact.on < start + timedelta(weeks=DWMP_WEEKS):
            weeks.add((fact.on - start).days // 7)
            if len(weeks) >= DWMP_SEEN_WEEKS:
                return fact.on
    return None


def ending_of(episode: ExpectedEpisode, died_on: date | None) -> ExpectedEnding:
    """Completed, else died, else the first closing that nothing followed, else none."""
    completed = completed_on(episode)
    if completed is not None:
        return ExpectedEnding("completed", completed)
    closed = _closing(episode)
    if died_on is not None and (closed is None or closed.on is None or closed.on >= died_on):
        return ExpectedEnding("died", died_on)
    return closed or ExpectedEnding("none")


def _goes_on(closing: Fact, day: date) -> bool:
    """Whether what happened on `day` shows that it went on: after a decline on the same day too."""
    return day > closing.on or (closing.kind == "decline" and day == closing.on)


def _closing(episode: ExpectedEpisode) -> ExpectedEnding | None:
    start = started(episode)[0]
    again = [day for day in (accepted(episode)[0], start, *(fact.on for fact in sessions(episode))) if day]
    order = ("decline", "withdrawal", "discharge")
    closings = sorted(episode.of(*order), key=lambda fact: (fact.on, order.index(fact.kind)))
    final = [fact for fact in closings if not any(_goes_on(fact, day) for day in again)]
    if not final:
        return None
    last = final[0]  # closing the record afterwards ends nothing more
    if last.reason == TRANSFERRED and last.kind != "decline":
        ending = "transferred"
    elif start is not None and start <= last.on:
        ending = "left"
    else:
        ending = "declined" if last.kind == "decline" else "never_started"
    return ExpectedEnding(ending, last.on, last.reason)
