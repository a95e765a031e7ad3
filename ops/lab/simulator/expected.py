"""What the published pathway of a person must contain, worked out from what is true of them.

Written from the definitions (`schemas/definitions`: waits, handover, loss-5pct, start-by-first-attendance,
tier3-accepted-by-booking) and from no step: two readings of one text, compared person by person. Days are ISO
texts and weights floats, as in the JSON of a snapshot; what the truth cannot know (ids, revisions) is left
out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from ops.lab.simulator.model import Fact
from ops.lab.simulator.truth import PersonTruth, RecordTruth

Pathway = dict[str, object]

_TIERS = ("primary_care", "tier2", "tier3", "tier4")
_BASELINE = timedelta(days=14)
_WINDOW = timedelta(weeks=4)
_HORIZON_WEEKS = (12, 26, 52)
_EARLY = timedelta(days=3)
_OVERDUE = timedelta(days=42)
_ATTENDED, _NOT_ATTENDED, _CANCELLED = ("5", "6"), ("3", "7"), ("2", "4")
_STAGES = (  # the first that has a day wins
    ("discharged", "discharged_on"),
    ("withdrawn", "withdrawn_on"),
    ("declined", "declined_on"),
    ("completed", "completed_on"),
    ("started", "started_on"),
    ("accepted", "accepted_on"),
)


@dataclass(slots=True, repr=False)
class _ExpectedEpisode:
    """One received referral and the facts that belong to it; `referral` is None where the record has
    none.
    """

    record: RecordTruth
    referral: Fact | None
    facts: list[Fact] = field(default_factory=list)

    @property
    def referred_on(self) -> date | None:
        """The day the service received it."""
        return self.referral.on if self.referral else None


def expected_pathway(person: PersonTruth, *, as_of: date) -> Pathway:
    """The snapshot of `person` once every fact up to `as_of` is in: episodes by tier and day,
    handovers, demographics.
    """
    episodes = [episode for record in person.records for episode in _episodes(record)]
    shown = sorted((_shown(episode) for episode in episodes), key=_episode_order)
    handovers = sorted(_handovers(person, episodes, as_of=as_of), key=_handover_order)
    tiers = {episode["tier"] for episode in shown}
    sent_by_practice = any(handover["from_tier"] == "primary_care" for handover in handovers)
    return {
        **_current(shown, handovers),
        "three_tier": sent_by_practice and {"tier2", "tier3"} <= tiers,
        "demographics": _demographics(person),
        "episodes": shown,
        "handovers": handovers,
    }


# episodes


def _episodes(record: RecordTruth) -> list[_ExpectedEpisode]:
    if record.tier == "primary_care":
        return []
    received = {fact.key: fact for fact in record.facts if fact.direction == "received"}
    others = [fact for fact in record.facts if fact.kind != "referral"]
    episodes = {key: _ExpectedEpisode(record, referral) for key, referral in received.items()}
    if not episodes:
        return [_ExpectedEpisode(record, None, others)] if others else []
    for fact in others:
        _home(fact, episodes).facts.append(fact)
    return list(episodes.values())


def _home(fact: Fact, episodes: Mapping[str, _ExpectedEpisode]) -> _ExpectedEpisode:
    """The episode the source names, else the latest begun by the day of the fact, else the record's first."""
    if fact.referral in episodes:
        return episodes[fact.referral or ""]
    by_day = sorted(episodes.values(), key=lambda episode: episode.referred_on or date.min)
    begun = [episode for episode in by_day if episode.referred_on is not None and episode.referred_on <= fact.on]
    return begun[-1] if begun else by_day[0]


def _shown(episode: _ExpectedEpisode) -> Pathway:
    referral, attendances = episode.referral, _of(episode, "attendance")
    days = _days(episode)
    shown: Pathway = {
        "tier": episode.record.tier,
        "referred_on": _text(episode.referred_on),
        "referral_source": referral.referral_source if referral else None,
        "priority": referral.priority if referral else None,
        **{name: _text(day) for name, day in days.items()},
        "attended_count": _count(attendances, _ATTENDED),
        "not_attended_count": _count(attendances, _NOT_ATTENDED),
        "cancelled_count": _count(attendances, _CANCELLED),
        "declined_by": _first_value(episode, "decline", "by"),
        "decline_reason": _first_value(episode, "decline", "reason"),
        "withdrawal_reason": _first_value(episode, "withdrawal", "reason"),
        "discharge_reason": _first_value(episode, "discharge", "reason"),
        "completion_definition": _first_value(episode, "completion", "definition"),
        "weights": sorted(map(_weight, _weights(episode.facts)), key=_weight_order),
        "waits": _waits(episode.referred_on, days),
        "loss": _loss(episode.record, days["started_on"]),
    }
    return shown | {"stage": next((stage for stage, name in _STAGES if shown[name]), "referred")}


def _days(episode: _ExpectedEpisode) -> dict[str, date | None]:
    attended = _first_day(fact for fact in _of(episode, "attendance") if fact.attendance in _ATTENDED)
    return {
        "accepted_on": _accepted_on(episode),
        "declined_on": _first_day(_of(episode, "decline")),
        "started_on": _first_day(_of(episode, "start")) or attended,
        "first_attended_on": attended,
        "completed_on": _first_day(_of(episode, "completion")),
        "withdrawn_on": _first_day(_of(episode, "withdrawal")),
        "discharged_on": _first_day(_of(episode, "discharge")),
    }


def _accepted_on(episode: _ExpectedEpisode) -> date | None:
    """The day the source sent; at Tier 3, which sends none, the first booking on or after the referral."""
    acceptances = _of(episode, "acceptance")
    if episode.record.tier != "tier3":
        return _first_day(acceptances)
    since = episode.referred_on or date.min
    return _first_day(fact for fact in acceptances if fact.on >= since)


def _of(episode: _ExpectedEpisode, kind: str) -> list[Fact]:
    return [fact for fact in episode.facts if fact.kind == kind]


def _first_day(facts: Iterable[Fact]) -> date | None:
    return min((fact.on for fact in facts), default=None)


def _first_value(episode: _ExpectedEpisode, kind: str, name: str) -> object:
    facts = sorted(_of(episode, kind), key=lambda fact: fact.on)
    return getattr(facts[0], name) if facts else None


def _count(attendances: Sequence[Fact], codes: Sequence[str]) -> int:
    return sum(fact.attendance in codes for fact in attendances)


def _waits(referred_on: date | None, days: Mapping[str, date | None]) -> dict[str, int | None]:
    return {
        "referral_to_acceptance": _between(referred_on, days["accepted_on"]),
        "acceptance_to_first_attendance": _between(days["accepted_on"], days["first_attended_on"]),
        "referral_to_first_attendance": _between(referred_on, days["first_attended_on"]),
        "referral_to_start": _between(referred_on, days["started_on"]),
    }


def _between(first: date | None, last: date | None) -> int | None:
    return (last - first).days if first and last else None


# weights and loss


def _weights(facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.quantity == "weight"]


def _weight(fact: Fact) -> Pathway:
    assert fact.value is not None
    return {"on": fact.on.isoformat(), "kg": float(fact.value), "method": fact.method}


def _loss(record: RecordTruth, started_on: date | None) -> Pathway | None:
    """Against the first weight of the record in the fortnight after the start, measured before self-
    reported.
    """
    if started_on is None:
        return None
    weights = _weights(record.facts)
    candidates = [fact for fact in weights if started_on <= fact.on <= started_on + _BASELINE]
    baseline = min(candidates, key=lambda fact: (_self_reported(fact), fact.on), default=None)
    return {
        "baseline_on": _text(baseline.on) if baseline else None,
        "baseline_kg": float(baseline.value) if baseline and baseline.value else None,
        "baseline_method": baseline.method if baseline else None,
        "at_weeks": {
            str(weeks): _outcome(baseline, weights, started_on + timedelta(weeks=weeks)) for weeks in _HORIZON_WEEKS
        },
    }


def _outcome(baseline: Fact | None, weights: Sequence[Fact], horizon: date) -> Pathway | None:
    candidates = [fact for fact in weights if horizon - _WINDOW <= fact.on <= horizon + _WINDOW]
    if baseline is None or not candidates:
        return None
    end = max(candidates, key=lambda fact: (fact.on, not _self_reported(fact)))
    assert baseline.value is not None
    assert end.value is not None
    loss = (baseline.value - end.value) * 100 / baseline.value
    return {
        "end_on": end.on.isoformat(),
        "end_kg": float(end.value),
        "loss_pct": float(loss.quantize(Decimal("0.1"), ROUND_HALF_UP)),
        "achieved": loss >= 5,
    }


def _self_reported(fact: Fact) -> bool:
    return fact.method == "self_reported"


# handovers


def _handovers(person: PersonTruth, episodes: Sequence[_ExpectedEpisode], *, as_of: date) -> Iterator[Pathway]:
    sent = [(record.tier, fact) for record in person.records for fact in record.facts if fact.direction == "sent"]
    sent.sort(key=lambda referral: referral[1].on)
    received = _matched([fact for _, fact in sent], episodes)
    for (from_tier, fact), episode in zip(sent, received, strict=True):
        received_on = episode.referred_on if episode else None
        overdue = received_on is None and as_of >= fact.on + _OVERDUE
        yield {
            "from_tier": from_tier,
            "to_tier": fact.to_tier,
            "sent_on": fact.on.isoformat(),
            "received_on": _text(received_on),
            "interval_days": _between(fact.on, received_on),
            "status": "received" if received_on else "overdue" if overdue else "not_received",
        }


def _matched(sent: Sequence[Fact], episodes: Sequence[_ExpectedEpisode]) -> list[_ExpectedEpisode | None]:
    """For each referral sent, in order of sending, the episode that received it: by e-RS number, else the
    earliest.
    """
    free = sorted(
        (episode for episode in episodes if episode.referral),
        key=lambda episode: episode.referred_on or date.min,
    )
    found: dict[int, _ExpectedEpisode] = {}
    for by_number in (True, False):
        for place, fact in enumerate(sent):
            if place in found:
                continue
            fitting = [
                episode for episode in free if episode.record.tier == fact.to_tier and _fits(fact, episode, by_number)
            ]
            if fitting:
                found[place] = fitting[0]
                free.remove(fitting[0])
    return [found.get(place) for place in range(len(sent))]


def _fits(fact: Fact, episode: _ExpectedEpisode, by_number: bool) -> bool:
    assert episode.referral is not None
    if by_number:
        return fact.ubrn is not None and fact.ubrn == episode.referral.ubrn
    return episode.referral.on >= fact.on - _EARLY


# the person


def _current(episodes: Sequence[Pathway], handovers: Sequence[Pathway]) -> Pathway:
    if episodes:
        last = max(episodes, key=lambda episode: str(episode["referred_on"] or ""))
        return {"current_stage": last["stage"], "current_tier": last["tier"], "current_to_tier": None}
    if handovers:
        last = max(handovers, key=lambda handover: str(handover["sent_on"]))
        stage, tier = "referred", "primary_care"
        return {"current_stage": stage, "current_tier": tier, "current_to_tier": last["to_tier"]}
    return {"current_stage": None, "current_tier": None, "current_to_tier": None}


def _demographics(person: PersonTruth) -> Pathway:
    """What records hold, primary care first; only practices send deprivation."""
    records = sorted(person.records, key=lambda record: _TIERS.index(record.tier))
    identities = [record.identity for record in records]
    practice = next((record.identity for record in records if record.tier == "primary_care"), None)
    return {
        "sex": next((identity.sex for identity in identities if identity.sex), None),
        "birth_year": next((identity.birth_date.year for identity in identities if identity.birth_date), None),
        "ethnic_category": next((identity.ethnic_category for identity in identities), None),
        "imd_quintile": practice.address.imd_quintile if practice else None,
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _episode_order(episode: Mapping[str, object]) -> tuple[int, str]:
    return _TIERS.index(str(episode["tier"])), str(episode["referred_on"] or "")


def _handover_order(handover: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(handover[name]) for name in ("sent_on", "from_tier", "to_tier"))


def _weight_order(weight: Mapping[str, object]) -> tuple[str, str, float]:
    kg = weight["kg"]
    assert isinstance(kg, int | float)
    return str(weight["on"]), str(weight["method"]), kg


# against what was published


def differences(expected: Mapping[str, object], published: Mapping[str, object]) -> list[str]:
    """Where the published snapshot (its JSON) says otherwise: one line a place, empty when exact.

    Only what `expected` holds is compared, so a snapshot may say more. Episodes and handovers are paired in
    order of tier and day. Numbers are equal when equal to 0.001: one side went through JSON.
    """
    ordered = {
        **published,
        "episodes": [
            _with_weights_ordered(episode) for episode in sorted(_objects(published["episodes"]), key=_episode_order)
        ],
        "handovers": sorted(_objects(published["handovers"]), key=_handover_order),
    }
    return list(_differing("", expected, ordered))


def _with_weights_ordered(episode: Mapping[str, object]) -> Pathway:
    return {**episode, "weights": sorted(_objects(episode["weights"]), key=_weight_order)}


def _objects(values: object) -> list[Mapping[str, object]]:
    assert isinstance(values, list | tuple)
    return list(values)


def _differing(place: str, expected: object, published: object) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(published, Mapping):
        for name, value in expected.items():
            yield from _differing(f"{place}.{name}" if place else name, value, published.get(name))
    elif isinstance(expected, list) and isinstance(published, list | tuple):
        if len(expected) != len(published):
            yield f"{place}: expected {len(expected)}, published {len(published)}"
        for position, (wanted, found) in enumerate(zip(expected, published, strict=False)):
            yield from _differing(f"{place}[{position}]", wanted, found)
    elif not _equal(expected, published):
        yield f"{place}: expected {expected}, published {published}"


def _equal(expected: object, published: object) -> bool:
    if isinstance(expected, float) and isinstance(published, int | float):
        return abs(expected - published) < 0.001
    return bool(expected == published)
