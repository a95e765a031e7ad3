"""A host app that connects to nothing, for tests of how it is built."""

from pathlib import Path

import host_worker
from prometheus_client import CollectorRegistry

from streams.host.app import HostApp
from streams.host.batch import BatchRunner, Pace
from streams.host.consumer import HostParts
from streams.host.delivered import DeliveredMarker
from streams.host.producer import AwaitedProducer
from streams.host.settings import HostSettings
from streams.host.watchdog import HostFacts
from streams.metrics import StageMetrics
from streams.steps.outcome import Stage


def host_app(stage: Stage, directory: Path) -> HostApp:
    """As `run_worker` builds it, without a watchdog."""
    settings = HostSettings(bootstrap="127.0.0.1:9,127.0.0.1:8", worker_id="w1", state_directory=directory)
    producer = AwaitedProducer(settings)
    runner = BatchRunner(
        stage=stage,
        step=host_worker.EchoStep(stage),
        seal_dead_letter=host_worker.seal,
        producer=producer,
        marker=DeliveredMarker(directory / "delivered.json"),
        metrics=StageMetrics(stage, CollectorRegistry()),
        observe=lambda phase: None,
        check_fence=lambda: None,
        pace=Pace(settings.batch_s, settings.batch_max),
    )
    return HostApp(HostParts(stage, settings, HostFacts(settings), runner, producer))
