"""Kinds of journeys that a clinician or commissioner would ask after, dealt to people whose route allows them.

A quota, not a chance: of a kind with a share there is at least one where anybody fits, so every run of 200 people has
each. A kind whose facts no door reads yet has the share 0 in `rates.toml`, with the reason beside it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

_PROGRAMME = ("gp_to_tier2", "self_to_tier2")
_LOST = ("gp_to_tier2_lost",)
_COMPLETED = ("completed",)


@dataclass(frozen=True, slots=True)
class KindRule:
    """Whom a kind fits: people of these routes, with one of these outcomes at Tier 2, and (`alone`) without family."""

    routes: tuple[str, ...]
    outcomes: tuple[str, ...] = ()
    alone: bool = False


# Those that fit fewest people come first.
KINDS: Mapping[str, KindRule] = {
    "returned_with_advice": KindRule(("gp_to_tier2_lost", "gp_to_tier3_lost")),
    "rejected": KindRule(_LOST),
    "revoked": KindRule(_LOST),
    "died_waiting": KindRule(_LOST),
    "sent_by_mistake": KindRule(_LOST),
    "lost_then_self_referral": KindRule(_LOST),
    "onward_returned": KindRule(("gp_to_tier2_lost_before_tier3",)),
    "booking_numbers_differ": KindRule(("gp_to_tier3",)),
    "medicine_before_tier3": KindRule(("gp_to_tier3",)),
    "first_appointment_missed": KindRule(("gp_to_tier3", "gp_to_tier2_to_tier3")),
    "two_referrals_open": KindRule(("gp_to_tier2_to_tier3",)),
    "referral_taken_back": KindRule(("gp_to_tier2_to_tier3",)),
    "only_referral_taken_back": KindRule(("gp_to_tier2_to_tier3",)),
    "contacts_under_second_number": KindRule(("gp_to_tier2_to_tier3",)),
    "medicine_at_tier3": KindRule(("gp_to_tier3", "gp_to_tier2_to_tier3")),
    "procedure": KindRule(("gp_to_tier2_to_tier3",)),
    "assessment_first": KindRule(("gp_to_tier2_to_tier3",)),
    "rtt_status": KindRule(("gp_to_tier2_to_tier3",)),
    "declined_then_accepted": KindRule(_PROGRAMME, _COMPLETED),
    "withdrew_before_start": KindRule(_PROGRAMME, ("no_start",)),
    "discharged_before_start": KindRule(_PROGRAMME, ("no_start",)),
    "triaged": KindRule(_PROGRAMME, ("no_start", "withdrawn")),
    "rejected_then_received": KindRule(("gp_to_tier2",), ("no_start", "withdrawn")),
    "referred_again": KindRule(("gp_to_tier2",), ("withdrawn",)),
    "referred_again_in_second_record": KindRule(("gp_to_tier2",), ("withdrawn",)),
    "left_after_completion": KindRule(_PROGRAMME, _COMPLETED),
    "child": KindRule(("gp_to_tier2",), _COMPLETED, alone=True),
    "died_in_programme": KindRule(_PROGRAMME, _COMPLETED),
    "pregnancy": KindRule(_PROGRAMME, _COMPLETED),
    "second_programme": KindRule(("gp_to_tier2",), _COMPLETED),
    "medicine_beside_programme": KindRule(("gp_to_tier2",), _COMPLETED),
    "two_services_same_day": KindRule(("gp_to_tier2",), _COMPLETED),
    "late_receipt": KindRule(("gp_to_tier2",), _COMPLETED),
    "receipt_after_the_bound": KindRule(("gp_to_tier2",), _COMPLETED),
    "receipt_corrected": KindRule(("gp_to_tier2",), _COMPLETED),
    "first_session_missed": KindRule(_PROGRAMME, _COMPLETED),
    "first_weight_late": KindRule(_PROGRAMME, _COMPLETED),
    "pounds_as_kilograms": KindRule(_PROGRAMME, _COMPLETED),
    "weight_out_of_range": KindRule(_PROGRAMME, _COMPLETED),
    "height_shrinks": KindRule(("gp_to_tier2",), _COMPLETED),
    "self_reported_beside_measured": KindRule(_PROGRAMME, _COMPLETED),
    "session_in_week_15": KindRule(_PROGRAMME, _COMPLETED),
    "between_bmi_thresholds": KindRule(("gp_to_tier2",), _COMPLETED),
    "telephone_before_session": KindRule(_PROGRAMME, _COMPLETED),
    "completion_not_reported": KindRule(_PROGRAMME, _COMPLETED),
    "two_completions": KindRule(_PROGRAMME, _COMPLETED),
    "scores": KindRule(_PROGRAMME, _COMPLETED),
    "ethnicity_not_stated": KindRule(("gp_to_tier2", "gp_to_tier2_to_tier3")),
}


@dataclass(frozen=True, slots=True)
class PersonRoute:
    """One person's way: the route, what becomes of Tier 2, and whether nobody else here is of their household."""

    route: str
    outcome: str
    alone: bool


def deal_kinds(rng: Random, ways: Sequence[PersonRoute], shares: Mapping[str, float]) -> list[str]:
    """The kind of each person's journey, "" for the usual one. Raises KeyError for a share of no kind."""
    kinds = [""] * len(ways)
    places = list(range(len(ways)))
    unknown = set(shares) - set(KINDS)
    if unknown:
        raise KeyError(min(unknown))
    for kind, rule in KINDS.items():
        rng.shuffle(places)
        fitting = [place for place in places if not kinds[place] and _fits(rule, ways[place])]
        for place in fitting[: math.ceil(shares.get(kind, 0.0) * len(ways))]:
            kinds[place] = kind
    return kinds


def _fits(rule: KindRule, way: PersonRoute) -> bool:
    return (
        way.route in rule.routes
        and (not rule.outcomes or way.outcome in rule.outcomes)
        and (way.alone or not rule.alone)
    )
