"""The main job on real parts: what the demonstration prints is what it promises, although workers are killed."""

import base64
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from commands import Ended, running_in, start
from eventually import eventually
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from linkage.tokens import EncodedIdentity
from ops.admin.topic_reader import TopicMessage, last_values, read_topics
from ops.lab.demo.canary import in_pieces
from ops.local.broker.embedded import EmbeddedBroker
from ops.verify.leak_search import files_of, text_of
from ops.verify.replay import stopped
from schemas.data_keys import BucketKeys, Family
from schemas.elements import ENTRY, fact_names
from schemas.linking import RecordIdentity
from schemas.sealed_body import open_padded
from schemas.topics import EVENTS, IDENTITY, PARTITIONS

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

PEOPLE, SEED = 12, 13  # with so few people not every seed has each kind of noise and links all
PROMISED = (
    "acknowledged duplicates refused linked held rejected ignored opted_out withdrawn stalled unaccounted "
    "pathways three_tier_pathways pathway_exact tier2_52_weeks tier2_52_weeks_expected noise linkage nhs_number_join "
    "canary canary_hits seconds"
).split()
PEOPLE_SOUGHT = 4  # whose tokens are looked for


class DemoRun(NamedTuple):
    """Where it was played, how the command ended, and what `--json` printed last."""

    directory: Path
    ended: Ended
    printed: dict[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """A demonstration in which three workers are killed."""
    root = tmp_path_factory.mktemp("demo")
    words = ("demo", "--once", "--kill-worker", "--people", PEOPLE, "--seed", SEED, "--json", "--directory")
    ended = start(*words, root / "run", folder=root / "command").ended()
    assert ended.exit_code == 0, ended.err[-2000:]
    return DemoRun(root / "run", ended, ended.last_object)


@pytest.fixture(scope="module")
def replay(run: DemoRun, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """`compare` of the run with a replay of its own intake."""
    folder = tmp_path_factory.mktemp("compare") / "command"
    return start("compare", "--json", "--directory", run.directory, folder=folder).ended()


def test_every_promised_figure_is_printed(run: DemoRun) -> None:
    printed = run.printed
    assert set(PROMISED) <= printed.keys()
    assert printed["linkage"].keys() >= {"precision", "recall", "f1"}
    assert "recall" in printed["nhs_number_join"]
    assert printed["canary"].keys() >= {"planted", "planted_found", "hits", "bytes_scanned"}


def test_every_acknowledged_entry_has_one_end(run: DemoRun) -> None:
    printed = run.printed
    assert printed["unaccounted"] == printed["stalled"] == 0
    ends = ("linked", "held", "rejected", "ignored", "opted_out", "withdrawn")
    assert sum(printed[end] for end in ends) == printed["acknowledged"] >= 100


def test_what_was_planted_is_seen_in_the_sealed_intake_and_nowhere_else(run: DemoRun) -> None:
    canary = run.printed["canary"]
    assert canary["planted_found"] == canary["planted"] >= 30
    assert canary["hits"] == run.printed["canary_hits"] == 0
    assert canary["bytes_scanned"] > 1_000_000


def test_pathways_are_those_the_simulator_knows_to_be_true(run: DemoRun) -> None:
    printed = run.printed
    assert printed["pathway_exact"] >= 0.99
    assert printed["tier2_52_weeks"] == printed["tier2_52_weeks_expected"]
    assert printed["three_tier_pathways"] >= 1
    assert printed["linkage"]["f1"] >= 0.98
    assert printed["nhs_number_join"]["recall"] <= 0.8


def test_the_input_is_as_untidy_as_real_feeds_are(run: DemoRun) -> None:
    noise = run.printed["noise"]
    assert noise["duplicates"] >= 0.05
    assert noise["out_of_order"] >= 0.10
    assert noise["corrections"] >= 0.03
    assert noise["rejects"] >= 0.02
    assert 0.4 <= noise["tier2_nhs_number_present"] <= 0.8, "60 % of Tier 2 records have an NHS number"


def test_three_workers_were_killed_while_they_had_input_and_it_came_again(run: DemoRun) -> None:
    assert run.printed["kills"] == 3
    assert run.printed["redelivered"] > 0


def test_nothing_is_left_running(run: DemoRun) -> None:
    assert running_in(run.directory) == []
    assert not (run.directory / "up.json").exists()


def test_the_report_for_people_shows_a_timeline_the_funnel_gaps_equity_and_the_ledger(run: DemoRun) -> None:
    for words in ("Tier 2", "Tier 3", "primary care", "never received", "IMD", "ledger", "loss-5pct-nearest/1"):
        assert words in run.ended.err, words


def test_a_replay_of_the_killed_runs_own_intake_differs_in_no_key(replay: Ended) -> None:
    assert replay.exit_code == 0, replay.out + replay.err
    assert replay.last_object["differing"] == 0
    assert replay.last_object["keys"] > 800


def test_a_replay_that_lacks_one_message_differs(run: DemoRun, tmp_path: Path) -> None:
    words = ("compare", "--json", "--drop-one", "--directory", run.directory)
    ended = start(*words, folder=tmp_path / "command").ended()
    assert ended.exit_code == 1
    assert ended.last_object["differing"] > 0


def test_every_link_is_explained_by_evidence_of_the_model(run: DemoRun, tmp_path: Path) -> None:
    words = ("linkage", "explain", "--all", "--json", "--directory", run.directory)
    ended = start(*words, folder=tmp_path / "explain").ended()
    assert ended.exit_code == 0, ended.err
    found = ended.last_object
    assert found["unexplained"] == 0
    assert found["explained"] == found["links"] >= found["persons"] >= 5


def forms(token: bytes) -> tuple[bytes, ...]:
    return token, token.hex().encode(), base64.b64encode(token)[:10], token[::-1]


def opened_tokens(identity: RecordIdentity, held: BucketKeys) -> bytes:
    assert identity.tokens_key
    assert identity.sealed_tokens
    data_key = identity.tokens_key.opened(identity.record_id, Family.TOKENS, held)
    assert data_key is not None
    return open_padded(data_key, identity.sealed_tokens, context=identity.record_id.encode())


def test_no_token_lies_open_on_any_topic_or_in_any_file(run: DemoRun) -> None:
    with stopped(run.directory) as ground:
        held = ground.layout.current_bucket_keys("linker")()
        identities = (
            RecordIdentity.parse(message.key.decode(), message.value)
            for message in read_topics(ground.bootstrap, [IDENTITY])
            if message.key and message.value
        )
        sealed = {identity.record_id: identity for identity in identities if identity.sealed_tokens}
        sought = list(sealed.values())[:PEOPLE_SOUGHT]
        opened = [opened_tokens(identity, held) for identity in sought]
        tokens = [token for octet in map(EncodedIdentity.from_bytes, opened) for token in octet.tokens]
        names = [topic.name for topic in ground.topics]
        texts = [
            text for name in names for _, text in in_pieces(name, map(text_of, read_topics(ground.bootstrap, [name])))
        ]
        texts += [text for _, text in files_of(ground.layout)]
    assert len(tokens) > 5 * PEOPLE_SOUGHT
    everything = b"\n".join(texts)
    assert not [token for token in tokens if any(form in everything for form in forms(token))]
    assert all(token in b"".join(opened) for token in tokens), "the search finds what is open"
    seals = [base64.b64encode(identity.sealed_tokens or b"") for identity in sought]
    assert all(seal in everything for seal in seals), "and looks at the seals"


def test_a_folder_that_no_engine_made_is_not_emptied(tmp_path: Path) -> None:
    kept = tmp_path / "mine" / "thesis.txt"
    kept.parent.mkdir()
    kept.write_text("years of work")
    ended = start("demo", "--once", "--directory", kept.parent, folder=tmp_path / "command").ended()
    assert ended.exit_code == 78
    assert kept.exists()


# ------------------------------------------------ events.v1 is the system of record: compacted, it gives the same

AT_ONCE = {"min.compaction.lag.ms": "0", "segment.ms": "1", "min.cleanable.dirty.ratio": "0.0"}


@pytest.fixture(scope="module")
def compacted(
    run: DemoRun, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[TopicMessage], list[TopicMessage]]:
    """A copy of the run whose events.v1 Kafka has compacted; its messages before and after."""
    directory = tmp_path_factory.mktemp("compacted") / "run"
    shutil.copytree(run.directory, directory)
    (directory / "broker" / "broker.json").unlink()  # a copy of a broker is another broker
    with EmbeddedBroker(directory / "broker") as broker:

        def events() -> list[TopicMessage]:
            return list(read_topics(broker.bootstrap, [EVENTS]))

        before = events()
        _compact_at_once(broker.bootstrap)
        eventually(lambda: _is_compact(events()), why="Kafka's cleaner leaves one event per key", within_seconds=90)
        after = events()
    return directory, before, after


def _compact_at_once(bootstrap: str) -> None:
    """The cleaner takes all but the last segment, so each partition gets a new one: a tombstone of nothing."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, EVENTS, configs=AT_ONCE)])
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    for partition in range(PARTITIONS):
        producer.send(EVENTS, key=f"nobody/x/{partition}".encode(), partition=partition).get(timeout=30)
    producer.close()


def _is_compact(events: Iterable[TopicMessage]) -> bool:
    keys = [event.key for event in events]
    return len(keys) == len(set(keys))


@pytest.fixture(scope="module")
def rebuilds(
    compacted: tuple[Path, list[TopicMessage], list[TopicMessage]], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Ended]:
    """What was rebuilt from the compacted topic: from all of it, and with one identity left out."""
    directory, root = compacted[0], tmp_path_factory.mktemp("rebuild")
    other = directory.with_name("other")
    shutil.copytree(directory, other)
    (other / "broker" / "broker.json").unlink()
    words = ("compare", "--from-events", "--json", "--directory")
    commands = {
        "whole": start(*words, directory, folder=root / "whole"),
        "lacking": start(*words, other, "--drop-one", folder=root / "lacking"),
    }
    return {name: command.ended() for name, command in commands.items()}


def test_corrections_came_before_what_they_correct_and_things_were_told_twice(
    compacted: tuple[Path, list[TopicMessage], list[TopicMessage]],
) -> None:
    _, before, _ = compacted
    newest: dict[str, str] = {}
    overtaken = 0
    for item, value in _facts(before):
        overtaken += newest.get(item, "") > value["source_version_at"]
        newest[item] = max(newest.get(item, ""), value["source_version_at"])
    assert overtaken > 10
    assert not _is_compact(before)


def _facts(events: Iterable[TopicMessage]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Record and fact id, and the entry that says it, of every fact in order."""
    for event in events:
        record, kind, _ = (event.key or b"").decode().split("/", 2)
        if kind == ENTRY and event.value is not None:
            entry = json.loads(event.value)
            yield from ((f"{record}/{fact.fact_id}", entry) for fact in fact_names(entry))


def test_compaction_took_nothing_but_repetitions(
    compacted: tuple[Path, list[TopicMessage], list[TopicMessage]],
) -> None:
    _, before, after = compacted
    assert len([message for message in after if not (message.key or b"").startswith(b"nobody/")]) < len(before)
    assert {key: message.value for key, message in last_values(after).items()} == {
        key: message.value for key, message in last_values(before).items()
    }


def test_a_rebuild_from_the_compacted_record_ends_in_the_same_people_and_pathways(
    rebuilds: Mapping[str, Ended],
) -> None:
    ended = rebuilds["whole"]
    assert ended.exit_code == 0, ended.out + ended.err
    assert ended.last_object["differing"] == 0
    for topic in ("identity.v1", "link.map.v1", "pathway.state.demo.v1", "pathway.events.demo.v1"):
        assert f"{topic} " in ended.out
    assert ended.last_object["keys"] > 200


def test_a_rebuild_that_lacks_one_identity_differs(rebuilds: Mapping[str, Ended]) -> None:
    ended = rebuilds["lacking"]
    assert ended.exit_code == 1
    assert ended.last_object["differing"] > 0
