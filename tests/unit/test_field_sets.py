"""A recipient reads the fields of its set and no other, whatever is known of a person.

What may identify: the Information Commissioner's Office on anonymisation (singling out), NHS England on small numbers.
A planner at a council knows who lives there, so with a day, a practice or a rare condition a row is somebody.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from pathway_engine import RECEIVED_MS, Run, agreement, answer, fact_input, message, run, step
from pathway_journeys import body_of, day, facts, keyed
from pydantic import BaseModel

from schemas.field_sets import ALWAYS, ALWAYS_IN_EVENTS, FIELD_SETS, REPLACING, FieldSet, Use, pruned, tree_of
from schemas.pathway import Snapshot, schema_uri
from schemas.pathway_events import EVENTS
from schemas.pathway_in import tick_message, withdrawal_message
from schemas.published_model import PublishedModel
from schemas.recipients import Agreement
from schemas.set_schemas import every_schema
from streams.steps.outcome import Emit

PERSON = keyed("person", "1")
SETS = [name for name in FIELD_SETS if name != "full"]


def paths_of(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """Every leaf that a published model can have."""
    for name, item in model.model_fields.items():
        yield from _paths_of(item.annotation, f"{place}{name}")


def _paths_of(kind: Any, place: str) -> Iterator[str]:
    if isinstance(kind, type) and issubclass(kind, PublishedModel):
        yield from paths_of(kind, f"{place}.")
        return
    origin, parts = (
        getattr(kind, "__origin__", None),
        [part for part in get_args(kind) if part not in (type(None), ...)],
    )
    nested = [part for part in parts if _holds_model(part)]
    if not nested:
        yield place
    for part in nested:
        yield from _paths_of(part, f"{place}.*" if isinstance(origin, type) and issubclass(origin, Mapping) else place)


def _holds_model(kind: Any) -> bool:
    return (isinstance(kind, type) and issubclass(kind, PublishedModel)) or any(map(_holds_model, get_args(kind)))


def leaves(value: object, place: str = "") -> Iterator[str]:
    """The place of every value in JSON; a number of weeks is `*`."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from leaves(part, f"{place}.{'*' if name.isdecimal() else name}".lstrip("."))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from leaves(part, place)
    else:
        yield place


def named(place: str, paths: Sequence[str]) -> bool:
    """True when a path of the set names the place, or an object on the way that is null."""
    return any(place == path or place.startswith(f"{path}.") or path.startswith(f"{place}.") for path in paths)


EVERY_PATH = frozenset(paths_of(Snapshot))
EVERYTHING = """
    0  | gp    | refers to tier2 ubrn A
    0  | gp    | refers to tier3 ubrn B
    1  | tier2 | receives referral ubrn A
    3  | tier2 | accepts
    7  | tier2 | triages level 2
    7  | tier2 | starts
    7  | tier2 | attended
    14 | tier2 | did not attend
    21 | tier2 | cancelled
"""


def everything() -> list[tuple[bytes, bytes]]:
    stored = facts(EVERYTHING)
    first = stored[0]
    about = [
        {"type": "demographics", "sex": "female", "birth_year": 1961, "ethnic_category": "A", "ethnic_system": "2001",
         "imd_quintile": 1, "imd_version": "2019",
         "lsoa_version": "2011", "council": "E10000", "practice_ods": "A81001",
         "on": day(0).isoformat()},
        {"type": "comorbidity", "condition": "diabetes", "present": True, "on": day(2).isoformat()},
        {"type": "death", "on": day(300).isoformat()},
    ]  # fmt: skip
    more = [
        replace(
            first,
            fact_id=keyed("about", str(number)),
            body=body_of(body),
            source_version_at=datetime(2027, 1, 1, tzinfo=UTC),
        )
        for number, body in enumerate(about)
    ]
    return [fact_input(PERSON, fact, 1) for fact in [*stored, *more]]


def read_by(recipient: str | Agreement, pairs: Sequence[Any] | None = None) -> Run:
    return run([*(pairs or everything()), tick_message(0, day(200))], by=step((recipient,)))


def values(done: Run, topic: str) -> list[dict[str, Any]]:
    return [json.loads(emit.value) for emit in done.sent if topic in emit.topic and emit.value]


def test_the_journey_of_these_tests_reaches_the_fields_that_the_sets_leave_out() -> None:
    """The control: under `full` all of them are there."""
    last = values(read_by("demo"), "pathway.state")[-1]
    held = set(leaves(last))
    assert {"died_on", "comorbidities", "demographics.birth_year", "demographics.practice_ods"} <= held
    assert {"episodes.started_on", "handovers.sent_on"} <= held
    kinds = {event["event"] for event in values(read_by("demo"), "pathway.events")}
    assert {"died", "attended", "gap", "comorbidity"} <= kinds


@pytest.mark.parametrize("name", SETS)
def test_every_leaf_a_recipient_reads_is_a_field_of_its_set(name: str) -> None:
    found = FIELD_SETS[name]
    done = read_by(agreement("city", name))
    snapshots = values(done, "pathway.state")
    assert snapshots
    for snapshot in snapshots:
        wrong = {place for place in leaves(snapshot) if not named(place, (*ALWAYS, *(found.snapshot or ())))}
        assert wrong == set()
    allowed = {*ALWAYS_IN_EVENTS, *(found.event_fields or ())}
    for event in values(done, "pathway.events"):
        assert event["event"] in (found.events or ())
        assert set(event) <= allowed
    assert bool(values(done, "pathway.events")) == bool(found.events)


@pytest.mark.parametrize("name", SETS)
def test_a_set_that_forgot_to_leave_something_out_would_be_seen(name: str) -> None:
    """The mutant: everything is published, whatever the set says."""
    whole = values(read_by("demo"), "pathway.state")[-1]
    assert any(not named(place, (*ALWAYS, *(FIELD_SETS[name].snapshot or ()))) for place in leaves(whole))


@pytest.mark.parametrize("name", SETS)
def test_what_a_set_names_reads_as_in_the_whole(name: str) -> None:
    """Left out, never changed: ids apart, which are each recipient's own."""
    whole = values(read_by("demo"), "pathway.state")[-1]
    part = values(read_by(agreement("demo", name)), "pathway.state")[-1]
    found = FIELD_SETS[name]
    assert part == pruned(whole, tree_of((*ALWAYS, *(found.snapshot or ()))))
    assert len(set(leaves(part))) > 20


@pytest.mark.parametrize("name", SETS)
def test_a_set_names_only_what_the_published_models_have(name: str) -> None:
    """A path with a slip in it would leave a field out without a word."""
    found = FIELD_SETS[name]
    for path in found.snapshot or ():
        assert any(leaf == path or leaf.startswith(f"{path}.") for leaf in EVERY_PATH), path
    assert (found.events or frozenset()) <= set(EVENTS)
    assert set(found.event_fields or ()) <= {field for model in EVENTS.values() for field in model.model_fields}


@pytest.mark.parametrize("name", SETS)
def test_events_that_take_each_others_place_are_read_all_or_none(name: str) -> None:
    """An attendance is corrected to a cancellation under its key: whoever reads one alone would keep what is wrong."""
    for group in REPLACING:
        assert len({FIELD_SETS[name].shows(kind) for kind in group}) == 1


IDENTIFYING = {
    "planning": ("_on ", "birth_year", "ethnic", "practice", "comorbid", "weights", "kg", "reason", "lsoa", "died"),
    "research": ("ods", "council", "programme", "practice", "lsoa", "died", "referrer"),
}


@pytest.mark.parametrize("name", SETS)
def test_what_identifies_small_groups_is_not_in_a_set(name: str) -> None:
    """The list above is a person's, not the code's: days for planners, places for researchers."""
    done = read_by(agreement("city", name))
    held = {place for value in done.published().values() for place in leaves(value)}
    allowed = {"episodes.provider_ods", "episodes.council", "demographics.council"} if name == "planning" else set()
    wrong = {place for place in held - allowed if any(word in f"{place} " for word in IDENTIFYING[name])}
    assert wrong - {"episodes.decline_reason", "episodes.withdrawal_reason"} == set()


def test_every_purpose_has_a_set_and_full_is_for_care_alone() -> None:
    assert {use for found in FIELD_SETS.values() for use in found.uses} == set(get_args(Use))
    assert FIELD_SETS["full"].uses == {"direct care"}
    assert all(len(found.reason) > 60 for found in FIELD_SETS.values())


def test_a_new_field_of_a_model_reaches_nobody_but_full() -> None:
    value = {"person": "p", "current_stage": "started", "nickname": "Bob", "demographics": {"sex": "male", "shoe": 43}}
    for name in SETS:
        kept = FIELD_SETS[name].of_snapshot(value)
        assert kept == {"person": "p", "current_stage": "started", "demographics": {"sex": "male"}}
        assert "shoe" not in FIELD_SETS[name].of_event({"event": "booked", "shoe": 43})
    assert FieldSet("all", "", frozenset()).of_snapshot(value) == value


def by_recipient(
    recipients: Sequence[str | Agreement], pairs: Sequence[Any] | None = None
) -> dict[str, list[tuple[object, ...]]]:
    leaves = withdrawal_message(PERSON, keyed("record", "tier2"), 1)
    done = run(pairs or [*everything(), tick_message(0, day(200)), leaves], by=step(recipients))
    found: dict[str, list[tuple[object, ...]]] = {}
    for emit in done.sent:
        sent = (emit.topic, emit.partition, emit.key, emit.value, emit.headers)
        found.setdefault(emit.topic.split(".")[2], []).append(sent)
    return found


def test_a_recipient_more_or_less_changes_no_byte_of_what_another_reads() -> None:
    both = by_recipient(["demo", agreement("city", "planning"), agreement("uni", "research")])
    assert set(both) == {"demo", "city", "uni"}
    assert by_recipient(["demo"]) == {"demo": both["demo"]}
    assert by_recipient([agreement("uni", "research"), "demo"]) == {"demo": both["demo"], "uni": both["uni"]}


def test_outside_its_period_nothing_is_published_for_a_recipient() -> None:
    """Not a retraction, not a tombstone: messages of these tests come on 5 January 2026."""
    assert datetime.fromtimestamp(RECEIVED_MS / 1000, UTC).date() == date(2026, 1, 5)
    over = agreement("over", to_on=date(2026, 1, 4))
    ahead = agreement("ahead", from_on=date(2026, 1, 6))
    today = agreement("today", from_on=date(2026, 1, 5), to_on=date(2026, 1, 5))
    assert set(by_recipient([over, "demo", ahead, today], everything())) == {"demo", "today"}


def test_the_day_that_counts_is_englands() -> None:
    """23:30 UTC on 30 June is half past midnight on 1 July."""
    late = int(datetime(2026, 6, 30, 23, 30, tzinfo=UTC).timestamp() * 1000)
    engine = step([agreement("july", from_on=date(2026, 7, 1))])
    received = message(everything()[0], 0)
    for at, due in ((late, True), (late - 3_600_000, False)):
        moved = received._replace(timestamp_ms=at)
        _, outcomes = answer(engine, engine.restore([]), moved)
        assert any(isinstance(outcome, Emit) for outcome in outcomes) is due


def fits(value: object, schema: dict[str, Any], whole: dict[str, Any]) -> bool:
    """JSON Schema 2020-12, as far as names go: required and allowed properties, at every depth."""
    if "$ref" in schema:
        return fits(value, whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole)
    if "anyOf" in schema:
        return any(fits(value, part, whole) for part in schema["anyOf"])
    if isinstance(value, list):
        return schema.get("type") == "array" and all(fits(part, schema["items"], whole) for part in value)
    if not isinstance(value, dict):
        return schema.get("type") not in ("array", "object") and (value is None) == (schema.get("type") == "null")
    known, others = schema.get("properties", {}), schema.get("additionalProperties", False)
    if not value.keys() >= set(schema.get("required", ())) or (value.keys() - known.keys() and not others):
        return False
    return schema.get("type") == "object" and all(
        fits(part, known.get(name, others), whole) for name, part in value.items()
    )


@pytest.mark.parametrize("name", FIELD_SETS)
def test_what_a_recipient_reads_fits_the_schema_that_its_headers_name(name: str) -> None:
    schemas = {schema["$id"]: schema for schema in every_schema().values()}
    others = "planning" if name == "full" else "full"
    snapshots = 0
    for emit in read_by(agreement("city", name)).sent:
        if emit.value is None:
            continue
        uri = dict(emit.headers)["ce_dataschema"].decode()
        value = json.loads(emit.value)
        assert fits(value, schemas[uri], schemas[uri]), uri
        if emit.topic.startswith("pathway.state"):
            snapshots += 1
            wrong = schemas[schema_uri("snapshot", others)]
            assert not fits(value, wrong, wrong), "the control: another set's schema does not fit"
    assert snapshots
