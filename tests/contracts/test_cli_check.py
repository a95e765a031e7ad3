"""`tierlink check`: one JSON line per message, the same keys for every format, and never a crash."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from council_files import ROOT, line, row, sheet
from hl7_messages import message
from shared_data import shared_folder
from typer.testing import CliRunner

from ops.cli import build_app

EAST = ROOT / "connectors/mappings/council-east.toml"
GOLDEN = ROOT / "tests/golden"
DISPOSITIONS = {"accepted", "accepted_with_warnings", "ignored", "rejected"}
SEVERITIES = {"error", "warning", "information"}
Check = Callable[..., list[dict[str, Any]]]


def check(*words: object, exit_code: int = 0) -> list[dict[str, Any]]:
    """The lines that `tierlink check WORDS` prints; each is held to the promised form."""
    ended = CliRunner().invoke(build_app(), ["check", *map(str, words)])
    assert ended.exit_code == exit_code, ended.output
    lines = [json.loads(item) for item in ended.stdout.splitlines()]
    for item in lines:
        _has_the_promised_form(item)
    return lines


def _has_the_promised_form(texts: dict[str, Any]) -> None:
    assert list(texts) == ["file", "index", "disposition", "resource_types", "issues", "facts", "identity"]
    assert texts["disposition"] in DISPOSITIONS
    assert texts["disposition"] != "rejected" or any(issue["severity"] == "error" for issue in texts["issues"])
    for issue in texts["issues"]:
        assert list(issue) == ["severity", "code", "location", "rule"]
        assert issue["severity"] in SEVERITIES


def written(folder: Path, name: str, content: bytes | str) -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def indexes(lines: Sequence[dict[str, Any]]) -> list[int | None]:
    return [item["index"] for item in lines]


def test_a_gp_referral_is_accepted() -> None:
    (item,) = check(GOLDEN / "primary_care/gp_referral.bundle.json")
    assert item["disposition"].startswith("accepted")
    assert item["index"] == 0
    assert {"Patient", "ServiceRequest"} <= set(item["resource_types"])
    assert item["file"].endswith("gp_referral.bundle.json")


def test_messages_of_one_hl7_file_are_counted_from_zero(tmp_path: Path) -> None:
    seen = message("ADT^A04", "PV1|1|O|CLINIC1|||||||WMS|||||||||V-100", control_id="M1", end="\n")
    other = message("MDM^T02", control_id="M2", end="\n")
    lines = check(written(tmp_path, "two.hl7", seen + b"\n" + other), "--service", "WMS")
    assert indexes(lines) == [0, 1]
    assert lines[1]["disposition"] == "ignored", "a letter is no message of ours"


def test_a_councils_rows_are_counted_from_zero_and_named_by_row_and_column(tmp_path: Path) -> None:
    sound = sheet(row(), row(client_ref="EC-1002", referral_date="30/02/1980"))
    lines = check(written(tmp_path, "east.csv", sound), "--mapping", EAST)
    assert indexes(lines) == [0, 1]
    assert lines[0]["disposition"].startswith("accepted")
    assert lines[1]["disposition"] == "rejected"
    assert "row 3, column referral_date" in {issue["location"] for issue in lines[1]["issues"]}


def test_a_csv_without_a_mapping_is_rejected_with_the_reason(tmp_path: Path) -> None:
    (item,) = check(written(tmp_path, "east.csv", sheet(row())))
    assert item["disposition"] == "rejected"
    assert "--mapping" in item["issues"][0]["rule"]


def test_a_csv_with_other_headers_is_refused_as_a_whole(tmp_path: Path) -> None:
    (item,) = check(written(tmp_path, "other.csv", line(["name", "phone"])), "--mapping", EAST)
    assert (item["index"], item["disposition"]) == (None, "rejected")


def test_a_resource_of_another_type_is_refused_with_what_would_be_accepted(tmp_path: Path) -> None:
    for kind in ("OperationOutcome", "CapabilityStatement", "Medication"):
        content = json.dumps({"resourceType": kind})
        (item,) = check(written(tmp_path, f"{kind}.json", content))
        assert item["disposition"] == "rejected", item
        assert "send a Bundle of type `message`" in item["issues"][0]["rule"]
        assert item["resource_types"] == [kind]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", '{"a":1,"a":2}', "MSH", "\x00\xff", "MSH|^~\\&"])
@pytest.mark.parametrize("words", [(), ("--source", "gp-hub"), ("--source", "trust-wm"), ("--source", "council-east")])
def test_what_is_no_message_has_one_answer_at_every_door(tmp_path: Path, content: str, words: Sequence[str]) -> None:
    (item,) = check(written(tmp_path, "odd", content), *words)
    assert item["disposition"] in {"rejected", "ignored"}


def test_a_file_without_a_message_in_it_is_answered_all_the_same(tmp_path: Path) -> None:
    (item,) = check(written(tmp_path, "batch.hl7", "FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|0\r"))
    assert item["disposition"] == "rejected"
    (item,) = check(written(tmp_path, "header.csv", sheet()), "--source", "council-east")
    assert item["index"] is None
    assert [issue["severity"] for issue in item["issues"]] == ["warning"]


def test_the_guide_shows_what_check_prints() -> None:
    guide = (ROOT / "ops/guides/provider.md").read_text(encoding="utf-8")
    shown = guide.partition("--source council-east\n{")[2].partition("\n```")[0]
    (row_seven,) = [
        item for item in check(GOLDEN / "tier2/council-east.csv", "--source", "council-east") if item["index"] == 5
    ]
    assert json.loads("{" + shown) == {**row_seven, "file": "tests/golden/tier2/council-east.csv"}


def test_what_is_said_of_a_whole_file_is_said_before_its_rows(tmp_path: Path) -> None:
    lines = check(written(tmp_path, "east.csv", sheet(row(surname="Müller")).encode("cp1252")), "--mapping", EAST)
    assert indexes(lines) == [None, 0]
    assert lines[0]["issues"][0]["rule"] == "is not UTF-8; read as Windows-1252"


@pytest.mark.parametrize("words", [("--source", "nobody"), ("--source", "trust-wm", "--service", "WMS")])
def test_a_source_that_is_none_or_is_contradicted_is_a_wrong_argument(words: Sequence[str]) -> None:
    check(GOLDEN / "tier3/01_referral_received.hl7", *words, exit_code=2)


def test_only_an_unreadable_file_is_a_failure_and_the_others_are_still_checked(tmp_path: Path) -> None:
    bad = written(tmp_path, "bad.json", "{")
    lines = check(tmp_path / "absent.json", bad, tmp_path, exit_code=1)
    assert [item["file"] for item in lines] == [str(bad)]


def test_production_refuses_the_test_numbers_that_test_mode_takes(tmp_path: Path) -> None:
    path = written(tmp_path, "one.hl7", message("ADT^A04", "PV1|1|O|CLINIC1|||||||WMS|||||||||V-100"))
    (lenient,), (strict,) = check(path), check(path, "--production")
    assert lenient["disposition"].startswith("accepted")
    assert strict["issues"], "the number is named"


def test_a_message_of_none_of_our_services_is_ignored(tmp_path: Path) -> None:
    path = written(tmp_path, "one.hl7", message("ADT^A04", "PV1|1|O|CLINIC1|||||||CARD|||||||||V-100"))
    (item,) = check(path, "--service", "WMS")
    assert item["disposition"] == "ignored"


def test_no_value_that_was_sent_stands_in_any_line(tmp_path: Path) -> None:
    bad = sheet(row(dob="Quillfeather", nhs_no="9434765870", postcode="Zanphrolique"))
    csv = written(tmp_path, "east.csv", bad)
    hl7 = written(tmp_path, "one.hl7", message("ADT^A04", "PID|1||Quillfeather||Zanphrolique||30021980Q|X"))
    for words in ((csv, "--mapping", EAST), (hl7,)):
        ended = CliRunner().invoke(build_app(), ["check", *map(str, words)])
        assert '"issues": [{' in ended.output
        for value in ("Quillfeather", "Zanphrolique", "9434765870", "30021980Q"):
            assert value not in ended.output


def test_every_parsing_test_of_json_is_answered() -> None:
    files = sorted((shared_folder("jsontestsuite") / "test_parsing").glob("*.json"))
    assert len(files) > 300
    assert {file["disposition"] for file in check(*files)} <= {"rejected", "ignored"}


def test_naughty_strings_in_every_name_are_answered(tmp_path: Path) -> None:
    strings = json.loads((shared_folder("blns") / "blns.json").read_text())
    rows = sheet(*(row(client_ref=f"EC-{n}", surname=text) for n, text in enumerate(strings)))
    lines = check(written(tmp_path, "naughty.csv", rows), "--mapping", EAST)
    assert lines
    (whole,) = check(shared_folder("blns") / "blns.json")
    assert whole["disposition"] == "rejected"


def test_answers_of_the_referral_service_are_answered() -> None:
    files = [path for path in sorted(shared_folder("ers").rglob("*")) if path.suffix == ".json"]
    assert files
    for file in check(*files):
        assert file["disposition"] != "rejected" or file["issues"]
