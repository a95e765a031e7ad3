"""One worker process: one stage, its zone's keys, the Faust host, and the three pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from linkage.model import dump
from ops.errors import SettingsError
from ops.runtime.area_files import read_quintiles
from ops.runtime.cli_options import check_broker
from ops.runtime.exposition import Exposition
from ops.runtime.model_files import read_model
from ops.runtime.paths import EnginePaths, linkage_model, load_recipients, load_sources, packaged_all
from ops.runtime.safe_logging import configure_logging, no_core_dumps
from schemas.errors import InvalidField
from streams.host.app import HostFacts, HostSettings, run_worker
from streams.host.settings import TIMINGS
from streams.recall_gaps import RecallGaps
from streams.settings import StepSettings, build_step, no_intake_keys, seal_dead_letter
from streams.steps.outcome import Message, S, Stage, Step
from streams.topology import stage as stage_row


@dataclass(frozen=True)
class WorkerOptions:
    """The options of one worker."""

    stage: str
    worker_id: str
    bootstrap: str
    layout: EnginePaths
    sources: Path | None
    linkage_model: Path | None
    recipients: Path | None
    test_mode: bool
    generation: int
    profile: str
    pages_host: str
    pages_port: int
    no_predecessor: bool = False
    recheck: bool = False
    deprivation: Path | None = None


class WorkerHost(Protocol):
    """What carries a step: `streams.host.app.run_worker`, or whatever takes the same arguments."""

    def __call__(
        self,
        stage: Stage,
        step: Step[S],
        *,
        settings: HostSettings,
        seal_dead_letter: Callable[[Message, str], bytes],
        registry: CollectorRegistry,
        on_facts: Callable[[HostFacts], None],
        inspect_states: Callable[[Mapping[int, S]], None] | None,
    ) -> None:
        """Work on this thread until SIGTERM."""


def run(options: WorkerOptions, host: WorkerHost = run_worker) -> None:
    """Work on `host` until SIGTERM. Raises BrokerError without a broker; exits 70, no commit, on the unexpected."""
    configure_logging()
    no_core_dumps()
    sources = load_sources(options.sources, test_mode=options.test_mode)
    recipients = load_recipients(options.recipients)
    keys = options.layout.keyring(options.stage)
    step = _step(
        options.stage,
        StepSettings(
            keys=keys,
            sources=sources,
            recipients=recipients,
            definitions=tuple(packaged_all("schemas.definitions", ".toml")),
            model=model_text(options.linkage_model),
            intake=options.layout.current_intake_keys() if options.stage == "ingress" else no_intake_keys,
            data_keys=options.layout.current_bucket_keys(options.stage),
            test_mode=options.test_mode,
            recheck=options.recheck,
            generation=options.generation,
            quintiles=read_quintiles(options.deprivation),
        ),
    )
    session_s, heartbeat_s, rebalance_s = TIMINGS[options.profile]
    settings = HostSettings(
        bootstrap=options.bootstrap,
        worker_id=options.worker_id,
        state_directory=options.layout.workers / options.worker_id,
        session_timeout_s=session_s,
        heartbeat_s=heartbeat_s,
        rebalance_timeout_s=rebalance_s,
        no_predecessor=options.no_predecessor,
        generation=options.generation,
    )
    registry = CollectorRegistry()

    def expose(facts: HostFacts) -> None:
        pages = Exposition(
            registry, live=facts.live, ready=facts.ready, host=options.pages_host, port=options.pages_port
        )
        pages.start()

    row = stage_row(options.stage, sources=sources.values(), recipients=recipients)

    def seal(message: Message, code: str) -> bytes:
        return seal_dead_letter(keys, message, code)

    check_broker(options.bootstrap)
    host(
        row,
        step,
        settings=settings,
        seal_dead_letter=seal,
        registry=registry,
        on_facts=expose,
        inspect_states=RecallGaps(registry).inspect if options.stage == "linker" else None,
    )


def _step(stage: str, settings: StepSettings) -> Step[Any]:
    """The step. Raises SettingsError where a recipient of the file has no key yet."""
    try:
        return build_step(stage, settings)
    except InvalidField as failure:
        raise SettingsError(f"{failure}: `tierlink keys add-recipient` makes one") from None


def model_text(path: Path | None) -> str:
    """The text of the model of `path`, or of the one that ships. Raises SettingsError."""
    return dump(read_model(path, option="--linkage-model")) if path else linkage_model()
