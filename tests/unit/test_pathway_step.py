"""The pathway step: what it sends for each message, under which ids, and what it never sends."""

import json
import re
from datetime import date, datetime, timedelta

import pytest
from pathway_engine import (
    BUCKET_KEYS,
    PERSON,
    RECEIVED_MS,
    KeyValue,
    Run,
    agreement,
    answer,
    inputs,
    key_input,
    message,
    run,
    step,
)
from pathway_journeys import DEFINITIONS, day, facts, keyed, keyring

from schemas import canonical, topics
from schemas.errors import InvalidField
from schemas.keyring import recipient_purpose
from schemas.pathway import Snapshot
from schemas.pathway_events import EVENTS, Retraction
from schemas.pathway_in import tick_message, withdrawal_message
from streams.steps.outcome import Change, Emit, Reject
from streams.steps.pathway import PathwayStep

THREE_TIERS = """
    0 | gp    | refers to tier2 ubrn A
    0 | gp    | demographics sex=female birth_year=1970 imd_quintile=1 imd_version=2025
    0 | gp    | diabetes present
    4 | tier2 | receives referral ubrn A
    6 | tier2 | triages level 2
    7 | tier2 | the person chooses RX1 of 3
    8 | tier2 | accepts
    5 | gp    | refers to tier3 ubrn B as second
    6 | gp    | declines under second
   12 | tier2 | appointment booked on day 8
   14 | tier2 | starts
   14 | tier2 | attended
   21 | tier2 | did not attend
   28 | tier2 | cancelled
   14 | tier2 | weight 120
   50 | tier2 | suspends for illness
   98 | tier2 | weight 110
   98 | tier2 | scores 9 on phq9
   98 | tier2 | completes
   99 | tier2 | discharges
   99 | tier2 | withdraws
  100 | tier2 | refers to tier3
  110 | tier3 | receives referral consultant-led
  115 | tier3 | attended booked on day 111
  116 | tier3 | medicine started
  117 | tier3 | declines
  118 | tier3 | procedure
  119 | tier3 | refers to tier4
  300 | gp    | dies
"""


def test_a_whole_journey_is_published_as_one_snapshot_and_an_event_for_everything_that_follows() -> None:
    done = run([*inputs(THREE_TIERS), tick_message(0, day(200))])
    snapshot = done.snapshot()
    assert [(episode["tier"], episode["stage"]) for episode in snapshot["episodes"]] == [
        ("tier2", "discharged"),  # of day 99; nobody dies in an episode that had ended
        ("tier3", "declined"),
    ]
    assert [episode["ending"] for episode in snapshot["episodes"]] == ["completed", "left"]
    assert snapshot["three_tier"] is True
    assert snapshot["comorbidities"] == ["diabetes"]
    assert snapshot["demographics"]["imd_quintile"] == 1
    assert [handover["status"] for handover in snapshot["handovers"]] == [
        "received", "answered", "received", "overdue",
    ]  # fmt: skip
    assert snapshot["handovers"][0]["episode"] == snapshot["episodes"][0]["id"]
    assert set(done.events()) == set(EVENTS)
    for emit in done.sent:
        assert emit.partition == topics.partition_of(PERSON)


def test_every_value_is_canonical_and_valid_by_its_own_model() -> None:
    for emit in run([*inputs(THREE_TIERS), tick_message(0, day(200))]).sent:
        assert emit.value is not None
        value = canonical.load_object(emit.value)
        assert canonical.dump(value) == emit.value
        model = Snapshot if "state" in emit.topic else EVENTS[value["event"]]
        (Retraction if value.get("status") == "retracted" else model).model_validate_json(emit.value)


def test_messages_are_cloudevents_in_binary_mode() -> None:
    (sent,) = [emit for emit in run(inputs("0 | gp | refers to tier2")).sent if "events" in emit.topic]
    value, headers = json.loads(sent.value or b""), dict(sent.headers)
    assert sent.key == f"{value['person']}/{value['id']}".encode()
    assert headers == {
        "ce_specversion": b"1.0",
        "ce_id": f"{value['id']}/0".encode(),
        "ce_source": b"https://tierlink.example/",
        "ce_type": b"example.tierlink.pathway.referral_sent.v1",
        "ce_time": b"2026-01-05T08:00:00.000000Z",
        "ce_subject": value["person"].encode(),
        "ce_dataschema": b"https://tierlink.example/schemas/pathway/referral_sent/v1",
        "content-type": b"application/json",
    }
    assert (value["revision"], value["known_at"]) == (0, "2026-01-05T08:00:00.000000Z")
    assert value["person"] == keyring("demo").mac(recipient_purpose("demo"), PERSON)


def test_a_tombstone_has_no_value_at_all() -> None:
    """An empty value would not remove the key (CloudEvents Kafka binding 3.2.2)."""
    leaves = withdrawal_message(PERSON, keyed("record", "gp"), 1)
    done = run([*inputs("0 | gp | refers to tier2"), leaves])
    tombstone = [emit for emit in done.sent if "state" in emit.topic][-1]
    assert tombstone.value is None
    assert "content-type" not in dict(tombstone.headers)
    assert done.published() == {}


def test_a_message_that_comes_again_in_the_same_life_leads_to_nothing() -> None:
    leaves = withdrawal_message(PERSON, keyed("record", "gp"), 1)
    pairs = [*inputs("0 | gp | refers to tier2"), leaves]
    once, again = run(pairs), run([*pairs, *pairs])
    assert again.sent == once.sent
    assert again.changelog == once.changelog


def test_a_batch_publishes_each_person_once() -> None:
    engine, pairs = step(), inputs(THREE_TIERS)
    messages = [message(pair, offset) for offset, pair in enumerate(pairs)]
    _, outcomes = answer(engine, engine.restore([]), *messages)
    snapshots = [outcome for outcome in outcomes if isinstance(outcome, Emit) and "state" in outcome.topic]
    assert len(snapshots) == 1
    assert json.loads(snapshots[0].value or b"")["revision"] == len(pairs) - 1
    together = Run()
    together.take(outcomes)
    assert together.published() == run(pairs).published()


def test_what_no_longer_follows_is_retracted_with_nothing_else_in_it() -> None:
    leaves = withdrawal_message(PERSON, keyed("record", "gp"), 1)
    retraction = [emit for emit in run([*inputs("0 | gp | refers to tier2"), leaves]).sent if "events" in emit.topic][
        -1
    ]
    value = json.loads(retraction.value or b"")
    assert (value["status"], value["event"], value["revision"]) == ("retracted", "referral_sent", 1)
    assert set(value) == {"status", "event", "id", "person", "revision", "known_at"}


def test_an_unchanged_event_of_another_fact_is_not_sent_again() -> None:
    done = run(
        inputs("""
        0 | tier2 | receives referral
        7 | tier2 | triages level 2
    """)
    )
    assert [json.loads(emit.value or b"")["event"] for emit in done.sent if "events" in emit.topic] == [
        "referral_received",
        "triaged",
    ]


def test_a_gap_is_published_by_the_tick_of_its_day_and_closed_by_the_receipt() -> None:
    sent = inputs("0 | tier2 | refers to tier3")
    before = run([*sent, tick_message(0, day(41))])
    assert "gap" not in before.events()
    after = run([*sent, tick_message(0, day(41)), tick_message(0, day(42))])
    assert after.events() == ["gap", "referral_sent"]
    assert after.snapshot()["handovers"][0]["status"] == "overdue"
    closed = run([*sent, tick_message(0, day(42)), *inputs("50 | tier3 | receives referral")])
    assert closed.events() == ["handover_received", "referral_received", "referral_sent"]


def test_a_day_that_makes_nothing_overdue_publishes_nothing() -> None:
    engine, sent = step(), inputs("0 | tier2 | refers to tier3")
    state, _ = answer(engine, engine.restore([]), message(sent[0], 0))
    state, overdue = answer(engine, state, message(tick_message(0, day(42)), 1))
    assert any(isinstance(outcome, Emit) for outcome in overdue)
    state, later = answer(engine, state, message(tick_message(0, day(43)), 2))
    assert [outcome.key for outcome in later if isinstance(outcome, Change)] == [b"as_of"]
    assert not any(isinstance(outcome, Emit) for outcome in later)
    state, again = answer(engine, state, message(tick_message(0, day(43)), 3))
    assert again == (), "a day that is kept has been answered"
    _, stale = answer(engine, state, message(tick_message(0, day(40)), 4))
    assert stale == ()


@pytest.mark.parametrize(
    ("sent", "latest"),
    [
        ("2026-01-05T12:00:00Z", date(2026, 1, 6)),
        ("2026-01-05T23:59:59Z", date(2026, 1, 6)),
        ("2026-07-05T22:59:59Z", date(2026, 7, 6)),
        ("2026-07-05T23:00:00Z", date(2026, 7, 7)),  # summer time: in London it is the 6th
    ],
)
def test_a_tick_names_at_the_latest_the_day_after_it_was_sent(sent: str, latest: date) -> None:
    """A day only grows: one of the year 9999 would make every referral overdue, for ever."""
    sent_ms = int(datetime.fromisoformat(sent).timestamp() * 1000)
    engine = step()
    for ahead in (latest + timedelta(days=1), date.max):
        state = engine.restore([])
        _, outcomes = answer(engine, state, message(tick_message(0, ahead), 0, sent_ms=sent_ms))
        assert outcomes == (Reject("tick-ahead"),)
        assert not state.days
    for day_named in (latest, latest - timedelta(days=400), date.min):
        _, outcomes = answer(engine, engine.restore([]), message(tick_message(0, day_named), 0, sent_ms=sent_ms))
        assert [type(outcome) for outcome in outcomes] == [Change]


def test_a_tick_that_is_ahead_makes_nothing_overdue_and_stops_no_later_day() -> None:
    engine, sent = step(), inputs("0 | tier2 | refers to tier3")
    state, _ = answer(engine, engine.restore([]), message(sent[0], 0))
    state, refused = answer(engine, state, message(tick_message(0, date.max), 1, sent_ms=RECEIVED_MS))
    assert refused == (Reject("tick-ahead"),)
    state, _ = answer(engine, state, message(tick_message(0, day(41)), 2))
    _, overdue = answer(engine, state, message(tick_message(0, day(42)), 3))
    assert any(isinstance(outcome, Emit) for outcome in overdue)


def test_two_recipients_share_no_id() -> None:
    done = run([*inputs(THREE_TIERS), tick_message(0, day(200))], by=step(("demo", "research")))

    def ids(recipient: str) -> set[str]:
        found: set[str] = set()
        for emit in done.sent:
            if f".{recipient}." in emit.topic:
                found |= set(emit.key.decode().split("/"))
                found |= set(re.findall('"([0-9a-f]{32})"', (emit.value or b"").decode()))
        return found

    assert len(ids("demo")) == len(ids("research")) > 20
    assert not ids("demo") & ids("research")


def test_two_clients_under_one_referral_number_share_no_id() -> None:
    """CloudEvents 1.0: source and id name one event. A fact id is the source's number, whoever it is given for."""
    first, second = (run(inputs(THREE_TIERS, person=keyed("person", who))) for who in ("1", "2"))
    assert not published_ids(first) & published_ids(second)
    assert published_ids(first) == published_ids(run(inputs(THREE_TIERS)))


def published_ids(done: Run) -> set[str]:
    """The ids of the person, the episodes, the handovers and the events."""
    values = [json.loads(emit.value) for emit in done.sent if emit.value is not None]
    parts = [part for value in values for part in value.get("episodes", []) + value.get("handovers", [])]
    return {part["id"] for part in parts} | {value.get("id", value["person"]) for value in values}


def test_no_id_of_ours_leaves_the_linkage_zone() -> None:
    stored = facts(THREE_TIERS)
    ours = {PERSON, keyed("ubrn", "A"), keyed("A")}
    ours |= {fact.record_id for fact in stored} | {fact.fact_id for fact in stored}
    done = run([*inputs(THREE_TIERS), tick_message(0, day(200))])
    assert all(any(id_.encode() in key for key in done.changelog) for id_ in (PERSON, stored[0].record_id))
    for emit in done.sent:
        everything = emit.key + (emit.value or b"") + b"".join(value for _, value in emit.headers)
        assert not [id_ for id_ in ours if id_.encode() in everything]


def entry_of(table: str) -> tuple[bytes, bytes]:
    """The one entry of the table as a message."""
    (pair,) = inputs(table)
    return pair[0] or b"", pair[1] or b""


@pytest.mark.parametrize(
    "bad",
    [
        (b"k", None),
        (None, b"{}"),
        (b"k", b"not JSON"),
        (b"k", b"\xff"),
        (b"k", b"[]"),
        (b"k", b'{"v":1,"kind":"gossip"}'),
        (b"tick/0", b'{"v":1,"kind":"tick","as_of":"30 February"}'),
        (b"tick/0/64", b'{"v":1,"kind":"tick","as_of":"2026-02-01"}'),
        (b"tick/0/-1", b'{"v":1,"kind":"tick","as_of":"2026-02-01"}'),
        (b"tick/0/", b'{"v":1,"kind":"tick","as_of":"2026-02-01"}'),
        (b"tick/0", b'{"v":2,"kind":"tick","as_of":"2026-02-01"}'),
        (b"tick/0", withdrawal_message(PERSON, keyed("record", "gp"), 1)[1]),
        (f"{PERSON}/w".encode(), withdrawal_message(PERSON, keyed("record", "gp"), 1)[1]),
        (entry_of("0 | gp | dies")[0], withdrawal_message(PERSON, keyed("record", "gp"), 1)[1]),
        (entry_of("0 | gp | dies")[0], entry_of("1 | gp | dies as another")[1]),
        (withdrawal_message(PERSON, keyed("record", "gp"), 1)[0], entry_of("0 | gp | dies")[1]),
        (entry_of("0 | gp | dies")[0], entry_of("0 | gp | dies")[1].replace(b'"body":"', b'"body":"AAAA')),
        (
            entry_of("0 | gp | dies")[0],
            entry_of("0 | gp | dies")[1].replace(b'"facts":[[', b'"facts":[["f","v",true,true],['),
        ),
        (key_input(PERSON, keyed("record", "gp"), 1)[0], key_input(PERSON, keyed("r"), 1)[1]),
        withdrawal_message("a name", keyed("record", "gp"), 1),
        withdrawal_message(PERSON, keyed("record", "gp"), -1),
    ],
)
def test_what_cannot_be_read_is_rejected_and_changes_nothing(bad: KeyValue) -> None:
    engine, before = step(), inputs("0 | gp | refers to tier2")
    state, _ = answer(engine, engine.restore([]), message(before[0], 0))
    state, outcomes = answer(engine, state, message(bad, 1))
    assert outcomes == (Reject("unreadable"),)
    after = run([*before, bad])
    assert after.published() == run(before).published()
    assert after.rejected == ["unreadable"]


def test_what_is_published_after_a_rebuild_is_newer_than_all_before() -> None:
    engine = PathwayStep(
        keyring("demo"), (agreement("demo"),), DEFINITIONS, data_keys=lambda: BUCKET_KEYS, generation=3
    )
    done = run(inputs("0 | gp | refers to tier2"), by=engine)
    assert {json.loads(emit.value or b"")["revision"] for emit in done.sent} == {3 * 2**40}


def test_a_link_of_a_generation_that_has_not_begun_is_a_dead_letter() -> None:
    forged = inputs("0 | gp | refers to tier2", revision=10**15)
    leaves = withdrawal_message(PERSON, keyed("record", "gp"), 2**40)
    done = run([*inputs("0 | gp | refers to tier2"), *forged, leaves])
    assert done.rejected == ["generation"] * 3, "the entry, its key, the withdrawal"
    assert done.published() == run(inputs("0 | gp | refers to tier2")).published()


def test_the_state_is_one_element_for_each_thing() -> None:
    leaves = withdrawal_message(PERSON, keyed("record", "tier3"), 7)
    (sent,) = inputs("0 | tier2 | refers to tier3 as sent")
    done: Run = run([sent, leaves, tick_message(0, day(41))])
    assert sorted(done.changelog) == sorted(
        [
            sent[0] or b"",
            f"{PERSON}/{keyed('record', 'tier2')}/k".encode(),
            f"{PERSON}/{keyed('record', 'tier3')}/w".encode(),
            f"{PERSON}/o/snapshot".encode(),
            f"{PERSON}/o/{keyed('fact', 'sent')}".encode(),
            f"{PERSON}/u".encode(),
            b"as_of",
        ]
    )


def test_a_recipient_without_a_key_is_refused_when_it_is_first_needed() -> None:
    engine = PathwayStep(keyring("demo"), (agreement("research"),), DEFINITIONS, data_keys=lambda: BUCKET_KEYS)
    with pytest.raises(InvalidField):
        answer(engine, engine.restore([]), message(inputs("0 | gp | refers to tier2")[0], 0))


def test_the_distant_past_and_future_are_dates_like_any_other() -> None:
    assert run([tick_message(0, date.max), *inputs("0 | tier2 | refers to tier3")]).events() == ["gap", "referral_sent"]
