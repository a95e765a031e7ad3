"""An extension of ours that cannot be read, or whose name nobody knows, is named at its place: it may hold a fact.

Source: R4 extensibility.html (a URL is absolute, but inside another extension; one of somebody else may be left unread)
and the rule of the doors: what says that a fact is taken back is understood, or the fact is not told.
"""

import json
from copy import deepcopy
from typing import Any

import pytest
from elements import Understood, counted, understood_fhir
from fhir_samples import FHIR_OPEN, every_fact

from schemas.fhir.known_extensions import KNOWN
from schemas.fhir.write import bundle
from schemas.uris import extension_url

RICH = json.loads(json.dumps(bundle(every_fact(), source=FHIR_OPEN)))
PATIENT, REFERRAL, APPOINTMENT = (RICH["entry"][place]["resource"] for place in (1, 2, 3))
URLS = [part["url"] for part in REFERRAL["extension"]]
TRIAGE, NEXT = URLS.index(extension_url("milestone")), len(URLS)


def with_extension(entry: int, *extensions: dict[str, Any], milestone: int | None = None) -> Understood:
    """The message with extensions more, of a resource or of one of its milestones."""
    document = deepcopy(RICH)
    place = document["entry"][entry]["resource"]
    (place if milestone is None else place["extension"][milestone])["extension"] += extensions
    return understood_fhir(document, FHIR_OPEN)


def named(found: Understood) -> list[tuple[str, str]]:
    return [(issue.severity.value, issue.location.removeprefix("Bundle.entry")) for issue in found.issues]


PLAIN = understood_fhir(RICH, FHIR_OPEN)


@pytest.mark.parametrize("url", [extension_url("to-teir"), "to-tier", extension_url("score"), ""])
def test_a_name_that_nobody_reads_is_a_warning_at_it(url: str) -> None:
    found = with_extension(2, {"url": url, "valueCode": "tier4"})
    assert ("warning", f"[2].resource.extension[{NEXT}].url") in named(found)
    assert found.message == PLAIN.message


def test_somebody_elses_extension_may_be_left_unread() -> None:
    assert named(with_extension(2, {"url": "https://x.example/colour", "valueCode": "red"})) == []


def test_the_second_of_two_is_named_and_the_first_read() -> None:
    found = with_extension(2, {"url": extension_url("to-tier"), "valueCode": "tier4"})
    assert (named(found), found.message) == ([("warning", f"[2].resource.extension[{NEXT}].url")], PLAIN.message)


def test_an_unknown_part_of_a_milestone_is_named() -> None:
    found = with_extension(2, {"url": "levle", "valueCode": "2"}, milestone=TRIAGE)
    assert named(found) == [("warning", f"[2].resource.extension[{TRIAGE}].extension[5].url")]


@pytest.mark.parametrize("value", [{"valueString": "true"}, {"valueBoolean": "true"}, {"valueBoolean": 1}, {}])
@pytest.mark.parametrize(
    ("entry", "milestone", "url", "fact"),
    [
        (2, TRIAGE, "retracted", "triage"),
        (1, None, extension_url("demographics-retracted"), "demographics"),
        (1, None, extension_url("death-retracted"), "death"),
    ],
)
def test_what_may_take_a_fact_back_is_understood_or_nothing_is_told(
    entry: int, milestone: int | None, url: str, fact: str, value: dict[str, object]
) -> None:
    found = with_extension(entry, {"url": url, **value}, milestone=milestone)
    assert sorted([*found.kinds, fact]) == PLAIN.kinds
    assert any(severity == "error" and place.startswith(f"[{entry}]") for severity, place in named(found))


def test_a_milestone_whose_day_cannot_be_read_is_an_error() -> None:
    document = deepcopy(RICH)
    milestone = document["entry"][2]["resource"]["extension"][TRIAGE]
    milestone["extension"] = [part for part in milestone["extension"] if part["url"] != "at"]
    day = next(part for part in milestone["extension"] if part["url"] == "on")
    day["valueString"] = day.pop("valueDate")
    found = understood_fhir(document, FHIR_OPEN)
    assert "triage" not in found.kinds
    assert ("error", f"[2].resource.extension[{TRIAGE}].extension[2]") in named(found)


def test_an_issue_about_an_optional_part_stands_at_the_extension_that_holds_it() -> None:
    document = deepcopy(RICH)
    priority = next(part for part in document["entry"][2]["resource"]["extension"] if part["url"].endswith("/priority"))
    priority["valueCode"] = "sometime"
    (issue,) = understood_fhir(document, FHIR_OPEN).issues
    assert issue.location == counted(document, f"Bundle.entry[2].resource.extension('{extension_url('priority')}')")


def test_a_participant_who_is_neither_the_person_nor_an_organisation_is_named() -> None:
    document = deepcopy(RICH)
    document["entry"][3]["resource"]["participant"][1]["actor"]["identifier"]["system"] = "https://x.example/who"
    found = understood_fhir(document, FHIR_OPEN)
    assert named(found) == [("information", "[3].resource.participant[1].actor.identifier")]


def test_everything_that_we_write_is_read() -> None:
    for entry in RICH["entry"]:
        resource = entry["resource"]
        written = {part["url"] for part in resource.get("extension", []) if part["url"].startswith(extension_url(""))}
        assert written <= set(map(extension_url, KNOWN[resource["resourceType"]]))
