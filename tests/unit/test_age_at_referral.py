"""The age at the referral is counted where birth date and day meet, and the birth date goes no further.

Source: Family Law Reform Act 1969, section 9: an age is attained at the beginning of the anniversary of the birth. A
common year has none for somebody born on 29 February, who is a year older from 1 March.
"""

from datetime import date

import pytest
from fhir_samples import COUNCIL, TOLD_AT

from ops.lab.known_keys import known_keys
from schemas.facts import Body, Referral, Triage
from schemas.identity import LocalId, Person
from schemas.source_message import SourceFact, SourceMessage
from streams.steps.pseudonyms import Pseudonyms, age_years

ON = date(2026, 3, 1)


def stored(body: Body, born: date | None) -> Body:
    """The body as ingress stores it."""
    person = Person(local_id=LocalId("C-1"), birth_date=born)
    message = SourceMessage("M-1", TOLD_AT, person, (SourceFact(body, "R-1"),))  # type: ignore[arg-type]
    pseudonyms = Pseudonyms.of(known_keys("simulation", recipients=("demo",)))
    (fact,) = pseudonyms.entry(message, COUNCIL, "entry").content.facts
    return fact.body


def referral(**fields: object) -> Referral:
    return Referral(on=ON, direction="received", to_tier="tier2", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        (date(1980, 3, 1), date(2026, 3, 1), 46),
        (date(1980, 3, 2), date(2026, 3, 1), 45),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2026, 3, 1), date(2026, 3, 1), 0),
    ],
)
def test_completed_years_on_a_day(born: date, on: date, years: int) -> None:
    assert age_years(born, on) == years


def test_a_referral_is_stored_with_the_age_on_its_day() -> None:
    assert stored(referral(), date(2008, 3, 2)) == referral(age_years=17)


def test_without_a_birth_date_the_age_is_as_the_source_says() -> None:
    assert stored(referral(age_years=44), None) == referral(age_years=44)
    assert stored(referral(), None) == referral()


def test_the_birth_date_outranks_an_age_that_contradicts_it() -> None:
    assert stored(referral(age_years=44), date(1980, 3, 1)) == referral(age_years=46)


def test_an_age_that_nobody_has_is_none() -> None:
    assert stored(referral(), date(1880, 1, 1)) == referral()


def test_no_other_fact_has_an_age() -> None:
    assert stored(Triage(on=ON, level="1"), date(1980, 3, 1)) == Triage(on=ON, level="1")
