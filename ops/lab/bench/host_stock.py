"""The hop in a stock Faust agent with a table, for comparison with our host. It keeps fewer promises."""

from prometheus_client import CollectorRegistry

from ops.lab.bench.host_hop import Hop
from ops.lab.bench.host_step import CountingStep, never_sealed, settings_of, stage_of
from ops.lab.stock_host import run_worker


def work(hop: Hop) -> None:
    """Works until SIGTERM."""
    run_worker(
        stage_of(hop),
        CountingStep(hop.writes, hop.note_first_message),
        settings=settings_of(hop),
        seal_dead_letter=never_sealed,
        registry=CollectorRegistry(),
    )


if __name__ == "__main__":
    work(Hop.from_arguments())
