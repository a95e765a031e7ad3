"""How many got how far, tier by tier: counted alike from expected and from published pathways."""

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

_WAITS = (
    "referral_to_acceptance",
    "acceptance_to_first_attendance",
    "referral_to_first_attendance",
    "referral_to_start",
)


def funnel(pathways: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Tier -> episodes referred, accepted, started, completed, and those who lost 5 % at 12 weeks on both
    denominators.

    `lost_of_starters` counts every started episode's loss, `lost_of_completers` that of `completers`:
    completed, with a baseline and an end weight. `median_wait_days` holds each wait's median over the
    episodes that have it.
    """
    episodes: dict[str, list[Mapping[str, Any]]] = {}
    for pathway in pathways:
        for episode in pathway["episodes"]:
            episodes.setdefault(episode["tier"], []).append(episode)
    return {tier: _counts(of_tier) for tier, of_tier in sorted(episodes.items())}


def gaps(pathways: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """`from>to` -> referrals sent and overdue: never received."""
    found: dict[str, int] = {}
    for pathway in pathways:
        for handover in pathway["handovers"]:
            if handover["status"] == "overdue":
                way = f"{handover['from_tier']}>{handover['to_tier']}"
                found[way] = found.get(way, 0) + 1
    return dict(sorted(found.items()))


def _counts(episodes: list[Mapping[str, Any]]) -> dict[str, Any]:
    started = [one for one in episodes if one["started_on"]]
    completers = [one for one in started if one["completed_on"] and _at_12_weeks(one)]
    return {
        "referred": len(episodes),
        "accepted": sum(bool(one["accepted_on"]) for one in episodes),
        "declined": sum(bool(one["declined_on"]) for one in episodes),
        "started": len(started),
        "completed": sum(bool(one["completed_on"]) for one in episodes),
        "lost_of_starters": sum(_achieved(one) for one in started),
        "completers": len(completers),
        "lost_of_completers": sum(_achieved(one) for one in completers),
        "median_wait_days": {name: _median(one["waits"][name] for one in episodes) for name in _WAITS},
    }


def _at_12_weeks(episode: Mapping[str, Any]) -> Mapping[str, Any] | None:
    loss = episode["loss"]
    return loss["at_weeks"].get("12") if loss else None


def _achieved(episode: Mapping[str, Any]) -> bool:
    outcome = _at_12_weeks(episode)
    return bool(outcome and outcome["achieved"])


def _median(days: Iterable[int | None]) -> float | None:
    known = [one for one in days if one is not None]
    return float(median(known)) if known else None
