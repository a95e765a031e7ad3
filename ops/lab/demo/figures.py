"""What the snapshots of one recipient add up to: funnel, waits, gaps, one equity row. Pure; reads no topic.

For one machine's demonstration only: counts here are exact. Counts for the public need disclosure control first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from ops.lab.demo.snapshot_json import EpisodeJson, HandoverJson, OutcomeJson, SnapshotJson

TIERS = ("tier2", "tier3")
HORIZON = "12"


@dataclass(frozen=True)
class Funnel:
    """One tier: how many episodes reached each stage, and the median waits in days (None without any)."""

    tier: str
    referred: int
    accepted: int
    started: int
    completed: int
    lost_5pct: int
    lost_5pct_completers: int
    counted_completers: int
    acceptance_wait_days: float | None
    start_wait_days: float | None


def funnel(snapshots: Iterable[SnapshotJson], tier: str) -> Funnel:
    """The funnel of `tier`. Both denominators: all who started, and completers with both weights (`loss-5pct/1`)."""
    episodes = [episode for snapshot in snapshots for episode in snapshot["episodes"] if episode["tier"] == tier]
    started = [episode for episode in episodes if episode["started_on"]]
    outcomes = [(episode, outcome) for episode in started if (outcome := _outcome(episode)) is not None]
    completers = [outcome for episode, outcome in outcomes if episode["completed_on"]]
    return Funnel(
        tier=tier,
        referred=len(episodes),
        accepted=sum(bool(episode["accepted_on"]) for episode in episodes),
        started=len(started),
        completed=sum(bool(episode["completed_on"]) for episode in started),
        lost_5pct=sum(outcome["achieved"] for _, outcome in outcomes),
        lost_5pct_completers=sum(outcome["achieved"] for outcome in completers),
        counted_completers=len(completers),
        acceptance_wait_days=_median(episode["waits"]["referral_to_acceptance"] for episode in episodes),
        start_wait_days=_median(episode["waits"]["referral_to_start"] for episode in episodes),
    )


@dataclass(frozen=True)
class HandoverFigures:
    """Who was sent from one tier to the next: how many, how many arrived, how many are overdue."""

    from_tier: str
    to_tier: str
    sent: int
    received: int
    overdue: int


def gaps(snapshots: Iterable[SnapshotJson]) -> list[HandoverFigures]:
    """One row for each pair of tiers that anyone was sent between."""
    by_pair: dict[tuple[str, str], list[str]] = {}
    for snapshot in snapshots:
        for handover in snapshot["handovers"]:
            by_pair.setdefault((handover["from_tier"], handover["to_tier"]), []).append(handover["status"])
    return [
        HandoverFigures(*pair, len(statuses), statuses.count("received"), statuses.count("overdue"))
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
    """One IMD quintile (1 most deprived, None not known): people, Tier 2 referred, started and lost 5 %."""

    imd_quintile: int | None
    people: int
    referred: int
    started: int
    lost_5pct: int


def equity(snapshots: Sequence[SnapshotJson]) -> list[EquityRow]:
    """Rows by IMD quintile, not known last."""
    groups: dict[int | None, list[SnapshotJson]] = {}
    for snapshot in snapshots:
        groups.setdefault(snapshot["demographics"]["imd_quintile"], []).append(snapshot)
    rows = []
    for quintile, members in sorted(groups.items(), key=lambda item: (item[0] is None, item[0] or 0)):
        reached = funnel(members, "tier2")
        rows.append(EquityRow(quintile, len(members), reached.referred, reached.started, reached.lost_5pct))
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
        if handover["status"] == "overdue":
            lines.append(
                TimelineRow(handover["sent_on"], handover["to_tier"], f"never received ({handover['definition']})")
            )
    for episode in snapshot["episodes"]:
        lines += _episode_lines(episode, snapshot["handovers"])
    return sorted(lines, key=lambda line: line.on)


def _episode_lines(episode: EpisodeJson, handovers: Iterable[HandoverJson]) -> list[TimelineRow]:
    tier, waits = episode["tier"], episode["waits"]
    interval = next((handover["interval_days"] for handover in handovers if handover["episode"] == episode["id"]), None)
    after = "" if interval is None else f", {interval} days after it was sent"
    dated_texts = [
        (episode["referred_on"], f"referral received{after}"),
        (
            episode["accepted_on"],
            _wait("accepted", waits["referral_to_acceptance"], episode["acceptance_definition"]),
        ),
        (episode["declined_on"], f"declined ({episode['decline_reason'] or 'no reason given'})"),
        (episode["started_on"], _wait("started", waits["referral_to_start"], waits["definition"])),
        (episode["completed_on"], f"completed ({episode['completion_definition']})"),
        (episode["withdrawn_on"], "withdrew"),
        (episode["discharged_on"], "discharged"),
    ]
    lines = [TimelineRow(on, tier, text) for on, text in dated_texts if on]
    lines += [
        TimelineRow(weight["on"], tier, f"weight {weight['kg']:.1f} kg ({_readable(weight['method'])})")
        for weight in episode["weights"]
    ]
    outcome, loss = _outcome(episode), episode["loss"]
    if outcome is not None and loss is not None:
        verdict = "at least 5 % lost" if outcome["achieved"] else "less than 5 % lost"
        text = f"12 weeks: {outcome['loss_pct']:.1f} %, {verdict} ({loss['definition']})"
        lines.append(TimelineRow(outcome["end_on"], tier, text))
    return lines


def _wait(what: str, wait_days: int | None, definition: str | None) -> str:
    after = "" if wait_days is None else f" after {wait_days} days"
    return f"{what}{after} ({definition})" if definition else f"{what}{after}"


def _readable(name: str) -> str:
    return {"primary_care": "primary care", "tier2": "Tier 2", "tier3": "Tier 3", "tier4": "Tier 4"}.get(
        name, name.replace("_", "-")
    )


def _outcome(episode: EpisodeJson) -> OutcomeJson | None:
    loss = episode["loss"]
    return None if loss is None else loss["at_weeks"].get(HORIZON)


def _richness(snapshot: SnapshotJson) -> tuple[bool, int, str]:
    tier2 = [episode for episode in snapshot["episodes"] if episode["tier"] == "tier2"]
    weights = sum(len(episode["weights"]) for episode in snapshot["episodes"])
    return any(_outcome(episode) is not None for episode in tier2), min(weights, 20), snapshot["person"]


def _median(days: Iterable[int | None]) -> float | None:
    known = [day for day in days if day is not None]
    return float(median(known)) if known else None
