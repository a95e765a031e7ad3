"""Stock Faust for tests: the echo stage under it (`python stock_parts.py <settings as JSON>` is one worker),
and an app of it without a broker, whose conductor, streams, acknowledgements and commit rule are the real ones.
"""

import asyncio
import dataclasses
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, cast

import faust
import host_worker
from echo_run import FAST, ROOT, EchoRun
from eventually import eventually
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from prometheus_client import CollectorRegistry

from ops.lab.worker import host_of
from streams.host.settings import HostSettings
from streams.steps.outcome import Change, Message, Outcome

INPUT = TP("input", 0)
STATE_TIMES = 3_000  # "kept" so many times over: 12 kB


@dataclasses.dataclass
class NoBroker:
    """Stands where Faust's consumer thread does: holds an assignment and remembers what it was told to commit."""

    held: Collection[TP] = (INPUT,)
    committed: dict[TP, int] = dataclasses.field(default_factory=dict)

    def assignment(self) -> set[TP]:
        """Everything, for as long as the test lasts."""
        return set(self.held)

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        """As the broker would: accepted."""
        self.committed.update(offsets)
        return True


class NoProducer:
    """Stands where aiokafka's producer does: takes each message, and what becomes of it the test decides."""

    def __init__(self) -> None:
        self.taken: list[asyncio.Future[Any]] = []

    async def send(self, *_: Any, **__: Any) -> "asyncio.Future[Any]":
        """Handed over; the future is the delivery."""
        self.taken.append(asyncio.get_running_loop().create_future())
        return self.taken[-1]

    async def flush(self) -> None:
        """As aiokafka's: waits for every delivery, and is content with a failed one."""
        if self.taken:
            await asyncio.wait(self.taken)


class StockApp(faust.App):
    """An app that connects to nothing, in the running loop."""

    def __init__(self, **settings: Any) -> None:
        super().__init__("pitfalls", broker="kafka://127.0.0.1:9", topic_allow_declare=False, **settings)
        self.finalize()
        self.thread = NoBroker()
        self.stock_consumer = cast(Any, self.consumer)  # whose private parts the tests look at
        self.stock_consumer._thread.thread_loop.close()  # the loop of a thread that is never started
        self.stock_consumer._thread = self.thread

    def input(self, **options: Any) -> Any:
        """The topic of INPUT: bytes, unless told otherwise."""
        raw: dict[str, Any] = {
            "key_type": bytes,
            "value_type": bytes,
            "key_serializer": "raw",
            "value_serializer": "raw",
        }
        return self.topic(INPUT.topic, **(raw | options))

    async def begin(self, agent: Any, *, committed: int) -> None:
        """The agent runs, INPUT is assigned and committed so far."""
        await agent.start()
        topics: Any = self.topics
        await topics._update_indices()
        await topics.on_partitions_assigned({INPUT})
        self.stock_consumer._committed_offset[INPUT] = committed
        self.flow_control.resume()

    async def end(self, agent: Any) -> None:
        """Nothing of the agent runs any more. Its own stop() waits for ever once it has been restarted."""
        stopping = asyncio.ensure_future(agent.stop())
        await until(lambda: agent.supervisor is None, why="the supervisor has ended")
        for actor in agent._actors:
            actor.actor_task.cancel()
        await stopping

    async def deliver(self, offset: int, value: bytes) -> ConsumerMessage:
        """One message as the fetcher gives it to the conductor."""
        message = message_at(offset, value, self.consumer_generation_id)
        await self.topics.on_message(message)
        return message

    async def commit_all(self) -> int | None:
        """The committed offset of INPUT after Faust has committed what it would."""
        await self.consumer.commit()
        return self.thread.committed.get(INPUT)


def message_at(offset: int, value: bytes, generation: int = 0) -> ConsumerMessage:
    """A message of INPUT."""
    return ConsumerMessage(
        INPUT.topic,
        INPUT.partition,
        offset,
        0.0,
        0,
        [],
        None,
        value,
        None,
        tp=INPUT,
        generation_id=generation,
    )


async def until(probe: Callable[[], object], *, why: str) -> None:
    """As `eventually`, while the loop goes on."""
    await asyncio.to_thread(eventually, probe, why=why)


@dataclasses.dataclass(frozen=True)
class HeavyStep(host_worker.EchoStep):
    """Small outputs, and state records of which a producer's batch (16 KiB) holds one."""

    def advance(self, state: set[bytes], message: Message) -> tuple[set[bytes], tuple[Outcome, ...]]:
        """Echo, and remember much."""
        state, outcomes = super().advance(state, message)
        return state, tuple(
            Change(outcome.key, outcome.value * STATE_TIMES)
            if isinstance(outcome, Change) and outcome.value
            else outcome
            for outcome in outcomes
        )


class Workers(EchoRun):
    """As EchoRun; its workers run on the host chosen: "ours" or "stock"."""

    def start(self, worker_id: str, **chosen: Any) -> subprocess.Popen[bytes]:
        """A worker process; `chosen` goes into its settings, but for `host` and `heavy`."""
        settings = {
            "bootstrap": self.bootstrap,
            "worker_id": worker_id,
            "stage": self.stage.name,
            "no_predecessor": worker_id not in self._workers,
        }
        directory = self._directory / worker_id
        words = json.dumps({**settings, **FAST, "state_directory": str(directory), **chosen})
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (self._directory / f"{worker_id}.log").open("ab") as log:
            command = [sys.executable, __file__, words]
            self._workers[worker_id] = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        return self._workers[worker_id]


def main(texts: dict[str, Any]) -> None:
    """Run one worker; readiness is shown by a file `ready` in its directory."""
    logging.basicConfig(level="WARNING", format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stage = host_worker.echo_stage(texts.pop("stage"))
    step = HeavyStep(stage) if texts.pop("heavy", False) else host_worker.EchoStep(stage)
    run_worker = host_of(texts.pop("host", "stock"), fault_at=texts.pop("fault_at", None))
    settings = HostSettings(**{**texts, "state_directory": Path(texts["state_directory"])})
    run_worker(
        stage,
        step,
        settings=settings,
        seal_dead_letter=host_worker.seal,
        registry=CollectorRegistry(),
        on_facts=lambda facts: host_worker.show_when_ready(facts, settings.state_directory / "ready"),
        inspect_states=None,
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
