"""Height and body mass index at the referral: bmi-at-referral/1."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from ops.lab.simulator.expected.definitions import BMI_AFTER, BMI_BEFORE, BMI_LEAST, BMI_MOST, BMI_OFF_PCT
from ops.lab.simulator.expected.episodes import ExpectedEpisode
from ops.lab.simulator.expected.outcomes import PersonFacts
from ops.lab.simulator.expected.plausible import adult_heights, kilograms, weights_of
from ops.lab.simulator.model import Fact


def height_cm(episode: ExpectedEpisode, about: PersonFacts) -> Decimal | None:
    """The latest adult height that counts, of the services of the episode before others."""
    heights = adult_heights(about.person)
    of_episode = [fact for fact in heights if fact in _facts(about, episode.sources)]
    latest = (of_episode or heights)[-1:]
    return kilograms(latest[0]) if latest else None


def _facts(about: PersonFacts, sources: set[str]) -> set[Fact]:
    return {fact for record in about.person.records if record.source in sources for fact in record.facts}


def bmi_at_referral(episode: ExpectedEpisode, about: PersonFacts) -> Decimal | None:
    """The reported one nearest to the receipt, else of the nearest counted weight and the adult height."""
    on = episode.received_on
    if on is None:
        return None
    facts = [fact for record in about.person.records for fact in record.facts]
    doubted = doubted_bmis(about)
    reported = _nearest([fact for fact in facts if fact.quantity == "bmi" and fact not in doubted], on)
    if reported is not None:
        return _shown(kilograms(reported))
    weight = _nearest([fact for fact in weights_of(facts) if fact not in about.doubts], on)
    height = height_cm(episode, about)
    return _shown(kilograms(weight) * 10000 / height / height) if weight and height else None


def doubted_bmis(about: PersonFacts) -> Mapping[Fact, str]:
    """Why each body mass index that does not count does not, by plausibility/1."""
    apart = {fact for episode in about.episodes if episode.retracted for fact in episode.facts}
    facts = [fact for record in about.person.records for fact in record.facts if fact not in apart]
    heights = adult_heights(about.person)
    weights = [fact for fact in weights_of(facts) if fact not in about.doubts]
    doubted = {}
    for fact in (fact for fact in facts if fact.quantity == "bmi"):
        of_day = [kilograms(weight) for weight in weights if weight.on == fact.on] if heights else []
        computed = [weight * 10000 / kilograms(heights[-1]) ** 2 for weight in of_day]
        if not BMI_LEAST <= kilograms(fact) <= BMI_MOST:
            doubted[fact] = "bmi_out_of_range"
        elif computed and not any(abs(kilograms(fact) - bmi) * 100 <= BMI_OFF_PCT * bmi for bmi in computed):
            doubted[fact] = "bmi_contradicts"
    return doubted


def _nearest(facts: Sequence[Fact], on: date) -> Fact | None:
    fitting = [fact for fact in facts if on - BMI_BEFORE <= fact.on <= on + BMI_AFTER]
    return min(fitting, key=lambda fact: abs((fact.on - on).days), default=None)


def _shown(bmi: Decimal) -> Decimal:
    return bmi.quantize(Decimal("0.1"), ROUND_HALF_UP)
