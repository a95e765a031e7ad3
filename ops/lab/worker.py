"""`python -m ops.lab.worker [--fault-at PHASE:N] [--host stock] [--mutant NAME] worker STAGE ...`

The worker of production, options and all, on a host that fails on purpose.
"""

from functools import partial
from typing import Annotated, Literal

import typer

from ops.errors import run_and_exit
from ops.lab.crash_points import crash_point
from ops.runtime.worker_command import register as add_worker
from ops.runtime.worker_process import WorkerHost

HostName = Literal["ours", "stock"]
MutantName = Literal["commit_first", "state_first", "claims_last", "releases_over_claims"]


def host_of(host: HostName = "ours", mutant: str | None = None, fault_at: str | None = None) -> WorkerHost:
    """The host of these options. Raises ValueError for a phase that does not exist."""
    observe = crash_point(fault_at)
    if host == "stock":
        from ops.lab.stock_host import run_worker as run_stock_worker

        return partial(run_stock_worker, observe=observe)
    from ops.lab.mutants import MUTANTS
    from streams.host.app import run_worker
    from streams.host.batch import BatchRunner

    return partial(run_worker, observe=observe, runner_class=MUTANTS[mutant] if mutant else BatchRunner)


def build_app() -> typer.Typer:
    """The command line: `worker` behind the options that choose its host."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @app.callback()
    def choose(
        context: typer.Context,
        *,
        fault_at: Annotated[str | None, typer.Option(help="Where it ends itself: PHASE:N.")] = None,
        host: Annotated[HostName, typer.Option(help="What it runs on; stock is a Faust agent.")] = "ours",
        mutant: Annotated[MutantName | None, typer.Option()] = None,
    ) -> None:
        """A worker that fails on purpose; never for care records."""
        context.obj = host_of(host, mutant, fault_at)

    add_worker(app)
    return app


if __name__ == "__main__":
    run_and_exit(build_app())
