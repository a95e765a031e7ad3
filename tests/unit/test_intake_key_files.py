"""The keys between doors and ingress on disk: made ahead, destroyed after day 15; a door's key can be taken away."""

import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connectors.sessions import DoorSessions
from ops.admin.intake_keys import DAYS_AHEAD, add_doors, replace_door, turn, turns
from ops.runtime.intake_key_files import CurrentIntakeKeys, IntakeKeyFiles
from schemas.door_session import Refusal, verify
from schemas.errors import Unreadable
from schemas.intake_keys import KEPT_DAYS, day_public, door_public, dump_doors, parse_doors

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
TODAY = NOW.date()


def after(days: int) -> date:
    return TODAY + timedelta(days=days)


@pytest.fixture
def files(tmp_path: Path) -> IntakeKeyFiles:
    turn(tmp_path, TODAY)
    add_doors(tmp_path, ["gp-hub", "trust-wm"], NOW)
    return IntakeKeyFiles(tmp_path)


def test_a_turn_makes_a_week_ahead_and_a_second_one_changes_nothing(files: IntakeKeyFiles, tmp_path: Path) -> None:
    before = files.intake_keys()
    assert files.held_days() == tuple(after(days) for days in range(DAYS_AHEAD + 1))
    assert turn(tmp_path, TODAY) == (0, 0)
    assert files.intake_keys() == before


def test_a_day_can_be_opened_on_its_15th_day_and_never_again_on_its_16th(files: IntakeKeyFiles, tmp_path: Path) -> None:
    """The broker keeps an intake message for 15 days: the key goes when the last message of its day does."""
    private = files.intake_keys().days[TODAY]
    turn(tmp_path, after(KEPT_DAYS))
    assert files.intake_keys().days[TODAY] == private
    assert turn(tmp_path, after(KEPT_DAYS + 1)) == (1, 1)
    assert TODAY not in files.intake_keys().days
    assert not files.public(TODAY).exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and private in path.read_bytes()]


def test_turns_that_failed_for_a_month_destroy_all_that_is_old_at_once(files: IntakeKeyFiles, tmp_path: Path) -> None:
    assert turn(tmp_path, after(40)) == (DAYS_AHEAD + 1, DAYS_AHEAD + 1)
    assert min(files.held_days()) == after(40)


def test_a_process_that_stays_turns_at_once_and_on_every_day_that_comes(tmp_path: Path) -> None:
    """Forty days of hours: each day has its key a week before it begins, and none is kept past day 15."""
    hours = iter(range(24 * 40))
    clock = {"hour": 0}

    def ended(_: float) -> bool:
        clock["hour"] = next(hours, -1)
        return clock["hour"] < 0

    for _ in turns(tmp_path, lambda: after(clock["hour"] // 24), ended):
        held, today = IntakeKeyFiles(tmp_path).held_days(), after(clock["hour"] // 24)
        assert max(held) == today + timedelta(days=DAYS_AHEAD)
        assert min(held) >= today - timedelta(days=KEPT_DAYS)
    assert clock["hour"] < 0
    assert min(held) == after(39 - KEPT_DAYS)


def test_private_keys_are_read_by_their_owner_alone(files: IntakeKeyFiles) -> None:
    for path in (files.private(TODAY), files.signing("gp-hub")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_a_door_seals_to_the_key_of_the_day_and_signs_as_the_registry_says(files: IntakeKeyFiles) -> None:
    seal, keys = files.seal_of("gp-hub", NOW), files.intake_keys()
    assert seal.ingress_public == day_public(keys.days[TODAY])
    assert [row.source for row in keys.doors.values() if row.public == door_public(seal.signing)] == ["gp-hub"]
    session = DoorSessions(files.seal_of).of("gp-hub", NOW)
    assert verify(session.header, "gp-hub", keys=keys, appended_at=NOW).secret == session.secret


@pytest.mark.parametrize(("source", "now"), [("nobody", NOW), ("gp-hub", NOW + timedelta(days=30))])
def test_without_its_key_or_that_of_the_day_a_door_says_what_to_do(
    files: IntakeKeyFiles, source: str, now: datetime
) -> None:
    with pytest.raises(Unreadable, match="tierlink keys"):
        files.seal_of(source, now)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_replaced_key_ends_after_running_sessions_or_at_once(
    files: IntakeKeyFiles, tmp_path: Path, *, at_once: bool
) -> None:
    current = CurrentIntakeKeys(files)
    session = DoorSessions(files.seal_of).of("gp-hub", NOW)
    assert current() is current(), "the same value while no file changes"
    replace_door(tmp_path, "gp-hub", NOW, at_once=at_once)
    later = NOW + timedelta(minutes=50)
    if at_once:
        with pytest.raises(Refusal) as raised:
            verify(session.header, "gp-hub", keys=current(), appended_at=later)
        assert raised.value.code == "revoked-door"
        assert verify(session.header, "gp-hub", keys=current(), appended_at=NOW - timedelta(minutes=1))
    else:
        assert verify(session.header, "gp-hub", keys=current(), appended_at=later)
    renewed = DoorSessions(files.seal_of).of("gp-hub", NOW)
    assert verify(renewed.header, "gp-hub", keys=current(), appended_at=NOW).door.valid_to is None
    assert files.intake_keys().doors.keys() > {("trust-wm", row.id) for row in _of(files, "trust-wm")}


def _of(files: IntakeKeyFiles, source: str) -> list:
    return [row for row in files.registered() if row.source == source]


def test_a_registry_is_read_as_it_was_written(files: IntakeKeyFiles) -> None:
    assert parse_doors(dump_doors(files.registered())) == files.registered()
    assert len(files.registered()) == 2


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"tierlink_doors": 2, "doors": []}', '{"tierlink_doors": 1, "doors": [{}]}',
     '{"tierlink_doors": 1, "doors": [{"source": "a", "public": "AA==", "from": "2026-01-01T00:00:00Z", "to": null}]}'],
)  # fmt: skip
def test_what_is_no_registry_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_doors(text)
