"""An engine that stays: what an operator does between `tierlink up` and `tierlink down`, on one engine."""

import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from commands import Ended, run, running_in
from council_files import row, session, sheet
from eventually import eventually
from kafka import KafkaProducer
from kept_files import ROOT
from sockets import LOOPBACK, family, listening

from ops.admin.topic_admin import delete_message
from ops.admin.topic_reader import TopicMessage, last_values, read_topics
from ops.client.journal import Journal
from ops.client.senders import FileSender, Hl7Sender, HttpSender
from ops.lab.consumer_lag import consumer_lag
from ops.local.engine import Engine, EngineSettings
from ops.runtime.paths import EnginePaths
from ops.verify.ledger import Ledger, balance, read_topic_index, stalled
from schemas import topics

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

TIER3 = ROOT / "tests/golden/tier3"
REFERRAL = ROOT / "tests/golden/primary_care/gp_referral.bundle.json"
VALUES = ("okonkwo", "ngozi", "9990000018", "9990000042", "999 000 0018", "700002", "test street", "ec-1001")
PROCESSES = {"ingress-0", "records-0", "linker-0", "pathway-0", "door-http", "door-mllp", "door-folder"}


@dataclass(frozen=True)
class Up:
    """A running engine, and how to ask it things."""

    layout: EnginePaths
    scratch: Path
    printed: str

    @property
    def engine(self) -> Engine:
        """A view of the engine that another process runs: never started or stopped."""
        found = self.layout.addresses()
        return Engine(self.layout, EngineSettings(test_mode=True, bootstrap=found["bootstrap"]))

    def run(self, *words: object) -> Ended:
        """`tierlink WORDS --directory ...`."""
        return run(*words, "--directory", self.layout.root, folder=self.scratch / "command")

    def ledger(self) -> Ledger:
        """All of the books, balanced now."""
        return self.books()[0]

    def books(self) -> tuple[Ledger, int]:
        """The ledger, and how much is stalled."""
        engine = self.engine
        read, sources = partial(read_topics, engine.bootstrap), engine.sources.values()
        books = read_topic_index(read, sources, keys=engine.keys, recipient="demo")
        sent = Journal(self.layout.journal).read()
        return balance(sent, books, keys=engine.keys, recipient="demo")[""], stalled(books)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`up`, entries through each of the three doors, nothing left to do."""
    root = tmp_path_factory.mktemp("up")
    layout = EnginePaths(root / "engine")
    ports = ("--http-port", 0, "--mllp-port", 0)
    ended = run("up", "--test-mode", *ports, "--directory", layout.root, folder=root / "command")
    assert ended.exit_code == 0, ended.err
    running = Up(layout, root, ended.out)
    try:
        _send_to_each_door(running)
        consumer_lag(running.engine).drain()
        yield running
    finally:
        if layout.up.exists():
            running.run("down")


def _send_to_each_door(up: Up) -> None:
    addresses, journal = up.layout.addresses(), Journal(up.layout.journal)
    http = HttpSender("gp-hub", addresses["doors"]["gp-hub"], journal)
    assert http.send(_referral_of_ngozi(), message_id="M-1").code == "202"
    assert http.send(b"{", message_id="").answer == "refused"
    http.close()
    mllp = Hl7Sender("trust-wm", addresses["doors"]["trust-wm"], journal)
    for number in ("01", "02", "06", "07"):
        (path,) = TIER3.glob(f"{number}_*.hl7")
        content = path.read_bytes().replace(b"\n", b"\r")
        assert mllp.send(content, message_id=_message_id(content)).code == "AA"
    mllp.close()
    content = sheet(
        row(postcode="CM1 1AA"),
        session(postcode="CM1 1AA"),
        row(client_ref="EC-1002", referral_date="30/02/1980"),
    ).encode()
    files = FileSender("council-east", Path(addresses["drop"]["council-east"]), journal)
    files.drop("east.csv", content)
    assert files.wait("east.csv", content, rows=[2, 3, 4]).code == "done"


def _referral_of_ngozi() -> bytes:
    """The GP's referral, about the person whom the trust's and the council's samples are about."""
    bundle = json.loads(REFERRAL.read_text())
    (patient,) = (entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient")
    patient["identifier"][0]["value"] = "9990000018"
    patient["name"] = [{"use": "official", "family": "Okonkwo", "given": ["Ngozi"]}]
    patient["birthDate"] = "1980-02-29"
    patient["address"] = [{"line": ["12 Test Street"], "city": "Testham", "postalCode": "CM1 1AA"}]
    return json.dumps(bundle).encode()


def _message_id(content: bytes) -> str:
    fields = content.split(b"\r", 1)[0].decode().split("|")
    return "|".join((fields[2], fields[3], fields[9], fields[6]))


def test_up_prints_where_everything_is(up: Up) -> None:
    for words in ("broker   127.0.0.1:", "gp-hub: 127.0.0.1:", "trust-wm: 127.0.0.1:", "council-east/inbox"):
        assert words in up.printed
    assert up.layout.addresses()["pages"].keys() == PROCESSES


def test_a_second_engine_in_the_same_directory_is_refused_and_the_first_is_not_disturbed(up: Up) -> None:
    before = up.layout.addresses()
    ended = up.run("up", "--test-mode")
    assert ended.exit_code == 75
    assert "tierlink down" in ended.err
    assert up.layout.addresses() == before
    assert up.run("demo", "--once", "--people", 1).exit_code == 75, "which would empty it"


def test_the_ledger_balances(up: Up) -> None:
    ended = up.run("ledger", "--json")
    assert ended.exit_code == 0, ended.err
    counts = ended.last_object
    assert counts["unaccounted"] == counts["stalled"] == 0
    assert (counts["acknowledged"], counts["refused"]) == (8, 1)
    assert (counts["linked"], counts["rejected"]) == (7, 1)


def test_consume_prints_one_message_a_line_and_stops_at_max(up: Up) -> None:
    ended = up.run("consume", topics.pathway_state("demo"), "--latest", "--max", 1)
    (line,) = ended.out.splitlines()
    shown = json.loads(line)
    assert shown.keys() == {"partition", "offset", "key", "headers", "value"}
    assert shown["value"]["episodes"]
    assert shown["headers"]["ce_specversion"] == "1.0"


def test_the_three_tiers_were_linked_into_one_pathway(up: Up) -> None:
    latest = last_values(read_topics(up.engine.bootstrap, [topics.pathway_state("demo")]))
    (snapshot,) = [json.loads(message.value or b"") for message in latest.values()]
    assert snapshot["three_tier"], "Ngozi's GP, council and trust told of one person"


def test_topics_list_names_every_topic_with_its_count_key_and_zone(up: Up) -> None:
    lines = up.run("topics", "list").out.splitlines()
    assert {line.split()[0] for line in lines} == {topic.name for topic in up.engine.topics}
    (events,) = [line.split() for line in lines if line.startswith(f"{topics.EVENTS} ")]
    assert int(events[1]) > 8
    assert events[2:4] == ["linkage", "compact"]


def test_tick_sets_the_day_of_every_partition(up: Up) -> None:
    assert up.run("tick", "--as-of", "2026-11-01").out == "day set: 2026-11-01\n"
    messages = [
        message
        for message in read_topics(up.engine.bootstrap, [topics.PATHWAY_IN])
        if (message.key or b"").startswith(b"tick/")
    ]
    assert {message.partition for message in messages} == set(range(topics.PARTITIONS))
    consumer_lag(up.engine).drain()


def test_every_process_has_its_three_pages(up: Up) -> None:
    for name, port in up.layout.addresses()["pages"].items():
        assert _page(port, "/livez")[0] == _page(port, "/readyz")[0] == 200, name
        status, text = _page(port, "/metrics")
        assert status == 200
        assert "# TYPE tierlink_" in text, name
        assert not _values_in(text), name


def _page(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, ""
    except OSError:
        return 0, ""


def _values_in(text: str) -> list[str]:
    return [value for value in VALUES if value in text.lower()]


def test_every_log_is_json_lines_without_a_value(up: Up) -> None:
    logs = {path.stem: path.read_text() for path in up.layout.logs.glob("*.log")}
    assert logs.keys() >= PROCESSES
    assert any(logs.values())
    for name in PROCESSES:
        assert all(isinstance(json.loads(line), dict) for line in logs[name].splitlines()), name
        assert not _values_in(logs[name]), name


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_every_port_is_loopback_only(up: Up) -> None:
    addresses = up.layout.addresses()
    found = listening(family(addresses["pid"]))
    ports = {port for _, port in found}
    assert ports >= {*addresses["pages"].values(), *addresses["doors"].values()}
    assert int(addresses["bootstrap"].split(":")[1]) in ports
    assert [address for address, _ in found if not LOOPBACK.fullmatch(address)] == []


# The drill: one message deleted by hand is one broken chain, and putting it back mends it.


@pytest.mark.parametrize(("topic", "shown_as"), [("receipts.trust-wm.v1", "receipts"), (topics.DISPOSITIONS,) * 2])
def test_deleting_an_end_by_hand_leaves_exactly_one_entry_unaccounted(up: Up, topic: str, shown_as: str) -> None:
    place = _one_of(up, topic, lambda item: True)
    ended = up.run("topics", "delete", place.topic, "--partition", place.partition, "--offset", place.offset)
    assert ended.exit_code == 0, ended.err
    shown = up.run("ledger", "--json")
    assert shown.last_object["unaccounted"] == 1
    assert f"broken at {shown_as}: 1" in shown.out
    _put_back(up, place)


OF_CARE = b",true,false]"  # in the value of an entry: a fact of care that was not taken back


@pytest.mark.parametrize(
    ("topic", "chosen"),
    [
        (topics.EVENTS, lambda message: OF_CARE in message.value),
        (topics.LINK_MAP, lambda item: True),
        (
            topics.PATHWAY_IN,
            lambda message: OF_CARE in message.value,
        ),
    ],
)
def test_deleting_a_link_of_the_chain_leaves_its_entries_unaccounted(
    up: Up, topic: str, chosen: Callable[[TopicMessage], bool]
) -> None:
    place = _one_of(up, topic, chosen)
    delete_message(up.engine.bootstrap, topic, partition=place.partition, offset=place.offset)
    ledger = up.ledger()
    assert ledger.unaccounted >= 1
    assert set(ledger.broken) == {topic}
    _put_back(up, place)
    # pathway.in is the one topic that no stage of ours deletes from: its reader calls that unreadable, and says so
    assert up.books()[1] == (topic == topics.PATHWAY_IN)


def test_a_place_without_a_message_is_not_deleted(up: Up) -> None:
    ended = up.run("topics", "delete", topics.EVENTS, "--partition", 0, "--offset", 10**9)
    assert ended.exit_code == 1
    assert "no keyed message" in ended.err


# After the drills: what a person was is still on the topics, and is no link of any chain.


def test_a_steward_parts_two_records_and_joins_them_again_and_it_is_explained(up: Up) -> None:
    people: dict[str, list[str]] = {}
    for record, message in last_values(read_topics(up.engine.bootstrap, [topics.LINK_MAP])).items():
        people.setdefault(json.loads(message.value or b"")["person_id"], []).append(record.decode())
    a, b, *_ = sorted(max(people.values(), key=len))

    def explained_after(word: str) -> Ended:
        ended = up.run("linkage", "decide", a, b, word)
        assert (ended.exit_code, ended.err) == (0, ""), ended.err
        consumer_lag(up.engine).drain()
        return up.run("linkage", "explain", a, b, "--json")

    parted = explained_after("--apart").last_object
    assert not parted["one_person"]
    assert ["V5-apart"] in [row["rules"] for row in parted["evidence"]]
    joined = explained_after("--link")
    assert joined.last_object["one_person"]
    assert "rules: V5-link" in joined.err
    every = up.run("linkage", "explain", "--all", "--json")
    assert (every.exit_code, every.last_object["links"]) == (0, 2), every.err
    assert up.run("linkage", "reviews").out == "0 open\n"


def _one_of(up: Up, topic: str, chosen: Callable[[TopicMessage], bool]) -> TopicMessage:
    latest = last_values(read_topics(up.engine.bootstrap, [topic]))
    return next(item for item in latest.values() if chosen(item))


def _put_back(up: Up, place: TopicMessage) -> None:
    producer = KafkaProducer(bootstrap_servers=up.engine.bootstrap, acks="all")
    headers: list[Any] = list(place.headers)
    producer.send(place.topic, key=place.key, value=place.value, partition=place.partition, headers=headers).get(
        timeout=30
    )
    producer.close()
    consumer_lag(up.engine).drain()
    assert up.ledger().unaccounted == 0


def test_what_is_killed_is_started_again_the_broker_too_and_takes_entries_as_before(up: Up) -> None:
    addresses = up.layout.addresses()
    (door,) = _running("door", "http", up.layout.root)
    broker = json.loads((up.layout.broker / "broker.json").read_text())["pid"]
    for pid in (door, broker):
        os.kill(pid, signal.SIGKILL)

    def is_back() -> bool:
        again = json.loads((up.layout.broker / "broker.json").read_text())["pid"]
        pages = addresses["pages"].values()
        return again != broker and all(_page(port, "/readyz")[0] == 200 for port in pages)

    eventually(is_back, why="door, broker and every worker are ready again", within_seconds=120)
    journal = Journal(up.layout.journal)
    mllp = Hl7Sender("trust-wm", addresses["doors"]["trust-wm"], journal)
    content = (TIER3 / "11_discharged.hl7").read_bytes().replace(b"\n", b"\r")
    assert mllp.send(content, message_id=_message_id(content)).code == "AA"
    mllp.close()
    consumer_lag(up.engine).drain()
    ledger = up.ledger()
    assert (ledger.acknowledged, ledger.unaccounted) == (9, 0), ledger.broken
    assert "has ended and is started again" in (up.layout.logs / "up.log").read_text()


def _running(word: str, kind: str, directory: Path) -> list[int]:
    wanted = f"{word} {kind} "
    texts = {
        pid: Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in running_in(directory)
    }
    return [pid for pid, text in texts.items() if wanted in text]


def test_down_stops_everything_it_started(up: Up) -> None:
    ended = up.run("down")
    assert (ended.exit_code, ended.out) == (0, "stopped\n")
    assert running_in(up.layout.root) == []
    assert not up.layout.up.exists()
    again = up.run("down")
    assert again.exit_code == 0
    assert "nothing to stop" in again.out
    assert up.run("ledger").exit_code == 69
