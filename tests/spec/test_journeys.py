"""Every journey of `journeys/`: what came in, and what a recipient then reads.

What is right is reasoned from the definitions and their sources, never copied from an output. A journey that the fold
does not satisfy yet stands in `journeys/not_yet.txt` and must fail: the list can only become shorter.
"""

import pytest
from journey_files import FOLDER, JourneyFile, files, not_yet, read
from journey_paths import differences
from journey_snapshots import NOBODY, numbered, snapshot
from pathway_engine import fact_input, run
from pathway_journeys import keyed

from schemas.pathway_in import tick_message

STILL_WRONG = pytest.mark.xfail(strict=True, reason="stands in not_yet.txt: take it out when it comes out right")
NAMES = [pytest.param(path.stem, marks=[STILL_WRONG] if path.stem in not_yet() else []) for path in files()]


def journey_of(name: str) -> JourneyFile:
    return read((FOLDER / f"{name}.txt").read_text(encoding="utf-8"), name)


@pytest.mark.parametrize("name", NAMES)
def test_the_journey_comes_out_as_its_rules_say(name: str) -> None:
    journey = journey_of(name)
    found = [
        f"as of {expected.as_of}: {line}"
        for expected in journey.expected
        for line in differences(snapshot(journey.facts(), expected.as_of), expected.paths)
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("name", [path.stem for path in files() if path.stem not in not_yet()])
def test_the_step_publishes_the_journey_with_all_its_events(name: str) -> None:
    """One event that its model refuses would end the worker."""
    journey = journey_of(name)
    for expected in journey.expected:
        done = run(
            [tick_message(0, expected.as_of), *(fact_input(keyed("person"), each, 1) for each in journey.facts())]
        )
        assert done.rejected == []
        found = done.snapshot()
        assert not differences(numbered(found) if found else NOBODY, expected.paths)
