"""Options that several commands share, said once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ops.runtime.paths import Addresses

Bootstrap = Annotated[str, typer.Option(help="Address of the Kafka broker, host:port.")]
Directory = Annotated[Path, typer.Option(help="Where this engine keeps keys, state, logs and folders.")]
Sources = Annotated[
    Path | None, typer.Option(help="The file of sources; the demonstration's when not given.")
]
LinkageModel = Annotated[
    Path | None,
    typer.Option(help="The linker's model, as `linkage train` writes it; the shipped one if not given."),
]
TestMode = Annotated[
    bool, typer.Option("--test-mode", help="Accept 999 test NHS numbers and sources that keep every service.")
]
PagesHost = Annotated[str, typer.Option(help="Where /metrics, /livez and /readyz are served.")]
PagesPort = Annotated[int, typer.Option(min=0, max=65535, help="Their port; 0 takes a free one.")]
Json = Annotated[bool, typer.Option("--json", help="End with one JSON object on the last line.")]


def check_linkage_model(path: Path | None) -> None:
    """Nothing, where the file is a model or none was given; raises SettingsError saying what is wrong with it."""
    if path is not None:
        from ops.runtime.model_files import read_model

        read_model(path, option="--linkage-model")


def running(directory: Path) -> "Addresses":
    """Addresses of the engine that runs in `directory`; raises SettingsError when none does."""
    from ops.runtime.paths import EnginePaths

    return EnginePaths(directory).addresses()
