"""`tierlink fit-model`: the model that ships, fitted again from its seeds."""

from pathlib import Path
from typing import Annotated

import typer


def fit_model(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when the file is not what the fit gives.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="The model file; the one that ships when not given.")] = None,
    people: Annotated[int, typer.Option(min=100, help="People in each population.")] = 20_000,
    seeds: Annotated[str, typer.Option(help="The seed of each population, with commas: 901,902.")] = "901,902,903,904",
) -> None:
    """Fit the model that ships on simulated people and write its file: about three minutes."""
    from linkage.errors import ModelRefused
    from ops.errors import SettingsError, TierlinkError
    from ops.lab.fit_shipped_model import SHIPPED, fitted_text

    path = out or SHIPPED
    try:
        text = fitted_text(people=people, seeds=_seeds(seeds), report=typer.echo)
    except ModelRefused as refusal:
        raise TierlinkError(f"no model can be fitted: {refusal}") from None
    try:
        same = path.exists() and path.read_text(encoding="utf-8") == text
        if not check and not same:
            path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError("--out: cannot be read or written") from None
    if same:
        typer.echo(f"{path.name}: equal to the fit")
    else:
        typer.echo(f"{path.name}: {'differs from the fit' if check else 'written'}")
    raise typer.Exit(1 if check and not same else 0)


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise typer.BadParameter("whole numbers with commas between them: 901,902") from None
