"""`tierlink linkage decide | reviews`, and `explain` without a table: stewards and operators beside an engine."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.runtime.cli_options import (
    UP,
    Broker,
    Directory,
    Json,
    broker_address,
    invalid_arguments,
    show_progress,
)

if TYPE_CHECKING:
    from schemas.linking import DecisionKind

Record = Annotated[str, typer.Argument(metavar="A", help="A record, as `linkage reviews` names it.")]
Other = Annotated[str, typer.Argument(metavar="B", help="The other one.")]


@dataclass(frozen=True)
class LiveQuery:
    """Which engine is asked, how the answer is printed, and the model to judge by (None: the one that workers use)."""

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
    neither: Annotated[bool, typer.Option("--none", help="Neither: the weights decide again.")] = False,
    at: Annotated[str | None, typer.Option(help="When it was decided, such as 2026-11-23T10:00:00Z; else now.")] = None,
    directory: Directory = UP,
    bootstrap: Broker = None,
    as_json: Json = False,
) -> None:
    """Write a decision on two records. Of the decisions on a pair the latest by its time counts. With --at the same
    command given again writes the same message; without it, a newer decision of the same kind.
    """
    from datetime import UTC, datetime

    from ops.admin.topic_reader import read_topics
    from ops.steward.answers_read import answers_of
    from ops.steward.reviews import decision, write
    from schemas.topics import LINK_MAP

    kind = _kind(link=link, apart=apart, neither=neither)
    with invalid_arguments():
        made = decision((record, other), kind, now=datetime.now(UTC), at=at)
    address = broker_address(directory, bootstrap)
    known = answers_of(read_topics(address, [LINK_MAP]), made.records)
    write(address, made)
    for name, identifier in (("A", record), ("B", other)):
        if identifier not in known:
            typer.echo(f"{name} is not known to the engine: the decision waits for it", err=True)
    typer.echo(f"decision written: {kind}, decided at {made.decided_at}", err=as_json)
    if as_json:
        waits = sum(identifier not in known for identifier in made.records)
        typer.echo(json.dumps({"kind": kind, "decided_at": made.decided_at, "records_waited_for": waits}))


def reviews(*, directory: Directory = UP, bootstrap: Broker = None, as_json: Json = False) -> None:
    """List the pairs left to a steward, the likeliest to be one person first, and what to type for each."""
    from ops.admin.topic_reader import read_topics
    from ops.steward.reviews import open_pairs
    from schemas.topics import REVIEW

    with _broker_of(directory, bootstrap) as address:
        found = open_pairs(read_topics(address, [REVIEW]))
    where = "" if directory == UP else f" --directory {shlex.quote(str(directory))}"
    for review in found:
        pair = " ".join(review.records)
        typer.echo(f"{review.bits:+.2f} bits; {', '.join(review.rules)}", err=as_json)
        typer.echo(f"  ./run linkage explain {pair}{where}", err=as_json)
        typer.echo(f"  ./run linkage decide {pair} --link{where}      # or --apart", err=as_json)
    typer.echo(f"{len(found)} open", err=as_json)
    if as_json:
        typer.echo(json.dumps({"reviews": [review.as_json() for review in found]}))


def explain_answers(records: tuple[str, ...], query: LiveQuery) -> None:
    """What the engine answered for one record, or for two and between them. Raises SettingsError for a record it
    does not know.
    """
    from rich.console import Console

    from ops.admin.topic_reader import read_topics
    from ops.runtime.model_files import model_of
    from ops.steward.answers_explained import explained, show
    from schemas.topics import LINK_MAP

    model = model_of(query.model)
    with _broker_of(query.directory, query.bootstrap) as address, invalid_arguments():
        found = explained(lambda: read_topics(address, [LINK_MAP]), records, model)
    show(Console(stderr=query.as_json, width=110, highlight=False), found)
    if query.as_json:
        typer.echo(json.dumps(found.as_json()))


def explain_every_link(query: LiveQuery) -> None:
    """Whether the published evidence joins the records of every person; exit 1 when it does not."""
    from ops.admin.topic_reader import read_topics
    from ops.runtime.model_files import model_of
    from ops.steward.link_coverage import EvidenceChecker, coverage
    from schemas.topics import LINK_MAP

    model = model_of(query.model)
    with _broker_of(query.directory, query.bootstrap) as address:
        found = coverage(read_topics(address, [LINK_MAP]), EvidenceChecker(model))
    counts = found.as_json()
    typer.echo(", ".join(f"{name} {count:,}" for name, count in counts.items()), err=query.as_json)
    for a, b in found.gaps[:GAPS_SHOWN]:
        typer.echo(f"  by {model.name} no published evidence joins {a} to {b}", err=query.as_json)
    if query.as_json:
        typer.echo(json.dumps(counts))
    raise typer.Exit(1 if found.gaps else 0)


GAPS_SHOWN = 10


def _kind(*, link: bool, apart: bool, neither: bool) -> "DecisionKind":
    from ops.errors import SettingsError

    kinds: dict[DecisionKind, bool] = {"link": link, "apart": apart, "none": neither}
    chosen = [kind for kind, given in kinds.items() if given]
    if len(chosen) != 1:
        raise SettingsError("--link, --apart, --none: give exactly one of them")
    return chosen[0]


@contextmanager
def _broker_of(directory: Path, bootstrap: str | None) -> Iterator[str]:
    """The address given, else of the engine that runs in `directory`, else of the broker of a stopped run, which runs
    as long as this is open.
    """
    from ops.runtime.paths import EnginePaths
    from ops.verify.replay import stopped

    layout = EnginePaths(directory)
    if bootstrap or layout.up.exists() or not layout.broker.exists():
        yield broker_address(directory, bootstrap)
    else:
        show_progress(f"starting the broker of the stopped run in {directory}")
        with stopped(directory) as run:
            yield run.bootstrap
