"""The plan of faults is a pure function of the seed, and leaves nothing out."""

import itertools
from collections import Counter

import pytest

from ops.lab.chaos.fault_plan import DEATHS, KINDS, LONG, Action, FaultKind, counts, more, plan
from ops.lab.chaos.runner import ChaosOptions, base_targets
from streams.host.batch import BATCH_PHASES

TARGETS = base_targets()


def deaths(actions: list[Action]) -> int:
    return sum(DEATHS.get(action.kind, 0) for action in actions)


def test_the_same_seed_gives_the_same_actions_and_another_seed_others() -> None:
    assert plan(1, 40, KINDS, TARGETS) == plan(1, 40, KINDS, TARGETS)
    assert plan(1, 40, KINDS, TARGETS) != plan(2, 40, KINDS, TARGETS)
    first, again = (list(itertools.islice(more(1, KINDS, TARGETS), 9)) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("kills", [13, 50, 100, 300])
def test_every_kind_and_every_crash_point_comes_and_exactly_so_many_die(kills: int) -> None:
    planned = plan(3, kills, KINDS, TARGETS)
    assert {action.kind for action in planned} == set(KINDS)
    assert {action.fault_at.partition(":")[0] for action in planned if action.kind == "crash"} == set(BATCH_PHASES)
    assert deaths(planned) == kills


@pytest.mark.parametrize(
    "kinds", [("kill",), ("crash",), ("broker-kill",), ("wipe", "latency"), ("kill", "stop", "trickle")]
)
def test_few_kinds_are_planned_alone_and_as_many_die(kinds: tuple[FaultKind, ...]) -> None:
    planned = plan(5, 20, kinds, TARGETS)
    assert {action.kind for action in planned} == set(kinds)
    assert deaths(planned) == 20


@pytest.mark.parametrize("kills", range(1, 13))
def test_few_kills_are_never_exceeded(kills: int) -> None:
    assert deaths(plan(1, kills, KINDS, TARGETS)) == kills


def test_nobody_dies_when_nobody_is_to() -> None:
    assert deaths(plan(1, 0, KINDS, TARGETS)) == 0
    assert counts(0, ["latency"])["latency"] > 5
    assert list(more(1, ["latency", "stop"], TARGETS)) == []


def test_the_long_run_kills_brokers_seldom_and_everybody_else_somewhen() -> None:
    planned = plan(1, 300, KINDS, TARGETS)
    kinds = Counter(action.kind for action in planned)
    assert 6 <= kinds["broker-kill"] + kinds["broker-term"] <= 18
    assert 15 <= kinds["stop"] <= 30
    assert {action.target for action in planned if action.kind == "kill"} == set(TARGETS.processes)
    assert {action.target for action in planned if action.kind == "scale"} == set(TARGETS.stages)


def test_points_of_the_state_are_only_looked_for_where_state_is_kept() -> None:
    crashes = [text for text in plan(1, 300, ["crash"], TARGETS) if text.kind == "crash"]
    of_state = {crashe.target for crashe in crashes if crashe.fault_at.startswith("state")}
    assert of_state == {worker for worker in TARGETS.workers if not worker.startswith("ingress")}
    assert {crashe.target for crashe in crashes} == set(TARGETS.workers)


def test_what_lasts_has_its_time_and_its_direction() -> None:
    planned = plan(4, 300, KINDS, TARGETS)
    assert all((action.seconds > 0) == (action.kind in LONG - {"scale"}) for action in planned)
    assert all(action.seconds == 15 for action in planned if action.kind == "stop")
    late = [action.latency_s for action in planned if action.kind == "latency"]
    assert all(0.2 <= item <= 30 for item in late)
    assert min(late) < 2 < max(late)
    assert all(item.seconds > item.latency_s for item in planned if item.kind == "latency")
    black_holes = {action.direction for action in planned if action.kind == "black-hole"}
    assert black_holes == {"to_broker", "from_broker"}


def test_a_run_says_what_to_type_to_repeat_it() -> None:
    assert ChaosOptions(12, 2000, 7).command() == "./run chaos --kills 12 --events 2000 --seed 7"
    of_a_mutant = ChaosOptions(3, 9, 1, faults=("kill", "latency"), mutant="commit_first", profile="production")
    words = "./run chaos --kills 3 --events 9 --seed 1 --faults kill,latency --mutant commit_first"
    assert of_a_mutant.command() == f"{words} --profile production"
