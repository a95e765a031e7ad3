"""One stock worker of one stage: the app, its agent and table, and what its pages show."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import faust
from prometheus_client import CollectorRegistry

from ops.lab.stock_host.agent import BYTES, StockStage, TaskStates
from schemas.topics import MESSAGE_BYTES_MAX
from streams.host.app import check_topics, faust_settings, work_until_stopped
from streams.host.settings import HostSettings
from streams.host.watchdog import HostFacts
from streams.metrics import StageMetrics, StageTally
from streams.steps.outcome import Message, Stage, Step

TICK_S = 0.5


def run_worker(
    stage: Stage,
    step: Step[Any],
    *,
    settings: HostSettings,
    seal_dead_letter: Callable[[Message, str], bytes],
    registry: CollectorRegistry,
    on_facts: Callable[[HostFacts], None] | None = None,
    inspect_states: Callable[[Mapping[int, Any]], None] | None = None,  # never called
    observe: Callable[[str], None] = lambda phase: None,
) -> None:
    """As `streams.host.app.run_worker`, without its promise; on this thread until SIGTERM or SIGINT.

    Same arguments, group, topics, bytes and timings. State records carry no headers: a table cannot. Of the
    phases only delivered, outputs_sent and state_sent are observed, once per message; stock Faust never knows of
    an acknowledgement. Raises TopicsUnfit, KafkaError, or SystemExit when Faust gives up.
    """
    facts = HostFacts(settings)
    if on_facts is not None:
        on_facts(facts)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(check_topics(stage, settings.bootstrap))
    settings.state_directory.mkdir(parents=True, exist_ok=True)
    app = stock_app(stage, settings)
    tasks = TaskStates(step)
    stock = StockStage(
        app=app,
        stage=stage,
        tasks=tasks,
        seal_dead_letter=seal_dead_letter,
        tally=StageTally(ages=stage.last),
        observe=observe,
        table=_table(app, stage, stage.changelog, tasks) if stage.changelog else None,
    )
    app.agent(app.topic(*stage.reads, **BYTES), name=stage.name)(stock.answer)
    app.timer(TICK_S)(_ticker(stock, facts, StageMetrics(stage, registry)))
    work_until_stopped(app, loop)


def stock_app(stage: Stage, settings: HostSettings) -> faust.App:
    """Faust's defaults but for what names the group and the broker, and for the timings we are compared at."""
    different: dict[str, Any] = {
        "consumer_group_instance_id": f"{settings.worker_id}.stock",  # it subscribes to the changelog as well
        "producer_max_request_size": MESSAGE_BYTES_MAX,
        "consumer_auto_offset_reset": "earliest",
    }
    return faust.App(settings.group(stage.name), **(faust_settings(stage, settings) | different))


def _table(app: faust.App, stage: Stage, topic: str, tasks: TaskStates) -> Any:
    changelog = app.topic(topic, **BYTES, acks=False, internal=True, partitions=stage.partitions)
    return app.Table(
        stage.name,
        key_type=bytes,
        value_type=bytes,
        partitions=stage.partitions,
        changelog_topic=changelog,
        on_changelog_event=tasks.on_changelog_event,
        on_recover=tasks.on_recover,
    )


def _ticker(stock: StockStage, facts: HostFacts, metrics: StageMetrics) -> Callable[[], Any]:
    app: Any = stock.app

    async def tick() -> None:
        facts.tick()
        if app.tables.actives_ready and not app.rebalancing and not app.in_recovery:
            facts.assign(recovered=True)
        else:
            facts.revoke()
        metrics.answered(stock.tally)
        stock.tally = StageTally(ages=stock.stage.last)
        for topic in stock.stage.reads:
            metrics.lag(topic, _lag(app, topic))

    return tick


def _lag(app: Any, topic: str) -> int:
    """Not yet committed, of the partitions held that have had a commit: more than the host would report."""
    committed, held = app.monitor.tp_committed_offsets, app.consumer.assignment()
    known = [partition for partition in held if partition.topic == topic and partition in committed]
    return sum(max(0, (app.consumer.highwater(partition) or 0) - committed[partition]) for partition in known)
