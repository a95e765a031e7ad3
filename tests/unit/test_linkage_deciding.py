"""A steward's word as a message: which are written, which are refused, and which are the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.cli import build_app
from ops.errors import NoEngine, SettingsError
from ops.steward.reviews import decision
from schemas.linking import PairDecision

NOW = datetime(2026, 11, 23, 10, 0, 0, 123_456, tzinfo=UTC)
A, B = "0" * 31 + "a", "0" * 31 + "b"


def test_a_decision_names_the_lesser_record_first_and_is_one_the_linker_reads() -> None:
    value = decision((B, A), "apart", now=NOW)
    assert (value.records, value.kind, value.decided_at) == ((A, B), "apart", "2026-11-23T10:00:00Z")
    assert PairDecision.parse(value.key().decode(), value.value()) == value


def test_the_same_words_with_the_same_time_are_one_message_whenever_and_in_whichever_order_they_are_typed() -> None:
    at = "2026-11-20T09:30:00Z"
    message = decision((A, B), "link", now=NOW, at=at)
    assert decision((B, A), "link", now=NOW + timedelta(days=3), at=at) == message
    assert decision((A, B), "apart", now=NOW, at=at).key() != message.key()
    assert decision((A, B), "link", now=NOW, at="2026-11-20T09:30:01Z").key() != message.key()


def test_of_two_words_in_one_second_the_later_stands() -> None:
    for first, second in (("link", "apart"), ("apart", "link")):
        early = decision((A, B), first, now=NOW)  # type: ignore[arg-type]
        late = decision((A, B), second, now=NOW + timedelta(milliseconds=1))  # type: ignore[arg-type]
        assert early.decided_at == late.decided_at
        assert early.decision_id < late.decision_id


def test_a_time_of_another_zone_is_told_in_utc() -> None:
    summer = NOW.astimezone(tz=None)
    assert decision((A, B), "link", now=summer).decided_at == "2026-11-23T10:00:00Z"


@pytest.mark.parametrize(
    ("records", "at", "rule"),
    [
        ((A, A), None, "the same record"),
        ((A, "Mary Smith"), None, "a record is named"),
        ((A, ""), None, "a record is named"),
        ((A, f"{B}/x|y"), None, "a record is named"),
        ((A, B), "2026-11-23T10:00:01Z", "later than now"),
        ((A, B), "2027-11-23T10:00:00Z", "later than now"),
        ((A, B), "2026-02-30T10:00:00Z", "no time of the calendar"),
        ((A, B), "2026-11-23", "no time of the calendar"),
        ((A, B), "2026-11-23T10:00:00+01:00", "no time of the calendar"),
        ((A, B), "", "no time of the calendar"),
    ],
)
def test_what_the_linker_would_refuse_is_refused_at_once_by_rule_and_without_its_value(
    records: tuple[str, str], at: str | None, rule: str
) -> None:
    with pytest.raises(SettingsError, match=rule) as refused:
        decision(records, "link", now=NOW, at=at)
    assert "Mary" not in str(refused.value)
    assert A not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (f"decide {A} {B}", "exactly one"),
        (f"decide {A} {B} --link --apart", "exactly one"),
        ("explain", "two records, or of an engine one"),
        (f"explain {A} --all", "two records, or of an engine one"),
        ("explain --all --input {table}", "two records, or of an engine one"),
        ("explain 1 --input {table} --map family=f", "needs two records and --map"),
        ("explain 1 2 --input {table}", "needs two records and --map"),
        (f"explain {A} {B} --directory no-engine-here", "no engine runs"),
        (f"decide {A} {B} --link --directory no-engine-here", "no engine runs"),
    ],
)
def test_words_that_ask_for_nothing_or_for_two_things_are_refused(tmp_path: Path, words: str, rule: str) -> None:
    table = tmp_path / "x.csv"
    table.write_text("f\nKing\n")
    ended = CliRunner().invoke(build_app(), ["linkage", *words.format(table=table).split()])
    assert isinstance(ended.exception, SettingsError | NoEngine)
    assert rule in str(ended.exception)
