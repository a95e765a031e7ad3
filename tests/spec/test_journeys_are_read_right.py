"""The journeys' files are whole, their language says what it seems to say, and the page shows them all.

After a change of a journey: `python tests/spec/test_journeys_are_read_right.py` writes the page again.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from journey_files import FOLDER, JourneyFile, files, not_yet, read
from journey_page import page
from journey_paths import NoSuchPath, differences, look_up, same
from journey_tables import EVENTS, body_of, facts, keyed

from schemas import definitions, pathway, pathway_episode
from schemas import facts as vocabulary
from schemas.facts import Attendance, Measurement, Referral
from schemas.published_model import PublishedModel

DEFINED = {
    f"{path.stem.rsplit('-', 1)[0]}/{path.stem.rsplit('-', 1)[1]}"
    for path in Path(definitions.__file__).parent.glob("*.toml")
}
MODELS = {
    name
    for module in (pathway, pathway_episode)
    for name, model in vars(module).items()
    if isinstance(model, type) and issubclass(model, PublishedModel)
}
README = FOLDER.parent / "README.md"
BODIES = {
    body.model_fields["type"].default: body
    for body in vars(vocabulary).values()
    if isinstance(body, type) and issubclass(body, vocabulary.Body) and body is not vocabulary.Body
}


def journeys() -> list[JourneyFile]:
    return [read(path.read_text(encoding="utf-8"), path.stem) for path in files()]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_journey_is_whole_and_rests_on_rules_that_exist(path: Path) -> None:
    journey = read(path.read_text(encoding="utf-8"), path.stem)
    assert journey.facts()
    assert set(journey.rules) <= DEFINED | MODELS


def test_there_are_a_hundred_journeys_and_every_definition_has_some() -> None:
    rules = Counter(rule for journey in journeys() for rule in journey.rules)
    assert len(journeys()) >= 100
    assert set(rules) >= DEFINED


def test_no_two_journeys_have_one_title() -> None:
    titles = Counter(journey.heads["title"] for journey in journeys())
    assert [title for title, count in titles.items() if count > 1] == []


def test_every_fact_and_every_field_comes_in_somewhere() -> None:
    """What no journey tells, nobody has said what it should lead to."""
    seen: dict[str, set[str]] = {name: set() for name in BODIES}
    for journey in journeys():
        for fact in journey.facts():
            seen[fact.body.type] |= fact.body.model_fields_set
    shared = set(vocabulary.Body.model_fields)
    wanted = {name: set(body.model_fields) - shared - {"type"} for name, body in BODIES.items()}
    missing = {name: sorted(fields - seen[name]) for name, fields in wanted.items()}
    assert {name: fields for name, fields in missing.items() if fields} == {}
    assert shared <= {field for fields in seen.values() for field in fields}


def test_every_name_of_the_list_of_what_is_wrong_yet_is_a_journey() -> None:
    assert not_yet() <= {path.stem for path in files()}


def test_the_page_shows_every_journey_as_it_is() -> None:
    assert README.read_text(encoding="utf-8") == page(journeys())


def test_a_page_that_is_behind_is_seen() -> None:
    assert page(journeys()[1:]) != page(journeys())


TABLE = """
    day | from    | event
      0 | tier2 a | receives referral ubrn A consultant-led provider_ods=DA1 age_years=45 reasons=238131007,414916001
      9 | tier2 a/2 | attended by video in a group for session booked on day 3 under r1
   2026-01-19 | gp | weight 94.5 self-reported as w told 2026-10-25T01:30:00+01:00
     20 | tier2 a | weight 95 as w2 corrected 3 times
     21 | tier2 a | attended weekly 2 times
"""


def test_a_table_says_days_sources_records_and_every_field() -> None:
    referral, visit, weight, *more = facts(TABLE)
    assert isinstance(referral.body, Referral)
    assert isinstance(visit.body, Attendance)
    assert isinstance(weight.body, Measurement)
    assert (referral.source, referral.tier, referral.body.to_tier) == ("tier2-a", "tier2", "tier2")
    assert (referral.body.ubrn, referral.body.consultant_led, referral.body.age_years) == (keyed("A"), True, 45)
    assert referral.body.reasons == ("238131007", "414916001")
    assert (visit.source, visit.record_id == referral.record_id) == ("tier2-a", False)
    assert (visit.body.medium, visit.body.group, visit.body.purpose) == ("video", True, "session")
    assert (str(visit.body.booked_on), visit.body.referral) == ("2026-01-08", keyed("fact", "r1"))
    assert (str(weight.body.on), weight.body.method) == ("2026-01-19", "self_reported")
    assert str(weight.source_version_at) == "2026-10-25 00:30:00+00:00"
    versions, weeks = more[:3], more[3:]
    assert [str(fact.body.value) for fact in versions if isinstance(fact.body, Measurement)] == ["95.02", "95.01", "95"]
    assert len({fact.fact_id for fact in versions}) == 1
    assert [str(fact.body.on) for fact in weeks] == ["2026-01-26", "2026-02-02"]
    assert len({fact.fact_id for fact in weeks}) == 2


def test_a_word_the_table_does_not_know_is_refused() -> None:
    with pytest.raises(AssertionError, match="no such event"):
        facts("0 | gp | prescribes a walk")
    assert body_of({"type": "death", "on": "2026-01-05"}).type == "death"


def test_every_kind_of_fact_has_words() -> None:
    assert {made["type"] for _, made in EVENTS} == set(BODIES)


SNAPSHOT: dict[str, Any] = {
    "current_stage": "started",
    "comorbidities": ["copd", "hypertension"],
    "episodes": [
        {"tier": "tier2", "provider_ods": "DA1", "programme": None, "council": None, "course": 1, "rtt": None,
         "sent_on": "2026-01-05", "ending": "none", "outcomes": [
             {"definition": "loss-5pct-last/1", "weeks": 12, "loss_pct": 5.0, "achieved": True},
             {"definition": "loss-5pct-nearest/1", "weeks": 12, "loss_pct": None, "achieved": False}]},
        {"tier": "tier3", "provider_ods": None, "programme": None, "council": None, "course": None,
         "rtt": {"wait_days": 5}, "sent_on": None, "ending": "left", "outcomes": []},
    ],
    "courses": [{"reasons": ["transfer"], "episodes": [1]}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("current_stage", "started"),
        ("comorbidities", "hypertension, copd"),
        ("episodes", "2"),
        ("episodes", "tier3, tier2"),
        ("courses", "1"),
        ("course 1 reasons", "transfer"),
        ("course 1 episodes", "1"),
        ("episode 1 sent_on", "day 0"),
        ("episode 1 course", "1"),
        ("episode 1 ending", "none"),
        ("episode 1 rtt", "nothing"),
        ("episode tier3 rtt.wait_days", "5"),
        ("episode tier3 outcomes", "nothing"),
        ("episode DA1 outcome 12 last loss_pct", "5.0"),
        ("episode tier2 outcome 12 nearest achieved", "no"),
        ("episode 1 outcomes", "last, nearest"),
        ("episode 1 outcomes nearest", "1"),
        ("episodes tier4", "nothing"),
    ],
)
def test_a_path_finds_its_value(path: str, value: str) -> None:
    assert differences(SNAPSHOT, [(path, value)]) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("current_stage", "completed"),
        ("comorbidities", "copd"),
        ("comorbidities", "copd, copd"),
        ("episodes", "3"),
        ("episodes tier3", "nothing"),
        ("episode 1 sent_on", "day 1"),
        ("episode 1 ending", "nothing"),
        ("episode 1 outcome 12 last achieved", "no"),
        ("episode 1 outcome 12 last loss_pct", "5.1"),
        ("episode 2 rtt.wait_days", "nothing"),
        ("episode 3 tier", "tier2"),
        ("episode 1 outcome 12 loss_pct", "5.0"),
        ("episode 1 no_such_field", "nothing"),
    ],
)
def test_a_path_with_another_value_is_seen(path: str, value: str) -> None:
    assert len(differences(SNAPSHOT, [(path, value)])) == 1


def test_a_path_that_leads_nowhere_says_what_there_is() -> None:
    with pytest.raises(NoSuchPath, match=r"only current_stage, comorbidities, episodes, courses"):
        look_up(SNAPSHOT, "currant_stage")
    assert same(None, "nothing")


WHOLE = """title: a
rule: waits/2
why: b
source: NHS Data Dictionary, June 2026
as of: day 1

day | from | event
0 | gp | refers to tier2

path | value
episodes | 0
"""


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("why: b\n", "has no why"),
        (", June 2026", "its source has no date"),
        ("/2\n", "its rule is no name"),
        ("0 | gp | refers to tier2\n", "nothing came in"),
        ("episodes | 0\n", "nothing is expected"),
    ],
)
def test_a_file_that_lacks_something_is_seen(line: str, complaint: str) -> None:
    assert read(WHOLE, "whole").facts()
    with pytest.raises(AssertionError, match=complaint):
        read(WHOLE.replace(line, "\n" if line.endswith("\n") else ""), "broken")


if __name__ == "__main__":
    README.write_text(page(journeys()), encoding="utf-8")
