"""Drawn messages of `pathway.in.v1`: versions of few facts, of few records, under two people, so that they meet."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from pathway_engine import KeyValue, fact_input
from pathway_journeys import keyed

from schemas import facts
from schemas.facts import FactBody, StoredFact
from schemas.pathway_in import tick_message, withdrawal_message

PEOPLE = (keyed("person", "1"), keyed("person", "2"))
RECORDS = tuple((keyed("record", tier), tier) for tier in ("primary_care", "tier2", "tier3"))
FACT_IDS = tuple(keyed("fact", str(number)) for number in range(6))
DAY_0 = date(2026, 1, 5)

days = st.integers(0, 120).map(lambda number: DAY_0 + timedelta(days=number))
any_day = days | st.sampled_from([date.min, date.max])
referral_ids = st.none() | st.sampled_from(FACT_IDS)
specialist = st.sampled_from(["tier2", "tier3", "tier4", "primary_care"])
ubrns = st.none() | st.sampled_from([keyed("ubrn", "a"), keyed("ubrn", "b")])
source_version_at = st.integers(0, 3).map(lambda number: datetime(2026, 1, 5, number, tzinfo=UTC))


def bodies(on: st.SearchStrategy[date]) -> st.SearchStrategy[FactBody]:
    """Bodies of every type, drawn so that they meet."""
    kg = st.integers(40, 160).map(Decimal)
    common = {"on": on, "referral": referral_ids}
    return st.one_of(
        st.builds(
            facts.Referral, **common, direction=st.sampled_from(["sent", "received"]), to_tier=specialist,
            ubrn=ubrns, consultant_led=st.none() | st.booleans(),
        ),
        st.builds(
            facts.Attendance, **common, attendance=st.sampled_from("0234567"), booked_on=st.none() | on,
        ),
        st.builds(
            facts.Measurement, **common, quantity=st.sampled_from(["weight", "height"]), value=kg,
            unit_given=st.just("kg"), value_given=kg, method=st.sampled_from(["measured", "self_reported"]),
            plausible=st.booleans(),
        ),
        st.builds(facts.Triage, **common, level=st.none() | st.just("2")),
        st.builds(facts.Acceptance, **common, definition=st.none()),
        st.builds(facts.Decline, **common, declined_by=st.none(), reason=st.just("dna")),
        st.builds(facts.Choice, **common, provider_ods=st.none(), offered_count=st.none() | st.just(3)),
        st.builds(facts.ProgrammeStart, **common, programme=st.none(), delivery=st.none()),
        st.builds(facts.Completion, **common, definition=st.just("as-reported/1")),
        st.builds(facts.Discharge, **common, reason=st.none()),
        st.builds(facts.Withdrawal, **common, reason=st.none()),
        st.builds(facts.Medicine, **common, action=st.just("started"), dmd_code=st.just("1")),
        st.builds(facts.Procedure, **common, code=st.just("G281"), system=st.just("opcs4")),
        st.builds(facts.Suspension, **common, reason=st.none(), ends_on=st.none() | on),
        st.builds(facts.RttStatus, **common, status=st.sampled_from(["10", "11", "20", "30", "31", "33", "35", "36"])),
        st.builds(facts.Eligibility, **common, rule=st.just("dwmp-hub-eligibility/1"),
                  met=st.sampled_from(["yes", "no", "not_known"])),
        st.builds(facts.Experience, **common, rating=st.integers(1, 6)),
        st.builds(facts.Comorbidity, **common, condition=st.just("diabetes"), present=st.booleans()),
        st.builds(facts.QuestionnaireScore, **common, questionnaire=st.just("phq9"), score=kg),
        st.builds(facts.Demographics, **common, sex=st.sampled_from([None, "male", "female"]),
                  birth_year=st.none() | st.just(1970), imd_quintile=st.none() | st.integers(1, 5),
                  ethnic_category=st.none(), lsoa=st.none(), practice_ods=st.none(), council=st.none()),
        st.builds(facts.Death, **common),
    )  # fmt: skip


@st.composite
def stored_facts(draw: st.DrawFn, on: st.SearchStrategy[date] = days) -> StoredFact:
    """A version of one of few facts, at one of few records."""
    record_id, tier = draw(st.sampled_from(RECORDS))
    return StoredFact(
        record_id=record_id,
        fact_id=draw(st.sampled_from(FACT_IDS)),
        source="test",
        tier=tier,
        source_version_at=draw(source_version_at),
        retracted=draw(st.booleans()) and draw(st.booleans()),
        body=draw(bodies(on)),
    )


@st.composite
def messages(draw: st.DrawFn) -> KeyValue:
    """A fact, a withdrawal or a tick, about one of two people."""
    person_id, revision = draw(st.sampled_from(PEOPLE)), draw(st.integers(0, 3))
    kind = draw(st.sampled_from(["fact"] * 6 + ["withdrawal", "withdrawal", "tick"]))
    if kind == "tick":
        return tick_message(0, draw(days) + timedelta(days=40))
    if kind == "withdrawal":
        return withdrawal_message(person_id, draw(st.sampled_from(RECORDS))[0], revision)
    return fact_input(person_id, draw(stored_facts()), revision)
