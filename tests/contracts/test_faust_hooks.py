"""What the host takes for granted in faust 0.15.3 and aiokafka 0.14.0; any other version fails here, loudly.

The host overrides or relies on private parts of both. Each is pinned by a fingerprint of its source, with the
reason beside it. After an upgrade: read what changed in each function named, then pin it anew.
"""

import hashlib
import importlib
import inspect
import re
import textwrap
from functools import reduce
from importlib.metadata import version
from pathlib import Path
from typing import Any

import host_worker
import pytest
from aiokafka.consumer.consumer import AIOKafkaConsumer
from faust.app.base import App
from faust.transport.consumer import Consumer as StockConsumer
from faust.transport.drivers import aiokafka as driver
from host_parts import host_app

from streams.host.app import HostApp
from streams.host.consumer import HostConsumer
from streams.host.membership import HostConsumerThread

VERSIONS = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}

MODULES = {
    "app": "faust.app.base",
    "conductor": "faust.transport.conductor",
    "consumer": "faust.transport.consumer",
    "driver": "faust.transport.drivers.aiokafka",
    "recovery": "faust.tables.recovery",
    "client": "aiokafka.consumer.consumer",
    "fetcher": "aiokafka.consumer.fetcher",
    "group": "aiokafka.consumer.group_coordinator",
    "service": "mode.services",
    "worker": "mode.worker",
}
PINNED = """
overridden, because stock ...
  8f35dd7a1114 consumer:Consumer._drain_messages
    hands message by message to conductor and streams, which ack on error
  652177e770ee consumer:Consumer.on_partitions_revoked
    forgets what is committed before the work in flight has ended
  c07feb1175f7 consumer:Consumer.on_partitions_assigned
    pauses everything until recovery; we read state and positions
  53195dca246c consumer:Consumer.wait_empty
    counts unacknowledged stream messages, of which there are none
  2b4ceebd23de consumer:Consumer.perform_seek
    skips partitions without a commit
  e43a7d03685f consumer:Consumer.commit
    is called by timers, errors and shutdown
  883ce70ac0a6 driver:Consumer.verify_event_path
    reports stalled streams
  017029bcd2b6 driver:Consumer.on_stop
    ends with wait_empty
  8fd0d41b1514 driver:Consumer._new_consumer_thread
    makes the thread we subclass
  c179c0bdb975 driver:AIOKafkaConsumerThread._create_worker_consumer
    writes fetch_max_wait_ms=1500
  9e7369fc572d driver:AIOKafkaConsumerThread._fetch_records
    never asks the coordinator for its errors
  11beddacb9fe app:App._new_transport
    the seam for our transport
relied upon, because it ...
  3c196945b3af consumer:Fetcher.on_stop
    may cancel the drain: the work in flight is shielded
  f848859a8b85 consumer:ThreadDelegateConsumer.threadsafe_partitions_revoked
    waits for us
  8dbffeccb0e3 consumer:ThreadDelegateConsumer._getmany
    fetches in the consumer's thread
  cb4aa49e968a driver:ConsumerRebalanceListener.on_partitions_revoked
    is called before the group is rejoined
  f8231db51dd5 driver:ConsumerRebalanceListener.on_partitions_assigned
    sets the generation first
  1b1c58046a9b driver:AIOKafkaConsumerThread.getmany
    goes through _fetch_records
  96573acf5f04 app:App._stop_consumer
    stops the flow, then the fetcher, then waits for wait_empty
  73ba99b95ca0 app:App._consumer_wait_empty
    does so because stream_wait_empty is set
  c1abd58dcb37 app:App._on_partitions_revoked
    stops the flow and pauses
  c9c5485eb273 app:App._on_partitions_assigned
    starts recovery
  2281b36f9896 app:BootStrategy.server
    leaves producer and web out when told to
  31030bc1807f recovery:Recovery.on_rebalance
    starts recovery only for the newest generation
  fbe0f747b84c recovery:Recovery._resume_streams
    resumes partitions, seeks, resumes flow, fetches
  bf2bb3f46e6b conductor:Conductor._update_indices
    subscribes to topics added without an agent
  c7859eae93d2 service:Service.stop
    runs on_stop before the children are stopped
  d441fd6a414d worker:Worker.execute_from_commandline
    always ends in SystemExit
  f85283bf7c7c client:AIOKafkaConsumer.commit
    refuses partitions that are not assigned
  e20ce0c8117f fetcher:Fetcher.fetched_records
    may span a rebalance: asked again afterwards
  67fb44337ca7 group:GroupCoordinator.commit_offsets
    says CommitFailedError for a lost membership, and for nothing else
  c67ee34a37d9 group:GroupCoordinator.check_errors
    raises what ended the membership
  44c4b92c3714 group:GroupCoordinator.ensure_active_group
    revokes before it joins: waiting there is the fence
  186788a437c0 group:GroupCoordinator._on_join_complete
    keeps no heartbeat while assigning: state is read after it
  5628cb32b3d2 group:GroupCoordinator._do_heartbeat
    is true when the broker counts us in: the Kafka time of what we send
  ca4ba17474e1 group:GroupCoordinator._send_req
    carries every question about committed offsets: its answer is checked there
  fcd9abe4e50f group:GroupCoordinator._do_fetch_commit_offsets
    passes over the error of an answer as a whole
  c83e0cafbf1e group:GroupCoordinator.fetch_committed_offsets
    asks again after an error that may pass
"""
FINGERPRINTS = {line.split()[1]: line.split()[0] for line in PINNED.splitlines() if re.match(r"  [0-9a-f]{12} ", line)}


def fingerprint(name: str) -> str:
    """Twelve hexadecimal digits of the source of `module:Class.function`."""
    module, _, path = name.partition(":")
    function = reduce(getattr, path.split("."), importlib.import_module(MODULES[module]))
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    return hashlib.sha256(source.encode()).hexdigest()[:12]


@pytest.mark.parametrize("package", VERSIONS)
def test_the_versions_are_those_that_were_read(package: str) -> None:
    assert version(package) == VERSIONS[package]


def test_the_table_is_read_whole() -> None:
    assert len(FINGERPRINTS) == len(re.findall(r"\w:\w", PINNED))


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_what_the_host_overrides_or_relies_on_is_unchanged(name: str) -> None:
    assert fingerprint(name) == FINGERPRINTS[name]


# Methods of ours that override nothing.
OWN = set(
    "commit_owned seek_to_start watch_heartbeats membership_confirmed refuse_failed_answers"
    " _may_send _run_once _holds _pump _is_idle _no_fetch _dispatch _advance _drain"
    " _to_its_end _prepared _prepare _elements _commit_owned _lose _report_lag".split()
)


@pytest.mark.parametrize("ours", [HostConsumer, HostConsumerThread, HostApp])
def test_an_override_still_overrides_something(ours: type) -> None:
    """A hook renamed by an upgrade would silently leave stock behaviour in place."""
    defined = {name for name, value in vars(ours).items() if inspect.isfunction(value)} - OWN
    assert defined, "it overrides something"
    assert {name for name in defined if not hasattr(ours.__mro__[1], name)} == set()


def test_our_own_methods_hide_nothing_of_faust() -> None:
    for ours, stock in ((HostConsumer, driver.Consumer), (HostConsumerThread, driver.AIOKafkaConsumerThread)):
        for name in OWN | {"accepted_ms", "_beat", "_send", "_fetching", "_committing", "_preparing", "_seeking"}:
            assert not (name in vars(ours) and hasattr(stock, name)), name


def test_overridden_hooks_take_what_faust_gives_them() -> None:
    for name in ("on_partitions_revoked", "on_partitions_assigned", "wait_empty", "perform_seek", "commit"):
        stock, ours = (inspect.signature(getattr(kind, name)) for kind in (StockConsumer, HostConsumer))
        assert list(stock.parameters) == list(ours.parameters), name


def test_the_private_names_the_host_reads_are_there() -> None:
    source = inspect.getsource(AIOKafkaConsumer)
    assert "self._fetch_max_wait_ms = fetch_max_wait_ms" in source
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in source, "read at start, after we have set it"
    assert "self._coordinator = " in source
    for name in ("_committed_offset", "_active_partitions", "flow_active"):
        assert name in inspect.getsource(StockConsumer), name


def test_the_settings_are_in_effect(tmp_path: Path) -> None:
    app = host_app(host_worker.echo_stage("echo"), tmp_path)
    conf: Any = app.conf
    assert conf.id == "tierlink-echo"
    assert [str(url) for url in conf.broker_consumer] == ["kafka://127.0.0.1:9", "kafka://127.0.0.1:8"]
    assert conf.table_standby_replicas == 1, "selects the assignor that keeps a stage's topics together"
    assert conf.topic_disable_leader is True
    assert conf.topic_allow_declare is False
    assert conf.stream_wait_empty is True
    assert conf.processing_guarantee.value == "at_least_once"
    assert conf.broker_request_timeout >= conf.broker_session_timeout
    assert conf.broker_max_poll_interval > 10 * 86_400, "else an idle worker leaves and does not come back"
    assert conf.consumer_auto_offset_reset == "none", "else an offset that is gone means: from the beginning"
    assert conf.web_enabled is False
    assert not app.boot_strategy._should_enable_web()
    assert not app.boot_strategy._should_enable_kafka_producer()
    assert app.transport.Consumer is HostConsumer


def test_the_member_name_changes_with_the_topics_and_with_nothing_else(tmp_path: Path) -> None:
    """The broker gives a returning member its old assignment; with other topics it must be another member."""

    def member(name: str) -> str:
        conf: Any = host_app(host_worker.echo_stage(name), tmp_path).conf
        return str(conf.consumer_group_instance_id)

    assert member("echo") == member("echo")
    assert member("echo") != member("other")
    assert member("echo").startswith("w1.")


def test_a_stage_is_subscribed_to_its_inputs_without_agents_tables_or_declarations(tmp_path: Path) -> None:
    app = host_app(host_worker.echo_stage("echo"), tmp_path)
    assert {name for topic in app.topics for name in topic.topics} == {"echo.a", "echo.b"}
    assert not app.agents
    assert not app.tables
    assert not any(topic.internal for topic in app.topics), "internal topics would be declared"


def test_stock_faust_would_call_our_work_done_while_it_is_in_flight() -> None:
    """Why wait_empty is overridden: stock sees stream messages only, and none once it should stop."""
    source = inspect.getsource(inspect.unwrap(StockConsumer.wait_empty))
    assert "while not self.should_stop and self._unacked_messages" in source
    assert "stream_wait_empty" in inspect.getsource(App._consumer_wait_empty)
