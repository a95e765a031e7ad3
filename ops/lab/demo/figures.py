"""What the snapshots of one recipient add up to: funnel, waits, gaps, one equity row. Pure; reads no topic.

For one machine's demonstration only: counts here are exact. Counts for the public need disclosure control first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from ops.lab.demo.outcome_figures import HORIZON_WEEKS, episodes_of, outcome_figures, outcome_of
from ops.lab.demo.snapshot_json import EpisodeJson, HandoverJson, SnapshotJson, WeightJson

TIERS = ("tier2", "tier3")
TIMELINE_WEEKS = 12


@dataclass(frozen=True)
class Funnel:
    """One tier: how many episodes reached each stage, and the median waits in days (None without any)."""

    tier: str
    referred: int
    accepted: int
    started: int
    completed: int
    acceptance_wait_days: float | None
    session_wait_days: float | None


def funnel(snapshots: Iterable[SnapshotJson], tier: str) -> Funnel:
    """The funnel of `tier`: a completer stays one, whatever came after (`stage-and-ending/1`)."""
    episodes = list(episodes_of(snapshots, tier))
    return Funnel(
        tier=tier,
        referred=len(episodes),
        accepted=sum(bool(episode["accepted_on"]) for episode in episodes),
        started=sum(bool(episode["started_on"]) for episode in episodes),
        completed=sum(episode["ending"] == "completed" for episode in episodes),
        acceptance_wait_days=_median(episode["waits"]["received_to_acceptance_days"] for episode in episodes),
        session_wait_days=_median(episode["waits"]["received_to_first_session_days"] for episode in episodes),
    )


@dataclass(frozen=True)
class HandoverFigures:
    """Who was sent from one tier to the next: how many, how many arrived, came back answered, are overdue."""

    from_tier: str
    to_tier: str
    sent: int
    received: int
    answered: int
    overdue: int


_ENDS_OF_HANDOVERS = ("received", "answered", "overdue")


def gaps(snapshots: Iterable[SnapshotJson]) -> list[HandoverFigures]:
    """One row for each pair of tiers that anyone was sent between."""
    by_pair: dict[tuple[str, str], list[str]] = {}
    for snapshot in snapshots:
        for handover in snapshot["handovers"]:
            by_pair.setdefault((handover["from_tier"], handover["to_tier"]), []).append(handover["status"])
    return [
        HandoverFigures(*pair, len(statuses), *(statuses.count(status) for status in _ENDS_OF_HANDOVERS))
        for pair, statuses in sorted(by_pair.items())
    ]


@dataclass(frozen=True)
class NeverReceived:
    """One person who was sent on and, as far as is known, never arrived."""

    person: str
    from_tier: str
    to_tier: str
    sent_on: str


def never_received(snapshots: Iterable[SnapshotJson]) -> list[NeverReceived]:
    """Everyone in the gap, longest waiting first."""
    found = [
        NeverReceived(snapshot["person"], handover["from_tier"], handover["to_tier"], handover["sent_on"])
        for snapshot in snapshots
        for handover in snapshot["handovers"]
        if handover["status"] == "overdue"
    ]
    return sorted(found, key=lambda gap: (gap.sent_on, gap.person))


@dataclass(frozen=True)
class EquityRow:
    """One IMD quintile (1 most deprived, None not known): people; of Tier 2 those referred, those who started, whose 12
    weeks are over, and who of these lost 5 %.
    """

    imd_quintile: int | None
    people: int
    referred: int
    started: int
    closed: int
    lost_closed: int


def equity(snapshots: Sequence[SnapshotJson]) -> list[EquityRow]:
    """Rows by IMD quintile, not known last."""
    groups: dict[int | None, list[SnapshotJson]] = {}
    for snapshot in snapshots:
        groups.setdefault(snapshot["demographics"]["imd_quintile"], []).append(snapshot)
    rows = []
    for quintile, members in sorted(groups.items(), key=lambda item: (item[0] is None, item[0] or 0)):
        reached, outcomes = funnel(members, "tier2"), outcome_figures(members, "tier2", TIMELINE_WEEKS)
        counts = (reached.referred, reached.started, outcomes.closed, outcomes.lost_closed)
        rows.append(EquityRow(quintile, len(members), *counts))
    return rows


def example(snapshots: Iterable[SnapshotJson]) -> SnapshotJson | None:
    """A person worth looking at: three tiers, a 12-week outcome in Tier 2, most weights; ties by id."""
    full = [snapshot for snapshot in snapshots if snapshot["three_tier"]]
    return max(full, key=_richness, default=None)


@dataclass(frozen=True)
class TimelineRow:
    """One line of a timeline."""

    on: str
    tier: str
    text: str


def timeline(snapshot: SnapshotJson) -> list[TimelineRow]:
    """What happened to one person, in order of date, with waits and the definition of each."""
    lines = []
    for handover in snapshot["handovers"]:
        lines.append(
            TimelineRow(handover["sent_on"], handover["from_tier"], f"referred to {_readable(handover['to_tier'])}")
        )
        if handover["overdue_since"]:
            since = "never received" if handover["status"] == "overdue" else f"{handover['status']} later"
            text = f"overdue: {since} ({handover['definition']})"
            lines.append(TimelineRow(handover["overdue_since"], handover["to_tier"], text))
    for episode in snapshot["episodes"]:
        lines += _episode_lines(episode, snapshot["handovers"])
    return sorted(lines, key=lambda line: line.on)


def _episode_lines(episode: EpisodeJson, handovers: Iterable[HandoverJson]) -> list[TimelineRow]:
    tier, waits = episode["tier"], episode["waits"]
    interval = next((handover["interval_days"] for handover in handovers if handover["episode"] == episode["id"]), None)
    after = "" if interval is None else f", {interval} days after it was sent"
    dated_texts = [
        (episode["received_on"], f"referral received{after}"),
        (
            episode["accepted_on"],
            _wait("accepted", waits["received_to_acceptance_days"], episode["acceptance_definition"]),
        ),
        (episode["declined_on"], f"declined ({episode['decline_reason'] or 'no reason given'})"),
        (episode["started_on"], f"started ({episode['start_definition']})"),
        (
            episode["first_session_on"],
            _wait("first session", waits["received_to_first_session_days"], waits["definition"]),
        ),
        (episode["withdrawn_on"], "withdrew"),
        (episode["discharged_on"], "discharged"),
        *(
            (completion["on"], f"completed, {completion['basis']} ({completion['definition']})")
            for completion in episode["completions"]
            if completion["met"]
        ),
    ]
    lines = [TimelineRow(on, tier, text) for on, text in dated_texts if on]
    lines += [
        TimelineRow(weight["on"], tier, f"weight {weight['kg']:.1f} kg ({_how_taken(weight)})")
        for weight in episode["weights"]
    ]
    return [*lines, *_outcome_lines(episode)]


def _how_taken(weight: WeightJson) -> str:
    return _readable(weight["method"]) + ("" if weight["plausible"] else ", not plausible")


def _outcome_lines(episode: EpisodeJson) -> Iterator[TimelineRow]:
    for weeks in HORIZON_WEEKS:
        outcome = outcome_of(episode, weeks)
        if outcome is not None and outcome["end_on"] and outcome["loss_pct"] is not None:
            verdict = "at least 5 % lost" if outcome["achieved"] else "less than 5 % lost"
            text = f"{weeks} weeks: {outcome['loss_pct']:.1f} %, {verdict} ({outcome['definition']})"
            yield TimelineRow(outcome["end_on"], episode["tier"], text)


def _wait(what: str, wait_days: int | None, definition: str | None) -> str:
    after = "" if wait_days is None else f" after {wait_days} days"
    return f"{what}{after} ({definition})" if definition else f"{what}{after}"


def _readable(name: str) -> str:
    return {"primary_care": "primary care", "tier2": "Tier 2", "tier3": "Tier 3", "tier4": "Tier 4"}.get(
        name, name.replace("_", "-")
    )


def _richness(snapshot: SnapshotJson) -> tuple[bool, int, str]:
    tier2 = [episode for episode in snapshot["episodes"] if episode["tier"] == "tier2"]
    weights = sum(len(episode["weights"]) for episode in snapshot["episodes"])
    is_measured = any(
        (outcome := outcome_of(episode, TIMELINE_WEEKS)) is not None and outcome["loss_pct"] is not None
        for episode in tier2
    )
    return is_measured, min(weights, 20), snapshot["person"]


def _median(days: Iterable[int | None]) -> float | None:
    known = [day for day in days if day is not None]
    return float(median(known)) if known else None
