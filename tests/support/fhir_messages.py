"""Messages of every kind of fact, made at random or by hand, for the tests of FHIR in and out."""

from collections.abc import Callable, Mapping
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
    Measurement,
    Medicine,
    Procedure,
    ProgrammeStart,
    QuestionnaireScore,
    Referral,
    Triage,
    Withdrawal,
)
from schemas.identity import Address, LocalId, NHSNumber, Person, PersonName, Postcode
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source
from schemas.units import DIMENSION_OF, UNITS, converted, plain, plausible

SNOMED_SERVICES = frozenset({"408289007", "1326201000000101", "771491000000104"})
GP_HUB = Source("gp-hub", "Y00001", "primary_care", "fhir_http", SNOMED_SERVICES)
FHIR_OPEN = Source("fhir-open", "Y00002", "primary_care", "fhir_http", frozenset({"*"}))
TRUST = Source("trust-wm", "RXX", "tier3", "hl7_mllp", frozenset({"WMS"}), programme="tier3-specialist")
COUNCIL = Source(
    "council-east",
    "E10000",
    "tier2",
    "folder",
    frozenset({"adult-weight-management"}),
    mapping="council-east",
)
SOURCES = (GP_HUB, FHIR_OPEN, TRUST, COUNCIL)

TOLD_AT = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
RECEIVED_AT = datetime(2026, 6, 1, 9, 31, tzinfo=UTC)


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
_words = st.text("abcdefghijklmnopqrstuvwxyzÀÉÖ'- ", min_size=1, max_size=20).map(str.strip).filter(bool)


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
            "practice_ods": _maybe(_ods),
            "provider_ods": _maybe(_ods),
            "council": _maybe(st.sampled_from(["E10000", "E06000001", "102"])),
            "referral_source": _maybe(st.sampled_from(sorted(codes.REFERRAL_SOURCES))),
            "priority": _maybe(st.sampled_from(["routine", "urgent", "asap", "stat", "two-week-wait"])),
            "reasons": st.lists(st.sampled_from(sorted(codes.REASONS_FOR_REFERRAL)), unique=True).map(tuple),
            "consultant_led": _maybe(st.booleans()),
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
    Choice: st.fixed_dictionaries(
        {"provider_ods": _maybe(_ods), "offered_count": _maybe(st.integers(0, 99))}
    ),
    Attendance: st.fixed_dictionaries(
        {
            "attendance": st.sampled_from(sorted(codes.APPOINTMENT_OF)),
            "booked_on": _maybe(_days),
            "medium": _maybe(st.sampled_from(["in_person", "telephone", "video", "online", "other"])),
            "group": _maybe(st.booleans()),
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
    Completion: st.fixed_dictionaries(
        {"definition": st.sampled_from(["dwmp-attended-60pct/1", "as-told/1"])}
    ),
    Discharge: st.fixed_dictionaries({"reason": _maybe(st.sampled_from(sorted(codes.REASONS)))}),
    Withdrawal: st.fixed_dictionaries({"reason": _maybe(st.sampled_from(sorted(codes.REASONS)))}),
    Medicine: st.fixed_dictionaries(
        {
            "action": st.sampled_from(["started", "stopped"]),
            "dmd_code": st.sampled_from(["777514008", "15859111000001102"]),
        }
    ),
    Procedure: st.fixed_dictionaries(
        {"code": st.sampled_from(["G28.3", "G301"]), "system": st.just("opcs4")}
    ),
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
        postcode=_maybe(st.sampled_from(["LS14HR", "M11AE", "ZZ993WZ"]).map(Postcode)),
        city=_words,
    )
    return Person(
        local_id=LocalId(draw(st.text("ABC0123456789", min_size=1, max_size=12))),
        nhs_number=NHSNumber(number) if number else None,
        nhs_number_claimed=claimed,
        names=tuple(
            draw(
                st.lists(
                    st.builds(
                        PersonName,
                        family=_words,
                        given=st.lists(_words, max_size=2).map(tuple),
                        use=st.sampled_from(sorted(codes.NAME_USES)),
                    ),
                    max_size=2,
                )
            )
        ),
        birth_date=draw(_maybe(st.dates(date(1901, 1, 1), date(1989, 12, 31)))),
        sex=draw(_maybe(st.sampled_from(sorted(codes.GENDERS)))),
        addresses=tuple(draw(st.lists(addresses, max_size=2))),
        phones=tuple(draw(st.lists(st.sampled_from(["07700 900123", "0113 496 0000"]), max_size=2))),
        emails=tuple(draw(st.lists(st.just("someone@example.org"), max_size=1))),
        retired_local_ids=tuple(
            LocalId(value) for value in draw(st.lists(st.text("XYZ012", min_size=1, max_size=8), max_size=2))
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
        practice_ods=draw(_maybe(st.sampled_from(["A12345", "V81997"]))),
        council=draw(_maybe(st.sampled_from(["E10000", "E08000035"]))),
    )
    return SourceFact(body, business_id="demographics", retracted=draw(st.booleans()))


@st.composite
def messages(draw: st.DrawFn) -> SourceMessage:
    """One entry: one person, any facts; Demographics and Death at most once, referrals under distinct
    numbers."""
    person = draw(people())
    kinds = draw(st.lists(st.sampled_from(list(_FIELDS)), max_size=6))
    told = [draw(facts(kind)) for kind in kinds]
    if draw(st.booleans()):
        told.append(draw(_demographics(person)))
    if draw(st.booleans()):
        at = draw(_maybe(_moments))
        on = draw(_days)
        told.append(SourceFact(Death(on=on, at=at), business_id="death", retracted=draw(st.booleans())))
    return SourceMessage(
        message_id=draw(_ids),
        told_at=draw(st.datetimes(datetime(2026, 6, 1), datetime(2026, 6, 30), timezones=_zones)),  # noqa: DTZ001
        person=person,
        facts=tuple(told),
        service_named=draw(st.booleans()),
    )


def every_fact() -> SourceMessage:
    """One message with every kind of fact once and every field of each filled."""
    on, at = date(2026, 5, 1), datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
    ods, when = "RXX", {"on": on, "at": at}
    referral = Referral(
        **when,
        direction="received",
        to_tier="tier3",
        programme="dwmp",
        referrer_ods=ods,
        practice_ods="A12345",
        provider_ods="102EA",
        council="E10000",
        referral_source="gp",
        priority="two-week-wait",
        reasons=("414916001",),
        consultant_led=True,
    )
    weight = Measurement(
        **when,
        quantity="weight",
        value=Decimal(100),
        unit_given="kg",
        value_given=Decimal(100),
        method="self_reported",
    )
    slices = Demographics(
        **when,
        sex="female",
        birth_year=1971,
        ethnic_category="A",
        ethnic_system="2001",
        lsoa="E01000001",
        lsoa_version="2021",
        imd_quintile=1,
        imd_version="2025",
        practice_ods="A12345",
        council="E10000",
    )
    under: tuple[Body, ...] = (
        Triage(**when, level="1"),
        Acceptance(**when, definition="as-told/1"),
        Decline(**when, declined_by="person", reason="work"),
        Choice(**when, provider_ods=ods, offered_count=3),
        Attendance(**when, attendance="5", booked_on=on, medium="video", group=True, provider_ods=ods),
        weight,
        ProgrammeStart(**when, programme="dwmp", delivery="group"),
        Completion(**when, definition="as-told/1"),
        Discharge(**when, reason="work"),
        Withdrawal(**when, reason="work"),
        Medicine(**when, action="started", dmd_code="777514008"),
        Procedure(**when, code="G301", system="opcs4"),
        Comorbidity(**when, condition="diabetes", present=True),
        QuestionnaireScore(**when, questionnaire="phq-9", score=Decimal(4)),
    )
    told = [SourceFact(referral, "R-1", None, "000012345678")]
    told += [SourceFact(body, f"F-{place}", "R-1") for place, body in enumerate(under)]  # type: ignore[arg-type]
    told += [SourceFact(slices, "demographics"), SourceFact(Death(**when), "death")]
    person = Person(
        local_id=LocalId("GP-1"),
        nhs_number=NHSNumber("9990000018"),
        names=(PersonName("Okafor", ("Grace",)),),
        birth_date=date(1971, 3, 14),
        sex="female",
        addresses=(Address("1 Mill Lane", Postcode("LS14HR"), "Leeds"),),
        phones=("07700900123",),
        emails=("someone@example.org",),
        retired_local_ids=(LocalId("GP-0"),),
    )
    return SourceMessage("M-1", TOLD_AT, person, tuple(told))


def referral_bundle(**changes: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """A GP's message: one made-up person referred to Tier 2, weight and height. Fresh at every call.

    `changes` are functions called with the resource of the type they are named by.
    """
    subject = {"reference": "urn:uuid:6f9619ff-8b86-4011-b42d-00c04fc964ff"}
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "MessageHeader",
            "eventCoding": {"system": "https://example.org/events", "code": "referral"},
            "source": {"endpoint": "https://gp.example/fhir"},
        },
        {
            "resourceType": "Patient",
            "identifier": [
                {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"},
                {"system": "https://gp.example/Id/patient", "value": "GP-1"},
            ],
            "name": [{"use": "official", "family": "Okafor", "given": ["Grace"]}],
            "gender": "female",
            "birthDate": "1971-03-14",
            "address": [{"line": ["1 Mill Lane"], "city": "Leeds", "postalCode": "LS1 4HR"}],
            "generalPractitioner": [{"identifier": {"system": uris_ods(), "value": "A12345"}}],
        },
        {
            "resourceType": "ServiceRequest",
            "identifier": [{"system": "https://fhir.nhs.uk/Id/UBRN", "value": "000012345678"}],
            "status": "active",
            "intent": "order",
            "priority": "routine",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "771491000000104"}]},
            "subject": dict(subject),
            "authoredOn": "2026-05-28",
            "requester": {"identifier": {"system": uris_ods(), "value": "A12345"}},
            "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "414916001"}]}],
        },
        observation("27113001", 104.5, "kg", subject),
        observation("50373000", 1.64, "m", subject),
    ]
    for resource in resources:
        change = changes.get(str(resource["resourceType"]))
        if change is not None:
            change(resource)
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "https://gp.example/Id/message", "value": "M-1"},
        "type": "message",
        "timestamp": "2026-06-01T09:30:00+00:00",
        "entry": [
            {
                "fullUrl": subject["reference"] if one["resourceType"] == "Patient" else f"urn:x:{n}",
                "resource": one,
            }
            for n, one in enumerate(resources)
        ],
    }


def observation(code: str, value: float, unit: str, subject: Mapping[str, str]) -> dict[str, Any]:
    """A measurement on 28 May 2026."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
        "subject": dict(subject),
        "effectiveDateTime": "2026-05-28T10:00:00+01:00",
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def uris_ods() -> str:
    """The ODS system as many senders spell it: with a small `id`."""
    return "https://fhir.nhs.uk/id/ods-organization-code"
