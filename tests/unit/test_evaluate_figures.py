"""The commands on files made up here: figures that mean what they say, explanations, and a model that is refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from linkage.model import parse, weigh
from ops.commands.linkage import register
from ops.errors import SettingsError, TierlinkError
from ops.lab.simulator.population import check_digit
from ops.runtime.model_files import read_model
from ops.training.evaluation import chance_of_error, evaluate
from ops.training.mapping import Reader, parse_map
from ops.training.playing import digest, quantile
from ops.training.records import Records, fitted, load

FORENAMES = "Ann Brian Chloe David Esther Farid Grace Hamza Irene Jacob Kiran Laura Mehmet Nadia Oscar".split()
SURNAMES = "Abbott Begum Carter Dhillon Evans Fisher Gallagher Hussain Ibrahim Jones Khan Lloyd Mistry".split()
MAP = "family=surname,given=forename,birth_date=born,postcode=postcode,house=house,gender=sex,nhs_number=nhs"
KEYS = {
    "records", "clusters", "pairs", "review", "records_per_s", "p50_ms", "p99_ms", "bytes_per_record",
    "claimed_false", "actual_false", "distinct_partitions",
}  # fmt: skip


def number(rng: Random) -> str:
    """A valid NHS number of the test range."""
    while (check := check_digit(nine := f"999{rng.randrange(10**6):06}")) is None:
        continue
    return f"{nine}{check}"


def person(rng: Random) -> dict[str, str]:
    """Someone."""
    born = f"{rng.randrange(1940, 2000)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
    return {
        "forename": rng.choice(FORENAMES),
        "surname": rng.choice(SURNAMES),
        "born": born,
        "postcode": f"LS{rng.randrange(1, 9)} {rng.randrange(1, 9)}{rng.choice('ABDE')}{rng.choice('FGHJ')}",
        "house": f"{rng.randrange(1, 90)} High Street",
        "sex": rng.choice("MF"),
        "nhs": number(rng),
    }


def told_twice(people: int) -> list[dict[str, str]]:
    """Two rows for each person; of the second, one in three has one letter of the surname wrong."""
    rng, rows = Random(5), list[dict[str, str]]()
    for index in range(people):
        first = person(rng) | {"person": str(index)}
        second = dict(first)
        if rng.random() < 1 / 3:
            second["surname"] = first["surname"][:-1] + "x"
        rows += [first, second]
    return rows


def csv(folder: Path, rows: Sequence[dict[str, str]], name: str = "people.csv") -> Path:
    """The rows as a file."""
    path = folder / name
    lines = [",".join(rows[0])] + [",".join(row.values()) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def records(folder: Path, rows: Sequence[dict[str, str]], *, mapped: str = MAP) -> Records:
    """The rows as records with truth."""
    return load([csv(folder, rows)], Reader(parse_map([mapped])), truth="person")


def without(field: str, mapped: str = MAP) -> str:
    """The map without one field."""
    return ",".join(part for part in mapped.split(",") if not part.startswith(field))


def called(*words: str | Path) -> Result:
    """`tierlink linkage …`."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["linkage", *map(str, words)])


def last_object(result: Result) -> dict[str, Any]:
    """The object on the last line of standard output."""
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighty people, two rows each."""
    return csv(tmp_path_factory.mktemp("people"), told_twice(80))


def test_evaluate_prints_the_promised_figures_and_one_partition(people: Path) -> None:
    arguments = ("--input", people, "--truth", "person", "--map", without("nhs_number"), "--shuffles", "2")
    found = last_object(called("evaluate", *arguments, "--json"))
    assert set(found) == KEYS
    assert set(found["clusters"]) == {"precision", "recall", "f1"}
    assert set(found["pairs"]["best"]) == {"precision", "recall", "f1", "threshold"}
    assert (found["records"], found["distinct_partitions"]) == (160, 1)
    assert found["clusters"]["f1"] > 0.95
    assert found["pairs"]["best"]["f1"] >= found["pairs"]["default"]["f1"] > 0.95
    assert found["bytes_per_record"] > 100


@pytest.mark.parametrize("missing", ["given", "birth_date", "postcode", "house", "gender", "family"])
def test_any_field_may_be_missing(tmp_path: Path, missing: str) -> None:
    found = records(tmp_path, told_twice(60), mapped=without(missing, without("nhs_number")))
    assert evaluate(found, fitted(found), shuffles=1).distinct_partitions == 1


def test_truth_decides_the_figures(tmp_path: Path) -> None:
    """The negative control: the same records under a wrong truth score badly."""
    rows = told_twice(50)
    turned = [row | {"person": str(i % 50)} for i, row in enumerate(rows)]
    found = records(tmp_path, turned, mapped=without("nhs_number"))
    assert evaluate(found, fitted(found), shuffles=0).clusters.f1 < 0.2


def test_two_files_count_only_pairs_between_them(tmp_path: Path) -> None:
    rows = told_twice(50)
    first, second = csv(tmp_path, rows[::2], "a.csv"), csv(tmp_path, [*rows[1::2], rows[1]], "b.csv")
    reader = Reader(parse_map([without("nhs_number")]))
    found = load([first, second], reader, truth="person", link_only=True)
    quality = evaluate(found, fitted(found), shuffles=0).default
    assert quality.true + quality.missed == 51
    with pytest.raises(SettingsError, match="twice"):
        load([first], reader, truth="person", link_only=True)


def test_files_nothing_can_be_learned_from_are_refused_in_words(tmp_path: Path) -> None:
    strangers = [{"surname": "Unknown", "person": "1"}, {"surname": "Test", "person": "2"}]
    found = records(tmp_path, strangers, mapped="family=surname")
    with pytest.raises(TierlinkError, match="--model"):
        fitted(found)
    blank = records(tmp_path, [row | {"person": ""} for row in told_twice(50)])
    with pytest.raises(SettingsError, match="--truth"):
        evaluate(blank, fitted(blank), shuffles=0)


def test_a_model_file_that_is_none_is_refused_without_quoting_it(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text('{"format": "Featherstonehaugh"}')
    with pytest.raises(SettingsError, match="--model") as refused:
        read_model(path)
    assert "Featherstonehaugh" not in str(refused.value)


def test_explain_sums_to_its_score_and_holds_no_value(people: Path) -> None:
    element = called("explain", "1", "2", "--input", people, "--map", MAP, "--json")
    found = last_object(element)
    assert sum(term["bits"] for term in found["fields"]) == pytest.approx(found["bits"])
    assert {"prior", "given", "family", "nhs_number"} <= {term["field"] for term in found["fields"]}
    assert (found["band"], found["model"]["name"]) == ("auto", "fitted on the input")
    first = told_twice(1)[0]
    values = [first[name] for name in ("surname", "forename", "born", "nhs", "postcode")]
    assert not [value for value in values if value in element.output]


def test_explain_says_when_two_records_are_never_compared(people: Path) -> None:
    found = last_object(called("explain", "1", "160", "--input", people, "--map", MAP, "--json"))
    assert (found["rules"], found["band"]) == (["no-common-block"], "apart")


def test_train_writes_a_model_that_passes_the_gate_and_never_over_another(people: Path, tmp_path: Path) -> None:
    household = [row for row in told_twice(150) for row in (row, sibling(row))]
    out = tmp_path / "model.json"
    arguments = ("train", "--input", csv(tmp_path, household), "--map", MAP, "--out", out, "--json")
    assert last_object(called(*arguments))["precision"] >= 0.99
    assert parse(out.read_text()).fitted is not None
    assert isinstance(called(*arguments).exception, TierlinkError)


def test_train_refuses_where_there_are_no_labels_and_writes_nothing(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.json"
    result = called("train", "--input", people, "--map", without("nhs_number"), "--out", out)
    assert result.exit_code == 1
    assert "refused" in str(result.exception)
    assert not out.exists()


def sibling(row: dict[str, str]) -> dict[str, str]:
    """Someone else of the household."""
    rng = Random(row["nhs"])
    return row | {name: person(rng)[name] for name in ("forename", "born", "nhs")}


def test_the_claim_of_an_error_falls_by_half_with_each_bit() -> None:
    assert chance_of_error(0) == 0.5
    assert chance_of_error(1_000) == pytest.approx(1 / 3)
    assert chance_of_error(10**7) < 1e-300


def test_quantiles_and_digests_are_what_they_are_called() -> None:
    assert [quantile(range(1, 101), share) for share in (0.0, 0.5, 0.99)] == [1, 51, 100]
    assert quantile([], 0.5) == 0.0
    assert digest({"a": "x", "b": "y"}) == digest({"b": "y", "a": "x"}) != digest({"a": "y", "b": "x"})


def test_the_default_threshold_is_the_models(tmp_path: Path) -> None:
    found = records(tmp_path, told_twice(60), mapped=without("nhs_number"))
    model = fitted(found)
    linked = sum(weigh(model, at).bits >= model.link for _, at in found.candidates)
    quality = evaluate(found, model, shuffles=0).default
    assert quality.true + quality.false == linked
