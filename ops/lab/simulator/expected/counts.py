"""Appointments by code, medium and purpose, and what was completed by which rule."""

from collections.abc import Iterator
from datetime import date, timedelta

from ops.lab.simulator.expected.definitions import (
    COMMON_COMPLETION,
    COMMON_PCT,
    COMMON_SESSIONS_LEAST,
    COMMON_SILENT_BEFORE,
    COMMON_WITHIN,
    DWMP_COMPLETION,
    DWMP_WEEKS,
    MISSED,
    SEEN,
)
from ops.lab.simulator.expected.episodes import ExpectedEpisode
from ops.lab.simulator.expected.timeline import completed_by_dwmp_on, started
from ops.lab.simulator.model import Fact

Pathway = dict[str, object]
_CODES = {
    "attended": SEEN,
    "did_not_attend": ("3",),
    "late_not_seen": ("7",),
    "cancelled_by_person": ("2",),
    "cancelled_by_provider": ("4",),
}
_PURPOSES = ("assessment", "session", "follow_up")


def attendance_of(episode: ExpectedEpisode) -> Pathway:
    """How often each code came up; of those who were seen, by medium, in a group, and by purpose."""
    appointments, seen = episode.of("attendance"), episode.seen
    return {
        **{name: sum(fact.attendance in codes for fact in appointments) for name, codes in _CODES.items()},
        "seen_in_person": _count(seen, medium="in_person"),
        "seen_by_telephone": _count(seen, medium="telephone"),
        "seen_by_video": _count(seen, medium="video"),
        "seen_online": _count(seen, medium="online"),
        "seen_in_group": sum(fact.group is True for fact in seen),
        **{f"seen_for_{purpose}": sum(fact.purpose == purpose for fact in seen) for purpose in _PURPOSES},
    }


def _count(seen: list[Fact], *, medium: str) -> int:
    return sum(fact.medium == medium for fact in seen)


def completions_of(episode: ExpectedEpisode, as_of: date) -> list[Pathway]:
    """What the service reported, each rule once, and both rules computed for whoever started."""
    reported = {fact.definition: fact.on for fact in reversed(episode.of("completion"))}
    shown: list[Pathway] = [
        {"definition": definition, "basis": "reported", "met": True, "on": on.isoformat()}
        for definition, on in reported.items()
    ]
    return sorted((*shown, *_computed(episode, as_of)), key=lambda item: (str(item["basis"]), str(item["definition"])))


def _computed(episode: ExpectedEpisode, as_of: date) -> Iterator[Pathway]:
    start = started(episode)[0]
    if start is None:
        return
    by_weeks: bool | None = completed_by_dwmp_on(episode) is not None
    if not by_weeks:
        over_on = start + timedelta(weeks=DWMP_WEEKS)
        by_weeks = False if as_of >= over_on and _taken_place(episode, start, over_on) else None
    yield {"definition": DWMP_COMPLETION, "basis": "computed", "met": by_weeks}
    by_sessions = _by_common_rule(episode, start) if as_of >= start + COMMON_SILENT_BEFORE else None
    yield {"definition": COMMON_COMPLETION, "basis": "computed", "met": by_sessions}


def _taken_place(episode: ExpectedEpisode, start: date, until: date) -> list[Fact]:
    """Appointments seen or missed before a day."""
    held = [fact for fact in episode.of("attendance") if fact.attendance in (*SEEN, *MISSED)]
    return [fact for fact in held if start <= fact.on < until]


def _by_common_rule(episode: ExpectedEpisode, start: date) -> bool | None:
    """Seen at 60 % or more of at least four sessions of the first 16 weeks; unknown where none took place."""
    held = [fact for fact in _taken_place(episode, start, start + COMMON_WITHIN) if fact.purpose in (None, "session")]
    seen = sum(fact.attendance in SEEN for fact in held)
    return (len(held) >= COMMON_SESSIONS_LEAST and seen * 100 >= COMMON_PCT * len(held)) if held else None


def suspensions_of(episode: ExpectedEpisode) -> list[Pathway]:
    """From when to when, and why."""
    return [
        {
            "reason": fact.reason,
            "from_on": fact.on.isoformat(),
            "to_on": fact.ends_on.isoformat() if fact.ends_on else None,
        }
        for fact in episode.of("suspension")
    ]


def scores_of(episode: ExpectedEpisode) -> list[Pathway]:
    """First and last score of each questionnaire."""
    scores: dict[str, list[Fact]] = {}
    for fact in episode.of("score"):
        scores.setdefault(fact.code or "", []).append(fact)
    return [
        {
            "questionnaire": code,
            "first_on": facts[0].on.isoformat(),
            "first_score": _number(facts[0]),
            "last_on": facts[-1].on.isoformat(),
            "last_score": _number(facts[-1]),
            "score_change": _number(facts[-1]) - _number(facts[0]),
        }
        for code, facts in sorted(scores.items())
    ]


def _number(fact: Fact) -> float:
    assert fact.value is not None
    return float(fact.value)


def procedures_of(episode: ExpectedEpisode) -> list[Pathway]:
    """Each procedure, in order of day."""
    return [{"on": fact.on.isoformat(), "code": fact.code, "system": fact.system} for fact in episode.of("procedure")]


def experience_of(episode: ExpectedEpisode) -> Pathway:
    """Answers to the Friends and Family Test: 1 and 2 are positive, 4 and 5 negative."""
    ratings = [fact.code for fact in episode.of("experience")]
    return {
        "answered": len(ratings),
        "positive": sum(rating in ("1", "2") for rating in ratings),
        "negative": sum(rating in ("4", "5") for rating in ratings),
    }
