"""`tierlink linkage evaluate | explain | train`: the linker on tables of records, outside the engine; `explain`
without a table asks an engine.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands import linkage_live
from ops.runtime.cli_options import UP, Broker, Directory, Json, add_group, invalid_arguments, readable, show_progress

if TYPE_CHECKING:
    from linkage.model import Model
    from ops.training.mapping import Reader
    from ops.training.records import Records

Inputs = Annotated[
    list[Path],
    typer.Option("--input", help="A table: .csv or .parquet. Twice for two files.", callback=readable),
]
Map = Annotated[
    list[str],
    typer.Option("--map", help="field=column or field=column+column, with commas between. All may be missing."),
]
OptionalInputs = Annotated[
    list[Path] | None,
    typer.Option("--input", help="As for evaluate; without it an engine is asked.", callback=readable),
]
OptionalMap = Annotated[list[str] | None, typer.Option("--map", help="As for evaluate.")]
Dates = Annotated[
    str, typer.Option(help="auto (year first, or day first), ymd, dmy, mdy, or a pattern such as %d/%m/%Y.")
]
Postcode = Annotated[str, typer.Option(help="uk, or any: codes of other countries are kept.")]
ModelFile = Annotated[
    Path | None,
    typer.Option("--model", help="Weights to use; else they are fitted on the input.", callback=readable),
]
LinkOnly = Annotated[bool, typer.Option("--link-only", help="Pairs within one file are not looked for, nor counted.")]


def evaluate(
    *,
    inputs: Inputs,
    truth: Annotated[str, typer.Option(help="The column that says which rows are one person.")],
    columns: Map,
    dates: Dates = "auto",
    postcode: Postcode = "uk",
    shuffles: Annotated[int, typer.Option(min=0, help="Other orders the records are put in.")] = 3,
    model: ModelFile = None,
    link_only: LinkOnly = False,
    as_json: Json = False,
) -> None:
    """How well, how surely and how fast the linker links records whose truth is known."""
    show_progress("reading the records")
    from rich.console import Console

    from ops.training.evaluation import evaluate as evaluated
    from ops.training.evaluation import show
    from ops.training.records import load

    reader = _reader(columns, dates, postcode)
    records = load(inputs, reader, truth=truth, link_only=link_only)
    _show_unread(reader)
    show_progress(f"linking them in {shuffles + 1} orders")
    found = evaluated(records, _model(model, records), shuffles=shuffles)
    show(Console(stderr=as_json, width=110, highlight=False), found)
    if as_json:
        typer.echo(json.dumps(found.as_json()))


def explain(
    *,
    record: Annotated[
        str | None,
        typer.Argument(metavar="A", help="A record: its row, its cell of `record`, or as an engine names it."),
    ] = None,
    other: Annotated[str | None, typer.Argument(metavar="B", help="The other one.")] = None,
    inputs: OptionalInputs = None,
    columns: OptionalMap = None,
    dates: Dates = "auto",
    postcode: Postcode = "uk",
    model: ModelFile = None,
    every: Annotated[
        bool, typer.Option("--all", help="Can every link of the engine be explained? Exit 1 when one cannot.")
    ] = False,
    directory: Directory = UP,
    bootstrap: Broker = None,
    as_json: Json = False,
) -> None:
    """What each field of two records weighed, which rules held, and what was decided: of a table with --input, else
    of an engine.
    """
    from ops.errors import SettingsError

    named = tuple(identifier for identifier in (record, other) if identifier is not None)
    if every == bool(named) or (every and inputs):
        raise SettingsError("--all: give this or two records, or of an engine one")
    query = linkage_live.LiveQuery(directory, bootstrap, model, as_json)
    if every:
        linkage_live.explain_every_link(query)
    elif not inputs:
        linkage_live.explain_answers(named, query)
    elif record is None or other is None or not columns:
        raise SettingsError("--input: needs two records and --map")
    else:
        _explain_table((record, other), inputs, _reader(columns, dates, postcode), model, as_json=as_json)


def _explain_table(
    pair: tuple[str, str], inputs: list[Path], reader: "Reader", model: Path | None, *, as_json: bool
) -> None:
    from rich.console import Console

    from ops.training.explaining import explained, show
    from ops.training.records import load

    show_progress("reading the records")
    records = load(inputs, reader)
    with invalid_arguments():
        found = explained(records, _model(model, records), pair)
    show(Console(stderr=as_json, width=110, highlight=False), found)
    if as_json:
        typer.echo(json.dumps(found.as_json()))


def train(
    *,
    inputs: Inputs,
    columns: Map,
    out: Annotated[Path, typer.Option(help="A new file for the model.")],
    name: Annotated[str, typer.Option(help="Its name, which is published with every link it makes.")] = "trained",
    group: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COLUMN: report by this column too, and judge by it. May be given again."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="The model in use: no group may be linked worse than by it.", callback=readable),
    ] = None,
    dates: Dates = "auto",
    postcode: Postcode = "uk",
    as_json: Json = False,
) -> None:
    """Fit weights on the pairs that both carry an NHS number, and show how each group of people would be linked; exit 1
    when the model fails the gate.
    """
    from datetime import UTC, datetime

    from rich.console import Console

    from linkage.model import Origin
    from ops.runtime.model_files import read_model
    from ops.training.groups import groups_of, labelled, parse_groups
    from ops.training.records import load
    from ops.training.training import ByGroup, trained, write

    show_progress("reading the records")
    in_use = read_model(against, option="--against") if against else None
    reader, named = _reader(columns, dates, postcode), parse_groups(group or [])
    records = load(inputs, reader)
    _show_unread(reader)
    today = datetime.now(UTC).date()
    groups = groups_of(records, inputs, columns=named, mapped=reader.columns, on=today)
    origin = Origin(
        name=name,
        provenance=f"pairs of {len(records.rows)} records of {len(inputs)} file(s) that both carry an NHS number",
        counted=today.isoformat(),
        code=_version(),
    )
    show_progress("fitting the weights")
    found = trained(records, origin=origin)
    by_group = ByGroup.of(labelled(records, groups), new=found.model, in_use=in_use)
    by_group.show(Console(stderr=as_json, width=140, highlight=False))
    typer.echo(
        f"precision {found.quality.precision:.4f}, recall {found.quality.recall:.4f} on "
        f"{found.quality.right + found.quality.missed} labelled matches, without their numbers",
        err=as_json,
    )
    if as_json:
        typer.echo(json.dumps(found.as_json() | by_group.as_json()))
    by_group.refuse_unless_fair()
    write(found.model, out)


def _reader(columns: list[str], dates: str, postcode: str) -> "Reader":
    from ops.errors import SettingsError
    from ops.training.mapping import Reader, Spellings, parse_map

    if postcode not in ("uk", "any"):
        raise SettingsError("--postcode: uk or any")
    return Reader(parse_map(columns), Spellings(dates=dates, any_postcode=postcode == "any"))


def _model(path: Path | None, records: "Records") -> "Model":
    from ops.runtime.model_files import read_model
    from ops.training.records import fitted

    return read_model(path) if path else fitted(records)


def _show_unread(reader: "Reader") -> None:
    for field, cells in reader.unread.items():
        if cells:
            typer.echo(f"{field}: {cells} filled cells could not be read and count as missing", err=True)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tierlink")
    except PackageNotFoundError:
        return "unknown"


def register(app: typer.Typer) -> None:
    """Add the group."""
    summary = "The linker on tables of records; reviews, decisions and explanations on an engine."
    reviews, decide = linkage_live.reviews, linkage_live.decide
    add_group(app, "linkage", summary, evaluate=evaluate, explain=explain, train=train, reviews=reviews, decide=decide)
