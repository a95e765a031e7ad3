"""The bench of the host: the same work for everyone, a fair order, figures that can be read, a true profile."""

import json
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from eventually import eventually

from ops.errors import MissingTool, SettingsError
from ops.lab.bench import host_hop
from ops.lab.bench.hop_topics import PARTITIONS, VALUE_BYTES, belongs, keys_of, messages
from ops.lab.bench.host import MODULES, QUIX, QUIX_VERSION, Figures, HostBench, events_of, measure, turned
from ops.lab.bench.host_running import Clocked
from ops.lab.bench.host_sampling import SAMPLER, Sampler, part_of, read_spent
from ops.lab.bench.host_step import CountingStep
from streams import metrics
from streams.host import batch
from streams.host.batch import BatchRunner
from streams.host.delivered import DeliveredMarker
from streams.host.producer import AwaitedProducer
from streams.steps.outcome import Change, Emit, Message

HOP = host_hop.Hop(name="bare-0", bootstrap="127.0.0.1:1", reads="input-9", partitions=12, events=9, directory=".")


def message(offset: int = 0, key: bytes = b"k") -> Message:
    """One message of the input."""
    return Message("input-9", 3, offset, key, b"v", (), 1_700_000_000_000)


def runs(*speeds: float) -> list[Clocked]:
    """One contender's rounds."""
    return [Clocked(events_per_s=speed, cpu_us=10.0, state_records=9) for speed in speeds]


def test_every_contender_writes_the_headers_that_the_host_writes() -> None:
    cause = message(offset=7)
    assert host_hop.source_headers("input-9", 3, 7, cause.timestamp_ms) == [
        (batch.SOURCE_HEADER, batch.source_of(cause)),
        (metrics.BEGAN_HEADER, b"%d" % metrics.began_ms(cause)),
    ]


def test_the_input_is_a_kilobyte_a_message_over_all_partitions_and_always_the_same() -> None:
    made = list(messages(240))
    assert made == list(messages(240))
    assert {len(value) for _, _, value in made} == {VALUE_BYTES}
    assert all(16 <= len(key) <= 32 for _, key, _ in made)
    assert set(Counter(partition for partition, _, _ in made).values()) == {240 // PARTITIONS}


def test_each_key_comes_twice_in_one_partition_and_half_the_input_apart() -> None:
    places: dict[bytes, list[tuple[int, int]]] = {}
    for at, (partition, key, _) in enumerate(messages(240)):
        places.setdefault(key, []).append((at, partition))
    assert len(places) == keys_of(240) == 120
    assert all(later[0] - earlier[0] == 120 and later[1] == earlier[1] for earlier, later in places.values())


def test_the_step_answers_with_the_message_and_the_count_of_its_key() -> None:
    begun: list[bool] = []
    step = CountingStep("out", lambda: begun.append(True))
    state = step.restore([(b"k", b"4")])
    for count in (5, 6):
        state, outcomes = step.advance(state, message())
        assert outcomes == (Emit("out", 3, b"k", b"v"), Change(b"k", b"%d" % count))
    assert begun == [True]


def test_each_contender_is_first_once_in_as_many_rounds() -> None:
    orders = [turned(list(MODULES), number) for number in range(len(MODULES))]
    assert {order[0] for order in orders} == set(MODULES)
    assert all(sorted(order) == sorted(MODULES) for order in orders)


def test_the_figures_are_medians_and_ratios_of_medians() -> None:
    figures = Figures(HostBench(rounds=3, events=9))
    figures.runs = {"host": runs(10, 90, 60), "bare": runs(50, 100, 80), "stock": runs(3, 2, 2)}
    shown = figures.as_json()
    assert (shown["host_events_per_s"], shown["bare_events_per_s"]) == (60, 80)
    assert (shown["ratio_of_bare"], shown["ratio_of_stock"]) == (0.75, 30)
    assert json.loads(json.dumps(shown)) == shown


def test_what_could_not_be_measured_is_null_with_its_reason() -> None:
    figures = Figures(HostBench(rounds=1), missing={"quix": "could not be installed"})
    figures.runs = {"host": runs(10)}
    shown = figures.as_json()
    assert shown["quix_events_per_s"] is shown["ratio_of_quix"] is shown["ratio_of_bare"] is None
    assert shown["missing"] == {"quix": "could not be installed"}


def test_the_stock_agent_gets_fewer_messages_and_the_figures_say_so() -> None:
    assert events_of("stock", 200_000) == 20_000 == Figures(HostBench()).as_json()["stock_events"]
    assert events_of("stock", 500) == events_of("host", 500) == 500


def test_an_unknown_contender_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no contender turtle"):
        measure(HostBench(contenders=["turtle"]), "127.0.0.1:1", scratch=tmp_path, report=print)


def test_a_contender_is_told_its_hop_as_it_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["contender", HOP.as_argument()])
    assert host_hop.Hop.from_arguments() == HOP


def test_only_the_topics_of_a_run_are_cleared_after_it() -> None:
    expected = {HOP.writes, HOP.changelog, HOP.dead_letter, f"changelog__{HOP.group}--input-9--default"}
    others = {HOP.reads, "bare-01.out", "__consumer_offsets", "changelog__bench-bare-01--input-9--default"}
    assert {name for name in expected | others if belongs(name, HOP)} == expected


# --- Quix Streams in its own environment


def plant_uv(home: Path, *, script: str) -> None:
    """A stand-in for uv where ./run keeps it."""
    uv = home / "uv-0" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(f"#!/bin/sh\n{script}\n")
    uv.chmod(0o755)


def test_quix_is_installed_once_in_exactly_this_version(tmp_path: Path) -> None:
    made = f'echo "$*" >>{tmp_path}/asked; [ "$1" = pip ] || {{ mkdir -p "$5/bin"; touch "$5/bin/python"; }}'
    plant_uv(tmp_path, script=made)
    environ = {"TIERLINK_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    assert QUIX.python(environ) == QUIX.python(environ)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 2
    assert asked[1].endswith(f"quixstreams=={QUIX_VERSION}")


def test_a_quix_that_cannot_be_installed_is_named_and_tried_again_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_uv(tmp_path, script="exit 1")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    for _ in range(2):
        with pytest.raises(MissingTool, match=r"quixstreams==.* by uv nor by venv and pip"):
            QUIX.python({"TIERLINK_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})


# --- the profile


def test_a_place_in_the_host_is_charged_to_its_part() -> None:
    parts = (
        ("step", CountingStep.advance),
        ("produce", AwaitedProducer.send),
        ("acknowledgement", AwaitedProducer.poll),
        ("acknowledgement", AwaitedProducer.is_clear),
        ("loop around the step", BatchRunner.dispatch),
        ("metrics", metrics.StageTally.add),
        ("mark as delivered", DeliveredMarker.mark),
    )
    for part, function in parts:
        assert part_of([(function.__module__, function.__qualname__)]) == part
    for part, made in {"message": Message, "step": Emit}.items():
        assert part_of([(made.__new__.__globals__["__name__"], "<lambda>")]) == part


def test_a_place_of_a_library_is_charged_to_whoever_called_it_and_unknown_places_are_other() -> None:
    called = [("json.encoder", "encode"), ("streams.host.delivered", "DeliveredMarker._save")]
    assert part_of(called) == "mark as delivered"
    assert part_of([("json.encoder", "encode")]) == "other"
    assert part_of([]) == "other"


def test_the_sampler_finds_the_thread_that_works_and_not_the_one_that_waits(tmp_path: Path) -> None:
    over = threading.Event()

    def busy() -> None:
        while not over.is_set():
            sum(range(1_000))

    threads = [threading.Thread(target=busy), threading.Thread(target=over.wait)]
    interval = sys.getswitchinterval()
    sampler = Sampler(str(tmp_path))
    try:
        for thread in threads:
            thread.start()
        sampler.begin()
        eventually(lambda: any("busy" in place for place in sampler.places()), why="the busy thread seen")
        spent = read_spent(str(tmp_path), within_s=30)
    finally:
        over.set()
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()
    at_work = {place: seconds for place, seconds in spent.places.items() if "busy" in place}
    assert sum(at_work.values()) > sum(spent.places.values()) / 2
    assert spent.parts[SAMPLER] > 0
    assert spent.samples > 0


def test_a_process_that_is_not_sampled_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        read_spent(str(tmp_path), within_s=0.01)
