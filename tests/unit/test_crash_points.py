"""The lab's worker: where it is ended on purpose, and what it runs on."""

import os

import pytest
from typer.testing import CliRunner

from ops.lab import worker
from ops.lab.crash_points import crash_point
from streams.host.batch import BATCH_PHASES


class Ended(BaseException):
    """In place of the end of the process."""


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses the process would have ended with."""
    statuses: list[int] = []

    def end(status: int) -> None:
        statuses.append(status)
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    return statuses


def test_an_injected_fault_strikes_at_its_passage_and_at_no_other(exits: list[int]) -> None:
    strike = crash_point("state_sent:2")
    for name in (*BATCH_PHASES, "delivered", "outputs_sent"):
        strike(name)
    with pytest.raises(Ended):
        strike("state_sent")
    assert exits == [137]


def test_without_a_fault_every_point_is_passed(exits: list[int]) -> None:
    passed = crash_point(None)
    for name in BATCH_PHASES:
        passed(name)
    assert exits == []


@pytest.mark.parametrize("wrong", ["", "state_sent", "state_sent:", "state_sent:x", "nowhere:1"])
def test_a_fault_that_could_never_strike_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="fault_at"):
        crash_point(wrong)


def test_the_worker_of_production_has_no_option_of_the_lab_and_the_labs_has_both() -> None:
    app = worker.build_app()
    before = CliRunner().invoke(app, ["--help"]).output
    after = CliRunner().invoke(app, ["worker", "--help"]).output
    for option in ("--fault-at", "--host", "--mutant"):
        assert option in before
        assert f"{option} " not in after
    assert "--worker-id" in after
