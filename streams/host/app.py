"""One worker of one stage: Faust's app and worker around the batch host."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import faust
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver
from prometheus_client import CollectorRegistry

from streams.host.batch import BatchRunner, Pace
from streams.host.consumer import HostConsumer, HostParts
from streams.host.delivered import DeliveredMarker
from streams.host.producer import AwaitedProducer
from streams.host.settings import HostSettings
from streams.host.watchdog import HostFacts, Watchdog, halt
from streams.metrics import StageMetrics
from streams.steps.outcome import Message, S, Stage, Step

__all__ = ["HostFacts", "HostSettings", "TopicsUnfit", "run_worker"]

# Our watchdog ends a stuck worker; aiokafka's remedy (leave the group, never rejoin) must stay out of reach.
MAX_POLL_INTERVAL_S = 100 * 86_400.0
TICK_S = 0.5


class TopicsUnfit(RuntimeError):
    """A topic of the stage is absent or differently partitioned: starting would lose messages silently."""


class HostBoot(BootStrategy):
    """Consumer, conductor, table manager (it runs Faust's rebalance); no producer of Faust's, no web."""

    enable_kafka_producer = False
    enable_web = False


class HostTransport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer = HostConsumer


class HostApp(faust.App):
    """A Faust app whose only work is the batch host."""

    BootStrategy = HostBoot

    def __init__(self, parts: HostParts) -> None:
        """Configured and subscribed; nothing connects before the worker starts."""
        self.parts = parts
        super().__init__(parts.settings.group(parts.stage.name), **faust_settings(parts.stage, parts.settings))
        self.finalize()
        for name in parts.stage.reads:
            self.topics.add(self.topic(name, key_type=bytes, value_type=bytes, allow_empty=True))

    def _new_transport(self) -> HostTransport:
        return HostTransport(self.conf.broker_consumer, self)


def run_worker(
    stage: Stage,
    step: Step[S],
    *,
    settings: HostSettings,
    seal_dead_letter: Callable[[Message, str], bytes],
    registry: CollectorRegistry,
    on_facts: Callable[[HostFacts], None] | None = None,
    inspect_states: Callable[[Mapping[int, S]], None] | None = None,
    observe: Callable[[str], None] = lambda phase: None,
    runner_class: type[BatchRunner[S]] = BatchRunner,
) -> None:
    """Run one worker on this thread (the main one) until SIGTERM or SIGINT; returns after the last commit.

    `seal_dead_letter` must give the same bytes for the same message and code. `on_facts` is called once, before
    anything connects. `inspect_states` gets the state of each task every TICK_S, between two batches: it changes
    nothing and takes milliseconds. `observe` is called with the name of each phase of a batch (BATCH_PHASES) as it is
    reached. `runner_class` may be a subclass of BatchRunner. Raises TopicsUnfit. Anything unexpected, a broker that is
    away among it, ends the process with status 70 and without a commit.
    """
    facts = HostFacts(settings)
    if on_facts is not None:
        on_facts(facts)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(check_topics(stage, settings.bootstrap))
    except KafkaError as error:  # the broker is away: the supervisor tries again
        halt(stage.name, at="start", error=error)
    settings.state_directory.mkdir(parents=True, exist_ok=True)
    watchdog = Watchdog(stage.name, settings, facts)
    producer = AwaitedProducer(settings)
    metrics = StageMetrics(stage, registry)
    marker = DeliveredMarker(settings.state_directory / "delivered.json")
    metrics.redelivered(marker.redelivered)
    runner = runner_class(
        stage=stage,
        step=step,
        seal_dead_letter=seal_dead_letter,
        producer=producer,
        marker=marker,
        metrics=metrics,
        observe=observe,
        check_fence=watchdog.check,
        pace=Pace(settings.batch_s, settings.batch_max),
        generation=settings.generation,
    )
    app = HostApp(HostParts(stage, settings, facts, runner, producer))
    watchdog.start()
    _tick(loop, facts)
    if inspect_states is not None:
        _inspect(loop, runner, inspect_states)
    try:
        work_until_stopped(app, loop)
    except SystemExit as ended:
        halt(stage.name, at="worker", error=ended.__context__)
    watchdog.stop()


async def check_topics(stage: Stage, bootstrap: str) -> None:
    """Returns when every topic of the stage is there and fits. Raises TopicsUnfit, KafkaError."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        cluster = await client.fetch_all_metadata()
    finally:
        await client.close()
    exact = {*stage.reads, *((stage.changelog,) if stage.changelog else ())}
    for topic in sorted({*exact, stage.dead_letter, *stage.writes}):
        count = len(cluster.partitions_for_topic(topic) or ())
        if not count:
            raise TopicsUnfit(f"{topic}: does not exist")
        if topic in exact and count != stage.partitions:
            raise TopicsUnfit(f"{topic}: has {count} partitions, not {stage.partitions}")
        if topic == stage.dead_letter and count < stage.partitions:
            raise TopicsUnfit(f"{topic}: has {count} partitions, fewer than {stage.partitions}")


def faust_settings(stage: Stage, settings: HostSettings) -> dict[str, Any]:
    """Every Faust setting that matters, written out; those of tables, streams and producer do not apply."""
    digest = hashlib.sha256("\n".join(stage.reads).encode()).hexdigest()[:8]
    return {
        "broker": ";".join(f"kafka://{address}" for address in settings.bootstrap.split(",")),
        "datadir": str(settings.state_directory),
        "canonical_url": f"http://{settings.worker_id}",  # a name in the assignment; nobody listens
        # The topics belong to the name: the broker gives a returning member its old assignment, unasked.
        "consumer_group_instance_id": f"{settings.worker_id}.{digest}",
        # Positions are sought by the host. One that the broker no longer has ends the process: the next start looks
        # at the bounds, and says what expired; "earliest" would begin again in silence.
        "consumer_auto_offset_reset": "none",
        "broker_session_timeout": settings.session_timeout_s,
        "broker_heartbeat_interval": settings.heartbeat_s,
        "broker_rebalance_timeout": settings.rebalance_timeout_s,
        "broker_request_timeout": settings.request_timeout_s,
        "broker_max_poll_interval": MAX_POLL_INTERVAL_S,
        "broker_max_poll_records": settings.batch_max,
        "processing_guarantee": "at_least_once",
        # There are no tables, but 0 would select round-robin, which splits a stage's topics between workers.
        "table_standby_replicas": 1,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "stream_wait_empty": True,  # makes Faust call wait_empty
        "stream_recovery_delay": 0.0,
        "store": "memory://",
        "reply_create_topic": False,
        "web_enabled": False,
        "worker_redirect_stdouts": False,
    }


def work_until_stopped(app: faust.App, loop: asyncio.AbstractEventLoop) -> None:
    """Faust's worker has run to a stop in order. Raises SystemExit, with what led to it, for any other end."""
    worker = faust.Worker(app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    try:
        worker.execute_from_commandline()  # always ends in SystemExit
    except SystemExit as ended:
        if ended.code:
            raise


def _tick(loop: asyncio.AbstractEventLoop, facts: HostFacts) -> None:
    facts.tick()
    loop.call_later(TICK_S, _tick, loop, facts)


def _inspect(
    loop: asyncio.AbstractEventLoop, runner: BatchRunner[S], inspect_states: Callable[[Mapping[int, S]], None]
) -> None:
    """On the loop, as batches are answered: never in the middle of one."""
    loop.call_later(TICK_S, _inspect, loop, runner, inspect_states)
    inspect_states(runner.states)
