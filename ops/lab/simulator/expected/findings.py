"""What cannot be as it was reported: findings/1. Days out of range are no matter of these journeys."""

from collections.abc import Iterator
from datetime import date

from ops.lab.simulator.expected.body_size import doubted_bmis
from ops.lab.simulator.expected.definitions import ADULT_YEARS, CM_LEAST, CM_MOST, ENDED_AS_COMPLETED
from ops.lab.simulator.expected.outcomes import PersonFacts
from ops.lab.simulator.expected.plausible import adult_heights, kilograms, years_between
from ops.lab.simulator.expected.timeline import completed_on, first_day, sessions, started
from ops.lab.simulator.model import Fact

Pathway = dict[str, object]
_OUTCOMES = ("completion", "withdrawal", "decline", "discharge")


def findings_of(about: PersonFacts) -> list[Pathway]:
    """Every rule and day, in order."""
    doubts = {**about.doubts, **doubted_bmis(about)}
    found = [*_of_episodes(about), *((doubt, fact) for fact, doubt in doubts.items()), *_heights(about)]
    return [{"rule": rule, "on": on} for on, rule in sorted((fact.on.isoformat(), rule) for rule, fact in found)]


def _of_episodes(about: PersonFacts) -> Iterator[tuple[str, Fact]]:
    for episode in about.episodes:
        received_on, completed = episode.received_on, completed_on(episode)
        for fact in episode.of(*_OUTCOMES):
            if received_on is not None and fact.on < received_on:
                yield "outcome_before_referral", fact
            if fact.on == completed and fact.kind in ("completion", "discharge") and started(episode)[0] is None:
                yield "completion_without_start", fact
        begun = started(episode)[0]
        yield from (
            ("completion_before_start", fact)
            for fact in episode.of("completion", "discharge")
            if (fact.kind == "completion" or fact.reason in ENDED_AS_COMPLETED)
            and begun is not None
            and (received_on or date.min) <= fact.on < begun
        )
        reported_start = first_day(episode.of("start"))
        yield from (
            ("session_before_start", fact)
            for fact in sessions(episode)
            if reported_start is not None and fact.on < reported_start
        )
        first = {fact.definition: fact for fact in reversed(episode.of("completion"))}
        yield from (
            ("contradicting_completions", fact)
            for fact in episode.of("completion")
            if fact.on != first[fact.definition].on
        )
    yield from (("after_death", fact) for fact in about.after_death)


def _heights(about: PersonFacts) -> Iterator[tuple[str, Fact]]:
    counted = adult_heights(about.person)
    for record in about.person.records:
        born = record.identity.birth_date
        for fact in record.facts:
            is_adult = born is None or years_between(born, fact.on) >= ADULT_YEARS
            if fact.quantity != "height" or fact in counted or not is_adult:
                continue
            yield "height_shrinks" if CM_LEAST <= kilograms(fact) <= CM_MOST else "height_out_of_range", fact
