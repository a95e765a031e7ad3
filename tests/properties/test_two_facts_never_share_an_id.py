"""At no door do two facts of one message share an id in silence: the later version would replace the other for ever.

Whatever milestones stand under one request, groups in one file mapping, results in one HL7 message: facts that differ
in what distinguishes their type have two ids, and of any other two that differ under one id a warning says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from council_files import RECEIVED_AT, SMALLEST, east, line
from fhir_messages import facts as facts_of_kind
from fhir_samples import GP_HUB, TOLD_AT
from hl7_messages import OBR, PV1, entry_of, message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.mapping import parse
from connectors.sources.tier2_csv import read
from schemas.business_ids import DISTINGUISHING, REPEATABLE, are_two_things, distinguishing
from schemas.check import check
from schemas.errors import Issue
from schemas.fhir.read_request import MILESTONES
from schemas.fhir.write import bundle
from schemas.identity import LocalId, Person
from schemas.source_message import SourceFact, SourceMessage

ROOMY = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def lost(facts: Iterable[SourceFact], issues: Iterable[Issue]) -> list[str]:
    """The types of facts that replace another one in silence."""
    under: dict[tuple[str, str], list[SourceFact]] = defaultdict(list)
    for fact in facts:
        if fact.business_id is not None:
            under[fact.body.type, fact.business_id].append(fact)
    named = " ".join(issue.rule for issue in issues if issue.code == "duplicate")
    found = []
    for (kind, _), same in under.items():
        differing = [fact for fact in same if fact.body != same[0].body]
        if any(are_two_things(same[0].body, fact.body) for fact in differing):
            found.append(f"{kind}: two things under one id")
        elif differing and kind not in named:
            found.append(f"{kind}: said in two ways, and not named")
    return found


# ------------------------------------------------------------ FHIR: milestones of one request without numbers


@ROOMY
@given(st.data())
def test_milestones_of_one_request(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(MILESTONES)), min_size=2, max_size=8))
    drawn = [data.draw(facts_of_kind(MILESTONES[kind])).body for kind in kinds]
    facts = tuple(SourceFact(body, None, "R-1") for body in drawn)
    document = bundle(SourceMessage("M-1", TOLD_AT, Person(local_id=LocalId("1")), facts), source=GP_HUB)
    checked, found = check(document, source=GP_HUB, test_mode=True, received_at=TOLD_AT)
    assert found is not None
    assert len(found.facts) == len(facts)
    assert lost(found.facts, checked.issues) == []


# ------------------------------------------------------------ files: groups of one mapping with one key

FIXED = {
    "completion": [{"definition": name} for name in ("as-reported/1", "dwmp-attended-60pct/1")],
    "medicine": [
        {"action": action, "dmd_code": code}
        for action in ("started", "stopped")
        for code in ("777514008", "33747711000001102")
    ],
    "procedure": [{"system": "opcs4", "code": code} for code in ("G28.5", "G30.1")],
    "eligibility": [
        {"rule": rule, "met": met} for rule in ("dwmp-hub-eligibility/1", "rtt/2") for met in ("yes", "no")
    ],
    "suspension": [{"reason": reason} for reason in ("pregnancy", "illness")],
    "rtt_status": [{"status": status} for status in ("10", "20")],
    "experience": [{"rating": rating} for rating in (1, 5)],
    "discharge": [{"reason": reason} for reason in ("completed", "moved-away")],
    "triage": [{"level": level} for level in ("1", "2")],
}
DAYS = ("2026-04-01", "2026-04-02")


def group(number: int, kind: str, fixed: dict[str, object]) -> str:
    values = "".join(f'{name} = "{value}"\n' if isinstance(value, str) else f"{name} = {value}\n"
                     for name, value in fixed.items())  # fmt: skip
    return f'[[fact]]\ntype = "{kind}"\nkey = ["id"]\non = {{ column = "day{number}" }}\n{values}'


GROUPS = st.sampled_from([(kind, fixed) for kind, choices in FIXED.items() for fixed in choices])


@ROOMY
@given(st.lists(st.tuples(GROUPS, st.sampled_from(DAYS)), min_size=2, max_size=10))
def test_groups_of_one_mapping(groups: Sequence[tuple[tuple[str, dict[str, object]], str]]) -> None:
    tables = "\n".join(group(number, *chosen) for number, (chosen, _) in enumerate(groups))
    mapping = parse(SMALLEST.partition("[[fact]]")[0] + tables + '\n[codes.any]\na = "other"\n')
    raw = line(["id", *(f"day{number}" for number in range(len(groups)))]) + line(["C1", *(day for _, day in groups)])
    reading = read(
        raw.encode(), source=east(), mapping=mapping, file_id="0" * 64, test_mode=True, received_at=RECEIVED_AT
    )
    (entry,) = reading.entries
    assert entry.message is not None
    found = [fact for fact in entry.message.facts if fact.body.type != "demographics"]
    assert len(found) == len(groups)
    assert len({(fact.body.type, fact.business_id) for fact in found}) >= len({
        (fact.body.type, distinguishing(fact.body)) for fact in found
    })  # fmt: skip
    assert lost(found, entry.checked.issues) == []


# ------------------------------------------------------------ HL7: results of one order

RESULTS = st.tuples(
    st.sampled_from(["29463-7", "27113001", "WEIGHT", "8302-2"]), st.sampled_from(["", "1"]), st.integers(100, 110)
)


@ROOMY
@given(st.lists(RESULTS, min_size=2, max_size=8))
def test_results_of_one_order(results: Sequence[tuple[str, str, int]]) -> None:
    segments = [
        f"OBX|{n}|NM|{code}|{part}|{value}|{'cm' if code == '8302-2' else 'kg'}|||||F"
        for n, (code, part, value) in enumerate(results, 1)
    ]
    entry = entry_of(message("ORU^R01", PV1, OBR, *segments))
    assert entry.message is not None
    found = [fact for fact in entry.message.facts if fact.body.type == "measurement"]
    assert len(found) == len(results)
    assert len({fact.business_id for fact in found}) == len(results)
    assert lost(found, entry.checked.issues) == []


# ------------------------------------------------------------ the rule itself


def test_what_distinguishes_a_type_is_a_field_of_it_and_no_type_is_both() -> None:
    assert not DISTINGUISHING.keys() & REPEATABLE
    for kind, fields in DISTINGUISHING.items():
        body = MILESTONES.get(kind)
        assert body is None or set(fields) <= body.model_fields.keys()


def test_a_reader_that_forgets_the_definition_is_seen() -> None:
    facts = [SourceFact(MILESTONES["completion"](on=TOLD_AT.date(), definition=name), "R-1/completion", "R-1")  # type: ignore[call-arg, arg-type]
             for name in ("as-reported/1", "dwmp-attended-60pct/1")]  # fmt: skip
    assert lost(facts, ()) == ["completion: two things under one id"]
