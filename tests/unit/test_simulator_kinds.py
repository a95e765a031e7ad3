"""Kinds of journeys are dealt by quota: each with a share is there, each without says why."""

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from ops.lab.simulator import rates
from ops.lab.simulator.kinds import KINDS, PersonRoute, deal_kinds
from ops.lab.simulator.rates import default_rates

LOST = PersonRoute("gp_to_tier2_lost", "completed", alone=True)
COMPLETED = PersonRoute("gp_to_tier2", "completed", alone=True)


def dealt(ways: list[PersonRoute], **shares: float) -> Counter[str]:
    return Counter(deal_kinds(Random(1), ways, shares))


def test_the_smallest_share_gives_one_person_and_none_gives_nobody() -> None:
    assert dealt([LOST] * 50, rejected=0.0001) == {"rejected": 1, "": 49}
    assert dealt([LOST] * 50, rejected=0) == {"": 50}


def test_a_share_is_of_all_people_rounded_up() -> None:
    assert dealt([LOST] * 30 + [COMPLETED] * 30, rejected=0.02)["rejected"] == 2


def test_nobody_has_a_kind_that_their_route_does_not_allow() -> None:
    assert dealt([COMPLETED] * 20, rejected=0.5) == {"": 20}
    assert dealt([PersonRoute("gp_to_tier2", "declined", alone=True)] * 20, pounds_as_kilograms=0.5) == {"": 20}
    assert dealt([PersonRoute("gp_to_tier2", "completed", alone=False)] * 20, child=0.5) == {"": 20}


def test_nobody_has_two_kinds() -> None:
    assert sum(dealt([LOST] * 3, rejected=1, revoked=1).values()) == 3


def test_a_share_of_no_kind_is_refused() -> None:
    with pytest.raises(KeyError, match="unheard_of"):
        deal_kinds(Random(1), [LOST], {"unheard_of": 0.1})


def test_every_kind_has_a_share_and_one_without_has_its_reason() -> None:
    shares = default_rates().kinds
    assert set(shares) == set(KINDS)
    text = Path(rates.__file__).with_name("rates.toml").read_text("utf-8")
    for kind in (kind for kind, share in shares.items() if not share):
        assert re.search(rf"^{kind} = 0 +# \S+", text, re.MULTILINE), f"{kind} does not say why it is off"
