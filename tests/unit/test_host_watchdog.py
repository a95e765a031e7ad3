"""What a worker says of itself, and where it is told to die."""

import logging
import os
from pathlib import Path

import pytest

from streams.host import watchdog
from streams.host.settings import HostSettings
from streams.host.watchdog import HostFacts, Watchdog, halt


class Ended(BaseException):
    """In place of the end of the process."""


@pytest.fixture
def settings(tmp_path: Path) -> HostSettings:
    return HostSettings(bootstrap="127.0.0.1:9", worker_id="w1", state_directory=tmp_path)


@pytest.fixture
def time_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, set by hand."""
    now = [1_000.0]
    monkeypatch.setattr(watchdog, "clock", lambda: now[0])
    return now


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses the process would have ended with."""
    statuses: list[int] = []

    def end(status: int) -> None:
        statuses.append(status)
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    return statuses


def test_a_worker_is_ready_only_when_its_state_is_read_back(settings: HostSettings) -> None:
    facts = HostFacts(settings)
    assert facts.ready() == {"assigned": False, "recovered": False}
    facts.assign(recovered=False)
    assert facts.ready() == {"assigned": True, "recovered": False}
    facts.assign(recovered=True)
    assert facts.ready() == {"assigned": True, "recovered": True}
    facts.revoke()
    assert facts.ready() == {"assigned": False, "recovered": False}


def test_a_worker_whose_main_loop_stands_still_for_ten_seconds_is_not_alive(
    settings: HostSettings, time_s: list[float]
) -> None:
    facts = HostFacts(settings)
    time_s[0] += 9.9
    assert facts.live() == {"main_loop": True, "batch": True}
    time_s[0] += 0.1
    assert facts.live() == {"main_loop": False, "batch": True}
    facts.tick()
    assert facts.live() == {"main_loop": True, "batch": True}


def test_a_batch_is_stuck_past_its_deadline_and_reading_state_past_a_longer_one(
    settings: HostSettings, time_s: list[float]
) -> None:
    facts = HostFacts(settings)
    facts.in_flight_since(time_s[0])
    time_s[0] += settings.batch_deadline_s
    assert not facts.is_stuck()
    time_s[0] += 1
    assert facts.is_stuck()
    facts.begin_restore()
    time_s[0] += settings.batch_deadline_s + 1
    assert not facts.is_stuck()
    facts.end_restore()
    facts.in_flight_since(None)
    time_s[0] += 10_000
    assert not facts.is_stuck()


def test_a_pause_longer_than_the_session_allows_ends_the_process(
    settings: HostSettings, time_s: list[float], exits: list[int]
) -> None:
    dog = Watchdog("echo", settings, HostFacts(settings))
    time_s[0] += 0.8 * settings.session_timeout_s
    dog.check()
    time_s[0] += 0.1
    with pytest.raises(Ended):
        dog.check()
    assert exits == [70]


def test_the_last_words_hold_the_kind_and_place_of_an_error_and_never_its_text(
    exits: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    def stumble() -> None:
        try:
            raise LookupError("Jane Doe")
        except LookupError as error:
            halt("echo", at="batch", error=error)

    with caplog.at_level(logging.CRITICAL), pytest.raises(Ended):
        stumble()
    assert "stage=echo at=batch error=LookupError where=test_host_watchdog.py:" in caplog.text
    assert "Jane" not in caplog.text
    assert exits == [70]


def test_the_deadlines_fit_into_each_other(tmp_path: Path) -> None:
    for session_s, heartbeat_s, rebalance_s in ((45.0, 3.0, 60.0), (6.0, 1.0, 10.0), (2.0, 0.5, 2.0)):
        settings = HostSettings(
            bootstrap="127.0.0.1:9",
            worker_id="w1",
            state_directory=tmp_path,
            session_timeout_s=session_s,
            heartbeat_s=heartbeat_s,
            rebalance_timeout_s=rebalance_s,
        )
        assert settings.heartbeat_s < settings.fence_s < session_s
        assert settings.delivery_deadline_s < session_s, "then the partitions may be another's"
        assert settings.batch_deadline_s < rebalance_s, "then the group goes on without us"
        assert settings.request_timeout_s > max(session_s, rebalance_s)
