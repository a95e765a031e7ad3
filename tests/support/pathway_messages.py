"""Drawn messages of `pathway.in.v1`: versions of few facts, of few records, under two people, so that they meet.

Every kind of fact and every field of it is drawn: a closed list whole, all else from the few of `CODES` and `VALUES`.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Literal, get_args, get_origin

from hypothesis import strategies as st
from pathway_engine import KeyValue, fact_input
from pathway_journeys import keyed

from schemas.facts import Attendance, Body, FactBody, Measurement, ProgrammeStart, Referral, StoredFact, Tier
from schemas.pathway_in import slice_of, tick_message, withdrawal_message

PEOPLE = (keyed("person", "1"), keyed("person", "2"))
RECORDS: tuple[tuple[str, Tier], ...] = (  # of the trust two, as after a merge; of tier 2 a hub and a provider
    (keyed("record", "gp"), "primary_care"),
    (keyed("record", "hub"), "tier2"),
    (keyed("record", "trust"), "tier3"),
    (keyed("record", "provider"), "tier2"),
    (keyed("record", "trust/2"), "tier3"),
)
SOURCES = dict(zip((record for record, _ in RECORDS), ("gp", "hub", "trust", "provider", "trust"), strict=True))
FACT_IDS = tuple(keyed("fact", str(number)) for number in range(8))
KINDS: tuple[type[Body], ...] = get_args(FactBody)
OFTEN: tuple[type[Body], ...] = (Referral, Attendance, Measurement, ProgrammeStart)  # without them nothing meets
DAY_0 = date(2026, 1, 5)

days = st.integers(0, 120).map(lambda number: DAY_0 + timedelta(days=number))
any_day = days | st.sampled_from([date.min, date.max])
source_version_at = st.sampled_from(  # after the days that are drawn, which are out of range else; but one
    [datetime(2026, 1, 20, tzinfo=UTC), *(datetime(2026, 6, 1, hour, tzinfo=UTC) for hour in range(3))]
)
_day_names = ("on", "booked_on", "ends_on")
CODES: dict[str, list[object]] = {
    "programme": ["dwmp", "tier2-group-12w"],
    "provider_ods": ["DA1", "DA2"],
    "referrer_ods": ["A81001"],
    "practice_ods": ["A81001", "A81002"],
    "council": ["E08000025", "E08000026"],
    "referral_source": ["gp", "self"],
    "reasons": [(), ("238131007",), ("238131007", "414916001")],
    "age_years": [11, 17, 18, 45],
    "level": ["2", "3"],
    "definition": [
        "as-reported/1", "dwmp-attended-60pct/1", "attended-60pct-of-sessions/1",
        "tier3-accepted-by-booking/1",
    ],
    "reason": [
        "transferred", "moved-away", "died", "completed", "treatment-complete", "pregnancy", "dna",
        "returned-with-advice",
    ],
    "offered_count": [3],
    "unit_given": ["kg", "cm"],
    "dmd_code": ["42206711000001107", "2"],
    "dose_mg": [Decimal("2.5"), Decimal(5)],
    "code": ["G281", "G302"],
    "rule": ["dwmp-hub-eligibility/1", "tirzepatide-cohort/1"],
    "why": [(), ("bmi",)],
    "rating": [1, 5, 6],
    "questionnaire": ["phq9", "eq5d"],
    "birth_year": [1970, 2008, 2014],
    "ethnic_category": ["A", "H"],
    "lsoa": ["E01000001"],
    "imd_quintile": [1, 2, 5],
}  # fmt: skip
VALUES: dict[str, st.SearchStrategy[object]] = {
    **{name: st.sampled_from(values) for name, values in CODES.items()},
    "referral": st.sampled_from(FACT_IDS),
    "ubrn": st.sampled_from([keyed("ubrn", "a"), keyed("ubrn", "b")]),
    "at": st.just(datetime(2026, 1, 5, 9, tzinfo=UTC)),
    **dict.fromkeys(("value", "value_given", "score"), st.integers(20, 190).map(Decimal)),
}


def bodies_of(kind: type[Body], on: st.SearchStrategy[date]) -> st.SearchStrategy[FactBody]:
    """Bodies of one type."""
    fields = {name: _values(name, field.annotation, on) for name, field in kind.model_fields.items()}
    return st.builds(kind, **fields)  # type: ignore[arg-type]


@cache
def bodies(on: st.SearchStrategy[date]) -> st.SearchStrategy[FactBody]:
    """Bodies of every type, drawn so that they meet; made once, since there are two hundred fields."""
    of_kind = {kind: bodies_of(kind, on) for kind in KINDS}
    kinds: st.SearchStrategy[type[Body]] = st.sampled_from((*KINDS, *OFTEN, *OFTEN))
    return kinds.flatmap(of_kind.__getitem__)


def _values(name: str, annotation: object, on: st.SearchStrategy[date]) -> st.SearchStrategy[object]:
    """What a field is drawn from. Raises KeyError for one that `VALUES` does not know yet."""
    types = (annotation,) if get_origin(annotation) is Literal else get_args(annotation) or (annotation,)
    found = _known_values(name, types[0], on)
    return st.none() | found if type(None) in types else found


def _known_values(name: str, type_: object, on: st.SearchStrategy[date]) -> st.SearchStrategy[object]:
    if get_origin(type_) is Literal:
        return st.sampled_from(get_args(type_))
    if type_ is bool:
        return st.booleans()
    return on if name in _day_names else VALUES[name]


@st.composite
def stored_facts(draw: st.DrawFn, on: st.SearchStrategy[date] = days) -> StoredFact:
    """A version of one of few facts, at one of few records."""
    record_id, tier = draw(st.sampled_from(RECORDS))
    return StoredFact(
        record_id=record_id,
        fact_id=draw(st.sampled_from(FACT_IDS)),
        source=SOURCES[record_id],
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
        slices = [None, *map(slice_of, PEOPLE)]
        return tick_message(0, draw(days) + timedelta(days=40), draw(st.sampled_from(slices)))
    if kind == "withdrawal":
        return withdrawal_message(person_id, draw(st.sampled_from(RECORDS))[0], revision)
    return fact_input(person_id, draw(stored_facts()), revision)
