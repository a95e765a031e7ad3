"""Age on the day of referral: by the date of birth, else by the year alone where that decides it."""

from datetime import date

from ops.lab.simulator.expected.definitions import ADULT_YEARS
from ops.lab.simulator.expected.episodes import ExpectedEpisode
from ops.lab.simulator.expected.people import demographics_of
from ops.lab.simulator.expected.plausible import years_between
from ops.lab.simulator.truth import PersonTruth

Pathway = dict[str, object]
_GROUPS = {True: "adult", False: "child", None: "not_known"}


def is_adult(episode: ExpectedEpisode, person: PersonTruth, on: date | None) -> bool | None:
    """Whether the person was 18 on that day; None where nobody knows."""
    if on is None:
        return None
    if episode.birth_date is not None:
        return years_between(episode.birth_date, on) >= ADULT_YEARS
    year = demographics_of(person)["birth_year"]
    if not isinstance(year, int) or on.year - year == ADULT_YEARS:
        return None
    return on.year - year > ADULT_YEARS


def age_of(episode: ExpectedEpisode, person: PersonTruth) -> Pathway:
    """The age, where the source that received the referral knows the birth date, and the age group."""
    on, born = episode.received_on, episode.birth_date
    age = years_between(born, on) if born and on else None
    group = _GROUPS[is_adult(episode, person, on)]
    return ({"age_group": group} if on else {}) | ({} if age is None else {"age_at_referral": age})
