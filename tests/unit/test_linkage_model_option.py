"""`--linkage-model`: a file that is no model is refused before anything is started, one that is reaches the workers."""

import json
from pathlib import Path

import pytest

from linkage.model import dump, parse
from ops.commands.up import up
from ops.errors import SettingsError
from ops.local.engine_settings import EngineSettings
from ops.local.processes import ProcessSpecs
from ops.runtime import worker_process as worker
from ops.runtime.paths import EnginePaths, linkage_model, load_sources


def command(model: Path | None) -> list[str]:
    """How the linker's worker of such an engine is started."""
    wanted = EngineSettings(test_mode=True, linkage_model=model)
    made = ProcessSpecs(
        EnginePaths(Path("engine")), load_sources(None, test_mode=True), wanted, bootstrap="127.0.0.1:9092"
    )
    return made.worker("linker", 0).command


def test_the_linkers_worker_is_started_with_the_model_that_was_given() -> None:
    words = command(Path("own.json"))
    assert words[words.index("--linkage-model") + 1] == "own.json"
    assert "--linkage-model" not in command(None)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (None, "cannot be read"),
        ("Quillfeather", "JSON with whole numbers only"),
        (json.dumps({"name": "Quillfeather"}), "exactly format"),
        (linkage_model().replace('"unit": "millibit"', '"unit": "bit"'), "in millibit"),
    ],
)
def test_what_is_no_model_is_refused_by_its_rule_and_nothing_is_started(
    tmp_path: Path, text: str | None, rule: str
) -> None:
    given, directory = tmp_path / "model.json", tmp_path / "up"
    if text is not None:
        given.write_text(text)
    with pytest.raises(SettingsError, match=rule) as refused:
        up(directory=directory, linkage_model=given)
    assert str(refused.value).startswith("--linkage-model: ")
    assert "Quillfeather" not in str(refused.value)
    assert not directory.exists()


def test_a_worker_takes_the_file_and_without_one_the_model_that_ships(tmp_path: Path) -> None:
    given = tmp_path / "model.json"
    given.write_text(linkage_model().replace('"name": "simulated-people"', '"name": "retrained"'))
    assert parse(worker.model_text(given)).name == "retrained"
    assert worker.model_text(None) == linkage_model()
    assert dump(parse(worker.model_text(given))) == worker.model_text(given)
