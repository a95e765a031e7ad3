"""The hop in our host, as a worker runs it in production: every promise in force, metrics and watchdog too."""

from prometheus_client import CollectorRegistry

from ops.lab.bench.host_hop import Hop
from ops.lab.bench.host_sampling import Sampler
from ops.lab.bench.host_step import CountingStep, never_sealed, settings_of, stage_of
from streams.host.app import run_worker


def work(hop: Hop) -> None:
    """Works until SIGTERM; with `profile`, what it spent its time on is in the directory afterwards."""
    sampler = Sampler(hop.directory) if hop.profile else None

    def on_first() -> None:
        hop.note_first_message()
        if sampler is not None:
            sampler.begin()

    run_worker(
        stage_of(hop),
        CountingStep(hop.writes, on_first),
        settings=settings_of(hop),
        seal_dead_letter=never_sealed,
        registry=CollectorRegistry(),
    )


if __name__ == "__main__":
    work(Hop.from_arguments())
