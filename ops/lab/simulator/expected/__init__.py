"""What the published pathway of a person must contain, worked out from what is true of them.

Written from the definitions (`schemas/definitions`) and from no step: two readings of one text, compared person by
person. Days are ISO texts and weights floats, as in the JSON of a snapshot; what the truth cannot know (ids, revisions)
is left out, and so is what no definition settles.
"""

from collections.abc import Sequence
from datetime import date

from ops.lab.simulator.expected.ages import age_of
from ops.lab.simulator.expected.body_size import bmi_at_referral, height_cm
from ops.lab.simulator.expected.clocks import rtt_of, waits_of
from ops.lab.simulator.expected.comparison import Pathway, differences, episode_order, in_order
from ops.lab.simulator.expected.counts import (
    attendance_of,
    completions_of,
    experience_of,
    procedures_of,
    scores_of,
    suspensions_of,
)
from ops.lab.simulator.expected.courses import courses_of
from ops.lab.simulator.expected.definitions import TIERS
from ops.lab.simulator.expected.eligibility import eligibility_of
from ops.lab.simulator.expected.episodes import ExpectedEpisode, episodes_of
from ops.lab.simulator.expected.findings import findings_of
from ops.lab.simulator.expected.handovers import SentReferral, handovers_of, sent_referrals
from ops.lab.simulator.expected.outcomes import PersonFacts, outcomes_of
from ops.lab.simulator.expected.people import (
    all_medicines,
    conditions_of,
    demographics_of,
    died_on,
    medicines_of,
)
from ops.lab.simulator.expected.plausible import doubts_of, kilograms, weights_of
from ops.lab.simulator.expected.timeline import (
    accepted,
    ending_of,
    first_day,
    sessions,
    stage_of,
    started,
    treated_on,
)
from ops.lab.simulator.model import Fact
from ops.lab.simulator.truth import PersonTruth

__all__ = ["Pathway", "differences", "expected_pathway"]


def expected_pathway(person: PersonTruth, *, as_of: date) -> Pathway:
    """The snapshot of `person` once every fact up to `as_of` is in: episodes by tier and day, handovers, courses."""
    episodes = episodes_of(person)
    doubts = doubts_of(person, [episode.facts for episode in episodes if episode.retracted])
    about = PersonFacts(person, episodes, doubts, died_on(person), as_of, _taken_out_after_death(person, episodes))
    sent = sent_referrals(person, episodes, about.died_on)
    demographics, medicines = demographics_of(person), all_medicines(person)
    handovers = in_order("handovers", list(handovers_of(sent, about)))
    conditions = conditions_of(person)
    tiers = {episode.tier for episode in episodes if not episode.retracted}
    quintile = demographics["imd_quintile"]
    return {
        **_current(about, sent),
        "three_tier": any(item.record.tier == "primary_care" for item in sent) and {"tier2", "tier3"} <= tiers,
        "first_contact_on": _text(first_day(fact for episode in episodes for fact in episode.seen)),
        "demographics": demographics,
        "core20": None if quintile is None else quintile == 1,
        "comorbidities": sorted(name for name, present in conditions.items() if present),
        "ruled_out": sorted(name for name, present in conditions.items() if not present),
        "medicines": in_order("medicines", [medicine.shown() for medicine in medicines]),
        "died_on": _text(about.died_on),
        "episodes": sorted((_shown(episode, about, sent) for episode in episodes), key=episode_order),
        "handovers": handovers,
        "courses": courses_of(about, medicines),
        "findings": findings_of(about),
    }


def _taken_out_after_death(person: PersonTruth, episodes: Sequence[ExpectedEpisode]) -> list[Fact]:
    """What the episodes hold of days after the death: it counts in nothing."""
    last = died_on(person) or date.max
    after = [fact for episode in episodes for fact in episode.facts if fact.on > last]
    for episode in episodes:
        episode.facts = [fact for fact in episode.facts if fact.on <= last]
    return after


def _shown(episode: ExpectedEpisode, about: PersonFacts, sent: Sequence[SentReferral]) -> Pathway:
    sent_on = next((item.fact.on for item in sent if item.received is episode), None)
    category = demographics_of(about.person).get("ethnic_category")
    ending = ending_of(episode, about.died_on)
    clock, wait = rtt_of(episode, about.episodes, about.died_on)
    bmi, height = bmi_at_referral(episode, about), height_cm(episode, about)
    return {
        "tier": episode.tier,
        **_of_referral(episode),
        "ambiguous": episode.ambiguous,
        "referral_retracted": episode.retracted,
        **age_of(episode, about.person),
        "bmi_at_referral": None if bmi is None else float(bmi),
        "height_cm": None if height is None else float(height),
        "stage": stage_of(episode, about.died_on)[1],
        "ending": ending.ending,
        "ending_on": _text(ending.on),
        **({} if ending.ending == "completed" else {"ending_reason": ending.reason}),
        "sent_on": _text(sent_on),
        **_days(episode),
        "suspensions": suspensions_of(episode),
        "completions": completions_of(episode, about.as_of),
        "attendance": attendance_of(episode),
        "weights": in_order("weights", [_weight(fact, about) for fact in weights_of(episode.facts)]),
        "waits": waits_of(episode, sent_on, about.died_on),
        "rtt": clock,
        "wait_to_first_attendance": wait,
        "outcomes": in_order("outcomes", outcomes_of(episode, about)),
        "medicines": in_order("medicines", [item.shown() for item in medicines_of(episode.facts, episode.tier)]),
        "procedures": procedures_of(episode),
        "scores": scores_of(episode),
        "experience": experience_of(episode),
        "eligibility": eligibility_of(episode, about, category if isinstance(category, str) else None),
    }


def _of_referral(episode: ExpectedEpisode) -> Pathway:
    """What the referral says; of a hub and a provider, route hub and what the provider says."""
    referral = max(episode.referrals, key=lambda fact: fact.on, default=None)
    if referral is None:
        return {"route": None, "received_on": None, "programme": None, "provider_ods": None, "referral_source": None}
    providers = {fact.provider_ods for fact in episode.referrals}
    route = "hub" if len(providers) > 1 else "self" if referral.referral_source == "self" else "direct"
    return {
        "route": route,
        "received_on": _text(episode.received_on),
        "programme": referral.programme,
        "provider_ods": referral.provider_ods,
        "referral_source": referral.referral_source,
        "priority": referral.priority,
        "consultant_led": referral.consultant_led,
    }


def _days(episode: ExpectedEpisode) -> Pathway:
    accepted_on, acceptance_definition = accepted(episode)
    started_on, start_definition = started(episode)
    declines, choices, triages = episode.of("decline"), episode.of("choice"), episode.of("triage")
    withdrawals, discharges = episode.of("withdrawal"), episode.of("discharge")
    return {
        "triaged_on": _text(first_day(triages)),
        "triage_level": _last(triages, "level"),
        "offered_count": _last(choices, "offered_count"),
        "chosen_on": _text(first_day(choices)),
        "chosen_provider_ods": _last(choices, "provider_ods"),
        "accepted_on": _text(accepted_on),
        "acceptance_definition": acceptance_definition,
        "declined_on": _text(first_day(declines)),
        "declined_by": _last(declines, "by"),
        "decline_reason": _last(declines, "reason"),
        "first_contact_on": _text(first_day(episode.seen)),
        "first_session_on": _text(first_day(sessions(episode))),
        "started_on": _text(started_on),
        "start_definition": start_definition,
        "treated_on": _text(treated_on(episode)),
        "withdrawn_on": _text(first_day(withdrawals)),
        "withdrawal_reason": _last(withdrawals, "reason"),
        "discharged_on": _text(first_day(discharges)),
        "discharge_reason": _last(discharges, "reason"),
    }


def _last(facts: Sequence[Fact], name: str) -> object:
    return getattr(facts[-1], name) if facts else None


def _weight(fact: Fact, about: PersonFacts) -> Pathway:
    doubt = about.doubts.get(fact)
    kg = float(kilograms(fact))
    return {"on": fact.on.isoformat(), "kg": kg, "method": fact.method, "plausible": doubt is None, "doubt": doubt}


def _current(about: PersonFacts, sent: Sequence[SentReferral]) -> Pathway:
    """Of the open episode of the highest tier; without one, of the one whose stage is the latest.

    An episode whose referral was taken back counts only where there is no other.
    """
    episodes = [episode for episode in about.episodes if not episode.retracted] or about.episodes
    still_open = [episode for episode in episodes if ending_of(episode, about.died_on).ending == "none"]
    if still_open:
        current = max(still_open, key=lambda item: (TIERS.index(item.tier), item.received_on or date.min))
    elif episodes:
        current = max(episodes, key=lambda item: stage_of(item, about.died_on)[0])
    elif sent:
        to_tier = max(sent, key=lambda item: item.fact.on).fact.to_tier
        return {"current_stage": "referred", "current_tier": "primary_care", "current_to_tier": to_tier}
    else:
        return {"current_stage": None, "current_tier": None, "current_to_tier": None}
    stage = stage_of(current, about.died_on)[1]
    return {"current_stage": stage, "current_tier": current.tier, "current_to_tier": None}


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
