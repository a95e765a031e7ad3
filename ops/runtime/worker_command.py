"""The command `worker STAGE`: its options, for whichever program offers it."""

import re
from typing import Annotated, Literal

import typer

from ops.runtime.cli_options import (
    UP,
    Bootstrap,
    Deprivation,
    Directory,
    Generation,
    LinkageModel,
    PagesHost,
    PagesPort,
    Recipients,
    Sources,
    TestMode,
)


def _plain(worker_id: str) -> str:
    """The id, which also names a directory and a consumer group."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", worker_id):
        raise typer.BadParameter("letters, digits, dot, hyphen, underscore; the first a letter or digit")
    return worker_id


WorkerId = Annotated[
    str, typer.Option(help="Unique and constant: a restarted worker comes back under it.", callback=_plain)
]


def worker(
    context: typer.Context,
    stage: Annotated[Literal["ingress", "records", "linker", "pathway"], typer.Argument(help="What it works on.")],
    *,
    bootstrap: Bootstrap,
    worker_id: WorkerId,
    directory: Directory = UP,
    sources: Sources = None,
    linkage_model: LinkageModel = None,
    recipients: Recipients = None,
    test_mode: TestMode = False,
    generation: Generation = 0,
    profile: Annotated[
        Literal["demo", "production"],
        typer.Option(help="Session, heartbeat, rebalance: 6/1/10 s or 45/3/60 s."),
    ] = "production",
    pages_host: PagesHost = "127.0.0.1",
    pages_port: PagesPort = 0,
    no_predecessor: Annotated[
        bool,
        typer.Option("--no-predecessor", help="No worker has ever had this id: there is nothing to wait out."),
    ] = False,
    recheck: Annotated[
        bool,
        typer.Option("--recheck", help="Ingress reads each FHIR Bundle again and compares; half as fast."),
    ] = False,
    deprivation: Deprivation = None,
) -> None:
    """Work until SIGTERM. Ends itself without committing on anything unexpected: run it under a supervisor."""
    from ops.runtime.paths import EnginePaths
    from ops.runtime.worker_process import WorkerOptions, run

    options = WorkerOptions(
        stage=stage,
        worker_id=worker_id,
        bootstrap=bootstrap,
        layout=EnginePaths(directory),
        sources=sources,
        linkage_model=linkage_model,
        recipients=recipients,
        test_mode=test_mode,
        generation=generation,
        profile=profile,
        pages_host=pages_host,
        pages_port=pages_port,
        no_predecessor=no_predecessor,
        recheck=recheck,
        deprivation=deprivation,
    )
    if context.obj is None:
        run(options)
    else:
        run(options, host=context.obj)


def register(app: typer.Typer) -> None:
    """Add the command. A program may set another host as the object of its context."""
    app.command()(worker)
