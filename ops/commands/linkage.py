"""`tierlink linkage evaluate | explain | train`: the linker on tables of records, outside the engine."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.options import Json

if TYPE_CHECKING:
    from linkage.model import Model
    from ops.linkage.mapping import Reader
    from ops.linkage.records import Records

Inputs = Annotated[
    list[Path], typer.Option("--input", help="A table: .csv or .parquet. Twice for two files.")
]
Map = Annotated[
    list[str],
    typer.Option(
        "--map", help="field=column or field=column+column, with commas between. All may be missing."
    ),
]
Dates = Annotated[
    str, typer.Option(help="auto (year first, or day first), ymd, dmy, mdy, or a pattern such as %d/%m/%Y.")
]
Postcode = Annotated[str, typer.Option(help="uk, or any: codes of other countries are kept.")]
ModelFile = Annotated[
    Path | None, typer.Option("--model", help="Weights to use; else they are fitted on the input.")
]
LinkOnly = Annotated[
    bool, typer.Option("--link-only", help="Pairs within one file are not looked for, nor counted.")
]


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
    from rich.console import Console

    from ops.linkage.evaluation import evaluate as evaluated
    from ops.linkage.records import load
    from ops.linkage.report import show

    reader = _reader(columns, dates, postcode)
    records = load(inputs, reader, truth=truth, link_only=link_only)
    _tell_unread(reader)
    found = evaluated(records, _model(model, records), shuffles=shuffles)
    show(Console(stderr=as_json, width=110, highlight=False), found)
    if as_json:
        typer.echo(json.dumps(found.as_json()))


def explain(
    *,
    record: Annotated[str, typer.Argument(metavar="A", help="A record: its row, or its cell of `record`.")],
    other: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    inputs: Inputs,
    columns: Map,
    dates: Dates = "auto",
    postcode: Postcode = "uk",
    model: ModelFile = None,
    as_json: Json = False,
) -> None:
    """What each field of two records weighed, which rules held, and what was decided."""
    from rich.console import Console

    from ops.linkage.explaining import explained, show
    from ops.linkage.records import load

    records = load(inputs, _reader(columns, dates, postcode))
    found = explained(records, _model(model, records), (record, other))
    show(Console(stderr=as_json, width=110, highlight=False), found)
    if as_json:
        typer.echo(json.dumps(found.as_json()))


def train(
    *,
    inputs: Inputs,
    columns: Map,
    out: Annotated[Path, typer.Option(help="A new file for the model.")],
    name: Annotated[str, typer.Option(help="Its name, told with every link it makes.")] = "trained",
    dates: Dates = "auto",
    postcode: Postcode = "uk",
    as_json: Json = False,
) -> None:
    """Fit weights on the pairs that both carry an NHS number; exit 1 when the model fails the gate."""
    from datetime import UTC, datetime

    from linkage.model import Origin
    from ops.linkage.records import load
    from ops.linkage.training import trained, write

    reader = _reader(columns, dates, postcode)
    records = load(inputs, reader)
    _tell_unread(reader)
    origin = Origin(
        name=name,
        provenance=f"pairs of {len(records.told)} records of {len(inputs)} file(s) that both carry an NHS number",
        counted=datetime.now(UTC).date().isoformat(),
        code=_version(),
    )
    found = trained(records, origin=origin)
    write(found.model, out)
    typer.echo(
        f"precision {found.quality.precision:.4f}, recall {found.quality.recall:.4f} on "
        f"{found.quality.right + found.quality.missed} labelled matches, their numbers set aside",
        err=as_json,
    )
    if as_json:
        typer.echo(json.dumps(found.as_json()))


def _reader(columns: list[str], dates: str, postcode: str) -> "Reader":
    from ops.errors import SettingsError
    from ops.linkage.mapping import Reader, Spellings, parse_map

    if postcode not in ("uk", "any"):
        raise SettingsError("--postcode: uk or any")
    return Reader(parse_map(columns), Spellings(dates=dates, any_postcode=postcode == "any"))


def _model(path: Path | None, records: "Records") -> "Model":
    from ops.linkage.records import fitted, read_model

    return read_model(path) if path else fitted(records)


def _tell_unread(reader: "Reader") -> None:
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
    group = typer.Typer(help="The linker on tables of records, outside the engine.", no_args_is_help=True)
    for command in (evaluate, explain, train):
        group.command(command.__name__)(command)
    app.add_typer(group, name="linkage")
