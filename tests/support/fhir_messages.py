"""Messages of every kind of fact, made at random, for the tests of FHIR in and out."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from schemas import codes
from schemas.facts import (
    Acceptance,
    Attendance,
    Body,
    Choice,
    Comorbidity,
    Completion,
    Death,
    Decline,
    Demographics,
    Discharge,
    Eligibility,
    Experience,
    Measurement,
    Medicine,
    Procedure,
    ProgrammeStart,
    QuestionnaireScore,
    Referral,
    RttStatus,
    Suspension,
    Triage,
    Withdrawal,
)
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode
from schemas.placeholders import is_number, is_word
from schemas.source_message import SourceFact, SourceMessage
from schemas.units import DIMENSION_OF, UNITS, converted, plain, plausible


def nhs_number(nine: str) -> str | None:
    """`nine` digits with their check digit, None for the one in eleven that has none."""
    total = sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True))
    check = 11 - total % 11
    return None if check == 10 else nine + str(check % 11)


_zones = st.sampled_from([UTC, timezone(timedelta(hours=1)), timezone(timedelta(hours=-5, minutes=-30))])
_days = st.dates(date(1990, 1, 1), date(2026, 5, 30))
_moments = st.datetimes(datetime(1990, 1, 1), datetime(2026, 5, 30), timezones=_zones)  # noqa: DTZ001
_ids = st.text("ABCdef0123456789-/|", min_size=1, max_size=20)
_ods = st.sampled_from(["RXX", "Y00001", "102EA", "A12345", "E10000", "RXX01"])
_practices = st.sampled_from(["A12345", "V81997", "Y00001"])
_local_values = st.text("ABC0123456789", min_size=1, max_size=12).filter(lambda text: not is_number(text))
_authorities = st.sampled_from(["", "RXX", "SITE A/1", "1.2.826.0.1", "https://surgery.example/Id/patient"])
_former = st.sampled_from(["9434765919", "4010232137", "9990000018"]).map(NHSNumber)
_words = st.text("abcdefghijklmnopqrstuvwxyzÀÉÖ'- ", min_size=1, max_size=20).map(str.strip)
_words = _words.filter(lambda text: bool(text) and not is_word(text))


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def _measurements(draw: st.DrawFn) -> dict[str, Any]:
    quantity = draw(st.sampled_from(sorted(DIMENSION_OF)))
    units = sorted({u.ucum for u in UNITS.values() if u.dimension == DIMENSION_OF[quantity]})
    unit = draw(st.sampled_from(units))
    given = plain(draw(st.decimals(Decimal(1), Decimal(600), places=2)) / UNITS[unit].factor)
    ours = converted(given, unit, quantity=quantity)
    return {
        "quantity": quantity,
        "unit_given": UNITS[unit].name,
        "value_given": given,
        "value": ours,
        "plausible": plausible(ours, quantity=quantity),
        "method": draw(st.sampled_from(["measured", "self_reported"])),
    }


_FIELDS: Mapping[type[Body], st.SearchStrategy[dict[str, Any]]] = {
    Referral: st.fixed_dictionaries(
        {
            "direction": st.sampled_from(["sent", "received"]),
            "to_tier": st.sampled_from(["primary_care", "tier2", "tier3", "tier4"]),
            "programme": _maybe(st.sampled_from(sorted(codes.PROGRAMMES))),
            "referrer_ods": _maybe(_ods),
            "practice_ods": _maybe(_practices),
            "provider_ods": _maybe(_ods),
            "council": _maybe(st.sampled_from(["E10000", "E06000001", "102"])),
            "referral_source": _maybe(st.sampled_from(sorted(codes.REFERRAL_SOURCES))),
            "priority": _maybe(st.sampled_from(["routine", "urgent", "asap", "stat", "two-week-wait"])),
            "reasons": st.lists(st.sampled_from(sorted(codes.REASONS_FOR_REFERRAL)), unique=True).map(tuple),
            "consultant_led": _maybe(st.booleans()),
            "age_years": _maybe(st.integers(0, 130)),
        }
    ),
    Triage: st.fixed_dictionaries({"level": _maybe(st.sampled_from(sorted(codes.TRIAGE_LEVELS)))}),
    Acceptance: st.fixed_dictionaries(
        {"definition": _maybe(st.sampled_from(["tier3-accepted-by-booking/1", "attended-8-of-12/1"]))}
    ),
    Decline: st.fixed_dictionaries(
        {
            "declined_by": _maybe(st.sampled_from(["service", "person", "referrer"])),
            "reason": _maybe(st.sampled_from(sorted(codes.REASONS))),
        }
    ),
    Choice: st.fixed_dictionaries({"provider_ods": _maybe(_ods), "offered_count": _maybe(st.integers(0, 99))}),
    Attendance: st.fixed_dictionaries(
        {
            "attendance": st.sampled_from(sorted(codes.APPOINTMENT_OF)),
            "booked_on": _maybe(_days),
            "medium": _maybe(st.sampled_from(["in_person", "telephone", "video", "online", "other"])),
            "group": _maybe(st.booleans()),
            "purpose": _maybe(st.sampled_from(sorted(codes.PURPOSES))),
            "provider_ods": _maybe(_ods),
        }
    ),
    Measurement: _measurements(),
    ProgrammeStart: st.fixed_dictionaries(
        {
            "programme": _maybe(st.sampled_from(sorted(codes.PROGRAMMES))),
            "delivery": _maybe(st.sampled_from(["group", "individual", "digital", "mixed"])),
        }
    ),
    Completion: st.fixed_dictionaries({"definition": st.sampled_from(["dwmp-attended-60pct/1", "as-reported/1"])}),
    Discharge: st.fixed_dictionaries({"reason": _maybe(st.sampled_from(sorted(codes.REASONS)))}),
    Withdrawal: st.fixed_dictionaries({"reason": _maybe(st.sampled_from(sorted(codes.REASONS)))}),
    Medicine: st.fixed_dictionaries(
        {
            "action": st.sampled_from(["started", "stopped"]),
            "dmd_code": st.sampled_from(["777514008", "15859111000001102"]),
            "indication": _maybe(st.sampled_from(["weight_management", "diabetes", "other"])),
            "setting": _maybe(st.sampled_from(["primary_care", "community", "specialist", "private"])),
            "dose_mg": _maybe(st.decimals(Decimal("0.05"), Decimal(60), places=2).map(plain)),
        }
    ),
    Procedure: st.fixed_dictionaries({"code": st.sampled_from(["G28.3", "G301"]), "system": st.just("opcs4")}),
    Suspension: st.fixed_dictionaries(
        {
            "reason": _maybe(st.sampled_from(["pregnancy", "illness", "bereavement", "other"])),
            "ends_on": _maybe(st.dates(date(2026, 6, 1), date(2028, 5, 1))),
        }
    ),
    RttStatus: st.fixed_dictionaries({"status": st.sampled_from(sorted(codes.RTT_STATUSES))}),
    Eligibility: st.fixed_dictionaries(
        {
            "rule": st.sampled_from(["dwmp-hub-eligibility/1", "nice-bmi-threshold/1", "tirzepatide-cohort/1"]),
            "met": st.sampled_from(["yes", "no", "not_known"]),
            "why": st.lists(st.sampled_from(sorted(codes.ELIGIBILITY_REASONS)), unique=True).map(tuple),
        }
    ),
    Experience: st.fixed_dictionaries({"rating": st.integers(1, 6)}),
    Comorbidity: st.fixed_dictionaries(
        {"condition": st.sampled_from(sorted(codes.COMORBIDITY_CODE)), "present": st.booleans()}
    ),
    QuestionnaireScore: st.fixed_dictionaries(
        {
            "questionnaire": st.sampled_from(sorted(codes.QUESTIONNAIRES)),
            "score": st.decimals(Decimal(-10), Decimal(100), places=2).map(plain),
        }
    ),
}
EVERY_KIND = (*_FIELDS, Demographics, Death)
_ON_RESOURCES = (Referral, Attendance, Measurement, Comorbidity, QuestionnaireScore)


@st.composite
def facts(draw: st.DrawFn, kind: type[Body]) -> SourceFact:
    """One fact of `kind` as a source tells it."""
    times = draw(
        st.one_of(
            st.builds(lambda on: {"on": on}, _days),
            st.builds(lambda at: {"on": at.date(), "at": at}, _moments),
            st.builds(lambda on, at: {"on": on, "at": at}, _days, _moments),
        )
    )
    under = draw(_maybe(_ids))
    ubrn = draw(_maybe(st.text("0123456789", min_size=12, max_size=12))) if kind is Referral else None
    named = draw(_ids) if ubrn or (under and kind not in _ON_RESOURCES) else draw(_maybe(_ids))
    return SourceFact(
        body=kind(**times, **draw(_FIELDS[kind])),  # type: ignore[arg-type]
        business_id=draw(st.sampled_from([ubrn, named])) if ubrn else named,
        referral_business_id=under,
        ubrn=ubrn,
        retracted=draw(st.booleans()),
    )


@st.composite
def people(draw: st.DrawFn) -> Person:
    """Somebody whom a record can be about."""
    valid = st.text("0123456789", min_size=8, max_size=8).map(lambda t: nhs_number("9" + t)).filter(bool)
    number = draw(_maybe(valid.filter(lambda n: n is not None and len(set(n)) > 1 and n != "9876543210")))
    claimed = None if number else draw(_maybe(st.sampled_from(["9434765910", "12345", "unknown"])))
    addresses = st.builds(
        Address,
        line=st.just("") | _words,
        postcode=_maybe(st.sampled_from(["LS14HR", "M11AE", "CM11AA"]).map(Postcode)),
        city=_words,
    )
    return Person(
        local_id=LocalId(draw(_local_values), draw(_authorities)),
        nhs_number=NHSNumber(number) if number else None,
        nhs_number_claimed=claimed,
        names=tuple(
            draw(
                st.lists(
                    st.builds(
                        PersonName,
                        family=_words,
                        given=st.lists(_words, max_size=2).map(tuple),
                        use=st.sampled_from(sorted(codes.NAME_USES - {"anonymous"})),
                    ),
                    max_size=2,
                )
            )
        ),
        birth_date=draw(_maybe(st.dates(date(1901, 1, 2), date(1989, 12, 31)))),
        sex=draw(_maybe(st.sampled_from(sorted(codes.GENDERS)))),
        addresses=tuple(draw(st.lists(addresses, max_size=2))),
        phones=tuple(draw(st.lists(st.sampled_from(["07700 900123", "0113 496 0000"]), max_size=2))),
        emails=tuple(draw(st.lists(st.just("someone@example.org"), max_size=1))),
        retired_local_ids=tuple(
            draw(
                st.lists(
                    st.builds(LocalId, _local_values, _authorities),
                    max_size=2,
                    unique=True,
                )
            )
        ),
        former_nhs_numbers=tuple(
            former for former in draw(st.lists(_former, max_size=2, unique=True)) if former.digits != number
        ),
    )


@st.composite
def _demographics(draw: st.DrawFn, person: Person) -> SourceFact:
    ethnic = {"2001": codes.ETHNIC_2001, "2021": frozenset({"A1", "12"}), "dwmp": codes.ETHNIC_DWMP}
    system = draw(_maybe(st.sampled_from(sorted(ethnic))))
    lsoa = draw(_maybe(st.sampled_from(["E01000001", "W01000002"])))
    quintile = draw(_maybe(st.integers(1, 5)))
    body = Demographics(
        on=draw(_days),
        at=draw(_maybe(_moments)),
        sex=person.sex,
        birth_year=person.birth_date.year if person.birth_date else draw(_maybe(st.integers(1901, 2008))),
        ethnic_category=draw(st.sampled_from(sorted(ethnic[system]))) if system else None,
        ethnic_system=system,
        lsoa=lsoa,
        lsoa_version=draw(st.sampled_from(["2011", "2021"])) if lsoa else None,
        imd_quintile=quintile,
        imd_version=draw(st.sampled_from(["2019", "2025"])) if quintile else None,
        practice_ods=draw(_maybe(_practices)),
        council=draw(_maybe(st.sampled_from(["E10000", "E08000035"]))),
    )
    return SourceFact(body, business_id="demographics", retracted=draw(st.booleans()))


@st.composite
def messages(draw: st.DrawFn) -> SourceMessage:
    """One entry: one person, any facts; Demographics and Death at most once, facts of a type under distinct numbers."""
    person = draw(people())
    kinds = draw(st.lists(st.sampled_from(list(_FIELDS)), max_size=6))
    drawn = [draw(facts(kind)) for kind in kinds]
    by_number = {(fact.body.type, fact.business_id or number): fact for number, fact in enumerate(drawn)}
    items = list(by_number.values())
    if draw(st.booleans()):
        items.append(draw(_demographics(person)))
    if draw(st.booleans()):
        at = draw(_maybe(_moments))
        on = draw(_days)
        items.append(SourceFact(Death(on=on, at=at), business_id="death", retracted=draw(st.booleans())))
    return SourceMessage(
        message_id=draw(_ids),
        source_version_at=draw(st.datetimes(datetime(2026, 6, 1), datetime(2026, 6, 30), timezones=_zones)),  # noqa: DTZ001
        person=person,
        facts=tuple(items),
        service_named=draw(st.booleans()),
    )
