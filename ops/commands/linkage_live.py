"""`tierlink linkage decide | reviews`, and `explain` without a table: stewards and operators beside an engine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.runtime.cli_options import Directory, Json, running

if TYPE_CHECKING:
    from schemas.linking import DecisionKind

Broker = Annotated[str | None, typer.Option(help="Address of the broker; else that of the engine.")]
Record = Annotated[str, typer.Argument(metavar="A", help="A record, as `linkage reviews` names it.")]
Other = Annotated[str, typer.Argument(metavar="B", help="The other one.")]
UP = Path(".tierlink/up")


@dataclass(frozen=True)
class LiveQuery:
    """Which engine is asked, how it is answered, and the model to judge by: None, the one workers link with."""

    directory: Path
    bootstrap: str | None
    model: Path | None
    as_json: bool


def decide(
    *,
    record: Record,
    other: Other,
    link: Annotated[bool, typer.Option("--link", help="They are one person.")] = False,
    apart: Annotated[bool, typer.Option("--apart", help="They are two people.")] = False,
    neither: Annotated[bool, typer.Option("--none", help="Back to the weights: no word stands.")] = False,
    at: Annotated[
        str | None, typer.Option(help="When it was decided, such as 2026-11-23T10:00:00Z; else now.")
    ] = None,
    directory: Directory = UP,
    bootstrap: Broker = None,
    as_json: Json = False,
) -> None:
    """A steward's word on two records: of each pair the last by the time it was decided stands. With --at the same
    command given again is the same message; without, it is a newer word of the same kind.
    """
    from datetime import UTC, datetime

    from ops.admin.topic_reader import read_topics
    from ops.steward.answers_read import answers_of
    from ops.steward.reviews import decision, write
    from schemas.topics import LINK_MAP

    kind = _kind(link=link, apart=apart, neither=neither)
    made = decision((record, other), kind, now=datetime.now(UTC), at=at)
    address = bootstrap or str(running(directory)["bootstrap"])
    known = answers_of(read_topics(address, [LINK_MAP]), made.records)
    write(address, made)
    for name, record_id in (("A", record), ("B", other)):
        if record_id not in known:
            typer.echo(f"{name} is not known to the engine: the decision waits for it", err=True)
    typer.echo(f"written: {kind}, decided at {made.decided_at}", err=as_json)
    if as_json:
        waits = sum(record_id not in known for record_id in made.records)
        typer.echo(json.dumps({"kind": kind, "decided_at": made.decided_at, "records_waited_for": waits}))


def reviews(*, directory: Directory = UP, bootstrap: Broker = None, as_json: Json = False) -> None:
    """The pairs left to a steward, the likeliest to be one person first, and what to type next."""
    from ops.admin.topic_reader import read_topics
    from ops.steward.reviews import open_pairs
    from schemas.topics import REVIEW

    with _broker_of(directory, bootstrap) as address:
        found = open_pairs(read_topics(address, [REVIEW]))
    where = "" if directory == UP else f" --directory {directory}"
    for pair_open in found:
        pair = " ".join(pair_open.records)
        typer.echo(f"{pair_open.bits:+.2f} bits; {', '.join(pair_open.rules)}", err=as_json)
        typer.echo(f"  ./run linkage explain {pair}{where}", err=as_json)
        typer.echo(f"  ./run linkage decide {pair} --link{where}      # or --apart", err=as_json)
    typer.echo(f"{len(found)} open", err=as_json)
    if as_json:
        typer.echo(json.dumps({"reviews": [pair_open.as_json() for pair_open in found]}))


def explain_answers(records: tuple[str, ...], asked: LiveQuery) -> None:
    """What the engine answered for one record, or for two and between them. Raises SettingsError for a record it
    does not know.
    """
    from rich.console import Console

    from ops.admin.topic_reader import read_topics
    from ops.runtime.model_files import model_of
    from ops.steward.answers_explained import explained, show
    from schemas.topics import LINK_MAP

    model = model_of(asked.model)
    with _broker_of(asked.directory, asked.bootstrap) as address:
        found = explained(lambda: read_topics(address, [LINK_MAP]), records, model)
    show(Console(stderr=asked.as_json, width=110, highlight=False), found)
    if asked.as_json:
        typer.echo(json.dumps(found.as_json()))


def explain_every_link(asked: LiveQuery) -> None:
    """Whether the evidence told joins the records of every person; exit 1 when it does not."""
    from ops.admin.topic_reader import read_topics
    from ops.runtime.model_files import model_of
    from ops.steward.link_coverage import EvidenceChecker, coverage
    from schemas.topics import LINK_MAP

    model = model_of(asked.model)
    with _broker_of(asked.directory, asked.bootstrap) as address:
        found = coverage(read_topics(address, [LINK_MAP]), EvidenceChecker(model))
    counts = found.as_json()
    typer.echo(", ".join(f"{name} {count:,}" for name, count in counts.items()), err=asked.as_json)
    for a, b in found.gaps[:GAPS_SHOWN]:
        typer.echo(f"  by {model.name} nothing told joins {a} to {b}", err=asked.as_json)
    if asked.as_json:
        typer.echo(json.dumps(counts))
    raise typer.Exit(1 if found.gaps else 0)


GAPS_SHOWN = 10


def _kind(*, link: bool, apart: bool, neither: bool) -> "DecisionKind":
    from ops.errors import SettingsError

    kinds: dict[DecisionKind, bool] = {"link": link, "apart": apart, "none": neither}
    said = [kind for kind, given in kinds.items() if given]
    if len(said) != 1:
        raise SettingsError("one of --link, --apart and --none")
    return said[0]


@contextmanager
def _broker_of(directory: Path, bootstrap: str | None) -> Iterator[str]:
    """The address given, else of the engine that runs in `directory`, else of a stopped run's own broker, started
    for the while.
    """
    from ops.runtime.paths import EnginePaths
    from ops.verify.replay import stopped

    layout = EnginePaths(directory)
    if bootstrap or layout.up.exists() or not layout.broker.exists():
        yield bootstrap or str(running(directory)["bootstrap"])
    else:
        with stopped(directory) as ground:
            yield ground.bootstrap
