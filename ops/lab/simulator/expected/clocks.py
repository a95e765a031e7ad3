"""Waits from sending and from receipt (waits/2), and the 18-week clock of consultant-led services (rtt/2)."""

from collections.abc import Iterator, Sequence
from datetime import date

from ops.lab.simulator.expected.definitions import (
    RTT,
    RTT_LIMIT,
    RTT_ORIGINAL,
    WAIT_TO_FIRST_ATTENDANCE,
    WAITS,
)
from ops.lab.simulator.expected.episodes import ExpectedEpisode
from ops.lab.simulator.expected.timeline import accepted, first_day, sessions, treated_on
from ops.lab.simulator.model import Fact

Pathway = dict[str, object]


def between(first: date | None, last: date | None) -> int | None:
    """Whole days; none where a day is missing or they come in the wrong order."""
    return (last - first).days if first and last and last >= first else None


def waits_of(episode: ExpectedEpisode, sent_on: date | None, died_on: date | None) -> Pathway:
    """Each wait that both days are known of; death ends every one."""
    ends = {
        "acceptance": accepted(episode)[0],
        "first_contact": first_day(episode.seen),
        "first_session": first_day(sessions(episode)),
        "treatment": treated_on(episode),
    }
    if died_on is not None:
        ends = {name: day if day and day <= died_on else None for name, day in ends.items()}
    received_on = episode.received_on
    return {
        "definition": WAITS,
        "sent_to_received_days": between(sent_on, received_on),
        **{f"sent_to_{name}_days": between(sent_on, day) for name, day in ends.items()},
        **{f"received_to_{name}_days": between(received_on, day) for name, day in ends.items()},
    }


def is_consultant_led(episode: ExpectedEpisode) -> bool:
    """True where the referral says so."""
    return any(referral.consultant_led for referral in episode.referrals)


def rtt_of(
    episode: ExpectedEpisode, others: Sequence[ExpectedEpisode], died_on: date | None
) -> tuple[Pathway | None, Pathway | None]:
    """The clock and the wait to the first attendance; nothing where the service is not led by a consultant."""
    if not is_consultant_led(episode) or episode.received_on is None:
        return None, None
    start_on: date | None
    start_on, start_by = _began(episode, others)
    stops = sorted(_stops(episode, died_on))
    nullified: list[date] = []
    for missed in _first_missed(episode):
        if missed.on in nullified:  # the appointment and its status
            continue
        if stops and stops[0][0] <= missed.on:
            break
        nullified.append(missed.on)
        start_on, start_by = _agreed_again(episode, missed.on), "rebooked_after_dna"
    stops = [stop for stop in stops if start_on is None or stop[0] >= start_on]
    stop = stops[0] if stops else None
    if stop and stop[1] == "active_monitoring":
        again = first_day(fact for fact in episode.of("rtt_status") if fact.code == "11" and fact.on >= stop[0])
        if again is not None:
            start_on, start_by = again, "after_active_monitoring"
            stop = next((later for later in stops if later[0] >= again and later is not stop), None)
    wait_days = between(start_on, stop[0]) if stop else None
    seen_on = first_day(fact for fact in episode.seen if start_on is not None and fact.on >= start_on)
    clock: Pathway = {
        "definition": RTT,
        "start_on": start_on.isoformat() if start_on else None,
        "start_by": start_by,
        "nullified_on": [day.isoformat() for day in nullified],
        "stop_on": stop[0].isoformat() if stop else None,
        "stop_by": stop[1] if stop else None,
        "wait_days": wait_days,
        "within_standard": None if wait_days is None else wait_days <= RTT_LIMIT.days,
    }
    wait: Pathway = {
        "definition": WAIT_TO_FIRST_ATTENDANCE,
        "start_on": clock["start_on"],
        "stop_on": seen_on.isoformat() if seen_on else None,
        "wait_days": between(start_on, seen_on),
    }
    return clock, wait


def _began(episode: ExpectedEpisode, others: Sequence[ExpectedEpisode]) -> tuple[date, str]:
    """The receipt, or that of a referral to the same service that was rejected shortly before."""
    received_on = episode.received_on
    assert received_on is not None
    for other in others:
        same = other is not episode and other.sources & episode.sources and other.received_on is not None
        rejected = [fact for fact in other.of("decline") if fact.by != "person"]
        if same and any(0 <= (received_on - fact.on).days <= RTT_ORIGINAL.days for fact in rejected):
            assert other.received_on is not None
            return other.received_on, "original_referral"
    return received_on, "referral"


def _first_missed(episode: ExpectedEpisode) -> Iterator[Fact]:
    """The first appointment where it was missed without warning, and each next one that was the first again."""
    for fact in episode.of("attendance", "rtt_status"):
        if fact.attendance == "3" or (fact.kind == "rtt_status" and fact.code == "33"):
            yield fact
        elif fact.attendance in ("5", "6", "7"):
            return


def _agreed_again(episode: ExpectedEpisode, missed_on: date) -> date | None:
    booked = [fact.booked_on for fact in episode.of("attendance") if fact.booked_on and fact.booked_on >= missed_on]
    stated = [fact.on for fact in episode.of("rtt_status") if fact.code == "10" and fact.on >= missed_on]
    return min((*booked, *stated), default=None)


_STATUS_STOPS = {
    "30": "treatment",
    "31": "active_monitoring",
    "32": "active_monitoring",
    "34": "decision_not_to_treat",
    "35": "declined_by_person",
    "36": "died",
}


def _stops(episode: ExpectedEpisode, died_on: date | None) -> Iterator[tuple[date, str]]:
    for fact in episode.facts:
        if fact.kind == "rtt_status" and fact.code in _STATUS_STOPS:
            yield fact.on, _STATUS_STOPS[fact.code]
        elif fact.kind == "decline":
            accepted_on = accepted(episode)[0]
            if fact.by == "person" or accepted_on is None or accepted_on < fact.on:
                yield fact.on, "declined_by_person" if fact.by == "person" else "rejected"
        elif fact.kind == "withdrawal":
            yield fact.on, "declined_by_person"
        elif fact.kind == "discharge":
            yield fact.on, "discharged"
    treated = treated_on(episode)
    if treated is not None:
        yield treated, "treatment"
    if died_on is not None:
        yield died_on, "died"
